"""Entities and the relations between them in the index: the knowledge graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.sessions import clock, rows_for
from session_memory.model.record import RELATION

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record


def apply(database: Database, record: Record) -> None:
    """Fold one `entity` or `relation` record in: the one said last (by clock) counts, in whatever order they arrive."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    _session, project = rows_for(database, body, at, hlc)
    text = json.dumps(body, ensure_ascii=False)
    if record.kind == RELATION:
        database.run(
            "INSERT INTO relation (id, record, project_n, source, target, type, at, hlc, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record,"
            " project_n = excluded.project_n, at = excluded.at, hlc = excluded.hlc, body = excluded.body"
            " WHERE (excluded.hlc, excluded.record) > (relation.hlc, relation.record)",
            (str(body.get("relation", record.id)), record.id, project, str(body.get("source_entity", "")),
             str(body.get("target_entity", "")), str(body.get("type", "")), at, hlc, text),
        )  # fmt: skip
        return
    database.run(
        "INSERT INTO entity (id, record, project_n, type, name, qualified_name, at, hlc, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record,"
        " project_n = excluded.project_n, type = excluded.type, name = excluded.name,"
        " qualified_name = excluded.qualified_name, at = excluded.at, hlc = excluded.hlc, body = excluded.body"
        " WHERE (excluded.hlc, excluded.record) > (entity.hlc, entity.record)",
        (str(body.get("entity", record.id)), record.id, project, str(body.get("type", "")), str(body.get("name", "")),
         body.get("qualified_name"), at, hlc, text),
    )  # fmt: skip


def find(database: Database, wanted: str) -> dict[str, Any] | None:
    """One entity by id, qualified name, name or the id it had elsewhere, with its relations; None when there is none."""
    row = database.one(
        "SELECT id, body FROM entity WHERE id = ?1 OR qualified_name = ?1 OR name = ?1"
        " OR json_extract(body, '$.source.id') = ?1 ORDER BY id = ?1 DESC, qualified_name = ?1 DESC LIMIT 1",
        (wanted,),
    )
    if row is None:
        return None
    relations = database.rows("SELECT body FROM relation WHERE source = ?1 OR target = ?1 ORDER BY hlc", (row[0],))
    return {**loads(row[1]), "relations": [loads(each[0]) for each in relations]}
