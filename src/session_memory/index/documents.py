"""Documents in the index: files that were read in, and their chunks, which are found like events.

The log keeps the text of a file whole, one record each time it changed; the chunks of the last one stand here.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index import events
from session_memory.index.database import loads
from session_memory.index.sessions import clock, rows_for
from session_memory.model import chunks

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.record import Record

CATEGORY, TYPE = "custom", "document"  # what a chunk is as an event


def apply(database: Database, record: Record) -> None:
    """Fold one `document` record in: the one said last (by clock) counts, in whatever order they arrive."""
    body = dict(record.body or {})
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    _session, project = rows_for(database, body, at, hlc)
    id_ = str(body.get("document", record.id))
    known = database.one("SELECT n, hlc, record FROM document WHERE id = ?", (id_,))
    if known is not None and known[1:] >= (hlc, record.id):
        return
    text = body.pop("text", None)
    database.run(
        "INSERT INTO document (n, id, record, project_n, name, path, at, hlc, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET record = excluded.record, project_n = excluded.project_n, name = excluded.name,"
        " path = excluded.path, at = excluded.at, hlc = excluded.hlc, body = excluded.body",
        (known[0] if known else None, id_, record.id, project, str(body.get("name", "")),
         None if body.get("path") is None else str(body["path"]), at, hlc, json.dumps(body, ensure_ascii=False)),
    )  # fmt: skip
    number = known[0] if known else database.made()
    for row in list(database.rows("SELECT n FROM event WHERE document_n = ?", (number,))):
        events.delete(database, row[0])
    if isinstance(text, str):
        for n, each in enumerate(cut(body, text), 1):
            _chunk(database, number, record, body, each, n)


def cut(body: dict[str, Any], text: str) -> list[chunks.Chunk]:
    """The chunks of a document, as its record asks for them."""
    size, overlap = _whole(body.get("chunk_size"), chunks.SIZE), _whole(body.get("overlap"), chunks.OVERLAP)
    size = min(max(size, chunks.SMALLEST), chunks.LARGEST)
    return chunks.chunks(text, str(body.get("kind", "text")), size, min(overlap, size // 2))


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise


def _chunk(database: Database, document: int, record: Record, body: dict[str, Any], each: chunks.Chunk, n: int) -> None:
    data: dict[str, Any] = {"file": body.get("path") or body.get("name")}
    if each.heading or body.get("title"):
        data["title"] = each.heading or body["title"]
    data["text"] = each.text
    source: dict[str, Any] = {"document": body.get("document"), "record": record.id, "chunk": n}
    if each.page is not None:
        source["page"] = each.page
    said = {"session": body.get("session"), "project": body.get("project"), "category": CATEGORY, "type": TYPE,
            "data": data, "stated_by": "import", "source": source}  # fmt: skip
    id_ = hashlib.blake2b(f"{record.id}:{n}".encode(), digest_size=16).hexdigest()
    events.insert(database, id_, ids.at_ms(record.at), clock(record.hlc), None, said, document=document)


def find(database: Database, wanted: str) -> dict[str, Any] | None:
    """One document by id, path or name: what its record says but for the text, and how many chunks are found."""
    row = database.one(
        "SELECT n, body, record FROM document WHERE id = ?1 OR path = ?1 OR name = ?1 ORDER BY id = ?1 DESC, hlc DESC LIMIT 1",
        (wanted,),
    )
    if row is None:
        return None
    counted = database.one("SELECT count(*) FROM event WHERE document_n = ?", (row[0],))
    count = int(counted[0]) if counted else 0
    return {**loads(row[1]), **({"chunks": count, "record": row[2]} if count else {})}
