"""A remote in a folder, `file:///path`: a SQLite file for the segments and one file for each long body.

For a shared disk, a stick, a folder that something else carries about, and for tests. Nothing in it can be read without the key.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import apsw

from session_memory import paths
from session_memory.errors import InvalidInput, RemoteError
from session_memory.sync.remote import Head, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCHEME = "file://"
BUSY_MS = 10_000
NAME = re.compile(r"[0-9a-f]{64}")
SCHEMA = """
CREATE TABLE IF NOT EXISTS words (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment (
  origin TEXT NOT NULL, lo INTEGER NOT NULL, hi INTEGER NOT NULL, ver INTEGER NOT NULL, prev TEXT NOT NULL,
  chain TEXT NOT NULL, nulls INTEGER NOT NULL, sha TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (origin, lo)
) WITHOUT ROWID;
"""
HEADS = """
SELECT origin, max(hi), (SELECT chain FROM segment last WHERE last.origin = each.origin ORDER BY lo DESC LIMIT 1), sum(nulls)
FROM segment each GROUP BY origin ORDER BY origin
"""
INDEX = "SELECT origin, lo, hi, ver, prev, chain, nulls, sha, '' FROM segment WHERE origin = ? ORDER BY lo"
PAGE = """
SELECT origin, lo, hi, ver, prev, chain, nulls, sha, body FROM segment
WHERE hi > coalesce((SELECT value FROM json_each(?) WHERE key = segment.origin), 0) ORDER BY origin, lo
"""
APPEND = """
INSERT INTO segment SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
WHERE coalesce((SELECT max(hi) FROM segment WHERE origin = ?1), 0) = ?2 - 1
AND coalesce((SELECT chain FROM segment WHERE origin = ?1 ORDER BY lo DESC LIMIT 1), ?10) = ?5
"""
REPLACE = """
UPDATE segment SET nulls = ?5, sha = ?6, body = ?7, ver = ?4
WHERE origin = ?1 AND lo = ?2 AND sha = ?8 AND hi = ?3 AND chain = ?9
"""
FIRST = "0" * 64


class Folder:
    """The remote at a `file://` address. Every call opens the file anew, so a folder that was put back is seen at once."""

    def __init__(self, url: str, *, make: bool = True) -> None:
        """make: whether a folder that is not there may be made; one that was exchanged with is on a disk that is not there.

        Raises RemoteError (no-remote) for an address that names no folder.
        """
        self.url = url
        self._make = make
        path = url[len(SCHEME) :]
        if re.match(r"/[A-Za-z]:[/\\]", path):
            path = path[1:]  # file:///C:/…
        if not url.startswith(SCHEME) or not os.path.isabs(path) or "\0" in path:
            raise RemoteError("no-remote", f"{url[:200]!r} names no folder.", "Write it as file:///path/of/the/folder.")
        self._root = path
        self._file = os.path.join(path, "hub.sqlite")
        self._blobs = os.path.join(path, "blobs")

    def open(self, words: Mapping[str, str]) -> dict[str, str]:
        """See Remote."""
        above = os.path.dirname(self._root)
        if not os.path.isdir(self._root if not self._make else above):
            raise RemoteError(
                "remote-offline", f"The folder {above if self._make else self._root} is not there.",
                "Check the address, and that its disk is there"
                + ("." if self._make else f"; to begin anew: session-memory sync init {self.url}"),
            )  # fmt: skip
        with _told():
            paths.make_dir(self._root)
            os.close(paths.open_file(self._file, os.O_RDWR | os.O_CREAT))  # private before SQLite writes to it
            with _Hub(self._file) as hub:
                hub.execute(SCHEMA)
                for name, value in words.items():
                    hub.execute("INSERT OR IGNORE INTO words VALUES (?, ?)", (name, value))
                return dict(hub.execute("SELECT name, value FROM words"))

    def heads(self) -> list[Head]:
        """See Remote."""
        with self._hub() as hub:
            return [Head(*row) for row in hub.execute(HEADS)]

    def index(self, origin: str) -> list[Segment]:
        """See Remote."""
        with self._hub() as hub:
            return [Segment(*row) for row in hub.execute(INDEX, (origin,))]

    def page(self, after: Mapping[str, int], most: int = 4_000_000) -> list[Segment]:
        """See Remote."""
        found: list[Segment] = []
        size = 0
        with self._hub() as hub:
            for row in hub.execute(PAGE, (_json(after),)):
                size += len(row[8])
                if found and size > most:
                    break
                found.append(Segment(*row))
        return found

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        """See Remote."""
        done = []
        with self._hub() as hub:
            for each in segments:
                hub.execute(APPEND, (*_row(each), FIRST))
                done.append(hub.changes() == 1)
        return done

    def replace(self, segment: Segment, sha: str) -> bool:
        """See Remote."""
        s = segment
        with self._hub() as hub:
            hub.execute(REPLACE, (s.origin, s.lo, s.hi, s.ver, s.nulls, s.sha, s.body, sha, s.chain))
            return hub.changes() == 1

    def put(self, name: str, content: bytes) -> None:
        """See Remote."""
        path = self._blob(name)
        with _told():
            paths.make_dir(self._blobs)
            paths.make_dir(os.path.dirname(path))
            if not content or not os.path.lexists(path):
                paths.write_whole(path, content)

    def get(self, name: str) -> bytes | None:
        """See Remote."""
        path = self._blob(name)
        with _told():
            try:
                fd = paths.open_file(path, os.O_RDONLY)
            except FileNotFoundError:
                return None
            with open(fd, "rb") as file:
                return file.read()

    def _blob(self, name: str) -> str:
        assert NAME.fullmatch(name)
        return os.path.join(self._blobs, name[:2], name)

    def _hub(self) -> _Hub:
        return _Hub(self._file)


class _Hub:
    """One open connection, for a `with`; its errors leave as RemoteError."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None

    def __enter__(self) -> _Hub:
        try:
            # not made here: where the file is gone, nobody has opened the remote
            self._connection = apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READWRITE)
            self._connection.set_busy_timeout(BUSY_MS)
            self.execute("PRAGMA journal_mode = DELETE")  # the only one that works on network drives
            self.execute("PRAGMA synchronous = FULL")
            self.execute("PRAGMA secure_delete = ON")
        except apsw.Error as error:
            self.__exit__(None, None, None)
            if not os.path.exists(self._path):
                raise RemoteError(
                    "remote-not-there", "There is no remote in the folder.", "Make one: session-memory sync push"
                ) from error
            raise _failed(error) from error
        return self

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a statement; its rows."""
        assert self._connection is not None
        cursor = self._connection.execute(sql, values)
        return iter(cursor)

    def changes(self) -> int:
        """Rows that the last statement changed."""
        assert self._connection is not None
        return self._connection.changes()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if isinstance(error, apsw.Error):
            raise _failed(error) from error


class _told:  # noqa: N801  # reads as a word of the statement
    """Turns what the disk says into a RemoteError."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidInput):
            raise RemoteError(
                "remote-refused", f"The remote's folder cannot be used: {error.what}", error.fix
            ) from error
        if isinstance(error, OSError):
            raise RemoteError(
                "remote-offline", f"The remote's folder cannot be reached ({error.strerror or error}).",
                "Check that its disk is there and can be written.",
            ) from error  # fmt: skip


def _failed(error: apsw.Error) -> RemoteError:
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return RemoteError(
            "remote-damaged",
            f"hub.sqlite in the remote's folder is damaged ({error}).",
            "Move it away: the next push makes a new one.",
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return RemoteError("remote-busy", "Another device has been writing to the remote for too long.", "Try again.")
    if isinstance(error, apsw.FullError):
        return RemoteError("remote-quota", "The disk of the remote's folder is full.", "Free some space.")
    if isinstance(error, (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError)):
        return RemoteError(
            "remote-offline", f"The remote's folder cannot be used now ({error}).", "Check that its disk is there."
        )
    return RemoteError("remote-failed", f"hub.sqlite in the remote's folder refused a statement ({error}).")


def _row(each: Segment) -> tuple[Any, ...]:
    return (each.origin, each.lo, each.hi, each.ver, each.prev, each.chain, each.nulls, each.sha, each.body)


def _json(after: Mapping[str, int]) -> str:
    import json

    return json.dumps(dict(after))
