"""Reading the log: which files it lies in, their lines one after the other, and the record a line stands for.

Readers take no lock. They hold the files open, so what is rolled or replaced meanwhile does not change under them.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log import blobs, line
from session_memory.model.pattern import later
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.log.line import Line
    from session_memory.model.record import Record
    from session_memory.paths import Home

CHUNK = 1 << 20  # bytes read at once
ACTIVE = "events.jsonl"  # a foreign log's last file; our own may be named otherwise in config.json
ORIGIN = later(r"[0-9a-f]{16}")
SEGMENT = later(r"events-[0-9]{6}\.jsonl")
TRIES = 100  # how often a listing is repeated because the log rolled during it


class Place:
    """One line where it lies. `line` is None when the bytes are no record; `offset` is the line's first byte."""

    __slots__ = ("end", "line", "number", "offset")

    def __init__(self, line: Line | None, offset: int, end: int, number: int) -> None:
        self.line = line
        self.offset = offset
        self.end = end  # the byte after its newline
        self.number = number  # 1-based from where reading began


class Part:
    """One open file of a log. `name` is relative to the storage folder; `size` is what it had when it was opened."""

    __slots__ = ("fd", "name", "size")

    def __init__(self, path: str, name: str) -> None:
        self.fd = paths.open_file(path, os.O_RDONLY)
        self.name = name
        self.size = os.fstat(self.fd).st_size


class Log:
    """All lines of one origin: its parts, oldest first, held open. Close it."""

    __slots__ = ("own", "parts")

    def __init__(self, parts: list[Part], *, own: bool) -> None:
        self.parts = parts
        self.own = own

    @property
    def size(self) -> int:
        """Bytes of all parts when they were opened."""
        return sum(part.size for part in self.parts)

    @property
    def origin(self) -> str:
        """Whose log it is, by its first good line; empty when there is none."""
        first = first_line(self)
        return first.origin if first else ""

    def close(self) -> None:
        """Give the files back."""
        for part in self.parts:
            os.close(part.fd)
        self.parts = []


class Logs:
    """Our own log and those of other origins, for a `with`. Our own comes first."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.all: list[Log] = []

    def __enter__(self) -> Logs:
        self.all.append(_opened(self._home, own=True, folder=self._home.storage))
        try:
            for origin in origins(self._home):
                self.all.append(_opened(self._home, own=False, folder=os.path.join(self._home.origins, origin)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for log in self.all:
            log.close()

    def __iter__(self) -> Iterator[Log]:
        return iter(self.all)


def origins(home: Home) -> list[str]:
    """The other origins whose logs lie here."""
    try:
        names = os.listdir(home.origins)
    except FileNotFoundError:
        return []
    return sorted(name for name in names if ORIGIN.fullmatch(name))


def segments(folder: str) -> list[str]:
    """The names of the closed segments in a storage folder, oldest first."""
    try:
        names = os.listdir(os.path.join(folder, "segments"))
    except FileNotFoundError:
        return []
    return sorted(name for name in names if SEGMENT.fullmatch(name))


def files(home: Home) -> list[str]:
    """The files of our own log that exist, oldest first: the segments, then the active file."""
    found = [os.path.join(home.segments, name) for name in segments(home.storage)]
    return [*found, home.events] if os.path.exists(home.events) else found


def ends(home: Home) -> dict[str, int]:
    """The size of every log's active file that holds anything, by its name relative to the storage folder."""
    active = {os.path.basename(home.events): home.events}
    for origin in origins(home):
        active[f"origins/{origin}/{ACTIVE}"] = os.path.join(home.origins, origin, ACTIVE)
    sizes = {}
    for name, path in active.items():
        try:
            size = os.stat(path).st_size
        except FileNotFoundError:
            continue
        if size:
            sizes[name] = size
    return sizes


def _opened(home: Home, *, own: bool, folder: str) -> Log:
    """One log's files. A roll between listing and opening would hide lines: then both are done again."""
    active = home.events if own else os.path.join(folder, ACTIVE)
    prefix = "" if own else f"origins/{os.path.basename(folder)}/"
    for _try in range(TRIES):
        names = segments(folder)
        log = Log([], own=own)
        try:
            for name in names:
                log.parts.append(Part(os.path.join(folder, "segments", name), f"{prefix}segments/{name}"))
            if os.path.lexists(active):  # else the log is empty, or was just rolled
                log.parts.append(Part(active, prefix + os.path.basename(active)))
            if segments(folder) == names:
                return log
        except FileNotFoundError:
            pass  # a file went away while we were opening: look again
        except BaseException:
            log.close()
            raise
        log.close()
    raise LogUnavailable("log-busy", "The log's files kept changing while they were opened.", "Try again in a moment.")


def first_line(log: Log, part: int = 0) -> Line | None:
    """The first good line of a log from its `part`-th file on."""
    for each in log.parts[part:]:
        for place in places(each):
            if place.line is not None:
                return place.line
    return None


def places(source: Part | str, offset: int = 0) -> Iterator[Place]:
    """Every whole line of an open part (or of the file at a path) from `offset`, a line's first byte, on.

    Bytes after the last newline are not a line yet. A line over READ_LIMIT is passed over as one that is no record.
    """
    if isinstance(source, Part):
        yield from _places(source.fd, offset)
        return
    fd = paths.open_file(source, os.O_RDONLY)
    try:
        yield from _places(fd, offset)
    finally:
        os.close(fd)


def _places(fd: int, offset: int) -> Iterator[Place]:
    number, held, begin, look = 0, b"", 0, 0  # `held` are bytes read; `begin` is where the next line begins in them
    while True:
        newline = held.find(b"\n", look)
        if newline >= 0:
            number += 1
            end = newline + 1
            yield Place(line.parse(held[begin:newline]), offset + begin, offset + end, number)
            begin = look = end
            continue
        held, offset, begin = held[begin:], offset + begin, 0
        look = len(held)
        more = paths.read_at(fd, CHUNK, offset + look)
        if not more:
            return
        held += more


def record(home: Home, found: Line) -> Record:
    """The record of a line, a long body fetched. Raises InvalidInput (bad-line), LogUnavailable (log-damaged)."""
    body = found.parsed()
    if body is not None and "blob" in body and "sha" in body["blob"]:
        content = blobs.read(home, str(body["blob"]["sha"]))
        try:
            body = loads(content)
        except ValueError as error:
            raise InvalidInput("bad-line", f"The long body of record {found.id} is no JSON.") from error
        body.pop("salt", None)
    return found.record(body)
