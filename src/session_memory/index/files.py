"""What the index holds about one file: calls and statements that name it, and what stood around them in their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.index.database import loads
from session_memory.index.events import ANSWER
from session_memory.index.projects import of_these
from session_memory.index.search import COLUMNS, JOINED, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database

    Place = tuple[int, int, int, bytes]  # a session's number; at, hlc and id of an event of it

MOST = 20_000  # events that are looked at
TELLING = ("decision", "finding", "question", "assumption", "phase", "custom")


def naming(database: Database, path: str, projects: tuple[str, ...]) -> list[dict[str, Any]]:
    """Calls, statements and prompts whose text holds the words of a path, newest first, the newest MOST.

    Each with `place` (where it stands in its session), `project` (its key), `answer` (what came of a call), and `text`.
    """
    scope, keys = of_these("event", projects)
    phrase = '"' + path.replace('"', " ") + '"'
    rows = database.rows(
        f"SELECT {COLUMNS}, event.session_n, project.key, words_text(event.data), answer.data FROM {JOINED}"
        f" JOIN project ON project.n = event.project_n {ANSWER}"
        " WHERE event.n IN (SELECT rowid FROM event_text WHERE event_text MATCH ?) AND event.document_n IS NULL"
        f" AND (event.category IN ('tool_call', {', '.join(repr(each) for each in TELLING)})"
        f" OR (event.category = 'message' AND event.type IN ('user_prompt', 'answer', 'plan_approval'))){scope}"
        " ORDER BY event.at DESC, event.hlc DESC, event.id DESC LIMIT ?",
        [f"text : {phrase}", *keys, MOST],
    )
    return [_event(row, answer, text, project) for *row, project, text, answer in rows]


def asked_before(database: Database, place: Place) -> dict[str, Any] | None:
    """The prompt that a session worked on at `place`."""
    row = database.one(
        f"SELECT {COLUMNS}, event.session_n, project.key, words_text(event.data) FROM {JOINED}"
        " JOIN project ON project.n = event.project_n"
        " WHERE event.session_n = ? AND event.category = 'message' AND event.type IN ('user_prompt', 'command')"
        " AND (event.at, event.hlc, event.id) < (?, ?, ?) ORDER BY event.at DESC, event.hlc DESC, event.id DESC LIMIT 1",
        place,
    )
    if row is None:
        return None
    *rest, project, text = row
    return _event(rest, None, text, project)


def commits(database: Database, session_n: int) -> list[dict[str, Any]]:
    """The calls of a session that may have committed, oldest first."""
    rows = database.rows(
        f"SELECT {COLUMNS}, event.session_n, project.key, words_text(event.data), answer.data FROM {JOINED}"
        f" JOIN project ON project.n = event.project_n {ANSWER} WHERE event.session_n = ? AND event.category = 'tool_call'"
        " AND instr(event.data, 'commit')"  # of one session: cheaper than looking it up in the words of all
        " ORDER BY event.at, event.hlc, event.id",
        (session_n,),
    )
    return [_event(row, answer, text, project) for *row, project, text, answer in rows]


def _event(row: Sequence[Any], answer: str | None, text: str, project: str) -> dict[str, Any]:
    *known, session_n = row
    return {
        **described(tuple(known)), "place": (session_n, known[1], known[2], known[0]), "text": text, "project": project,
        "answer": loads(answer) if answer else None,
    }  # fmt: skip
