"""Marks: say of a fact that it is accepted, rejected, superseded or wrong, and take that back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory.errors import IndexUnavailable, InvalidInput, LogUnavailable
from session_memory.index.database import FAILURES
from session_memory.model import mark
from session_memory.model.facts import text_of
from session_memory.model.plain import in_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.actions.events import Events

    Named = Callable[[str], dict[str, Any] | None]

CLEAR = "clear"  # what people say to take a mark back
UNREADABLE = (IndexUnavailable, LogUnavailable, *FAILURES)  # a record must not fail because the index does
SAID = 80  # characters of the marked event that are shown


@dataclass
class Meant:
    """An event that is about to be kept, with the whole ids of those it names, and what to tell its caller about them."""

    type: str
    data: dict[str, Any]
    parent: str | None
    hint: str = ""


def meant(named: Named, category: str, type_: str, data: dict[str, Any], parent: str | None) -> Meant:
    """What a caller means by the beginning of a parent's id, and by a mark. Never raises: a record is kept as told."""
    word = type_.strip().lower()
    marks = category == mark.CATEGORY and word in (*mark.STATUSES, mark.CLEARED, CLEAR)
    if marks:
        type_ = mark.CLEARED if word == CLEAR else word
        data = {**data, **{name: _whole(named, data[name]) for name in ("by", "superseded_by") if name in data}}
    if not parent:
        nothing = marks and not any(isinstance(data.get(name), str) for name in ("title", "decision", "text"))
        hint = "It marks nothing: give the event's id as parent_id. session_query shows ids." if nothing else ""
        return Meant(type_, data, None, hint)
    try:
        found = named(parent)
    except UNREADABLE:
        return Meant(type_, data, parent)
    if found is None:
        why = f"No single event here has the id {parent[:40]!r}; it was kept as told. session_query shows ids."
        return Meant(type_, data, parent, why)
    hint = ""
    if mark.is_mark({"category": category, "type": type_, "data": data, "parent_id": found["id"]}):
        what = f"{found['id'][: mark.SHOWN]} ({in_line(text_of(found), SAID)})"
        hint = f"The mark of {what} was taken back." if type_ == mark.CLEARED else f"Marked {what} as {type_}."
    return Meant(type_, data, found["id"], hint)


def _whole(named: Named, event_id: object) -> object:
    try:
        found = named(event_id) if isinstance(event_id, str) else None
    except UNREADABLE:
        return event_id
    return found["id"] if found else event_id


class Marks:
    """What people say of facts afterwards."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def put(
        self, event_id: str, status: str, *, note: str = "", by: str = "", stated_by: str = "user"
    ) -> dict[str, Any]:
        """Mark an event, or with `clear` take its mark back. by: the event that holds in its place.

        The mark is kept with the session of the event, wherever we stand. Returns {event_id, marked, mark, event}: the
        mark's own id, the marked one, the mark as it travels with hits (None once taken back) and the event.
        Raises NotFound (unknown-event), InvalidInput (bad-argument, paused), LogUnavailable, IndexUnavailable.
        """
        if status not in (*mark.STATUSES, CLEAR):
            raise InvalidInput(
                "bad-argument", f"status is {status[:60]!r}.", f"Use one of: {', '.join((*mark.STATUSES, CLEAR))}."
            )
        event = self._events.get(event_id)
        if mark.is_mark(event):
            raise InvalidInput(
                "bad-argument", f"{event['id'][: mark.SHOWN]} is itself a mark.",
                f"Mark what it speaks of: {event['parent_id'][: mark.SHOWN]}.",
            )  # fmt: skip
        said = {"note": note.strip(), "by": self._events.get(by)["id"] if by else ""}
        kept, _session = self._events.record(
            mark.CATEGORY, status, {name: value for name, value in said.items() if value}, parent_id=event["id"],
            session_id=event["session_id"], stated_by=stated_by,
        )  # fmt: skip
        record = kept.records[0]
        body = record.body or {}
        now = mark.described(str(body.get("type")), body.get("data") or {}, record.at, stated_by)
        return {"event_id": record.id, "marked": event["id"], "mark": now, "event": {**event, "mark": now}}
