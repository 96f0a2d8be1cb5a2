"""The brief's file of a project: its notes as the index knows them, so that a session can begin without a database.

Written by whoever applies records, read by capture/brief.py. Bounded: the newest of everything, pruned to what still matters.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from session_memory import ids, paths
from session_memory.capture.brief import VERSION
from session_memory.index import search
from session_memory.index.database import loads
from session_memory.model.brief import kept
from session_memory.model.event import STATED
from session_memory.model.notes import Reader, told

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.notes import Note
    from session_memory.paths import Home

# the newest events that are looked at: what was stated, said, and done
MOST_STATED, MOST_SAID, MOST_DONE, MOST_TOLD, MOST_SESSIONS = 2_000, 400, 3_000, 10, 20


def notes(database: Database, projects: tuple[str, ...]) -> list[Note]:
    """The notes of a project (all its keys), oldest first."""
    events = []
    for categories, most in (
        (STATED, MOST_STATED),
        (("message",), MOST_SAID),
        (("tool_call", "tool_response"), MOST_DONE),
    ):
        wanted = search.Filter(projects=projects, categories=categories)
        events += search.every(database, wanted, most=most, newest=True)
    events.sort(key=lambda event: event["timestamp"])
    reader = Reader()
    found = [note for event in events for note in reader.read(event)]
    found += _told(database, projects)
    return sorted(found, key=lambda note: str(note["at"]))


def of_session(database: Database, session: str, until: int) -> list[Note]:
    """The notes of one session up to a time (ms), oldest first."""
    reader = Reader()
    return [
        note
        for event in search.every(database, search.Filter(session=session, before=until))
        for note in reader.read(event)
    ]


def _told(database: Database, projects: tuple[str, ...]) -> list[Note]:
    rows = database.rows(
        "SELECT session.id, handoff.at, handoff.id, handoff.body FROM handoff JOIN session ON session.n = session_n"
        " JOIN project ON project.n = handoff.project_n WHERE kind = 'injection' AND project.key IN"
        f" ({', '.join('?' * len(projects))}) ORDER BY handoff.hlc DESC LIMIT ?",
        (*projects, MOST_TOLD),
    )
    return [
        told(session, ids.at_text(at), record_id, loads(body).get("data") or {})
        for session, at, record_id, body in rows
    ]


def write(database: Database, home: Home, project: str, projects: tuple[str, ...]) -> None:
    """Write the brief's file of the key `project`, from everything under `projects`. Raises OSError."""
    seq = database.one("SELECT max(seq) FROM position WHERE file = ?", (os.path.basename(home.events),))
    last = database.one(
        "SELECT event.at, session.id, event.more FROM event JOIN session ON session.n = session_n WHERE event.project_n IN"
        f" (SELECT n FROM project WHERE key IN ({', '.join('?' * len(projects))})) ORDER BY event.at DESC, event.hlc DESC LIMIT 1",
        projects,
    )
    more: dict[str, Any] = loads(last[2]) if last and last[2] else {}
    content = {
        "v": VERSION,
        "project": project,
        "keys": list(projects),
        "seq": (seq[0] if seq else 0) or 0,
        "last": ids.at_text(last[0]) if last else "",
        "session": str(last[1]).partition("/")[0] if last else "",
        "branch": str(more.get("branch", "")),
        "roots": _roots(database, projects),
        "notes": kept(notes(database, projects)),
    }
    paths.make_dir(home.brief)
    paths.write_whole(home.brief_of(project), json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def _roots(database: Database, projects: tuple[str, ...]) -> dict[str, str]:
    """The folder each of the newest sessions began in."""
    rows = database.rows(
        "SELECT session.id, value FROM session JOIN session_field ON session_n = session.n AND session_field.name = 'cwd'"
        f" JOIN project ON project.n = session.project_n WHERE project.key IN ({', '.join('?' * len(projects))})"
        " ORDER BY session.started DESC LIMIT ?",
        (*projects, MOST_SESSIONS),
    )
    return {session: cwd for session, cwd in rows if "/agent-" not in session}
