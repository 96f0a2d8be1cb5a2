"""Figures of a search: how often the answer comes first, among the first five, how far down it stands, how long it takes."""

from __future__ import annotations

from typing import NamedTuple


class Figures(NamedTuple):
    """hit_at_1, hit_at_5: shares of questions; mrr: mean of 1 / rank; p95_ms: milliseconds that 95 of 100 stay within."""

    questions: int
    hit_at_1: float
    hit_at_5: float
    mrr: float
    p95_ms: float


def figures(ranks: list[int], took_ms: list[float]) -> Figures:
    """Of ranks (1 is the best, 0 means not found) and times of the same questions; at least one."""
    many = len(ranks)
    times = sorted(took_ms)
    return Figures(
        many,
        round(sum(rank == 1 for rank in ranks) / many, 4),
        round(sum(0 < rank <= 5 for rank in ranks) / many, 4),
        round(sum(1 / rank for rank in ranks if rank) / many, 4),
        round(times[min(many - 1, int(0.95 * many))], 1),
    )
