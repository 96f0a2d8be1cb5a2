"""Events in the index: how a record becomes a row, and what happens when the same thing was recorded twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index import mentions
from session_memory.index.database import loads, parts_beside, words_text
from session_memory.index.sessions import clock, rows_for

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record

# what came of a call, beside it as `answer`: the first, should there be several
ANSWER = (
    "LEFT JOIN event AS answer ON answer.n = (SELECT min(n) FROM event AS other WHERE other.parent = event.id"
    " AND other.category = 'tool_response')"
)
MORE = ("tags", "source", "branch", "commit")


def apply(database: Database, record: Record) -> None:
    """Fold one `event` record in. A second time changes nothing; a repeated key is merged, in any order of arrival."""
    if database.one("SELECT 1 FROM event WHERE id = ?", (bytes.fromhex(record.id),)):
        return
    if record.key is not None:
        first = database.one("SELECT event.n, lower(hex(event.id)), at, hlc FROM event WHERE key = ?", (record.key,))
        if first is not None:
            # its session and project count, whichever version comes first
            rows_for(database, record.body or {}, ids.at_ms(record.at), clock(record.hlc))
            _merge(database, record, first)
            return
    insert(database, record.id, ids.at_ms(record.at), clock(record.hlc), record.key, record.body or {})


def insert(
    database: Database,
    id_: str,
    at: int,
    hlc: int,
    key: str | None,
    body: dict[str, Any],
    *,
    n: int | None = None,
    document: int | None = None,
) -> None:
    """Make the row of an event and what can be found by it. n: the row it takes again; document: whose chunk it is."""
    session, project = rows_for(database, body, at, hlc)
    data = json.dumps(body.get("data") or {}, ensure_ascii=False, separators=(",", ":"))
    few = {name: body[name] for name in MORE if body.get(name)}
    more = json.dumps(few, ensure_ascii=False, separators=(",", ":")) if few else None
    parent = _parent(body.get("parent"))
    type_ = str(body.get("type", ""))
    database.run(
        "INSERT INTO event (n, id, at, hlc, session_n, project_n, category, type, stated_by, parent, key, data, more,"
        " document_n) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (n, bytes.fromhex(id_), at, hlc, session, project, str(body.get("category", "custom")), type_,
         str(body.get("stated_by", "model")), parent, key, data, more, document),
    )  # fmt: skip
    number = n if n is not None else database.made()
    text = words_text(data)
    database.run(
        "INSERT INTO event_text (rowid, text, parts) VALUES (?, ?, ?)",
        (number, text, parts_beside(type_, loads(more).get("tags", []) if more else [], text)),
    )
    for tag in few.get("tags", []):
        database.run("INSERT OR IGNORE INTO tag (tag, event_n) VALUES (?, ?)", (str(tag), number))
    mentions.add(database, number, project, id_, key, body)


def _parent(value: object) -> bytes | str | None:
    """A parent's id as bytes; ids of other programs keep their text."""
    text = str(value or "")
    if len(text) == 32 and set(text) <= set("0123456789abcdef"):
        return bytes.fromhex(text)
    return text or None


def _merge(database: Database, record: Record, first: tuple[Any, ...]) -> None:
    """The first by (hlc, id) counts, filled with what only later ones hold. All versions are kept in `twin`."""
    number, id_, at, hlc = first
    key = record.key
    if not database.one("SELECT 1 FROM twin WHERE key = ?", (key,)):
        _keep_twin(database, key, hlc, id_, at, _body(database, number))
    _keep_twin(database, key, clock(record.hlc), record.id, ids.at_ms(record.at), record.body or {})
    versions = list(database.rows("SELECT id, at, hlc, body FROM twin WHERE key = ? ORDER BY hlc, id", (key,)))
    merged: dict[str, Any] = {}
    for _id, _at, _hlc, body in versions:
        _fill(merged, loads(body))
    delete(database, number)
    insert(database, versions[0][0], versions[0][1], versions[0][2], key, merged, n=number)


def _fill(target: dict[str, Any], later: dict[str, Any]) -> None:
    for name, value in later.items():
        if name not in target or target[name] in (None, "", [], {}):
            target[name] = value
        elif name in ("data", "source") and isinstance(target[name], dict) and isinstance(value, dict):
            _fill(target[name], value)


def _keep_twin(database: Database, key: str | None, hlc: int, id_: str, at: int, body: dict[str, Any]) -> None:
    database.run(
        "INSERT OR IGNORE INTO twin (key, hlc, id, at, body) VALUES (?, ?, ?, ?, ?)",
        (key, hlc, id_, at, json.dumps(body, ensure_ascii=False)),
    )


def delete(database: Database, number: int) -> None:
    """Remove the row of an event and everything that was found by it."""
    mentions.remove(database, number)
    database.run(
        "INSERT INTO event_text (event_text, rowid, text, parts)"
        " SELECT 'delete', n, text, parts FROM event_words WHERE n = ?",
        (number,),
    )
    database.run("DELETE FROM tag WHERE event_n = ?", (number,))
    database.run("DELETE FROM event WHERE n = ?", (number,))


def _body(database: Database, number: int) -> dict[str, Any]:
    """The body a row was made from."""
    row = database.one(
        "SELECT session.id, project.key, category, type, stated_by, parent, data, more FROM event"
        " JOIN session ON session.n = session_n JOIN project ON project.n = event.project_n WHERE event.n = ?",
        (number,),
    )
    assert row is not None  # the caller has just read this row in the same transaction
    session, project, category, type_, stated_by, parent, data, more = row
    body = {"session": session, "project": project, "category": category, "type": type_, "stated_by": stated_by,
            "data": loads(data), **(loads(more) if more else {})}  # fmt: skip
    if parent is not None:
        body["parent"] = parent_text(parent)
    return body


def parent_text(parent: bytes | str) -> str:
    """The id of a parent as people write it."""
    return parent.hex() if isinstance(parent, bytes) else parent
