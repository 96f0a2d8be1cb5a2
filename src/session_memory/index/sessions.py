"""Sessions in the index: who worked on what, when, and from which session it came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.projects import MEANT, row_for

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record

TITLE = 80  # characters of the first prompt that name a session
FIRST_WINS = ("how", "parent_session", "title")
ROWS = (  # under the key it was recorded with, by the name of the project that key belongs to
    "SELECT session.n, session.id, project.key, mine.name, session.started FROM session"
    " JOIN project ON project.n = session.project_n JOIN project AS mine ON mine.key = project.whole"
)
FIELDS = ("client", "skill", "how", "parent_session", "cwd", "branch", "commit", "title")


def clock(hlc: str) -> int:
    """A hybrid clock as one integer: ms * 10,000 + counter."""
    return ids.hlc_number(hlc)


def apply(database: Database, record: Record) -> None:
    """Fold one `session` record in; idempotent, and independent of the order of origins."""
    body = record.body or {}
    hlc, at = clock(record.hlc), ids.at_ms(record.at)
    number, _ = rows_for(database, body, at, hlc)
    fields = {name: str(body[name]) for name in FIELDS if body.get(name)}
    if body.get("config"):
        fields["config"] = json.dumps(body["config"], ensure_ascii=False)
    if body.get("change") == "end":
        fields["ended"] = str(at)
    elif body.get("change") == "start":
        fields["ended"] = ""  # a session that goes on is not over
    for name, value in fields.items():
        later = "excluded.hlc < session_field.hlc" if name in FIRST_WINS else "excluded.hlc >= session_field.hlc"
        database.run(
            "INSERT INTO session_field (session_n, name, value, hlc) VALUES (?, ?, ?, ?) ON CONFLICT (session_n, name)"
            f" DO UPDATE SET value = excluded.value, hlc = excluded.hlc WHERE {later}",
            (number, name, value, hlc),
        )


def rows_for(database: Database, body: dict[str, Any], at: int, hlc: int) -> tuple[int, int]:
    """The row numbers of the session and project a body names, made when they are new."""
    project = row_for(database, str(body.get("project") or "dir:"), body.get("project_name"), hlc)
    session = str(body.get("session") or "")
    row = database.one("SELECT n, started, first_hlc, project_n FROM session WHERE id = ?", (session,))
    if row is None:
        database.run(
            "INSERT INTO session (id, project_n, started, first_hlc) VALUES (?, ?, ?, ?)", (session, project, at, hlc)
        )
        return database.made(), project
    number, started, first, _known = row
    if at < started:
        database.run("UPDATE session SET started = ? WHERE n = ?", (at, number))
    if hlc < first:
        database.run("UPDATE session SET first_hlc = ?, project_n = ? WHERE n = ?", (hlc, project, number))
    return number, project


def find(database: Database, session_id: str) -> dict[str, Any] | None:
    """What is known of one session: id, project, project_name, started (ms), fields, last (ms), event_count."""
    row = database.one(
        f"{ROWS} WHERE session.id = ?",
        (session_id,),
    )
    return None if row is None else _described(database, row)


def listed(database: Database, project: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest sessions (of a project key, or all), newest first, subagents left out."""
    rows = database.rows(
        f"{ROWS} WHERE {MEANT}"
        " AND NOT EXISTS (SELECT 1 FROM session_field WHERE session_n = session.n AND name = 'how'"
        " AND value = 'subagent')"
        " ORDER BY max(session.started, coalesce((SELECT max(at) FROM event WHERE session_n = session.n), 0)) DESC"
        " LIMIT ?2",
        (project, limit),
    )
    return [_described(database, row) for row in list(rows)]


def _described(database: Database, row: tuple[Any, ...]) -> dict[str, Any]:
    number, session_id, key, name, started = row
    fields = dict(database.rows("SELECT name, value FROM session_field WHERE session_n = ?", (number,)))
    counted = "SELECT max(at), count(*) FROM event WHERE session_n = ? AND document_n IS NULL"
    last, count = database.one(counted, (number,)) or (None, 0)
    if not fields.get("title"):  # the first thing said names a session
        said = database.one(
            "SELECT data ->> 'text' FROM event WHERE session_n = ? AND category = 'message' AND type = 'user_prompt'"
            " ORDER BY at, id LIMIT 1",
            (number,),
        )
        if said and said[0]:
            fields["title"] = " ".join(str(said[0]).split())[:TITLE]
    return {
        "id": session_id,
        "project": key,
        "project_name": name,
        "started": started,
        "last": max(started, last or 0),
        "event_count": count,
        **fields,
    }


def folder(database: Database, session_id: str) -> str:
    """The folder a session worked in; empty where nobody said."""
    row = database.one(
        "SELECT value FROM session_field WHERE name = 'cwd' AND session_n = (SELECT n FROM session WHERE id = ?)",
        (session_id,),
    )
    return str(row[0]) if row else ""


def counts(database: Database, session_id: str) -> dict[str, int]:
    """How many events of each category the session holds."""
    rows = database.rows(
        "SELECT category, count(*) FROM event WHERE session_n = (SELECT n FROM session WHERE id = ?)"
        " AND document_n IS NULL GROUP BY category ORDER BY category",
        (session_id,),
    )
    return dict(rows)


LINEAGE = (
    "WITH RECURSIVE lineage (id) AS (SELECT ?1 UNION SELECT value FROM lineage JOIN session ON session.id = lineage.id"
    " JOIN session_field ON session_n = session.n AND name = 'parent_session')"
)


def lineage(database: Database, session_id: str) -> list[str]:
    """The session and those it came from."""
    return [row[0] for row in database.rows(f"{LINEAGE} SELECT id FROM lineage", (session_id,))]
