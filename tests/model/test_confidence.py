"""Confidence: what was stated, moved by outcomes, and by nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.confidence import HALF, OLD_MS, after, freshness

SHARE = st.floats(0.0, 1.0)
COUNT = st.integers(0, 50)


@given(SHARE)
def test_without_outcomes_it_is_what_was_stated(given: float) -> None:
    assert after(given, 0, 0, 0) == given


@given(SHARE, COUNT, COUNT, COUNT)
def test_success_never_lowers_failure_never_raises_and_it_stays_a_share(given: float, s: int, p: int, f: int) -> None:
    now = after(given, s, p, f)
    assert 0.0 <= now <= 1.0
    assert after(given, s + 1, p, f) >= now - 1e-12
    assert after(given, s, p, f + 1) <= now + 1e-12
    assert after(given, s, p + 2, f) == pytest.approx(after(given, s + 1, p, f + 1))


def test_the_rule_in_figures() -> None:
    assert after(0.8, 1, 0, 0) == pytest.approx(0.84)
    assert after(0.8, 0, 0, 1) == pytest.approx(0.64)
    assert after(0.5, 0, 1, 0) == 0.5
    assert after(0.0, 96, 0, 0) == 0.96


def test_age_lowers_a_rank_to_a_half_and_no_further() -> None:
    assert freshness(-5) == freshness(0) == 1.0
    assert 1.0 > freshness(OLD_MS // 2) > freshness(OLD_MS) == freshness(9 * OLD_MS) == HALF
