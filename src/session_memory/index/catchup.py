"""Catch-up: bringing the index to the log's end, from where it stands or from nothing. The only writer of the index.

The watermark (seq, chain) of each origin is committed with the rows it stands for. A line that cannot be applied is
counted in `skipped`; it never stops the lines after it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import apsw

from session_memory.errors import IndexUnavailable, LogUnavailable, SessionMemoryError
from session_memory.index import checkpoints, documents, entities, events, golden, learnings, projects, sessions
from session_memory.index.database import (
    DAMAGE,
    Database,
    delete,
    make_index,
    open_index,
    place,
    set_aside,
    unavailable,
)  # fmt: skip
from session_memory.index.schema import SCHEMA_VERSION
from session_memory.log import line, reader
from session_memory.log.lock import Lock
from session_memory.model import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_memory.log.reader import Log, Part, Place
    from session_memory.paths import Home

    Progress = Callable[[int, int], None]  # bytes read, bytes in all

APPLY = {
    record.SESSION: sessions.apply,
    record.EVENT: events.apply,
    record.CHECKPOINT: checkpoints.apply,
    record.HANDOFF: checkpoints.apply,
    record.RESUME: checkpoints.apply,
    record.INJECTION: checkpoints.apply,
    record.LEARNING: learnings.apply,
    record.OUTCOME: learnings.apply,
    record.ENTITY: entities.apply,
    record.RELATION: entities.apply,
    record.DOCUMENT: documents.apply,
    record.PROJECT: projects.apply,
    record.GOLDEN: golden.apply,
}
SILENT = (record.ORIGIN, record.FORGET)  # kinds that make no row
LOCK_SECONDS = 0.25  # a server rather answers "behind" than waits
REBUILD_SECONDS = 20.0
BATCH = 20_000  # lines in one transaction of an ordinary catch-up
TRIES = 8  # at an index that vanishes while it is opened
VANISHING = (apsw.IOError, apsw.CantOpenError)  # what SQLite says then
SHOWN_EVERY = 2_000  # lines between two calls of `progress`


class Index:
    """The index of one home in one process: opened on demand, caught up before it is read."""

    def __init__(self, home: Home, warn: Callable[[str], None] = lambda text: None) -> None:
        self._home = home
        self._warn = warn
        self._database: Database | None = None
        self.touched: set[str] = set()  # projects of which something was applied that a brief may hold

    def database(self) -> Database:
        """The open index, as it stands. Raises IndexUnavailable."""
        try:
            database = self._open()
            if database is None:
                self.catch_up(wait=REBUILD_SECONDS)
                database = self._open()
        except OSError as error:
            raise _unreadable(error) from error
        if database is None:
            raise IndexUnavailable(
                "index-busy", "The index is being made by another process.", "Try again in a few seconds."
            )
        return database

    def catch_up(self, *, wait: float = LOCK_SECONDS, progress: Progress | None = None, rebuild: bool = False) -> int:
        """Apply what the log has and the index lacks; returns how many bytes of the log are still missing (0 = current).

        Raises IndexUnavailable (index-foreign, index-unavailable), LogUnavailable (log-unwritable).
        """
        tries = TRIES
        while True:
            tries -= 1
            try:
                return self._caught_up(wait, progress, rebuild)
            except IndexUnavailable as error:
                if not (tries and isinstance(error.__cause__, VANISHING)):
                    raise
                self.close()  # the file was deleted or replaced while it was opened: look again

    def _caught_up(self, wait: float, progress: Progress | None, rebuild: bool) -> int:
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
            if "no such table" in str(error):  # its write-ahead log, where the tables stood, was removed
                return self._replace(error, wait, progress)
            raise unavailable(error) from error
        except OSError as error:
            raise _unreadable(error) from error

    def remove(self) -> None:
        """Remove the index with everything beside it: something in it was forgotten. Raises OSError, LogUnavailable."""
        with Lock(self._home.index_lock, REBUILD_SECONDS):
            self.close()
            stem, ending = os.path.splitext(self._home.index)
            for path in [self._home.index, *(f"{stem}-{n}{ending}" for n in range(1, SCHEMA_VERSION + 1))]:
                delete(path)  # those that other versions made hold it too

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
            if self._database is not None:
                self._database.home = self._home
        return self._database

    def _current(self) -> bool:
        """Whether the index stands at the end of every log: a row and a stat each, no lock."""
        database = self._open()
        if database is None:
            return False
        rows = {row[0]: row[1:] for row in database.rows("SELECT file, ends, begins, chain FROM position")}
        if {name: row[0] for name, row in rows.items()} != reader.ends(self._home):
            return False
        return all(self._same(name, begins, chain) for name, (_ends, begins, chain) in rows.items())

    def _same(self, name: str, begins: int, chain: str) -> bool:
        """Whether the file's last line is the one applied last: another log of equal length must not pass."""
        path = os.path.join(self._home.storage, *name.split("/"))
        try:
            last = next(reader.places(path, begins), None)
        except FileNotFoundError:
            return False
        return last is not None and last.line is not None and last.line.chain.decode() == chain

    def _behind(self) -> int:
        """Bytes of the logs that are not applied yet, at least 1."""
        database = self._open()
        applied = dict(database.rows("SELECT file, ends FROM position")) if database else {}
        missing = 0
        with reader.Logs(self._home) as logs:
            for log in logs:
                names = [part.name for part in log.parts]
                at = next((n for n, name in enumerate(names) if name in applied), None)
                done = 0 if at is None else sum(part.size for part in log.parts[:at]) + applied[names[at]]
                missing += log.size - done
        return max(1, missing)

    def _catch_up(self, progress: Progress | None, rebuild: bool) -> int:
        database = self._open()
        if database is None:
            database = self._database = make_index(place(self._home))
            database.home = self._home
        with reader.Logs(self._home) as logs:
            total = sum(log.size for log in logs)
            shown = _Shown(progress, total)
            starts = None if rebuild else self._starts(database, logs)
            if starts is not None:
                for log, (part, offset) in starts:
                    self._apply(database, log, part, offset, shown, whole=False)
                return 0
            if not rebuild and database.one("SELECT 1 FROM position"):
                self._warn(self._why(database, logs))
            with database.writing():  # one transaction: readers keep the old rows until the new ones are complete
                database.make_tables()
                for log in logs:
                    self._apply(database, log, 0, 0, shown, whole=True)
        database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        return 0

    def _starts(self, database: Database, logs: reader.Logs) -> list[tuple[Log, tuple[int, int]]] | None:
        """Where to go on in each log (part, offset); None when the logs are not the ones that were applied."""
        rows = {row[0]: row[1:] for row in database.rows("SELECT origin, seq, chain, file, begins FROM position")}
        starts = []
        for log in logs:
            row = rows.pop(log.origin, None) if rows else None
            start = (0, 0) if row is None else _start(log, *row)
            if start is None:
                return None
            starts.append((log, start))
        return None if rows else starts

    def _why(self, database: Database, logs: reader.Logs) -> str:
        """What to say about logs that the index does not belong to."""
        known = dict(database.rows("SELECT origin, seq FROM position"))
        for log in logs:
            last = _last(log)
            seq = known.pop(log.origin, 0)
            if last < seq:
                return f"The log lost its last {seq - last} records; the index is made again from the {last} that are left."
        if known:
            return f"A log of {sum(known.values())} records is gone; the index is made again from what is left."
        return "The index does not belong to this log any more; it is made again."

    def _apply(self, database: Database, log: Log, part: int, offset: int, shown: _Shown, *, whole: bool) -> None:
        """Apply a log from an offset of one of its parts on; in pieces, unless `whole` (the caller holds a transaction)."""
        lines = _from(log, part, offset)
        if whole:
            self._apply_some(database, lines, None, shown)
            return
        more = True
        while more:
            with database.writing():
                more = self._apply_some(database, lines, BATCH, shown)

    def _apply_some(
        self, database: Database, lines: Iterator[tuple[Part, Place]], most: int | None, shown: _Shown
    ) -> bool:
        """Apply up to `most` lines and note the position; returns whether there may be more."""
        last: tuple[str, Place, line.Line] | None = None
        skipped: dict[str, int] = {}
        count = 0
        for part, each in lines:
            why = self._apply_line(database, each.line)
            if why:
                skipped[why] = skipped.get(why, 0) + 1
            if each.line is not None:
                last = (part.name, each, each.line)
            count += 1
            shown.add(each.end - each.offset)
            if count == most:
                break
        if last is not None:
            name, each, found = last
            database.run(
                "INSERT OR REPLACE INTO position (origin, seq, chain, file, begins, ends) VALUES (?, ?, ?, ?, ?, ?)",
                (found.origin, found.seq, found.chain.decode(), name, each.offset, each.end),
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
            record_read = reader.record(self._home, found)
            apply(database, record_read)
            self.touched.add(str((record_read.body or {}).get("project", "")))
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
                return self._catch_up(progress, rebuild=True)  # the file may be sound and its content not
        except LogUnavailable as busy:
            if busy.code != "log-busy":
                raise
            return self._behind()


def _unreadable(error: OSError) -> IndexUnavailable:
    return IndexUnavailable(
        "index-unavailable",
        f"The index cannot be brought up to date now ({error.strerror or error}).",
        "The log is untouched; see: session-memory doctor",
    )


class _Shown:
    """Progress over all logs, told every few lines."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = self._lines = 0

    def add(self, size: int) -> None:
        """One more line of `size` bytes."""
        self._done += size
        self._lines += 1
        if self._progress and self._lines % SHOWN_EVERY == 0:
            self._progress(min(self._done, self._total), self._total)


def _start(log: Log, seq: int, chain: str, file: str, begins: int) -> tuple[int, int] | None:
    """The part and offset behind line `seq` if it has this chain, else None. `file` and `begins` are where it was seen."""
    number = next((n for n, part in enumerate(log.parts) if part.name == file), -1)
    found = _at(log, number, begins)
    if found is None or found.line is None or found.line.seq != seq:
        # rolled or swept since: the part whose first line comes last before the number
        firsts = [reader.first_line(reader.Log([part], own=log.own)) for part in log.parts]
        number = max((n for n, first in enumerate(firsts) if first is not None and first.seq <= seq), default=-1)
        found = _at(log, number, begins)
        if found is None or found.line is None or found.line.seq != seq:
            lines = reader.places(log.parts[number]) if number >= 0 else iter(())
            found = next((each for each in lines if each.line is not None and each.line.seq == seq), None)
    if found is None or found.line is None or found.line.chain.decode() != chain:
        return None
    return number, found.end


def _at(log: Log, number: int, offset: int) -> Place | None:
    return next(reader.places(log.parts[number], offset), None) if number >= 0 else None


def _last(log: Log) -> int:
    """The number of a log's last good line, 0 without one."""
    for part in reversed(log.parts):
        seqs = [place.line.seq for place in reader.places(part) if place.line is not None]
        if seqs:
            return seqs[-1]
    return 0


def _from(log: Log, part: int, offset: int) -> Iterator[tuple[Part, Place]]:
    for each in log.parts[part:]:
        for found in reader.places(each, offset):
            yield each, found
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
