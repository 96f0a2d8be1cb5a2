"""Checkpoints, handoffs and resumes in the index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.projects import MEANT
from session_memory.index.sessions import clock, rows_for
from session_memory.model.record import CHECKPOINT

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record

COLUMNS = "checkpoint.id, checkpoint.name, checkpoint.type, checkpoint.at, checkpoint.hlc, checkpoint.body, session.id, project.key"
JOINED = "checkpoint JOIN session ON session.n = checkpoint.session_n JOIN project ON project.n = checkpoint.project_n"
# automatic checkpoints roll: only the newest few of a session count, one once the session has ended
KEPT = (
    "(checkpoint.type = 'manual' OR (SELECT count(*) FROM checkpoint AS newer WHERE newer.type = 'auto'"
    " AND newer.session_n = checkpoint.session_n AND newer.hlc > checkpoint.hlc) <"
    " CASE WHEN EXISTS (SELECT 1 FROM session_field WHERE session_n = checkpoint.session_n AND name = 'ended'"
    " AND value <> '') THEN 1 ELSE ? END)"
)


def moment(database: Database) -> int:
    """The clock of the newest checkpoint, handoff or end of a session: when other devices should hear of it; 0 without any."""
    row = database.one(
        "SELECT max(coalesce((SELECT max(hlc) FROM checkpoint), 0),"
        " coalesce((SELECT max(hlc) FROM handoff WHERE kind = 'handoff'), 0),"
        " coalesce((SELECT max(hlc) FROM session_field WHERE name = 'ended' AND value <> ''), 0))"
    )
    return int(row[0]) if row else 0


def apply(database: Database, record: Record) -> None:
    """Fold one `checkpoint`, `handoff` or `resume` record in; a second time changes nothing."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    session, project = rows_for(database, body, at, hlc)
    text = json.dumps(body, ensure_ascii=False)
    if record.kind == CHECKPOINT:
        if record.key is not None:
            database.run("DELETE FROM checkpoint WHERE key = ?1 AND (hlc, id) > (?2, ?3)", (record.key, hlc, record.id))
        database.run(
            "INSERT OR IGNORE INTO checkpoint (id, session_n, project_n, name, type, at, hlc, key, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (record.id, session, project, str(body.get("name", "")), str(body.get("type", "manual")), at, hlc,
             record.key, text),
        )  # fmt: skip
    else:
        database.run(
            "INSERT OR IGNORE INTO handoff (id, kind, session_n, project_n, at, hlc, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (record.id, record.kind, session, project, at, hlc, text),
        )


def listed(
    database: Database, *, auto_kept: int, project: str | None, session: str | None, type_: str | None, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Checkpoints newest first, and how many there are in all."""
    where = (
        f"{MEANT} AND (?2 IS NULL OR session.id = ?2)"
        f" AND (?3 IS NULL OR checkpoint.type = ?3) AND {KEPT.replace('?', '?4')}"
    )
    values = (project, session, type_, auto_kept)
    rows = database.rows(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE {where} ORDER BY checkpoint.hlc DESC LIMIT ?5", (*values, limit)
    )
    found = [_described(row) for row in rows]
    total = database.one(f"SELECT count(*) FROM {JOINED} WHERE {where}", values)
    return found, int(total[0]) if total else 0


def by_id(database: Database, checkpoint_id: str) -> dict[str, Any] | None:
    """One checkpoint by its id or the one it had in an older product; rolled ones included."""
    row = database.one(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE checkpoint.id = ?1 OR json_extract(checkpoint.body, '$.source.id') = ?1",
        (checkpoint_id,),
    )
    return None if row is None else _described(row)


def by_name(database: Database, name: str, project: str | None) -> list[dict[str, Any]]:
    """Every checkpoint of this name (in a project, or anywhere), newest first."""
    rows = database.rows(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE checkpoint.name = ?2 AND {MEANT} ORDER BY checkpoint.hlc DESC",
        (project, name),
    )
    return [_described(row) for row in rows]


def newest(database: Database, *, project: str | None = None, session: str | None = None) -> dict[str, Any] | None:
    """The checkpoint written last: by the clock of the log, so that a wrong wall clock cannot hide it."""
    row = database.one(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE {MEANT} AND (?2 IS NULL OR session.id = ?2)"
        " ORDER BY checkpoint.hlc DESC LIMIT 1",
        (project, session),
    )
    return None if row is None else _described(row)


def newest_handoff(database: Database, project: str | None) -> dict[str, Any] | None:
    """The handoff written last in a project: its body with id, at and session."""
    row = database.one(
        "SELECT handoff.id, handoff.at, handoff.body FROM handoff JOIN project ON project.n = handoff.project_n"
        f" WHERE kind = 'handoff' AND {MEANT} ORDER BY handoff.hlc DESC LIMIT 1",
        (project,),
    )
    return None if row is None else {"id": row[0], "at": row[1], **loads(row[2])}


def injections(database: Database, project: str, most: int) -> list[dict[str, Any]]:
    """What was put into sessions of a project, newest first: session, at (ms), source, text, tokens, lines, left_out."""
    rows = database.rows(
        "SELECT session.id, handoff.at, handoff.body FROM handoff JOIN session ON session.n = session_n"
        f" JOIN project ON project.n = handoff.project_n WHERE kind = 'injection' AND {MEANT}"
        " ORDER BY handoff.hlc DESC LIMIT ?2",
        (project, most),
    )
    return [_injection(*row) for row in rows]


def injections_of(database: Database, session: str, since: int) -> list[dict[str, Any]]:
    """The same of one session, since a time (ms)."""
    rows = database.rows(
        "SELECT session.id, handoff.at, handoff.body FROM handoff JOIN session ON session.n = session_n"
        " WHERE kind = 'injection' AND session.id = ? AND handoff.at >= ? ORDER BY handoff.hlc DESC",
        (session, since),
    )
    return [_injection(*row) for row in rows]


def _injection(session: str, at: int, body: str) -> dict[str, Any]:
    return {
        "session": session,
        "at": at,
        "lines": [],
        "left_out": [],
        "source": "",
        "text": "",
        **(loads(body).get("data") or {}),
    }


def _described(row: tuple[Any, ...]) -> dict[str, Any]:
    checkpoint_id, name, type_, at, hlc, body, session, project = row
    return {**loads(body), "id": checkpoint_id, "name": name, "type": type_, "at": at, "hlc": hlc,
            "session": session, "project": project}  # fmt: skip
