"""Recall: what was recorded about something, in any words, best first, each hit with what it owes its place to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from session_memory.actions.events import MOST, TOLD, Query
from session_memory.errors import InvalidInput
from session_memory.index import search as event_rows
from session_memory.index.embedded import Unreadable
from session_memory.model.handoff import ID
from session_memory.model.mark import in_words
from session_memory.model.plain import plain
from session_memory.model.snippet import snippet

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.meaning import Meaning
    from session_memory.actions.opened import Opened

ROOMS = (260, 180, 120)  # characters that the first, second and any further result shows (measured: benchmarks/recall)
NEAR = 0.3  # similarity from which something is worth a mention as near


class Recall:
    """What can be found again."""

    def __init__(self, opened: Opened, events: Events, meaning: Meaning) -> None:
        self._opened = opened
        self._events = events
        self._meaning = meaning

    def search(
        self, query: str, *, session_id: str | None = None, scope: str | None = None, category: str | None = None,
        limit: int = 10, min_similarity: float | None = None, explain: bool = False, room: int | None = None, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """What `session_semantic_search` returns; `more` are filters of `Query`; room: characters of each snippet.

        Raises InvalidInput, IndexUnavailable.
        """
        if not 1 <= limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {limit}.", f"Use 1 to {MOST}.")
        asked = Query(keyword=query, category=category, session_id=session_id, scope=scope, **more)
        wanted = self._events.filter(asked)
        database = self._opened.read()
        if wanted.nothing:
            return {"results": [], "mode": "words"}
        meant = self._meaning.near(database, query)
        try:
            hits = event_rows.recalled(database, wanted, limit, meant.near)
        except Unreadable as error:  # words still rank
            meant = replace(meant, near=None, off=f"vectors cannot be used ({error})")
            hits = event_rows.recalled(database, wanted, limit)
        results: list[dict[str, Any]] = []
        for event, hit in hits:
            if min_similarity is not None and hit.similarity is not None and hit.similarity < min_similarity:
                continue
            result = {
                "id": event["id"], "score": round(hit.score, 3), "timestamp": event["timestamp"],
                "category": event["category"], "type": event["type"], "session_id": event["session_id"],
                "snippet": snippet(event["data"], query, room or ROOMS[min(len(results), len(ROOMS) - 1)]),
            }  # fmt: skip
            if hit.similarity is not None:
                result["similarity"] = round(hit.similarity, 3)
            if event.get("mark"):
                result["mark"] = event["mark"]
            if not hit.words:
                result["near"] = True  # it holds none of the words: no match, only near in meaning, place or time
            if explain:
                result["parts"] = {name: round(value, 3) for name, value in hit.parts.items() if value}
            results.append(result)
        found: dict[str, Any] = {"results": results, "mode": "words" if meant.near is None else "words and meaning"}
        if meant.near is not None:
            found["model"] = meant.model
            found["behind"] = meant.behind or None
        if meant.note:
            found["note"] = meant.note
        if meant.off:
            found["meaning_off"] = meant.off
        return found

    def told(self, topic: str, limit: int = 10) -> str:
        """The best matches as lines for a person or a model to read; what is only near is called that."""
        found = [each for each in self.search(topic, limit=limit, room=TOLD)["results"] if not each.get("near")]
        if not found:
            near = [
                each for each in self.search(topic, limit=3, room=TOLD)["results"] if each.get("similarity", 0) >= NEAR
            ]
            said = f"Nothing was recorded about {topic!r} in this project."
            return "\n".join([said, "Near in meaning, but no match:", *map(_line, near)]) if near else said
        return "\n".join(map(_line, found))


def _line(hit: dict[str, Any]) -> str:
    head = f"- {hit['timestamp'][:16]} {hit['category']}/{hit['type']} ({hit['id'][:ID]})"
    return f"{head}: {plain(hit['snippet'])}{in_words(hit.get('mark'))}"
