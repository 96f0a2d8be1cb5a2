"""Two texts that say the same in other words are alike; others are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.likeness import ALIKE, likeness


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Retry with exponential backoff", "Use exponential backoff for retries", True),
        ("Never mock the clock", "Never mock clocks", True),
        ("Caching the tokens", "Cache tokens", True),
        ("Retry with exponential backoff", "Retry at once", False),
        ("Retry with exponential backoff", "Freeze the clock", False),
        ("use it", "Use it ", True),
        ("use it", "do not", False),
        ("", "", True),
    ],
)
def test_what_is_alike(one: str, other: str, alike: bool) -> None:
    assert (likeness(one, other) >= ALIKE) is alike


@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_a_share_the_same_from_both_sides_and_whole_for_itself(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one) and 0.0 <= likeness(one, other) <= 1.0
    assert likeness(one, one) == 1.0
