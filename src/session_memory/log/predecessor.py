"""What an older product of this name left at our places: recognised by its form, moved aside, never changed or overwritten.

Its log is unversioned JSON lines (`id`, `ts`, `category`, `type`, `data`, `session_id`, …); its index is a SQLite file
without our application id whose schema names `jsonl_offset`. Turning them into records is the import's work.
"""

from __future__ import annotations

import os
import stat

from session_memory import paths
from session_memory.log import line
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

LOOK = 256 * 1024  # bytes of a file that are looked at
MEMBERS = frozenset(("id", "ts", "category", "session_id"))
FIRST_BYTES = b'{"id": "evt-'
SQLITE, APPLICATION_ID = b"SQLite format 3\0", slice(68, 72)  # https://sqlite.org/fileformat2.html#the_database_header
SIDECARS = ("-journal", "-wal", "-shm", "")  # the file itself last: a move that is cut short is then begun again
DONE = "imported.json"  # says that a folder has been turned into records


def is_log(path: str) -> bool:
    """Whether the file holds events of the predecessor and no record of ours."""
    for raw in _begin(path).split(b"\n"):
        if line.parse(raw) is not None:
            return False
        if _is_event(raw):
            return True
    return False


def _is_event(raw: bytes) -> bool:
    try:
        found = loads(raw)
    except (ValueError, RecursionError):
        return raw.startswith(FIRST_BYTES)  # a line longer than the look
    return isinstance(found, dict) and found.keys() >= MEMBERS


def is_index(path: str) -> bool:
    """Whether the file is the predecessor's index."""
    begin = _begin(path)
    return begin.startswith(SQLITE) and begin[APPLICATION_ID] == b"\0\0\0\0" and b"jsonl_offset" in begin


def set_aside(home: Home) -> list[str]:
    """Move its log and index to `storage/predecessor`; returns the names moved. Only under the store lock. Raises OSError."""
    moved = []
    for path, theirs in ((home.events, is_log), (home.index, is_index)):
        if theirs(path):
            paths.make_dir(home.predecessor)
            folder = _free(home.predecessor, os.path.basename(path))
            for ending in SIDECARS:
                if os.path.lexists(path + ending):
                    target = os.path.join(folder, os.path.basename(path) + ending)
                    paths.move(path + ending, target)
                    paths.make_private(target)
            moved.append(os.path.basename(path))
    return moved


def unfinished(home: Home) -> list[str]:
    """The folders of things set aside that no import has finished."""
    return [each for each in _folders(home.predecessor) if not os.path.exists(os.path.join(each, DONE))]


def _folders(place: str) -> list[str]:
    """`predecessor` and, where it was found more than once, its numbered folders."""
    if not os.path.isdir(place):
        return []
    return [place, *(os.path.join(place, name) for name in sorted(os.listdir(place)) if name.isdigit())]


def _free(place: str, name: str) -> str:
    """The first folder that has no file of this name and is not finished with."""
    for folder in _folders(place):
        if not any(os.path.lexists(os.path.join(folder, each)) for each in (name, DONE)):
            return folder
    folder = os.path.join(place, str(len(_folders(place)) + 1))
    paths.make_dir(folder)
    return folder


def _begin(path: str) -> bytes:
    try:
        fd = paths.open_file(path, os.O_RDONLY)
    except OSError:
        return b""  # none there, or none that may be read: whoever opens it for good says so
    try:
        return paths.read_at(fd, LOOK, 0) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)
