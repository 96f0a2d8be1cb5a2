"""Finding events: filters, words and order in, one page of events out.

Ranked search looks first at the best few hundred hits and joins the rest only when filters leave too few: on a large
index most of the time would otherwise go into rows that are thrown away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.errors import InvalidInput
from session_memory.index import candidates, marks, ranking
from session_memory.index.database import loads
from session_memory.index.events import parent_text
from session_memory.index.sessions import LINEAGE
from session_memory.model.asking import NOTHING_ASKED, Asked

if TYPE_CHECKING:
    from session_memory.index.database import Database, Value
    from session_memory.index.match import Match

COUNTED = 10_000  # total_count is exact up to here
COLUMNS = (
    "event.id, event.at, event.hlc, event.category, event.type, session.id, event.parent, event.data, event.more,"
    " event.stated_by, event.n"
)
JOINED = "event JOIN session ON session.n = event.session_n"


@dataclass(frozen=True)
class Filter:
    """Which events: every member that is set must hold. Times are ms since 1970, `after` and `before` inclusive."""

    projects: tuple[str, ...] = ()
    session: str | None = None
    lineage_of: str | None = None
    categories: tuple[str, ...] = ()
    type: str | None = None
    tags: tuple[str, ...] = ()
    after: int | None = None
    before: int | None = None
    file: str | None = None  # a path, or the end of one
    branch: str | None = None
    match: Match | None = None
    asked: Asked = NOTHING_ASKED
    nothing: bool = False  # a keyword without any word in it finds nothing


@dataclass(frozen=True)
class Page:
    """One page: events as dicts, how many match in all (`capped`: at least so many), and the cursor of the next page."""

    events: list[dict[str, Any]]
    total: int
    capped: bool
    next_cursor: str | None


def search(
    database: Database, wanted: Filter, *, order: str, limit: int, offset: int = 0, cursor: str | None = None
) -> Page:
    """One page of the matching events. order: newest, oldest or relevance (which needs a match).

    Raises InvalidInput (bad-cursor).
    """
    if wanted.nothing:
        return Page([], 0, False, None)
    mark = _mark(wanted, order)
    after_row: list[Any] = []
    if cursor is not None:
        after_row = _read_cursor(cursor, mark)
    if order == "relevance" and wanted.match is not None:
        start = int(after_row[0]) if after_row else offset
        rows = _ranked(database, wanted, start, limit + 1)
        following = [start + limit]
    else:
        start = 0 if after_row else offset
        rows = _by_time(database, wanted, order, start, limit + 1, after_row)
        following = [rows[limit - 1][1], rows[limit - 1][2], rows[limit - 1][0].hex()] if len(rows) > limit else []
    total = _count(database, wanted)
    next_cursor = _write_cursor(mark, following) if len(rows) > limit else None
    shown = marks.attach(database, [described(row) for row in rows[:limit]])
    return Page(shown, min(total, COUNTED), total > COUNTED, next_cursor)


def by_ids(database: Database, event_ids: list[str]) -> list[dict[str, Any]]:
    """The events of these ids (or unique beginnings of ids of at least 6 digits), in the given order; missing ones left out."""
    found = []
    for event_id in event_ids:
        between = _between(event_id)
        if between is None:
            continue
        rows = list(database.rows(f"SELECT {COLUMNS} FROM {JOINED} WHERE event.id BETWEEN ? AND ? LIMIT 2", between))
        if len(rows) == 1:
            found.append(described(rows[0]))
    return marks.attach(database, found)


def begin_so(database: Database, event_id: str) -> int:
    """How many events have ids that begin so; 2 for more."""
    between = _between(event_id)
    return (
        0
        if between is None
        else len(list(database.rows("SELECT n FROM event WHERE id BETWEEN ? AND ? LIMIT 2", between)))
    )


def _between(event_id: str) -> tuple[bytes, bytes] | None:
    """The lowest and the highest id that begin so; None for what is no beginning of an id."""
    low = event_id.lower()
    if not 6 <= len(low) <= 32 or not all(c in "0123456789abcdef" for c in low):
        return None
    return bytes.fromhex(low.ljust(32, "0")), bytes.fromhex(low.ljust(32, "f"))


def described(row: tuple[Any, ...]) -> dict[str, Any]:
    """An event as `session_query` returns it, but for its mark."""
    id_, at, _hlc, category, type_, session, parent, data, more, stated_by, _n = row
    few = loads(more) if more else {}
    event: dict[str, Any] = {
        "id": id_.hex(),
        "timestamp": ids.at_text(at),
        "category": category,
        "type": type_,
        "session_id": session,
        "stated_by": stated_by,
    }
    if parent is not None:
        event["parent_id"] = parent_text(parent)
    event.update(few)
    event["data"] = loads(data)
    return event


def _where(wanted: Filter) -> tuple[str, list[Value]]:
    parts: list[str] = ["1"]
    values: list[Value] = []

    def add(sql: str, *more: Value) -> None:
        parts.append(sql)
        values.extend(more)

    if len(wanted.projects) == 1:
        add("event.project_n = (SELECT n FROM project WHERE key = ?)", *wanted.projects)
    elif wanted.projects:
        add(f"event.project_n IN (SELECT n FROM project WHERE key IN ({_marks(wanted.projects)}))", *wanted.projects)
    if wanted.match is None and wanted.type != "document":
        add("event.document_n IS NULL")  # chunks of documents are found by words, or asked for
    if wanted.session is not None:
        add("event.session_n = (SELECT n FROM session WHERE id = ?)", wanted.session)
    if wanted.lineage_of is not None:
        inner = LINEAGE.replace("?1", "?")
        add(f"event.session_n IN ({inner} SELECT session.n FROM lineage JOIN session USING (id))", wanted.lineage_of)
    if wanted.categories:
        add(f"event.category IN ({_marks(wanted.categories)})", *wanted.categories)
    if wanted.type is not None:
        add("event.type = ?", wanted.type)
    if wanted.tags:
        add(f"event.n IN (SELECT event_n FROM tag WHERE tag IN ({_marks(wanted.tags)}))", *wanted.tags)
    if wanted.after is not None:
        add("event.at >= ?", wanted.after)
    if wanted.before is not None:
        add("event.at <= ?", wanted.before)
    if wanted.branch is not None:
        add("event.more ->> '$.branch' = ?", wanted.branch)
    if wanted.file is not None:
        path = wanted.file.replace("\\", "/").removeprefix("./")
        phrase = '"' + path.replace('"', " ") + '"'  # the words of the path first: they are indexed
        add("event.n IN (SELECT rowid FROM event_text WHERE event_text MATCH ?)", f"text : {phrase}")
        add(
            "EXISTS (SELECT 1 FROM json_tree(event.data) AS leaf WHERE leaf.type = 'text' AND (leaf.value = ?"
            " OR substr(leaf.value, -length(?)) = ?) AND (leaf.key IN ('file', 'path', 'file_path') OR leaf.path = '$.files'))",
            path, f"/{path}", f"/{path}",
        )  # fmt: skip
    return " AND ".join(parts), values


def _marks(values: tuple[object, ...]) -> str:
    return ", ".join("?" * len(values))


def _by_time(
    database: Database, wanted: Filter, order: str, offset: int, limit: int, after_row: list[Any]
) -> list[tuple[Any, ...]]:
    where, values = _where(wanted)
    way, sign = ("ASC", ">") if order == "oldest" else ("DESC", "<")
    if wanted.match is not None:
        where += " AND event.n IN (SELECT rowid FROM event_text WHERE event_text MATCH ?)"
        values.append(wanted.match.required)
    if after_row:
        where += f" AND (event.at, event.hlc, event.id) {sign} (?, ?, ?)"
        values += [int(after_row[0]), int(after_row[1]), bytes.fromhex(str(after_row[2]))]
    sql = (
        f"SELECT {COLUMNS} FROM {JOINED} WHERE {where}"
        f" ORDER BY event.at {way}, event.hlc {way}, event.id {way} LIMIT ? OFFSET ?"
    )
    return list(database.rows(sql, [*values, limit, offset]))


def _ranked(database: Database, wanted: Filter, offset: int, limit: int) -> list[tuple[Any, ...]]:
    """A piece of the ranked rows: the pool in its order, behind it by bm25 alone."""
    assert wanted.match is not None  # `search` comes here only with words
    where, values = _where(wanted)
    pool = [hit.n for hit in ranking.rank(database, wanted.match, where, values, asked=wanted.asked)]
    found = pool[offset : offset + limit]
    if len(found) < limit and len(pool) >= candidates.POOL:
        behind = offset + limit - max(offset, len(pool))
        found += candidates.rest(database, wanted.match, where, values, pool, max(0, offset - len(pool)), behind)
    return _rows(database, found)


def recalled(
    database: Database, wanted: Filter, limit: int, near: ranking.Near | None = None
) -> list[tuple[dict[str, Any], candidates.Hit]]:
    """The events that answer best, each with what it owes its place to; also such that hold none of the words."""
    if wanted.match is None and near is None:
        return []
    where, values = _where(wanted)
    hits = ranking.rank(database, wanted.match, where, values, asked=wanted.asked, beyond=True, near=near)[:limit]
    events = marks.attach(database, [described(row) for row in _rows(database, [hit.n for hit in hits])])
    return list(zip(events, hits))


def _rows(database: Database, numbers: list[int]) -> list[tuple[Any, ...]]:
    """The rows of these numbers, in their order."""
    found = database.rows(f"SELECT {COLUMNS} FROM {JOINED} WHERE event.n IN ({_marks(tuple(numbers))})", numbers)
    rows = {row[-1]: row for row in found}
    return [rows[n] for n in numbers if n in rows]


def _count(database: Database, wanted: Filter) -> int:
    where, values = _where(wanted)
    if wanted.match is not None and where == "1":
        sql = "SELECT count(*) FROM (SELECT 1 FROM event_text WHERE event_text MATCH ? LIMIT ?)"
        values = [wanted.match.required]
    elif wanted.match is not None:
        sql = (
            "SELECT count(*) FROM (SELECT 1 FROM event_text JOIN event ON event.n = event_text.rowid"
            f" WHERE event_text MATCH ? AND {where} LIMIT ?)"
        )
        values = [wanted.match.required, *values]
    else:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM event WHERE {where} LIMIT ?)"
    row = database.one(sql, [*values, COUNTED + 1])
    return int(row[0]) if row else 0


def _mark(wanted: Filter, order: str) -> str:
    """What ties a cursor to its query: filters and words, not what they are read as, which time moves."""
    wanted = replace(wanted, asked=NOTHING_ASKED)
    return hashlib.sha256(repr((wanted, order)).encode()).hexdigest()[:12]


def _write_cursor(mark: str, place: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark, *place]).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, mark: str) -> list[Any]:
    wrong = InvalidInput(
        "bad-cursor", "The cursor does not belong to this query.", "Repeat the query without a cursor."
    )
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise wrong from error
    if not isinstance(parts, list) or len(parts) not in (2, 4) or parts[0] != mark:
        raise wrong
    return parts[1:]


def every(database: Database, wanted: Filter, *, most: int = -1, newest: bool = False) -> list[dict[str, Any]]:
    """All matching events, oldest first; with `most` and `newest` the newest of them (still oldest first)."""
    where, values = _where(wanted)
    way = "DESC" if newest else "ASC"
    rows = list(
        database.rows(
            f"SELECT {COLUMNS} FROM {JOINED} WHERE {where} ORDER BY event.at {way}, event.hlc {way}, event.id {way}"
            " LIMIT ?",
            [*values, most],
        )
    )
    return marks.attach(database, [described(row) for row in (reversed(rows) if newest else rows)])


def extent(database: Database, wanted: Filter) -> tuple[int, int]:
    """How many events match and the highest clock among them: changes whenever one is added or merged."""
    where, values = _where(wanted)
    row = database.one(f"SELECT count(*), coalesce(max(event.hlc), 0) FROM event WHERE {where}", values)
    return (int(row[0]), int(row[1])) if row else (0, 0)


def conditions(wanted: Filter) -> tuple[str, list[Value]]:
    """A filter as a condition on `event`, and its values; what it matches by words is not part of it."""
    return _where(wanted)
