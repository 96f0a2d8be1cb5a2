"""Timeline: what stood beside an event or a time, a line each, so that only what matters need be read in full."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from session_memory.errors import InvalidInput
from session_memory.index import timeline as rows
from session_memory.index.search import Filter

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.opened import Opened
    from session_memory.actions.projects import Projects

IDS = re.compile(r"[0-9a-fA-F]{6,32}")
BESIDE = 5  # lines on each side
MOST = 100
ROOM = 120  # characters of an event's text
MOST_CHARACTERS = 15_000  # of all lines as JSON


class Timeline:
    """What happened when."""

    def __init__(self, opened: Opened, events: Events, projects: Projects) -> None:
        self._opened = opened
        self._events = events
        self._projects = projects

    def around(
        self,
        what: str,
        *,
        before: int = BESIDE,
        after: int = BESIDE,
        everywhere: bool = False,
        project: str | None = None,
    ) -> dict[str, Any]:
        """The lines beside an event (of its session) or a time (of the project): {around, events, earlier, later, size}.

        what: an event's id or its beginning, or a time as people write or say it, also `checkpoint NAME`. events: oldest
        first, each {id, timestamp, category, type, role, session_id, size, text}; size: characters of its data; `here` marks
        the event itself. earlier, later: how many more there are. size: characters of all data of these lines. Lines that
        do not fit 16,000 characters are left out from the far ends. Raises InvalidInput (bad-argument, bad-time), NotFound
        (unknown-event, unknown-project, unknown-checkpoint), IndexUnavailable.
        """
        for name, number in (("before", before), ("after", after)):
            if not 0 <= number <= MOST:
                raise InvalidInput("bad-argument", f"{name} is {number}.", f"Use 0 to {MOST}.")
        database = self._opened.read()
        event = self._events.named(what)
        if event is not None:
            wanted = Filter(session=event["session_id"])
            place = rows.place_of(database, event["id"])
            here = [{**rows.at(database, event["id"], ROOM), "here": True}]
        elif IDS.fullmatch(what.strip()) and not what.strip().isdigit():
            raise self._events.unknown(what)
        else:
            wanted = Filter(projects=self._projects.scope(project, everywhere=everywhere))
            place = (self._events.moment(what), *rows.FIRST)  # of a day or a week: where it begins
            here = []
        earlier, all_earlier = rows.beside(database, wanted, place, before, later=False, room=ROOM)
        later, all_later = rows.beside(database, wanted, place, after, later=True, room=ROOM)
        left, right = _fitted(earlier, here, later)
        lines = earlier[left:] + here + later[:right]
        return {
            "around": event["id"] if event else what, "events": lines, "earlier": all_earlier - len(earlier[left:]),
            "later": all_later - right, "size": sum(each["size"] for each in lines),
        }  # fmt: skip


def _fitted(earlier: list[dict[str, Any]], here: list[dict[str, Any]], later: list[dict[str, Any]]) -> tuple[int, int]:
    """How many of the earlier lines to leave out, and how many of the later ones to keep: the nearest first."""
    room = MOST_CHARACTERS - sum(_size(each) for each in here)
    left, right = len(earlier), 0
    while room > 0 and (left > 0 or right < len(later)):
        if left > 0 and (len(earlier) - left <= right or right == len(later)):
            room -= _size(earlier[left - 1])
            left -= room >= 0
        else:
            room -= _size(later[right])
            right += room >= 0
    return left, right


def _size(line: dict[str, Any]) -> int:
    return len(json.dumps(line, ensure_ascii=False)) + 2
