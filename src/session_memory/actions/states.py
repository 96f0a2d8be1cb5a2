"""States: what a plugin makes of a session's events, always computed from the log, never kept as truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory.actions.opened import Opened
from session_memory.index import marks
from session_memory.index import search as event_rows
from session_memory.index import sessions as session_rows
from session_memory.plugins.fold import Folded, fold

if TYPE_CHECKING:
    from session_memory.plugins.api import SessionPlugin


@dataclass
class State:
    """A session's state: its plugin, what the fold gave, and the events it was folded from (oldest first)."""

    plugin: SessionPlugin
    folded: Folded
    events: list[dict[str, Any]]


class States:
    """Folds a session and those it came from; kept until one of them has a new event, or anything is marked."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._known: dict[str, tuple[tuple[Any, ...], State]] = {}

    def of(self, session_id: str) -> State:
        """The state of a session. A failing plugin is named in `folded.error`, never raised. Raises IndexUnavailable."""
        database = self._opened.read()
        found = session_rows.find(database, session_id) or {}
        plugin = self._opened.plugins.for_skill(str(found.get("skill", "")))
        wanted = event_rows.Filter(lineage_of=session_id)
        mark = (plugin.name, *event_rows.extent(database, wanted), *marks.extent(database))
        known = self._known.get(session_id)
        if known is not None and known[0] == mark:
            return known[1]
        events = event_rows.every(database, wanted)
        state = State(plugin, fold(plugin, events), events)
        self._known[session_id] = (mark, state)
        return state
