"""Vectors of events: kept beside the index because they cost time or money to make, loaded into one matrix to be compared.

Content-addressed: one vector a model and (keyed) hash of a text, so a rebuild and a text said twice cost nothing, and no
text can be guessed from the file. A value is rounded to a byte; above BITS rows a comparison of signs chooses what is
compared in full, and the values of what was never chosen stay in the file.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from session_memory import ids
from session_memory.index import blocks
from session_memory.index.database import FAILURES, loads, open_vectors
from session_memory.index.embedded import Unreadable
from session_memory.index.held import Held, grown
from session_memory.index.near import CHUNK, Near
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from session_memory.index.database import Database

    Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]

BITS = 20_000  # rows above which signs are compared first
KEPT = 1_200  # rows that signs let through
MOST_VALUES = 200_000  # rows of a large memory whose values are held: 50 MB of the table's
BATCH = 256
LOADED = 4_096  # events that are looked up in one statement
WEED, DEAD = (
    4_096,
    0.02,
)  # events between two looks for rows of events that are gone, and the share of them that is borne
HASH = np.dtype(f"V{blocks.HASH}")


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
        self._index = ""  # which one numbers the events
        self._empty(wide)

    def _empty(self, wide: int) -> None:
        self.wide = wide
        self._seen = 0  # the last event looked at
        self._count = 0
        self._blocked = 0  # the first so many rows lie in blocks too
        self._weeded = 0  # the last event up to which rows of events that are gone were looked for
        self._signed = 0  # the signs of the first so many rows are known
        self._n = np.zeros(0, np.int64)  # this and all below with room for more
        self._session = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.float32)
        self._hashes = np.zeros(0, HASH)
        self._held = Held(wide)
        self._bits = [np.zeros(0, np.uint64)] * -(-wide // 64)  # signs, 64 of every row in each: fast to compare

    def __len__(self) -> int:
        return self._count

    def load(self, database: Database, until: float = math.inf) -> None:
        """Take in what has been kept of the events of this index, as far as time allows. Raises apsw.Error."""
        which = database.which()
        if which != self._index:
            self._index = which
            self._empty(self.wide)
        if not os.path.exists(self._path):
            return
        with open_vectors(self._path) as kept:
            if not self.wide:
                found = next(iter(kept.execute("SELECT value FROM vector WHERE model = ?", (self.model,))), None)
                self._empty(len(found[0]) if found else 0)
            if self._count == self._blocked:
                for block in blocks.read(kept, self.model, which, self._seen):
                    if block.signs.shape[1] != len(self._bits):
                        break
                    self._take_in(block)
            going = True
            while going:
                while self._load_some(database, kept) and ids.monotonic() < until:
                    pass
                going = self._weeded_out(database, kept)

    def _weeded_out(self, database: Database, kept: Any) -> bool:
        """Whether rows of events that are gone (chunks of a document that was read again) were too many: all rows go then.

        They would keep others from being near. What is loaded after that holds none of them.
        """
        if self._count <= BITS or self._seen <= self._weeded + WEED:
            return False
        self._weeded = self._seen
        row = database.one("SELECT count(*) FROM event")
        if row is None or self._count <= row[0] * (1 + DEAD):
            return False
        kept.execute("DELETE FROM block WHERE model = ?", (self.model,))
        self._empty(self.wide)
        return True

    def _take_in(self, block: blocks.Block) -> None:
        begin, end = self._room(len(block.rows))
        rows = block.rows
        self._n[begin:end], self._session[begin:end] = rows["n"], rows["session"]
        self._lengths[begin:end], self._hashes[begin:end] = rows["length"], rows["hash"]
        for column, signs in zip(self._bits, block.signs.T):
            column[begin:end] = signs
        self._count = self._blocked = self._signed = end
        self._seen = int(self._n[end - 1])

    def _load_some(self, database: Database, kept: Any) -> bool:
        """The next events of which a vector has been kept; whether there may be more."""
        rows = list(
            database.rows("SELECT n, id, session_n FROM event WHERE n > ? ORDER BY n LIMIT ?", (self._seen, LOADED))
        )
        sql = (
            "SELECT said.event, said.hash, vector.value FROM said JOIN vector USING (model, hash)"
            f" WHERE said.model = ? AND said.event IN ({', '.join('?' * len(rows))})"
        )
        found = {row[0]: row[1:] for row in kept.execute(sql, (self.model, *(row[1] for row in rows)))}
        known = []
        for n, id_, session in rows:
            hash_, value = found.get(id_, (b"", b""))
            if not value or len(value) != self.wide or len(hash_) != blocks.HASH:
                break
            known.append((n, session, hash_, value))
        self._append(known)
        return len(known) == LOADED

    def missing(self, database: Database) -> int:
        """How many events have no vector yet."""
        row = database.one("SELECT count(*) FROM event WHERE n > ?", (self._seen,))
        return int(row[0]) if row else 0

    def fill(self, database: Database, encode: Encode, most: int = BATCH) -> int:
        """Make the vectors of the next events; returns how many. Raises apsw.Error, OSError, and what `encode` raises."""
        todo = self.todo(database, most)
        if todo is None:
            self.settle(database)
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
        numbers = [database.one("SELECT n FROM event WHERE id = ?", (row[1],)) for row in todo.rows]
        there = [number is not None for number in numbers]
        same = all(number is not None and number[0] == row[0] for number, row in zip(numbers, todo.rows))
        said = [(self.model, row[1], each) for row, each, is_there in zip(todo.rows, todo.hashes, there) if is_there]
        hashes = {each for _model, _event, each in said}
        with open_vectors(self._path) as kept, kept:
            kept.executemany(
                "INSERT OR REPLACE INTO vector (model, hash, value) VALUES (?, ?, ?)",
                [(self.model, each, todo.known[each]) for each in todo.new if each in hashes],
            )
            kept.executemany("INSERT OR REPLACE INTO said (model, event, hash) VALUES (?, ?, ?)", said)
        before = database.one("SELECT max(n) FROM event WHERE n < ?", (todo.rows[0][0],))
        if same and database.which() == self._index and self._seen == ((before[0] if before else 0) or 0):
            self._append([(row[0], row[2], each, todo.known[each]) for row, each in zip(todo.rows, todo.hashes)])
            self.settle(database)
        else:
            self.load(database)

    def settle(self, database: Database) -> None:
        """Keep the rows of a large memory in blocks: whoever loads it next reads little. Raises apsw.Error, OSError."""
        if self._count <= BITS or self._count - self._blocked < blocks.ROWS:
            return
        if database.which() != self._index:  # what these rows say may have been forgotten since
            return
        self._sign()
        with open_vectors(self._path) as kept:
            while self._count - self._blocked >= blocks.ROWS:
                part = slice(self._blocked, self._blocked + blocks.ROWS)
                rows = np.empty(blocks.ROWS, blocks.NUMBERS)
                rows["n"], rows["session"] = self._n[part], self._session[part]
                rows["length"], rows["hash"] = self._lengths[part], self._hashes[part]
                before = int(self._n[part.start - 1]) if part.start else 0
                blocks.write(
                    kept,
                    self.model,
                    self._index,
                    before,
                    blocks.Block(rows, np.stack([column[part] for column in self._bits], 1)),
                )
                self._blocked = part.stop

    def _append(self, rows: list[tuple[int, int, bytes, bytes]]) -> None:
        """Rows (n, session, hash, value) behind the last."""
        if not rows:
            return
        if self._held.wide != self.wide:
            self._empty(self.wide)
        begin, end = self._room(len(rows))
        new = np.frombuffer(b"".join(row[3] for row in rows), np.int8).reshape(-1, self.wide)
        self._n[begin:end] = [row[0] for row in rows]
        self._session[begin:end] = [row[1] for row in rows]
        self._hashes[begin:end] = np.frombuffer(b"".join(row[2] for row in rows), HASH)
        self._lengths[begin:end] = _lengths(new)
        self._held.put(np.arange(begin, end), new)
        self._count, self._seen = end, rows[-1][0]
        if len(self._held) > MOST_VALUES:  # all of them lie in the file
            self._sign()
            self._held = Held(self.wide)

    def _room(self, more: int) -> tuple[int, int]:
        """Make room for more rows; where they begin and end."""
        begin, end = self._count, self._count + more
        for name in ("_n", "_session", "_lengths", "_hashes"):
            setattr(self, name, grown(getattr(self, name), end))
        self._bits = [grown(column, end) for column in self._bits]
        return begin, end

    def _values(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """The values of rows, read from the file where they are not held. Raises Unreadable."""
        lacks = self._held.lacks(rows)
        if len(lacks):
            if len(self._held) + len(lacks) > MOST_VALUES:
                self._held = Held(self.wide)
                lacks = np.unique(rows)
            try:
                self._read(lacks)
            except (*FAILURES, OSError) as error:
                raise Unreadable(str(error)) from error
        return self._held.take(rows)

    def _read(self, lacks: NDArray[np.int64]) -> None:
        """Hold the values of these rows. Raises apsw.Error, OSError."""
        with open_vectors(self._path) as kept:
            for at in range(0, len(lacks), LOADED):
                some = lacks[at : at + LOADED]
                wanted = [each.tobytes() for each in self._hashes[some]]
                sql = f"SELECT hash, value FROM vector WHERE model = ? AND hash IN ({', '.join('?' * len(some))})"
                found = dict(kept.execute(sql, (self.model, *wanted)))
                none = bytes(self.wide)  # gone since, or of another width: near to nothing
                read = (found.get(each, none) for each in wanted)
                values = b"".join(each if len(each) == self.wide else none for each in read)
                self._held.put(some, np.frombuffer(values, np.int8).reshape(-1, self.wide))

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

    def warm(self) -> bool:
        """Hold the values of a few more rows where there is room for all; whether there were any. Raises Unreadable."""
        if not len(self._held) < self._count <= MOST_VALUES:
            return False
        self._values(self._held.lacks(np.arange(self._count))[:LOADED])
        return True

    def cosines(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """How near these rows are to the query. Raises Unreadable."""
        found: NDArray[np.float32] = (self._values(rows).astype(np.float32) @ query) / self._lengths[rows]
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
        self._sign()
        away = np.zeros(self._count, np.int16)
        for column, asked in zip(self._bits, _signs(query[None, :])[0]):
            away += np.bitwise_count(column[: self._count] ^ asked)
        return np.sort(np.argpartition(away, KEPT)[:KEPT])

    def _sign(self) -> None:
        """Make the signs of rows that have none yet."""
        for begin in range(self._signed, self._count, CHUNK):
            rows = np.arange(begin, min(begin + CHUNK, self._count))
            for column, signs in zip(self._bits, _signs(self._values(rows)).T):
                column[rows] = signs
        self._signed = self._count


def _signs(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """One bit a value, 64 in a number."""
    made = np.zeros((len(rows), -(-rows.shape[1] // 64) * 8), np.uint8)
    packed = np.packbits(rows > 0, axis=1)
    made[:, : packed.shape[1]] = packed
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
