"""Reading the log: which files it lies in, their lines one after the other, and the record a line stands for."""

from __future__ import annotations

import json
import os

from session_memory import paths
from session_memory.errors import InvalidInput
from session_memory.log import blobs, line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.log.line import Line
    from session_memory.model.record import Record
    from session_memory.paths import Home


class Place:
    """One line where it lies. `line` is None when the bytes are no record; `offset` is the line's first byte."""

    __slots__ = ("end", "line", "number", "offset")

    def __init__(self, line: Line | None, offset: int, end: int, number: int) -> None:
        self.line = line
        self.offset = offset
        self.end = end  # the byte after its newline
        self.number = number  # 1-based from where reading began


def files(home: Home) -> list[str]:
    """The files of our own log that exist, oldest first: the segments, then the active file."""
    found = []
    if os.path.isdir(home.segments):
        found = [
            os.path.join(home.segments, name)
            for name in sorted(os.listdir(home.segments))
            if name.startswith("events-") and name.endswith(".jsonl")
        ]
    if os.path.exists(home.events):
        found.append(home.events)
    return found


def places(path: str, offset: int = 0) -> Iterator[Place]:
    """Every whole line from `offset` (a line's first byte) on; bytes after the last newline are not a line yet."""
    fd = paths.open_file(path, os.O_RDONLY)
    with open(fd, "rb", buffering=1 << 20) as file:
        file.seek(offset)
        number = 0
        while True:
            raw = file.readline(line.READ_LIMIT)
            if not raw.endswith(b"\n"):
                if len(raw) < line.READ_LIMIT:
                    return
                raw = _rest(file, raw)
            number += 1
            yield Place(line.parse(raw[:-1]), offset, offset + len(raw), number)
            offset += len(raw)


def _rest(file: object, raw: bytes) -> bytes:
    """The remainder of a line over the limit: read so that the next line is found, but never parsed."""
    parts = [raw]
    while True:
        more: bytes = file.readline(line.READ_LIMIT)  # type: ignore[attr-defined]  # a BufferedReader
        parts.append(more)
        if not more or more.endswith(b"\n"):
            return b"".join(parts)


def record(home: Home, found: Line) -> Record:
    """The record of a line, a long body fetched. Raises InvalidInput (bad-line), LogUnavailable (log-damaged)."""
    body = found.parsed()
    if body is not None and "blob" in body and "sha" in body["blob"]:
        content = blobs.read(home, str(body["blob"]["sha"]))
        try:
            body = json.loads(content)
        except ValueError as error:
            raise InvalidInput("bad-line", f"The long body of record {found.id} is no JSON.") from error
    return found.record(body)
