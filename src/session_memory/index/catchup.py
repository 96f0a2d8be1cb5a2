"""Catch-up: bringing the index to the log's end, from where it stands or from nothing. The only writer of the index.

The watermark (seq, chain) of each origin is committed with the rows it stands for. A line that cannot be applied is
counted in `skipped`; it never stops the lines after it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw

from session_memory.errors import IndexUnavailable, LogUnavailable, SessionMemoryError
from session_memory.index import checkpoints, events, sessions
from session_memory.index.database import DAMAGE, Database, make_index, open_index, place, set_aside, unavailable
from session_memory.log import line, reader
from session_memory.log.lock import Lock
from session_memory.model import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_memory.log.reader import Place
    from session_memory.paths import Home

    Progress = Callable[[int, int], None]  # bytes read, bytes in all

APPLY = {
    record.SESSION: sessions.apply,
    record.EVENT: events.apply,
    record.CHECKPOINT: checkpoints.apply,
    record.HANDOFF: checkpoints.apply,
    record.RESUME: checkpoints.apply,
}
SILENT = (record.ORIGIN, record.FORGET)  # kinds that make no row
LOCK_SECONDS = 0.25  # a server rather answers "behind" than waits
REBUILD_SECONDS = 20.0
BATCH = 20_000  # lines in one transaction of an ordinary catch-up
SHOWN_EVERY = 2_000  # lines between two calls of `progress`


class Index:
    """The index of one home in one process: opened on demand, caught up before it is read."""

    def __init__(self, home: Home, warn: Callable[[str], None] = lambda text: None) -> None:
        self._home = home
        self._warn = warn
        self._database: Database | None = None

    def database(self) -> Database:
        """The open index, as it stands. Raises IndexUnavailable."""
        database = self._open()
        if database is None:
            self.catch_up(wait=REBUILD_SECONDS)
            database = self._open()
        if database is None:
            raise IndexUnavailable(
                "index-busy", "The index is being made by another process.", "Try again in a few seconds."
            )
        return database

    def catch_up(self, *, wait: float = LOCK_SECONDS, progress: Progress | None = None, rebuild: bool = False) -> int:
        """Apply what the log has and the index lacks; returns how many bytes of the log are still missing (0 = current).

        Raises IndexUnavailable (index-foreign, index-unavailable), LogUnavailable (log-unwritable).
        """
        try:
            if not rebuild and self._current():
                return 0
            with Lock(self._home.index_lock, wait):
                return self._catch_up(progress, rebuild)
        except LogUnavailable as error:
            if error.code != "log-busy":
                raise
            return self._behind()
        except DAMAGE as error:
            return self._replace(error, wait, progress)
        except apsw.Error as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Close the index if it is open."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self) -> Database | None:
        if self._database is not None and self._database.moved():
            self.close()
        if self._database is None:
            self._database = open_index(place(self._home))
        return self._database

    def _current(self) -> bool:
        """Whether the index stands at the end of the active file: one row and one stat, no lock."""
        database = self._open()
        if database is None:
            return False
        row = database.one("SELECT file, ends FROM position")
        try:
            size = os.stat(self._home.events).st_size
        except FileNotFoundError:
            return row is None
        return row is not None and row[0] == os.path.basename(self._home.events) and row[1] == size and self._same()

    def _same(self) -> bool:
        """Whether the file's last line is the one applied last: another log of equal length must not pass."""
        database = self._database
        found = database.one("SELECT begins, chain FROM position") if database else None
        if found is None:
            return False
        last = next(reader.places(self._home.events, found[0]), None)
        return last is not None and last.line is not None and last.line.chain.decode() == found[1]

    def _behind(self) -> int:
        total = sum(os.stat(path).st_size for path in reader.files(self._home))
        database = self._open()
        row = database.one("SELECT file, ends FROM position") if database else None
        return max(1, total - (row[1] if row else 0))

    def _catch_up(self, progress: Progress | None, rebuild: bool) -> int:
        database = self._open()
        if database is None:
            database = self._database = make_index(place(self._home))
        start = None if rebuild else self._start(database)
        if start is not None:
            self._apply(database, start[0], start[1], progress, whole=False)
            return 0
        if database.one("SELECT 1 FROM position"):
            self._warn("The index does not belong to this log any more; it is made again.")
        with database.connection:  # one transaction: readers keep the old rows until the new ones are complete
            database.make_tables()
            self._apply(database, 0, 0, progress, whole=True)
        database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        return 0

    def _start(self, database: Database) -> tuple[int, int] | None:
        """Which file and offset to go on from; None when the log is not the one that was applied."""
        row = database.one("SELECT seq, chain, file, begins, ends FROM position")
        files = reader.files(self._home)
        if row is None:
            return (0, 0)
        seq, chain, name, begins, _ends = row
        for number, path in enumerate(files):
            if os.path.basename(path) == name:
                at_hint = next(reader.places(path, begins), None)
                if at_hint and at_hint.line and at_hint.line.seq == seq and at_hint.line.chain.decode() == chain:
                    return (number, at_hint.end)
        for number, path in enumerate(files):  # the hint is wrong after a roll or a forget: look for the number
            for each in reader.places(path):
                if each.line and each.line.seq == seq:
                    return (number, each.end) if each.line.chain.decode() == chain else None
        return None

    def _apply(self, database: Database, number: int, offset: int, progress: Progress | None, *, whole: bool) -> None:
        lines = _from(reader.files(self._home)[number:], offset)
        total = sum(os.stat(path).st_size for path in reader.files(self._home)) if progress else 0
        if whole:
            self._apply_some(database, lines, None, progress, total)
            return
        more = True
        while more:
            with database.connection:
                more = self._apply_some(database, lines, BATCH, progress, total)

    def _apply_some(
        self,
        database: Database,
        lines: Iterator[tuple[str, Place]],
        most: int | None,
        progress: Progress | None,
        total: int,
    ) -> bool:
        """Apply up to `most` lines and note the position; returns whether there may be more."""
        last: tuple[str, Place] | None = None
        skipped: dict[str, int] = {}
        count = done = 0
        for path, each in lines:
            why = self._apply_line(database, each.line)
            if why:
                skipped[why] = skipped.get(why, 0) + 1
            if each.line is not None:
                last = (path, each)
            count += 1
            done += each.end - each.offset
            if progress and count % SHOWN_EVERY == 0:
                progress(min(each.end, total), total)
            if count == most:
                break
        if last is not None and last[1].line is not None:
            found = last[1].line
            database.run("DELETE FROM position")
            database.run(
                "INSERT INTO position (origin, seq, chain, file, begins, ends) VALUES (?, ?, ?, ?, ?, ?)",
                (found.origin, found.seq, found.chain.decode(), os.path.basename(last[0]), last[1].offset, last[1].end),
            )
        for why, lines_skipped in skipped.items():
            database.run(
                "INSERT INTO skipped (why, lines) VALUES (?, ?) ON CONFLICT (why) DO UPDATE SET lines = lines + ?2",
                (why, lines_skipped),
            )
        return count == most

    def _apply_line(self, database: Database, found: line.Line | None) -> str | None:
        """Apply one line; returns why it makes no row, or None."""
        if found is None:
            return "damaged"
        if found.kind in SILENT:
            return None
        if found.v > line.VERSION:
            return "newer version"
        if found.body is None:
            return "forgotten"
        apply = APPLY.get(found.kind)
        if apply is None:
            return "unknown kind"
        try:
            apply(database, reader.record(self._home, found))
        except SessionMemoryError as error:
            self._warn(f"Record {found.id} could not be indexed: {error}")
            return "unreadable body"
        return None

    def _replace(self, error: apsw.Error, wait: float, progress: Progress | None) -> int:
        """Damage was met: confirm it under the lock, set the file aside, make the index again."""
        self.close()
        path = place(self._home)
        try:
            with Lock(self._home.index_lock, max(wait, REBUILD_SECONDS)):
                if os.path.exists(path) and not _sound(path):
                    bad = set_aside(path)
                    self._warn(
                        f"The index was damaged ({error}); it was kept as {os.path.basename(bad)} and made again."
                    )
                return self._catch_up(progress, rebuild=False)
        except LogUnavailable as busy:
            if busy.code != "log-busy":
                raise
            return self._behind()


def _from(files: list[str], offset: int) -> Iterator[tuple[str, Place]]:
    for path in files:
        for each in reader.places(path, offset):
            yield path, each
        offset = 0


def _sound(path: str) -> bool:
    """Whether SQLite finds no damage."""
    try:
        database = Database(path)
    except DAMAGE:
        return False
    try:
        row = database.one("PRAGMA quick_check(1)")
    except DAMAGE:
        return False
    finally:
        database.close()
    return row is not None and row[0] == "ok"
