"""Blocks of rows of a large memory: all that choosing needs, kept together, so that a search need not read vector by vector.

A block says which index numbered its events; blocks of another one are dropped. They are made of what the tables of the same
file hold, and go when anything is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROWS = 4_096  # of a block
HASH = 16  # bytes
NUMBERS = np.dtype([("n", "<i8"), ("session", "<i8"), ("length", "<f4"), ("hash", f"V{HASH}")])


class Block(NamedTuple):
    """Rows in their order. rows: NUMBERS of each; signs: a bit a value, 64 in a number (rows x numbers)."""

    rows: NDArray[np.void]
    signs: NDArray[np.uint64]


def read(kept: Any, model: str, index: str, after: int) -> Iterator[Block]:
    """The blocks of this index behind event `after`, in their order, as far as each begins where the last one ended."""
    found = kept.execute(
        "SELECT before, last, rows, content FROM block WHERE model = ? AND made = ? AND last > ? ORDER BY last",
        (model, index, after),
    )
    for before, last, count, content in found:
        size = count * NUMBERS.itemsize
        if before != after:  # another process has cut otherwise
            continue
        if count < 1 or len(content) <= size or (len(content) - size) % (8 * count):
            return
        rows = np.frombuffer(content, NUMBERS, count)
        yield Block(rows, np.frombuffer(content, "<u8", offset=size).reshape(count, -1))
        after = last


def write(kept: Any, model: str, index: str, before: int, block: Block) -> None:
    """Keep the rows behind event `before`; blocks of another index go. Raises apsw.Error."""
    with kept:
        kept.execute("DELETE FROM block WHERE model = ? AND made != ?", (model, index))
        kept.execute(
            "INSERT OR REPLACE INTO block (model, made, before, last, rows, content) VALUES (?, ?, ?, ?, ?, ?)",
            (model, index, before, int(block.rows["n"][-1]), len(block.rows), block.rows.tobytes() + block.signs.tobytes()),
        )  # fmt: skip
