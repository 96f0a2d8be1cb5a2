"""Documents in the index: files that were read in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.sessions import clock, rows_for

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record


def apply(database: Database, record: Record) -> None:
    """Fold one `document` record in: the one said last (by clock) counts, in whatever order they arrive."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    _session, project = rows_for(database, body, at, hlc)
    database.run(
        "INSERT INTO document (id, record, project_n, name, path, at, hlc, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET record = excluded.record, project_n = excluded.project_n, name = excluded.name,"
        " path = excluded.path, at = excluded.at, hlc = excluded.hlc, body = excluded.body"
        " WHERE (excluded.hlc, excluded.record) > (document.hlc, document.record)",
        (str(body.get("document", record.id)), record.id, project, str(body.get("name", "")),
         None if body.get("path") is None else str(body["path"]), at, hlc, json.dumps(body, ensure_ascii=False)),
    )  # fmt: skip


def find(database: Database, wanted: str) -> dict[str, Any] | None:
    """One document by id, path or name."""
    row = database.one(
        "SELECT body FROM document WHERE id = ?1 OR path = ?1 OR name = ?1 ORDER BY id = ?1 DESC, hlc DESC LIMIT 1",
        (wanted,),
    )
    return None if row is None else loads(row[0])
