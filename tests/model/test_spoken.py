"""Times as people say them, seen from a Wednesday."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory import ids
from session_memory.model.spoken import spoken, within

NOW = ids.at_ms("2026-11-25T15:30:00.000Z")


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("today", "2026-11-25", "2026-11-25"), ("yesterday", "2026-11-24", "2026-11-24"),
        ("this week", "2026-11-23", "2026-11-29"), ("last week", "2026-11-16", "2026-11-22"),
        ("Last Month", "2026-10-01", "2026-10-31"), ("this year", "2026-01-01", "2026-12-31"),
        ("2 days ago", "2026-11-23", "2026-11-23"), ("since monday", "2026-11-23", "2026-11-23"),
        ("last wednesday", "2026-11-18", "2026-11-18"), ("in march", "2026-03-01", "2026-03-31"),
        ("december", "2025-12-01", "2025-12-31"),
    ],
)  # fmt: skip
def test_days_weeks_and_months(said: str, first: str, last: str) -> None:
    found = spoken(said, NOW)
    assert found is not None
    assert ids.at_text(found[0])[:19] == f"{first}T00:00:00" and ids.at_text(found[1])[:19] == f"{last}T23:59:59"


def test_spans_that_end_now() -> None:
    assert spoken("the last 3 hours", NOW) == (NOW - 3 * 3_600_000, NOW)
    found = spoken("2 hours ago", NOW)
    assert found is not None and found[0] < NOW - 2 * 3_600_000 < found[1]


def test_what_is_no_time_is_none() -> None:
    for text in ("", "cache", "last", "2026-11-25T10:00:00Z", "week"):
        assert spoken(text, NOW) is None


def test_a_time_inside_a_question() -> None:
    assert within("what did we decide last week about redis?", NOW) == spoken("last week", NOW)
    day = within("the failure of 2026-11-02", NOW)
    assert day is not None and ids.at_text(day[0])[:10] == "2026-11-02"
    assert within("the last commit may fail", NOW) is None and within("2026-13-45", NOW) is None


@given(st.text(max_size=30), st.integers(0, 4_000_000_000_000))
def test_no_string_is_an_error(text: str, now: int) -> None:
    for found in (spoken(text, now), within(text, now)):
        assert found is None or found[0] <= found[1]
