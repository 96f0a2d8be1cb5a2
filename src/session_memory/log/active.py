"""The log's active file, as the holder of the store lock has it: its end known and mended, its origin settled, rolled when full."""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.errors import LogUnavailable
from session_memory.log import line, origin, predecessor, reader
from session_memory.log.tail import Tail, foreign, mend
from session_memory.model.record import ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.paths import Home

ROLL_BYTES = 64 * 1024 * 1024


class Active:
    """Open it (`with`) only under the store lock; between two openings it remembers what it knew of the log's end."""

    def __init__(self, home: Home, secret: bytes, warn: Callable[[str], None], roll_bytes: int = ROLL_BYTES) -> None:
        self._home = home
        self._secret = secret
        self._warn = warn
        self._roll_bytes = roll_bytes
        self._fd = -1
        self._created = False
        self._settled = ""  # the origin that origin.json was compared with last
        self.tail = Tail()

    def __enter__(self) -> Active:
        try:
            if not self._settled and not os.path.lexists(self._home.origin):
                for name in predecessor.set_aside(self._home):
                    self._warn(f"{name} of the product before this one was moved to storage/predecessor.")
            self._open()
            if not self._settled or self.tail.origin != self._settled:
                self._settle()
            if not self.tail.seq:
                self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1  # first: a descriptor that would not close must not be closed twice
        if fd >= 0:
            os.close(fd)

    def put(self, chunk: bytes, after: Tail, *, flush: bool) -> None:
        """Write whole lines behind the end, all or none; `after` is the end they make. Raises OSError, LogUnavailable.

        When it raises, `tail.seq` tells: as before, nothing was written; anything else, lines stand or may stand there.
        """
        if self.tail.size and self.tail.size + len(chunk) > self._roll_bytes:
            self._roll()
        before = self.tail.size
        try:
            os.lseek(self._fd, before, os.SEEK_SET)
            paths.write_all(self._fd, chunk)
        except BaseException:
            self._cut(before)
            raise
        after.inode, after.size = self.tail.inode, before + len(chunk)
        self.tail = after  # the lines stand there, whatever the flush says
        self._flush(lines=flush)

    def _flush(self, *, lines: bool) -> None:
        """Make the file's lines, and the name of a new file, survive power loss. Raises LogUnavailable (log-unwritable)."""
        try:
            if lines:
                paths.sync_file(self._fd)
            if self._created:
                paths.sync_dir(self._home.storage)
                self._created = False
        except OSError as error:
            raise LogUnavailable(
                "log-unwritable",
                f"The record was written, but the disk would not keep it safe ({error.strerror}).",
                "Check the disk; what was not acknowledged may not survive a loss of power.",
            ) from error

    def _cut(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
        except OSError:
            self.tail = Tail()  # the disk refuses this too: the next append looks anew and mends

    def _open(self) -> None:
        # by path every time: a file that was replaced or removed must never be written to as a ghost
        try:
            self._fd = paths.open_file(self._home.events, os.O_RDWR)
            self._created = False
        except FileNotFoundError:
            self._fd = paths.open_file(self._home.events, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            self._created = True
        older = [path for path in reader.files(self._home) if path != self._home.events]
        good = self.tail.refresh(self._fd, older)
        self.tail.hlc = max(self.tail.hlc, origin.foreign_clock(self._home))
        if not self.tail.seq and foreign(self._fd):
            raise LogUnavailable(
                "log-foreign",
                f"{os.path.basename(self._home.events)} holds records of another program and was left untouched.",
                "Choose another home (--home), or move that file away.",
            )
        torn = mend(self._fd, good, self._home.torn)
        if torn:
            self._warn(f"The log ended in {torn} bytes of an unfinished write; they were moved to events.torn.")

    def _settle(self) -> None:
        """Compare origin.json with the log in place; a copy gets an origin of its own. Raises OSError."""
        machine, inode = origin.here(self._home, self._secret)
        known = origin.read(self._home)
        writes = self.tail.origin
        if known is None:
            known = origin.Known(writes, [], inode)
        elif known.was is not None and not writes:  # a change of origin that was cut short: go on with it
            self._begin(known)
            return
        elif known.was is not None and writes == known.was[0]:
            self._switch(known)
            return
        elif os.path.lexists(self._home.next):
            os.unlink(self._home.next)  # of a change that never began
        if known.was is None and writes and origin.copied(known, writes, machine, inode):
            known = origin.Known(ids.new_origin(), known.machines, inode, (writes, self.tail.seq))
            origin.write(self._home, _at(known, machine))
            self._switch(known)
            return
        if writes:
            self._note(known, machine)

    def _switch(self, known: origin.Known) -> None:
        """Leave the old origin's log behind as a foreign one and go on as `known.origin`."""
        assert known.was is not None
        self._close()
        if not origin.leave(self._home, known.was[0]):
            self._warn(f"This home holds two logs of origin {known.was[0]}; it goes on with the one in place.")
            known.origin, known.was = known.was[0], None
        self.tail = Tail()
        self._open()
        if self.tail.seq:
            self._note(known, "")
        else:
            self._begin(known)

    def _begin(self, known: origin.Known | None = None) -> None:
        """Write the first line of an origin: of `known` after a change of origin, else of a new one."""
        if known is not None and self._take_next(known):
            return
        machine, inode = origin.here(self._home, self._secret)
        if known is None:
            known = origin.Known(ids.new_origin(), [], inode)
        was = known.was
        body = {"why": "clone" if was else "new", "from": {"origin": was[0], "seq": was[1]} if was else None}
        wall = ids.now_ms()
        id_, at = ids.new_id(wall), ids.at_text(wall)
        tail = Tail()
        hlc = clock(origin.highest_clock(self._home), wall)
        raw = line.build(
            ORIGIN, id_, known.origin, 1, at, hlc, None, line.body_bytes(body, ids.new_salt()), line.FIRST_CHAIN
        )
        found = line.parse(raw)
        assert found is not None
        tail.follow(found)
        self.put(raw + b"\n", tail, flush=True)
        known.was = None
        self._note(known, machine)

    def _take_next(self, known: origin.Known) -> bool:
        """After a fork, the new origin's first lines are written already: put them in the place of the empty file."""
        if not os.path.lexists(self._home.next):
            return False
        first = next(reader.places(self._home.next), None)
        if first is None or first.line is None or first.line.origin != known.origin:
            os.unlink(self._home.next)  # of another change, which never began
            return False
        self._close()
        os.unlink(self._home.events)
        paths.move(self._home.next, self._home.events)
        self.tail = Tail()
        self._open()
        self._note(known, "")
        return True

    def _note(self, known: origin.Known, machine: str) -> None:
        """Keep in origin.json who writes here and where, if it does not say so."""
        self._settled = self.tail.origin
        stands = origin.read(self._home)
        known.origin, known.was = self.tail.origin, None
        _at(known, machine)
        if stands is None or _said(stands) != _said(known):
            try:
                origin.write(self._home, known)
            except OSError as error:  # a later opening tries again; until then a copy would not be noticed
                self._warn(f"origin.json could not be written ({error.strerror}).")

    def _roll(self) -> None:
        """Close the full file as a segment and begin the next. A disk that cannot do it leaves the file in use, too long."""
        try:
            paths.sync_file(self._fd)
            paths.make_dir(self._home.segments)
            names = reader.segments(self._home.storage)
            number = int(names[-1][len("events-") : -len(".jsonl")]) + 1 if names else 1
            paths.move(self._home.events, os.path.join(self._home.segments, f"events-{number:06d}.jsonl"))
        except OSError as error:
            if os.path.exists(self._home.events):
                self._warn(f"The log could not begin a new file ({error.strerror}); it goes on in the old one.")
                return
            raise
        self._close()
        self._fd = paths.open_file(self._home.events, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self._created = True
        state = os.fstat(self._fd)
        self.tail = self.tail.copy()
        self.tail.inode, self.tail.size = (state.st_dev, state.st_ino), 0


def clock(highest: str, wall: int) -> str:
    """The clock of a record that is made now. Raises LogUnavailable (clock-out-of-range)."""
    if not ids.MIN_MS <= wall < ids.MAX_MS:
        raise LogUnavailable(
            "clock-out-of-range", f"The system clock says {wall} ms since 1970.", "Set the clock and try again."
        )
    try:
        return ids.next_hlc(highest, wall)
    except ValueError as error:
        raise LogUnavailable("clock-out-of-range", f"The log's clock is at its end ({error}).") from error


def _at(known: origin.Known, machine: str) -> origin.Known:
    """`known`, this machine among the ones it has been on."""
    if machine and machine not in known.machines:
        known.machines = [*known.machines, machine]
    return known


def _said(known: origin.Known) -> tuple[object, ...]:
    """Everything origin.json says, to be compared."""
    return known.origin, known.machines, known.inode, known.was
