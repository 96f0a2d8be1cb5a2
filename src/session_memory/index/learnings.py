"""Learnings in the index: lessons that can be used again."""

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
    """Fold one `learning` record in: the one said last (by clock) counts, in whatever order they arrive."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    _session, project = rows_for(database, body, at, hlc)
    database.run(
        "INSERT INTO learning (id, record, project_n, category, title, confidence, at, hlc, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record,"
        " project_n = excluded.project_n, category = excluded.category, title = excluded.title,"
        " confidence = excluded.confidence, at = excluded.at, hlc = excluded.hlc, body = excluded.body"
        " WHERE (excluded.hlc, excluded.record) > (learning.hlc, learning.record)",
        (str(body.get("learning", record.id)), record.id, project, str(body.get("category", "pattern")),
         str(body.get("title", "")), float(body.get("confidence") or 0), at, hlc, json.dumps(body, ensure_ascii=False)),
    )  # fmt: skip


def find(database: Database, learning_id: str) -> dict[str, Any] | None:
    """One learning as it was recorded."""
    row = database.one("SELECT body FROM learning WHERE id = ?", (learning_id,))
    return None if row is None else loads(row[0])
