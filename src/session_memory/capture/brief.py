"""The brief as it is read: a project's notes from the file that the index wrote, and from what the log has got since.

The hook at a session's start has no index; with neither file nor index the newest records of the log are all it knows.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.errors import SessionMemoryError
from session_memory.log import line, reader
from session_memory.model.notes import SUMMARY, Reader, event_of, told
from session_memory.model.record import CHECKPOINT, EVENT, INJECTION, SESSION
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.model.notes import Note
    from session_memory.paths import Home

VERSION = 1  # of the file; another one is passed over, the index writes it again
MOST_TAIL = 512 * 1024  # newest bytes of the log that are read
MOST_FILE = 4 * 1024 * 1024
KINDS = (b'"kind":"event"', b'"kind":"injection"', b'"kind":"session"', b'"kind":"checkpoint"')


class Known:
    """What is known of a project without the index.

    keys: of the project, as far as the index has told. notes: oldest first. roots: folder of each session. last: when
    something was noted last ("": never). session: the one that worked last; branch: where. summary: what the newest compaction
    of the asked session left, if the log has it.
    """

    __slots__ = ("branch", "keys", "last", "notes", "roots", "session", "summary")

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.notes: list[Note] = []
        self.roots: dict[str, str] = {}
        self.last = self.session = self.branch = self.summary = ""


def load(home: Home, project: str, session: str) -> Known:
    """The notes of a project as they stand now. Raises OSError; a file that cannot be used is passed over."""
    known = Known()
    known.keys = {project}
    seq = _file(home, project, known)
    reading = Reader()
    for found in _newest(home, seq):
        try:
            record = reader.record(home, found)
        except SessionMemoryError:
            continue  # damaged: verify names it
        body = record.body or {}
        if body.get("project") in known.keys:
            _add(known, reading, found, body, session)
    known.notes.sort(key=lambda note: str(note["at"]))
    return known


def _file(home: Home, project: str, known: Known) -> int:
    """Read the brief's file; returns the last number of the own log that it holds, 0 without one."""
    try:
        with open(paths.open_file(home.brief_of(project), os.O_RDONLY), encoding="utf-8") as file:
            found = loads(file.read(MOST_FILE))
        if found["v"] != VERSION or found["project"] != project:
            return 0
        known.keys |= set(found["keys"])
        known.notes, known.roots = list(found["notes"]), dict(found["roots"])
        known.last, known.session, known.branch = found["last"], found["session"], found["branch"]
        return int(found["seq"])
    except (OSError, ValueError, KeyError, TypeError):
        known.notes = []
        return 0  # not written yet, or spoilt: the log's newest records must do


def _newest(home: Home, seq: int) -> list[line.Line]:
    """The own log's newest lines behind number `seq` that may say something; bounded, and of the active file only."""
    try:
        fd = paths.open_file(home.events, os.O_RDONLY)
    except FileNotFoundError:
        return []
    try:
        size = os.fstat(fd).st_size
        content = paths.read_at(fd, MOST_TAIL, max(0, size - MOST_TAIL))
    finally:
        os.close(fd)
    found: list[line.Line] = []
    for raw in reversed(content.split(b"\n")[:-1]):
        head = raw[:40]
        if not any(kind in head for kind in KINDS):
            continue
        each = line.parse(raw)
        if each is None:
            continue
        if each.seq <= seq:
            break
        found.append(each)
    return found[::-1]


def _add(known: Known, reading: Reader, found: line.Line, body: dict[str, Any], session: str) -> None:
    mine = str(body.get("session", ""))
    if found.kind == SESSION and body.get("cwd"):
        known.roots[mine] = str(body["cwd"])
    elif found.kind == INJECTION and isinstance(body.get("data"), dict):
        known.notes.append(told(mine, found.at, found.id, body["data"]))
    elif found.kind == CHECKPOINT and mine == session:
        known.summary = ""  # a compaction begins: an older summary is not meant any more
    elif found.kind == EVENT and isinstance(body.get("data"), dict):
        made = reading.read(event_of(found.id, found.at, body))
        known.notes += made
        if found.at >= known.last:
            known.last, known.session = found.at, mine.partition("/")[0]
            known.branch = str(body.get("branch") or known.branch)
        for note in made:
            if note["what"] == SUMMARY and mine == session:
                known.summary = note["text"]
