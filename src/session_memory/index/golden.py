"""Golden questions in the index: what the user asks, and the events that answer it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.projects import of_these, row_for
from session_memory.index.sessions import clock

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record

REMOVE = "remove"


def apply(database: Database, record: Record) -> None:
    """Fold one `golden` record in; idempotent, and independent of the order of arrival."""
    body = record.body or {}
    hlc = clock(record.hlc)
    project = row_for(database, str(body.get("project") or "dir:"), body.get("project_name"), hlc)
    said = body.get("data")
    asked = str(said.get("question", "")) if isinstance(said, dict) else ""
    question = None if body.get("change") == REMOVE else asked
    expect = [each for each in body.get("expect") or [] if isinstance(each, str)]
    database.run(
        "INSERT INTO golden (id, record, project_n, question, expect, at, hlc) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET record = excluded.record, project_n = excluded.project_n,"
        " question = excluded.question, expect = excluded.expect, at = excluded.at, hlc = excluded.hlc"
        " WHERE (excluded.hlc, excluded.record) > (golden.hlc, golden.record)",
        (
            str(body.get("golden", record.id)),
            record.id,
            project,
            question,
            json.dumps(expect),
            ids.at_ms(record.at),
            hlc,
        ),
    )


def listed(database: Database, projects: tuple[str, ...]) -> list[dict[str, Any]]:
    """The questions of these projects (() for all), oldest first: {id, question, expect, at, project}; at in ms."""
    scope, keys = of_these("golden", projects)
    rows = database.rows(
        "SELECT golden.id, question, expect, at, project.key FROM golden JOIN project ON project.n = golden.project_n"
        f" WHERE question IS NOT NULL{scope} ORDER BY at, golden.id",
        keys,
    )
    return [
        {"id": id_, "question": question, "expect": loads(expect), "at": at, "project": project}
        for id_, question, expect, at, project in rows
    ]


def place_of(database: Database, event_id: str) -> tuple[str, str] | None:
    """(session, project) of an event that is there."""
    row = database.one(
        "SELECT session.id, project.key FROM event JOIN session ON session.n = event.session_n"
        " JOIN project ON project.n = event.project_n WHERE event.id = ?",
        (bytes.fromhex(event_id),),
    )
    return None if row is None else (row[0], row[1])
