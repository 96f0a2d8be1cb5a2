"""Meaning without a model at run time: a text is the weighted mean of its word pieces' rows in a table that we ship.

The table is made by scripts/embedding_table.py from all-MiniLM-L6-v2 (Apache-2.0, see NOTICE). It is read when it is
first needed, through the page cache: an idle server does not carry it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from session_memory.embed.pieces import Pieces
from session_memory.index.embedded import LOCAL_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FOLDER = os.path.dirname(__file__)
WIDE = 256
MOST = 4_000  # characters of a text that are read


class Local:
    """The encoder of the default install."""

    model = LOCAL_MODEL
    wide = WIDE

    def __init__(self) -> None:
        with open(os.path.join(FOLDER, "pieces.txt"), encoding="utf-8") as file:
            vocabulary = {piece: n for n, piece in enumerate(file.read().split("\n")) if piece}
        self._pieces = Pieces(vocabulary)
        path, rows = os.path.join(FOLDER, "table.i8"), len(vocabulary)
        self._scales = np.fromfile(path, "<f4", rows)
        self._rows = np.memmap(path, np.int8, "r", 4 * rows, (rows, WIDE))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 a text; zeros where no word is known."""
        found = np.zeros((len(texts), WIDE), np.float32)
        for n, text in enumerate(texts):
            numbers = list(dict.fromkeys(self._pieces.numbers(text[:MOST])))
            if numbers:
                row = self._scales[numbers] @ self._rows[numbers].astype(np.float32)
                found[n] = row / (np.linalg.norm(row) or 1.0)
        return found
