"""Vectors of events: kept beside the index because they cost time or money to make, loaded into one matrix to be compared.

Content-addressed: one vector a model and (keyed) hash of a text, so a rebuild and a text said twice cost nothing, and no
text can be guessed from the file. A value is rounded to a byte; above BITS rows a comparison of signs chooses what is
compared in full.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from session_memory.index.database import loads, open_vectors
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from session_memory.index.database import Database

    Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]

BITS = 200_000  # rows above which signs are compared first
KEPT = 4_000  # rows that signs let through
BATCH = 256
BESIDE = 0.15  # share of the events before and after in how near an event is


class Vectors:
    """The vectors of one model in one home. `key` makes a hash of a text that nobody else can make."""

    def __init__(self, path: str, model: str, wide: int, key: Callable[[str], str]) -> None:
        self.model = model
        self._path = path
        self._wide = wide
        self._key = key
        self._inode = (0, 0)
        self._seen = 0  # the last event looked at
        self._values = np.zeros((0, wide), np.int8)
        self._n = np.zeros(0, np.int64)
        self._session = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._n)

    def load(self, database: Database) -> None:
        """Take in what has been kept of the events of this index. Raises apsw.Error."""
        if database.inode != self._inode:  # another index numbers its events anew
            self._inode, self._seen = database.inode, 0
            self._values, self._n = self._values[:0], self._n[:0]
            self._session = self._session[:0]
        if not os.path.exists(self._path):
            return
        with open_vectors(self._path) as kept:
            sql = "SELECT said.event, vector.value FROM said JOIN vector USING (model, hash) WHERE said.model = ?"
            values = dict(kept.execute(sql, (self.model,))) if self._seen == 0 else None
            rows = []
            for n, id_, session in database.rows(
                "SELECT n, id, session_n FROM event WHERE n > ? ORDER BY n", (self._seen,)
            ):
                if values is None:
                    found = next(iter(kept.execute(f"{sql} AND said.event = ?", (self.model, id_))), None)
                    value = found[1] if found else None
                else:
                    value = values.get(id_)
                if value is None or len(value) != self._wide:
                    break
                rows.append((n, session, value))
        self._append(rows)

    def missing(self, database: Database) -> int:
        """How many events have no vector yet."""
        row = database.one("SELECT count(*) FROM event WHERE n > ?", (self._seen,))
        return int(row[0]) if row else 0

    def fill(self, database: Database, encode: Encode, most: int = BATCH) -> int:
        """Make the vectors of the next events; returns how many. Raises apsw.Error, OSError, and what `encode` raises."""
        found = list(
            database.rows("SELECT n, id, session_n, data FROM event WHERE n > ? ORDER BY n LIMIT ?", (self._seen, most))
        )
        if not found:
            return 0
        texts = [plain_text(loads(row[3])) for row in found]
        hashes = [bytes.fromhex(self._key(text))[:16] for text in texts]
        with open_vectors(self._path) as kept:
            known = {}
            for each in dict.fromkeys(hashes):
                row = next(
                    iter(kept.execute("SELECT value FROM vector WHERE model = ? AND hash = ?", (self.model, each))),
                    None,
                )
                if row is not None and len(row[0]) == self._wide:
                    known[each] = row[0]
            new = {each: text for each, text in zip(hashes, texts) if each not in known}
            if new:
                made = rounded(encode(list(new.values())))
                known.update((each, row.tobytes()) for each, row in zip(new, made))
            with kept:
                kept.executemany(
                    "INSERT OR REPLACE INTO vector (model, hash, value) VALUES (?, ?, ?)",
                    [(self.model, each, known[each]) for each in new],
                )
                kept.executemany(
                    "INSERT OR REPLACE INTO said (model, event, hash) VALUES (?, ?, ?)",
                    [(self.model, row[1], each) for row, each in zip(found, hashes)],
                )
        self._append([(row[0], row[2], known[each]) for row, each in zip(found, hashes)])
        return len(found)

    def _append(self, rows: list[tuple[int, int, bytes]]) -> None:
        if rows:
            new = np.frombuffer(b"".join(row[2] for row in rows), np.int8).reshape(-1, self._wide)
            self._values = np.concatenate([self._values, new])
            self._n = np.concatenate([self._n, np.array([row[0] for row in rows], np.int64)])
            self._session = np.concatenate([self._session, np.array([row[1] for row in rows], np.int64)])
            self._seen = rows[-1][0]

    def near(self, query: NDArray[np.float32]) -> Near:
        """How near every event is to a query. Cosines, a little of the neighbours' among them."""
        if len(self._n) > BITS:
            away = np.bitwise_count(np.packbits(self._values > 0, axis=1) ^ np.packbits(query > 0)).sum(1)
            chosen = np.sort(np.argpartition(away, KEPT)[:KEPT])
        else:
            chosen = np.arange(len(self._n))
        cosine = np.empty(len(chosen), np.float32)
        for begin in range(0, len(chosen), 16_384):
            part = self._values[chosen[begin : begin + 16_384]].astype(np.float32)
            lengths = np.sqrt(np.einsum("ij,ij->i", part, part))
            cosine[begin : begin + 16_384] = part @ query / np.where(lengths > 0, lengths, 1)
        smooth = cosine.copy()
        if len(chosen) > 1 and len(chosen) == len(self._n):
            same = self._session[1:] == self._session[:-1]
            smooth[1:] += BESIDE * same * cosine[:-1]
            smooth[:-1] += BESIDE * same * cosine[1:]
        return Near(self._n[chosen], cosine, smooth)


class Near:
    """How near the events of a memory are to one query."""

    def __init__(self, n: NDArray[np.int64], cosine: NDArray[np.float32], smooth: NDArray[np.float32]) -> None:
        self._n = n
        self._cosine = cosine
        self._smooth = smooth

    def best(self, most: int) -> list[int]:
        """The numbers of the nearest events, nearest first."""
        few = np.argpartition(-self._smooth, most)[:most] if len(self._n) > most else np.arange(len(self._n))
        return [int(n) for n in self._n[few[np.argsort(-self._smooth[few])]]]

    def of(self, numbers: Sequence[int]) -> dict[int, tuple[float, float]]:
        """(cosine, cosine with its neighbours') of those of these events that have a vector."""
        at = np.searchsorted(self._n, numbers)
        return {
            n: (float(self._cosine[place]), float(self._smooth[place]))
            for n, place in zip(numbers, at)
            if place < len(self._n) and self._n[place] == n
        }


def rounded(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """A byte a value; only directions are compared, so every row uses the whole range."""
    tops = np.abs(rows).max(1, keepdims=True)
    made: NDArray[np.int8] = np.round(rows / np.where(tops > 0, tops, 1) * 127).astype(np.int8)
    return made
