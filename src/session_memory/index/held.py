"""The values of some rows of a large memory, held close together: what was never chosen takes no room.

An array with a place for every row would be taken whole by the operating system, which gives memory in large pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Held:
    """Values (`wide` bytes each) by the numbers of their rows."""

    def __init__(self, wide: int) -> None:
        self.wide = wide
        self._places = np.zeros(0, np.int32)  # by row: where its values are, from 1; 0: they are not held
        self._values = np.zeros((0, wide), np.int8)  # with room for more
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def lacks(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these rows that are not held, each once."""
        there = np.zeros(len(rows), np.bool_)
        known = rows < len(self._places)
        there[known] = self._places[rows[known]] > 0
        return np.unique(rows[~there])

    def put(self, rows: NDArray[np.int64], values: NDArray[np.int8]) -> None:
        """Hold the values of rows that are not held yet, each once."""
        if not len(rows):
            return
        self._places = grown(self._places, int(rows.max()) + 1)
        self._values = grown(self._values, self._count + len(rows))
        begin, self._count = self._count, self._count + len(rows)
        self._values[begin : self._count] = values
        self._places[rows] = np.arange(begin + 1, self._count + 1)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """The values of rows that are held."""
        return self._values[self._places[rows] - 1]


def grown(rows: NDArray[Any], count: int) -> NDArray[Any]:
    """An array with room for `count` rows and some more; the same while there is room."""
    if count <= len(rows):
        return rows
    made = np.zeros((max(count, len(rows) * 5 // 4), *rows.shape[1:]), rows.dtype)
    made[: len(rows)] = rows
    return made
