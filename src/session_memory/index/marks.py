"""Marks in the index: they are events, found by the event they speak of; the last by the log's clock counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.model.mark import described

if TYPE_CHECKING:
    from session_memory.index.database import Database

# literally the condition of the index event_mark, so that SQLite can use it
IS_MARK = "parent IS NOT NULL AND category = 'decision' AND type IN ('accepted', 'rejected', 'superseded', 'wrong', 'cleared')"
MARKS = f"SELECT lower(hex(parent)), type, data, at, stated_by FROM event WHERE {IS_MARK}"
FEW = 500  # events for which only their own marks are asked; for more it is cheaper to read all: people mark few


def attach(database: Database, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same events; each that is marked gets its member `mark`. One query, however many events."""
    if not events:
        return events
    where, values = "", []
    if len(events) <= FEW:
        where = f" AND parent IN ({', '.join('?' * len(events))})"
        values = [bytes.fromhex(event["id"]) for event in events]
    marks: dict[str, dict[str, Any] | None] = {}
    for target, status, data, at, stated_by in database.rows(f"{MARKS}{where} ORDER BY hlc, id", values):
        marks[target] = described(status, loads(data), ids.at_text(at), stated_by)
    for event in events:
        mark = marks.get(event["id"])
        if mark is not None:
            event["mark"] = mark
    return events


def extent(database: Database) -> tuple[int, int]:
    """How many marks there are and the highest clock among them: changes whenever one is added or merged."""
    row = database.one(f"SELECT count(*), coalesce(max(hlc), 0) FROM event WHERE {IS_MARK}")
    return (int(row[0]), int(row[1])) if row else (0, 0)
