"""Recall: what was recorded about something, in any words, best first, each hit with what it owes its place to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory.actions.events import Query
from session_memory.index import search as event_rows
from session_memory.model.snippet import snippet

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.opened import Opened

SNIPPET = 300


class Recall:
    """What can be found again."""

    def __init__(self, opened: Opened, events: Events) -> None:
        self._opened = opened
        self._events = events

    def search(
        self, query: str, *, session_id: str | None = None, scope: str | None = None, category: str | None = None,
        limit: int = 10, min_similarity: float | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """What `session_semantic_search` returns. Raises InvalidInput, IndexUnavailable."""
        database = self._opened.read()
        wanted = self._events.filter(Query(keyword=query, category=category, session_id=session_id, scope=scope))
        results = []
        for event, hit in event_rows.recalled(database, wanted, limit):
            results.append({
                "id": event["id"], "score": round(hit.score, 3), "timestamp": event["timestamp"],
                "category": event["category"], "type": event["type"], "session_id": event["session_id"],
                "snippet": snippet(event["data"], query, SNIPPET),
            })  # fmt: skip
        return {"results": results, "mode": "words"}
