"""What a writer must know of the log's end: origin, last seq and chain, highest clock; and how a torn end is mended."""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.log import line
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.log.line import Line

FIRST_LOOK = 256 * 1024  # bytes from the end: enough lines to know the highest clock even after a merge of spools
LIVE_MS = 10 * 60 * 1000  # a record whose `at` is this near the clock in its id was written as it happened


class Tail:
    """The end of the log as this process knows it; `size` and `inode` say of which bytes."""

    __slots__ = ("chain", "hlc", "inode", "live_at", "origin", "seq", "size")

    def __init__(self) -> None:
        self.inode = (0, 0)
        self.size = 0
        self.origin = ""
        self.seq = 0
        self.chain = line.FIRST_CHAIN
        self.hlc = ""
        self.live_at = 0  # ms of the newest record written as it happened

    def follow(self, found: Line) -> None:
        """Take one more line into account."""
        self.origin, self.seq, self.chain = found.origin, found.seq, found.chain
        self.note_clock(found.id, found.hlc, found.at)

    def note_clock(self, id_: str, hlc: str, at: str) -> None:
        """Remember the highest clock and the newest live time.

        A clock out of range is passed over: one bad line must not stop every later append.
        """
        if int(hlc[:13]) < ids.MAX_MS:
            self.hlc = max(self.hlc, hlc)
        self._note_live(id_, at)

    def _note_live(self, id_: str, at: str) -> bool:
        ms = ids.at_ms(at)
        live = abs(ms - int(id_[:12], 16)) <= LIVE_MS
        if live:
            self.live_at = ms
        return live

    def copy(self) -> Tail:
        """The same knowledge, to be gone on with on trial."""
        other = Tail()
        for name in Tail.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def refresh(self, fd: int, older: list[str]) -> int:
        """Bring this up to the open active file `fd`; `older` are the segments before it.

        Returns the offset behind the last good line: what lies after it is torn or damaged with nothing good following.
        """
        state = os.fstat(fd)
        inode = (state.st_dev, state.st_ino)
        if inode != self.inode or state.st_size < self.size:
            self.__init__()  # type: ignore[misc]  # another file, or cut: nothing known holds
            good = self._load(fd, state.st_size, older)
            self.inode = inode  # only now: half a load must not pass for knowledge
            return good
        if state.st_size > self.size:
            return self._take(paths.read_at(fd, state.st_size - self.size, self.size), self.size)
        return self.size

    def _load(self, fd: int, size: int, older: list[str]) -> int:
        look = FIRST_LOOK
        if size < look and older:  # just rolled: the highest clock may stand in the file before
            before = paths.open_file(older[-1], os.O_RDONLY)
            try:
                self._load(before, os.fstat(before).st_size, older[:-1])
            finally:
                os.close(before)
        while True:
            start = max(0, size - look)
            chunk = paths.read_at(fd, size - start, start)
            skip = chunk.find(b"\n") + 1 if start else 0
            end = self._skim(chunk[skip:], start + skip)
            if self.seq or start == 0:
                return end
            look *= 8  # one line longer than the look, or a damaged end: look further back

    def _skim(self, chunk: bytes, offset: int) -> int:
        """As `_take`, for a process that has just begun: of many lines only those that count are read whole."""
        lines = chunk.split(b"\n")
        lines.pop()  # not ended: torn, or nothing
        while lines and (last := line.parse(lines[-1])) is None:
            lines.pop()
        self.size = offset
        if not lines or last is None:
            return offset
        self.origin, self.seq, self.chain = last.origin, last.seq, last.chain
        self.size += sum(map(len, lines)) + len(lines)
        for _hlc, raw in sorted(((line.clock(raw), raw) for raw in lines), reverse=True):
            found = line.parse(raw)
            if found is not None and int(found.hlc[:13]) < ids.MAX_MS:
                self.hlc = max(self.hlc, found.hlc)
                break
        for raw in reversed(lines):
            found = line.parse(raw)
            if found is not None and self._note_live(found.id, found.at):
                break
        return self.size

    def _take(self, chunk: bytes, offset: int) -> int:
        """Follow the whole lines of `chunk`, which lies at `offset`; returns the offset behind the last good one."""
        good = offset
        position = 0
        while True:
            newline = chunk.find(b"\n", position)
            if newline < 0:
                break
            found = line.parse(chunk[position:newline])
            position = newline + 1
            if found is not None:
                self.follow(found)
                good = offset + position
        self.size = good
        return good


def foreign(fd: int) -> bool:
    """Whether a file without one good line of ours holds somebody else's: its first line is a whole JSON object.

    Such a file is not a torn end, however much it looks like one.
    """
    first, newline, _rest = paths.read_at(fd, FIRST_LOOK, 0).partition(b"\n")
    if not newline or line.parse(first) is not None:
        return False
    try:
        return isinstance(loads(first), dict)
    except (ValueError, RecursionError):
        return False


def mend(fd: int, good: int, torn_path: str) -> int:
    """Set the bytes behind `good` aside in `torn_path`, on disk, then cut them off. Returns how many."""
    torn = os.fstat(fd).st_size - good
    if torn <= 0:
        return 0
    keep_aside(torn_path, paths.read_at(fd, torn, good))
    os.ftruncate(fd, good)
    return torn


def cut(path: str, size: int) -> None:
    """Cut a file of a log back to `size` bytes, on disk. Raises OSError."""
    fd = paths.open_file(path, os.O_RDWR)
    try:
        os.ftruncate(fd, size)
        paths.sync_file(fd)
    finally:
        os.close(fd)


def keep_aside(torn_path: str, content: bytes) -> None:
    """Add bytes that are no record to `events.torn`, on disk, for whoever wants to look. Raises OSError."""
    aside = paths.open_file(torn_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        paths.write_all(aside, content + b"\n")
        paths.sync_file(aside)
    finally:
        os.close(aside)
