"""Entities and relations that were stated, in the index; and how an entity is found by what it is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index import mentions
from session_memory.index.database import loads
from session_memory.index.sessions import clock, rows_for
from session_memory.model.record import RELATION
from session_memory.model.words import plain_text, search_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database
    from session_memory.model.record import Record

PLACEHOLDER = "placeholder"  # member of an entity that was made because a relation named it
MOST_CANDIDATES = 20


def apply(database: Database, record: Record) -> None:
    """Fold one `entity` or `relation` record in: the one said last (by clock) counts, in whatever order they arrive."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    session, project = rows_for(database, body, at, hlc)
    text = json.dumps(body, ensure_ascii=False)
    if record.kind == RELATION:
        _relation(database, record, body, at, hlc, text)
        return
    id_, name, qualified = str(body.get("entity", record.id)), str(body.get("name", "")), body.get("qualified_name")
    number = _row(database, "entity", id_, record.id, hlc)
    if number == 0:
        return
    database.run(
        "INSERT INTO entity (n, id, project_n, type, name, qualified_name, record, session_n, at, hlc, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET project_n = excluded.project_n,"
        " type = excluded.type, name = excluded.name, qualified_name = excluded.qualified_name, record = excluded.record,"
        " session_n = excluded.session_n, at = excluded.at, hlc = excluded.hlc, body = excluded.body",
        (number, id_, project, str(body.get("type", "")), name, None if qualified is None else str(qualified), record.id,
         session, at, hlc, text),
    )  # fmt: skip
    about = plain_text(body.get("metadata") or {})
    database.run(
        "INSERT OR REPLACE INTO entity_text (rowid, names, about) VALUES (?, ?, ?)",
        (number or database.made(), mentions.words(name, None if qualified is None else str(qualified)),
         f"{about} {search_parts(about)}"),
    )  # fmt: skip


def _relation(database: Database, record: Record, body: dict[str, Any], at: int, hlc: int, text: str) -> None:
    id_ = str(body.get("relation", record.id))
    number = _row(database, "relation", id_, record.id, hlc)
    if number == 0:
        return
    before = database.one("SELECT source_n, target_n FROM relation WHERE id = ?", (id_,)) or ()
    ends = [_end(database, str(body.get(name, ""))) for name in ("source_entity", "target_entity")]
    since = _ms(body.get("valid_from"))
    database.run(
        "INSERT INTO relation (n, id, source_n, target_n, type, record, at, hlc, valid_from, valid_to, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET source_n = excluded.source_n,"
        " target_n = excluded.target_n, type = excluded.type, record = excluded.record, at = excluded.at,"
        " hlc = excluded.hlc, valid_from = excluded.valid_from, valid_to = excluded.valid_to, body = excluded.body",
        (number, id_, *ends, str(body.get("type", "")), record.id, at, hlc, at if since is None else since,
         _ms(body.get("valid_to")), text),
    )  # fmt: skip
    for end in set(before) - set(ends):
        mentions.settle(database, end)


def _row(database: Database, table: str, id_: str, record: str, hlc: int) -> int | None:
    """The row that a record is to take: a number, None for a new one, 0 when a later record stands there already."""
    row = database.one(f"SELECT n, hlc, record FROM {table} WHERE id = ?", (id_,))
    if row is None:
        return None
    number, known, by = row
    return 0 if by is not None and (known, by) >= (hlc, record) else int(number)


def _end(database: Database, id_: str) -> int:
    """The row of a relation's end; one that is not known (yet) is no more than its id."""
    row = database.one("SELECT n FROM entity WHERE id = ?", (id_,))
    if row is not None:
        return int(row[0])
    database.run("INSERT INTO entity (id, type, name) VALUES (?, '', ?)", (id_, id_))
    return database.made()


def _ms(value: object) -> int | None:
    """A time of a body; None where there is none, or none that we write."""
    try:
        return ids.at_ms(value) if isinstance(value, str) else None
    except ValueError:
        return None


