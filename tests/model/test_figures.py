"""Figures are those of the books: shares, the mean of the inverse rank, and the time that 95 of 100 stay within."""

from __future__ import annotations

from session_memory.model.figures import Figures, figures


def test_figures_of_ranks_and_times() -> None:
    assert figures([1, 2, 6, 0], [1.0, 2.0, 3.0, 4.0]) == Figures(4, 0.25, 0.5, round((1 + 1 / 2 + 1 / 6) / 4, 4), 4.0)
    assert figures([1], [7.04]) == Figures(1, 1.0, 1.0, 1.0, 7.0)
    assert figures([1] * 100, [float(n) for n in range(100)]).p95_ms == 95.0
