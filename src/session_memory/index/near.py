"""How near the events of a memory are to one query: their own cosines, and a little of their neighbours'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from session_memory.index.vectors import Vectors

CHUNK = 16_384  # rows that are looked at at once
BESIDE = 0.15  # share of the events before and after in how near an event is


class Near:
    """How near the events of a memory are to one query; worked out for those that are asked for."""

    def __init__(self, vectors: Vectors, query: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self._query = query

    def _smooth(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(cosine, cosine with a little of the neighbours')."""
        vectors, query = self._vectors, self._query
        own = vectors.cosines(query, rows)
        smooth = own.copy()
        for step in (-1, 1):
            there = vectors.beside(rows, step)
            has = there >= 0
            smooth[has] += BESIDE * vectors.cosines(query, there[has])
        return own, smooth

    def best(self, most: int) -> list[int]:
        """The numbers of the nearest events, nearest first."""
        vectors = self._vectors
        rows = vectors.likely(self._query)
        own = np.empty(len(rows), np.float32)
        for at in range(0, len(rows), CHUNK):
            own[at : at + CHUNK] = vectors.cosines(self._query, rows[at : at + CHUNK])
        rows = _top(rows, own, 3 * most)
        beside = np.concatenate([rows, vectors.beside(rows, -1), vectors.beside(rows, 1)])  # neighbours gain by them
        rows = np.unique(beside[beside >= 0])
        _own, smooth = self._smooth(rows)
        return vectors.numbers(_top(rows, smooth, most))

    def of(self, numbers: Sequence[int]) -> dict[int, tuple[float, float]]:
        """(cosine, cosine with its neighbours') of those of these events that have a vector."""
        rows = self._vectors.rows_of(numbers)
        has = rows >= 0
        own, smooth = self._smooth(rows[has])
        there = [n for n, is_there in zip(numbers, has) if is_there]
        return {n: (float(one), float(other)) for n, one, other in zip(there, own, smooth)}


def _top(rows: NDArray[np.int64], scores: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """The rows with the highest scores, highest first."""
    few = np.argpartition(-scores, most)[:most] if len(rows) > most else np.arange(len(rows))
    return rows[few[np.argsort(-scores[few], kind="stable")]]
