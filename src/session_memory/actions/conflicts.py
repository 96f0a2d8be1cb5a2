"""What two devices said otherwise of the same thing: the value that counts, and those of other devices that lost.

The log proves who said what and which statement comes last; it does not prove that the last speaker had not seen the other one.
So what is listed are differences, not accusations; every value stays in the log and can be stated again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.actions.forgetting import Forgetting
from session_memory.model.mark import is_mark
from session_memory.model.record import ENTITY, EVENT, LEARNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.log.line import Line

ABOUT = {LEARNING: LEARNING, ENTITY: ENTITY}  # kind of record -> member that says which thing
NO_FIELDS = frozenset("session project stated_by source learning entity".split())  # who, where and which: not what


class Conflicts:
    """Differences between devices, by thing and field."""

    def __init__(self, forgetting: Forgetting) -> None:
        self._forgetting = forgetting

    def listed(self) -> list[dict[str, Any]]:
        """Newest first: thing, id, name, field, value, origin, at; lost: [value, origin, at, record]. Raises OSError."""
        last: dict[tuple[str, str, str], dict[str, tuple[tuple[int, str], Any, Line]]] = {}
        names: dict[tuple[str, str], str] = {}
        for found, body in self._forgetting.lines():
            for thing, id_, field, value in _said(found, body):
                if field in ("title", "name"):
                    names[thing, id_] = str(value)
                order = (ids.hlc_number(found.hlc), found.id)
                by_origin = last.setdefault((thing, id_, field), {})
                if found.origin not in by_origin or by_origin[found.origin][0] < order:
                    by_origin[found.origin] = (order, value, found)
        conflicts = []
        for (thing, id_, field), by_origin in last.items():
            _order, value, winner = max(by_origin.values(), key=lambda each: each[0])
            lost = [each for each in by_origin.values() if each[1] != value]
            if lost:
                conflicts.append(
                    {
                        "thing": thing,
                        "id": id_,
                        "name": names.get((thing, id_), ""),
                        "field": field,
                        "value": value,
                        "origin": winner.origin,
                        "at": winner.at,
                        "lost": [
                            {"value": v, "origin": line.origin, "at": line.at, "record": line.id}
                            for _o, v, line in lost
                        ],
                    }
                )
        return sorted(conflicts, key=lambda each: str(each["at"]), reverse=True)


def _said(found: Line, body: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Thing, id, field and value that a record states."""
    if found.kind in ABOUT and body.get(ABOUT[found.kind]):
        for name, value in body.items():
            if name not in NO_FIELDS:
                yield found.kind, str(body[ABOUT[found.kind]]), name, value
    elif found.kind == EVENT and is_mark(
        {
            "category": body.get("category"),
            "type": body.get("type"),
            "parent_id": body.get("parent"),
            "data": body.get("data") or {},
        }
    ):
        yield "mark", str(body["parent"]), "status", body["type"]
