"""What stood beside an event or a time: a line an event, with the size of what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.search import COUNTED, Filter, conditions
from session_memory.model.event import role
from session_memory.model.snippet import snippet

if TYPE_CHECKING:
    from session_memory.index.database import Database

Place = tuple[int, int, bytes]  # at, hlc and id of an event
FIRST = (-(1 << 62), b"")  # before everything of a millisecond


def place_of(database: Database, id_: str) -> Place:
    """Where an event that is there stands in time."""
    row = database.one("SELECT at, hlc, id FROM event WHERE id = ?", (bytes.fromhex(id_),))
    assert row is not None  # the caller has just found it
    return row[0], row[1], row[2]


def beside(
    database: Database, wanted: Filter, place: Place, most: int, *, later: bool, room: int
) -> tuple[list[dict[str, Any]], int]:
    """The nearest `most` lines before or after a place, oldest first, and how many there are in all (at most COUNTED)."""
    where, values = conditions(wanted)
    sign, way = (">", "ASC") if later else ("<", "DESC")
    where += f" AND (event.at, event.hlc, event.id) {sign} (?, ?, ?)"
    rows = database.rows(
        "SELECT event.id, event.at, event.category, event.type, event.stated_by, session.id, event.data, length(event.data)"
        f" FROM event JOIN session ON session.n = event.session_n WHERE {where}"
        f" ORDER BY event.at {way}, event.hlc {way}, event.id {way} LIMIT ?",
        [*values, *place, most],
    )
    found = [_line(row, room) for row in rows]
    counted = database.one(
        f"SELECT count(*) FROM (SELECT 1 FROM event WHERE {where} LIMIT ?)", [*values, *place, COUNTED]
    )
    return (found if later else found[::-1]), int(counted[0]) if counted else 0


def at(database: Database, id_: str, room: int) -> dict[str, Any]:
    """The line of one event that is there."""
    row = database.one(
        "SELECT event.id, event.at, event.category, event.type, event.stated_by, session.id, event.data, length(event.data)"
        " FROM event JOIN session ON session.n = event.session_n WHERE event.id = ?",
        (bytes.fromhex(id_),),
    )
    assert row is not None  # the caller has just found it
    return _line(row, room)


def _line(row: tuple[Any, ...], room: int) -> dict[str, Any]:
    id_, when, category, type_, by, session, data, size = row
    return {
        "id": id_.hex(), "timestamp": ids.at_text(when), "category": category, "type": type_,
        "role": role(category, type_, by), "session_id": session, "size": size,
        "text": snippet(loads(data), "", room),
    }  # fmt: skip
