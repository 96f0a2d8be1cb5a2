"""The clock and ids."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory import ids


@given(st.integers(0, ids.MAX_MS - 1))
def test_times_go_there_and_back_and_say_what_datetime_says(ms: int) -> None:
    text = ids.at_text(ms)
    assert len(text) == 24 and ids.at_ms(text) == ms
    moment = datetime.fromtimestamp(ms // 1000, tz=timezone.utc)
    assert text == moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


@given(st.lists(st.integers(ids.MIN_MS, ids.MAX_MS - 2), min_size=2))
def test_clocks_always_rise_and_sort_as_text(walls: list[int]) -> None:
    highest = ""
    for wall in walls:
        following = ids.next_hlc(highest, wall)
        assert following > highest and len(following) == 18
        highest = following


def test_the_counter_runs_over_into_the_milliseconds() -> None:
    assert ids.next_hlc("1795357257123.9999", 0) == "1795357257124.0000"


@pytest.mark.parametrize("ms", [0, ids.MIN_MS - 1, ids.MAX_MS])
def test_a_clock_out_of_range_is_refused(ms: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        ids.hlc_text(ms, 0)


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22 14:20:57.123Z", "2026-11-22T14:20:57.123+00:00"])
def test_other_forms_are_no_log_times(text: str) -> None:
    with pytest.raises(ValueError, match="not a log time"):
        ids.at_ms(text)
