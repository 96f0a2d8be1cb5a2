"""Where an error was met, and what a session did after it, read from the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.index.database import loads
from session_memory.index.events import ANSWER
from session_memory.index.projects import of_these
from session_memory.index.search import COLUMNS, JOINED, described
from session_memory.model.failures import met

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.index.database import Database

Place = tuple[int, int, int, bytes]  # a session's number; at, hlc and id of an event of it
MOST = 3_000  # events that are looked through for the error
AFTER = 300  # events of a session that are looked at behind it
OPEN = f"{COLUMNS}, event.session_n, project.key, words_text(event.data)"


def holding(
    database: Database, expressions: tuple[str, ...], line: str, projects: tuple[str, ...]
) -> tuple[list[dict[str, Any]], bool]:
    """Events in which the error of `line` stands, oldest first, and whether there were too many to look at them all.

    Each with `level` (`exact` or `form`), `line` (how it stands there), `place` (where it stands in its session),
    `project` (its key) and `call` (the data of the call that a response answers, else None).
    """
    scope, keys = of_these("event", projects)
    phrase = " AND ".join(f"({each})" for each in expressions)
    rows = list(
        database.rows(
            f"SELECT {OPEN}, (SELECT call.data FROM event AS call WHERE call.id = event.parent) FROM {JOINED}"
            " JOIN project ON project.n = event.project_n WHERE event.n IN"
            " (SELECT rowid FROM event_text WHERE event_text MATCH ?) AND event.document_n IS NULL"
            f"{scope} ORDER BY event.at DESC, event.hlc DESC, event.id DESC LIMIT ?",
            [phrase, *keys, MOST],
        )
    )
    found = []
    for *row, session_n, project, text, call in reversed(rows):
        how = met(text, line)
        if how is not None:
            event = described(tuple(row))
            event |= {"level": how[0], "line": how[1], "place": (session_n, row[1], row[2], row[0]), "project": project,
                      "call": loads(call) if call else None}  # fmt: skip
            found.append(event)
    return found, len(rows) == MOST


def after(database: Database, place: Place, until: Place | None) -> Iterator[dict[str, Any]]:
    """The events of a session behind `place` and before `until`, in their order, at most AFTER; a call with its `answer`."""
    before = "" if until is None else " AND (event.at, event.hlc, event.id) < (?, ?, ?)"
    rows = database.rows(
        f"SELECT {COLUMNS}, answer.data FROM {JOINED} {ANSWER} WHERE event.session_n = ? AND event.document_n IS NULL"
        f" AND event.category <> 'tool_response' AND (event.at, event.hlc, event.id) > (?, ?, ?){before}"
        " ORDER BY event.at, event.hlc, event.id LIMIT ?",
        [*place, *(until[1:] if until else ()), AFTER],
    )
    for *row, answer in rows:
        yield {**described(tuple(row)), "answer": loads(answer) if answer else None}