def find(database: Database, wanted: str) -> dict[str, Any] | None:
    """One entity by id, qualified name, name or the id it had elsewhere, with its relations; None when there is none."""
    row = database.one(
        "SELECT n, id, type, name, qualified_name, body FROM entity WHERE project_n IS NOT NULL AND (id = ?1"
        " OR qualified_name = ?1 OR name = ?1 OR json_extract(body, '$.source.id') = ?1)"
        " ORDER BY id = ?1 DESC, qualified_name = ?1 DESC, record IS NULL, id LIMIT 1",
        (wanted,),
    )
    if row is None:
        return None
    number, id_, type_, name, qualified, body = row
    found = loads(body) if body else {"entity": id_, "type": type_, "name": name, "qualified_name": qualified}
    relations = database.rows(
        "SELECT relation.body, relation.id, source.id, target.id, relation.type FROM relation"
        " JOIN entity AS source ON source.n = source_n JOIN entity AS target ON target.n = target_n"
        " WHERE source_n = ?1 OR target_n = ?1 ORDER BY relation.hlc IS NULL, relation.hlc, relation.id LIMIT 200",
        (number,),
    )
    names = ("relation", "source_entity", "target_entity", "type")
    return {**found, "relations": [loads(each[0]) if each[0] else dict(zip(names, each[1:])) for each in relations]}


def called(database: Database, wanted: str, projects: Sequence[str]) -> list[dict[str, Any]]:
    """Entities that `wanted` may mean, by the first of these that any has: id, qualified name, name, its letters in either
    case, the end of a path. Those of the first project come before, then stated ones, then those that are no placeholders.
    """
    places = json.dumps([*projects])
    columns = "entity.n, entity.id, type, entity.name, qualified_name, project.key, record IS NOT NULL, body"
    start = f"SELECT {columns} FROM entity LEFT JOIN project ON project.n = project_n WHERE"
    scope = "project.key IN (SELECT value FROM json_each(?2))"
    ways = [
        "entity.id = ?1 AND (?2 IS NOT NULL)",
        f"qualified_name = ?1 AND {scope}",
        f"entity.name = ?1 COLLATE NOCASE AND entity.name = ?1 AND {scope}",
        f"entity.name = ?1 COLLATE NOCASE AND {scope}",
    ]
    for way in ways:
        rows = list(database.rows(f"{start} {way} LIMIT 500", (wanted, places)))
        if rows:
            return _preferred(rows, projects)
    if "/" not in wanted:
        return []
    last = wanted.rstrip("/").rpartition("/")[2]
    sql = (
        f"{start} entity.name = ?1 COLLATE NOCASE AND {scope}"
        " AND substr(qualified_name, -length(?3)) = ?3 AND type = 'file' LIMIT 500"
    )
    return _preferred(list(database.rows(sql, (last, places, "/" + wanted.lstrip("/")))), projects)


def _preferred(rows: list[tuple[Any, ...]], projects: Sequence[str]) -> list[dict[str, Any]]:
    found = [
        {"n": n, "id": id_, "type": type_, "name": name, "qualified_name": qualified, "here": key == (projects or [""])[0],
         "stated": bool(stated), "placeholder": bool(body) and bool(loads(body).get(PLACEHOLDER))}
        for n, id_, type_, name, qualified, key, stated, body in rows
    ]  # fmt: skip
    return sorted(found, key=lambda each: (not each["here"], not each["stated"], each["placeholder"], each["id"]))


def body(database: Database, id_: str) -> dict[str, Any] | None:
    """An entity's or relation's record as it was stated last; None when nobody did."""
    for table in ("entity", "relation"):
        row = database.one(f"SELECT body FROM {table} WHERE id = ? AND body IS NOT NULL", (id_,))
        if row:
            found: dict[str, Any] = loads(row[0])
            return found
    return None
