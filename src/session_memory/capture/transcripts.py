"""Which of the client's transcripts have been read, and how far they went then: a note, so that a start need not read all."""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

NAME = "transcripts.json"
MOST = 20_000  # transcripts that are noted, the newest


def looked(home: Home) -> dict[str, list[int]]:
    """Path -> [size, time of the last change in ns] as they were read."""
    try:
        with open(paths.open_file(os.path.join(home.storage, NAME), os.O_RDONLY), encoding="utf-8") as file:
            found = loads(file.read())
    except (OSError, ValueError):
        return {}  # not there, or spoilt: reading again adds nothing twice
    return {path: mark for path, mark in found.items() if isinstance(mark, list)} if isinstance(found, dict) else {}


def note(home: Home, marks: dict[str, list[int]]) -> None:
    """Keep the note. Raises OSError."""
    kept = dict(list(marks.items())[-MOST:])
    paths.write_whole(os.path.join(home.storage, NAME), dumps(kept).encode() + b"\n")
