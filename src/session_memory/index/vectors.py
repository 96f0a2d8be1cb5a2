"""Vectors of events: kept beside the index because they cost time or money to make, loaded into one matrix to be compared.

Content-addressed: one vector a model and (keyed) hash of a text, so a rebuild and a text said twice cost nothing, and no
text can be guessed from the file. A value is rounded to a byte; above BITS rows a comparison of signs chooses what is
compared in full.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from session_memory.index.database import loads, open_vectors
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from session_memory.index.database import Database

    Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]

BITS = 20_000  # rows above which signs are compared first
KEPT = 4_000  # rows that signs let through
BATCH = 256
CHUNK = 16_384  # rows that are looked at at once
BESIDE = 0.15  # share of the events before and after in how near an event is


class Todo(NamedTuple):
    """Events that lack a vector: (n, id, session) and the hash of its text for each, vectors that are known by hash, and the texts
    that must be encoded."""

    rows: list[tuple[int, bytes, int]]
    hashes: list[bytes]
    known: dict[bytes, bytes]
    new: dict[bytes, str]


class Vectors:
    """The vectors of one model in one home. `key` makes a hash of a text that nobody else can make.

    wide: numbers of a vector; 0: what lies in the file, or the first vectors that are made, tell.
    """

    def __init__(self, path: str, model: str, wide: int, key: Callable[[str], str]) -> None:
        self.model = model
        self._path = path
        self._key = key
        self._inode = (0, 0)
        self._empty(wide)

    def _empty(self, wide: int) -> None:
        self.wide = wide
        self._seen = 0  # the last event looked at
        self._count = 0
        self._values = np.zeros((0, wide), np.int8)  # with room for more
        self._lengths = np.zeros(0, np.float32)
        self._n = np.zeros(0, np.int64)
        self._session = np.zeros(0, np.int64)
        self._bits = np.zeros((0, 0), np.uint64)  # signs of the first so many rows, made when they are asked for

    def __len__(self) -> int:
        return self._count

    def load(self, database: Database) -> None:
        """Take in what has been kept of the events of this index. Raises apsw.Error."""
        if database.inode != self._inode:  # another index numbers its events anew
            self._inode = database.inode
            self._empty(self.wide)
        if not os.path.exists(self._path):
            return
        with open_vectors(self._path) as kept:
            if not self.wide:
                found = next(iter(kept.execute("SELECT value FROM vector WHERE model = ?", (self.model,))), None)
                self.wide = len(found[0]) if found else 0
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
                if value is None or len(value) != self.wide:
                    break
                rows.append((n, session, value))
        self._append(rows)

    def missing(self, database: Database) -> int:
        """How many events have no vector yet."""
        row = database.one("SELECT count(*) FROM event WHERE n > ?", (self._seen,))
        return int(row[0]) if row else 0

    def fill(self, database: Database, encode: Encode, most: int = BATCH) -> int:
        """Make the vectors of the next events; returns how many. Raises apsw.Error, OSError, and what `encode` raises."""
        todo = self.todo(database, most)
        if todo is None:
            return 0
        self.keep(database, todo, encode(list(todo.new.values())) if todo.new else None)
        return len(todo.rows)

    def todo(self, database: Database, most: int = BATCH) -> Todo | None:
        """The next events that lack a vector; None when all have one. Raises apsw.Error, OSError."""
        found = list(
            database.rows("SELECT n, id, session_n, data FROM event WHERE n > ? ORDER BY n LIMIT ?", (self._seen, most))
        )
        if not found:
            return None
        texts = [plain_text(loads(row[3])) for row in found]
        hashes = [bytes.fromhex(self._key(text))[:16] for text in texts]
        known = {}
        with open_vectors(self._path) as kept:
            for each in dict.fromkeys(hashes):
                row = next(
                    iter(kept.execute("SELECT value FROM vector WHERE model = ? AND hash = ?", (self.model, each))),
                    None,
                )
                if row is not None and len(row[0]) == self.wide:
                    known[each] = row[0]
        new = {each: text for each, text in zip(hashes, texts) if each not in known}
        return Todo([row[:3] for row in found], hashes, known, new)

    def keep(self, database: Database, todo: Todo, made: NDArray[np.float32] | None) -> None:
        """Keep the vectors that were made of `todo.new`, in its order. Raises apsw.Error, OSError.

        Time may have passed since: what is forgotten by now is left out, and an index made again is read again.
        """
        if made is not None:
            self.wide = self.wide or made.shape[1]
            todo.known.update((each, row.tobytes()) for each, row in zip(todo.new, rounded(made)))
        there = [database.one("SELECT n FROM event WHERE id = ?", (row[1],)) is not None for row in todo.rows]
        said = [(self.model, row[1], each) for row, each, is_there in zip(todo.rows, todo.hashes, there) if is_there]
        hashes = {each for _model, _event, each in said}
        with open_vectors(self._path) as kept, kept:
            kept.executemany(
                "INSERT OR REPLACE INTO vector (model, hash, value) VALUES (?, ?, ?)",
                [(self.model, each, todo.known[each]) for each in todo.new if each in hashes],
            )
            kept.executemany("INSERT OR REPLACE INTO said (model, event, hash) VALUES (?, ?, ?)", said)
        before = database.one("SELECT max(n) FROM event WHERE n < ?", (todo.rows[0][0],))
        if database.inode == self._inode and all(there) and self._seen == ((before[0] if before else 0) or 0):
            self._append([(row[0], row[2], todo.known[each]) for row, each in zip(todo.rows, todo.hashes)])
        else:
            self.load(database)

    def _append(self, rows: list[tuple[int, int, bytes]]) -> None:
        if not rows:
            return
        if self._values.shape[1] != self.wide:
            self._values = np.zeros((0, self.wide), np.int8)
        begin, end = self._count, self._count + len(rows)
        if end > len(self._n):
            room = max(end, len(self._n) * 5 // 4)
            for name in ("_values", "_lengths", "_n", "_session"):
                old = getattr(self, name)
                grown = np.zeros((room, *old.shape[1:]), old.dtype)
                grown[:begin] = old[:begin]
                setattr(self, name, grown)
        new = np.frombuffer(b"".join(row[2] for row in rows), np.int8).reshape(-1, self.wide)
        self._values[begin:end] = new
        self._lengths[begin:end] = _lengths(new)
        self._n[begin:end] = [row[0] for row in rows]
        self._session[begin:end] = [row[1] for row in rows]
        self._count, self._seen = end, rows[-1][0]

    def near(self, query: NDArray[np.float32]) -> Near:
        """How near every event is to a query (length 1). Cosines, a little of the neighbours' among them."""
        return Near(self, query)

    def rows_of(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """The rows of events, -1 for those that have no vector."""
        n = self._n[: self._count]
        at = np.searchsorted(n, numbers)
        found = np.where(at < self._count, at, 0)
        return np.where(n[found] == numbers, found, -1) if self._count else np.full(len(numbers), -1)

    def numbers(self, rows: NDArray[np.int64]) -> list[int]:
        """The events of rows."""
        return [int(n) for n in self._n[rows]]

    def cosines(self, query: NDArray[np.float32], rows: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """How near these rows are to the query."""
        found: NDArray[np.float32] = (self._values[rows].astype(np.float32) @ query) / self._lengths[rows]
        return found

    def beside(self, rows: NDArray[np.int64], step: int) -> NDArray[np.int64]:
        """The rows before (-1) or behind (1) these in their session; -1 where there is none."""
        there = rows + step
        inside = (there >= 0) & (there < self._count)
        there = np.where(inside, there, 0)
        return np.where(inside & (self._session[there] == self._session[rows]), there, -1)

    def likely(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        """The rows that may be the nearest: all, or of many those whose signs are most like the query's."""
        return np.arange(self._count) if self._count <= BITS else self._chosen(query)

    def _chosen(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        """The rows whose signs are most like the query's, in their order."""
        done = len(self._bits)
        if done < self._count:
            self._bits = (
                np.concatenate([self._bits.reshape(done, -1), _signs(self._values[done : self._count])])
                if done
                else (_signs(self._values[: self._count]))
            )
        asked = _signs(query[None, :])
        away = np.empty(self._count, np.int16)
        for begin in range(0, self._count, CHUNK):
            away[begin : begin + CHUNK] = np.bitwise_count(self._bits[begin : begin + CHUNK] ^ asked).sum(1)
        return np.sort(np.argpartition(away, KEPT)[:KEPT])


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


def _signs(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """One bit a value, 64 in a number; made in parts, so that a large memory is not held twice."""
    wide = -(-rows.shape[1] // 64)
    made = np.zeros((len(rows), wide * 8), np.uint8)
    for begin in range(0, len(rows), CHUNK):
        packed = np.packbits(rows[begin : begin + CHUNK] > 0, axis=1)
        made[begin : begin + CHUNK, : packed.shape[1]] = packed
    return made.view(np.uint64)


def _lengths(rows: NDArray[np.int8]) -> NDArray[np.float32]:
    """The length of each row; 1 where it is 0."""
    wide = rows.astype(np.float32)
    found: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    return np.where(found > 0, found, np.float32(1))


def rounded(rows: NDArray[np.float32]) -> NDArray[np.int8]:
    """A byte a value; only directions are compared, so every row uses the whole range."""
    tops = np.abs(rows).max(1, keepdims=True)
    made: NDArray[np.int8] = np.round(rows / np.where(tops > 0, tops, 1) * 127).astype(np.int8)
    return made
