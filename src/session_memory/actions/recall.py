"""Recall: what was recorded about something, in any words, best first, each hit with what it owes its place to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.actions.events import MOST, TOLD, Query
from session_memory.errors import InvalidInput
from session_memory.index import search as event_rows
from session_memory.index.database import FAILURES
from session_memory.model.mark import in_words
from session_memory.model.plain import plain
from session_memory.model.snippet import snippet

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.opened import Opened
    from session_memory.embed.local import Local
    from session_memory.index.database import Database
    from session_memory.index.vectors import Near, Vectors

SNIPPET = (
    140  # characters of an event that one result shows: more results say more than longer ones (benchmarks/recall)
)
NEAR = 0.3  # similarity from which something is worth a mention as near
FILL_SECONDS = 0.25  # of one call that go into vectors that are missing


class Recall:
    """What can be found again."""

    def __init__(self, opened: Opened, events: Events) -> None:
        self._opened = opened
        self._events = events
        self._meaning: tuple[Local, Vectors] | None = None
        self._off = ""  # why search by meaning is off

    def search(
        self, query: str, *, session_id: str | None = None, scope: str | None = None, category: str | None = None,
        limit: int = 10, min_similarity: float | None = None, explain: bool = False, room: int = SNIPPET, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """What `session_semantic_search` returns; `more` are filters of `Query`. Raises InvalidInput, IndexUnavailable."""
        if not 1 <= limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {limit}.", f"Use 1 to {MOST}.")
        asked = Query(keyword=query, category=category, session_id=session_id, scope=scope, **more)
        wanted = self._events.filter(asked)
        database = self._opened.read()
        if wanted.nothing:
            return {"results": [], "mode": "words"}
        near = self._near(database, query)
        results = []
        for event, hit in event_rows.recalled(database, wanted, limit, near):
            if min_similarity is not None and hit.similarity is not None and hit.similarity < min_similarity:
                continue
            result = {
                "id": event["id"], "score": round(hit.score, 3), "timestamp": event["timestamp"],
                "category": event["category"], "type": event["type"], "session_id": event["session_id"],
                "snippet": snippet(event["data"], query, room),
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
        found: dict[str, Any] = {"results": results, "mode": "words" if near is None else "words and meaning"}
        if near is not None and self._meaning is not None:
            found["model"] = self._meaning[0].model
            found["behind"] = self._meaning[1].missing(database) or None
        if self._off:
            found["meaning_off"] = self._off
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

    def go_on(self) -> bool:
        """Make the vectors of a few more events where search by meaning is in use; returns whether some may be missing."""
        if self._meaning is None:
            return False
        encoder, vectors = self._meaning
        try:
            return vectors.fill(self._opened.index.database(), encoder.encode) > 0
        except (*FAILURES, OSError) as error:
            self._off = f"vectors could not be kept ({error})"
            return False

    def _near(self, database: Database, query: str) -> Near | None:
        """How near every event is; None, with the reason kept, where there are no vectors."""
        try:
            encoder, vectors = self.meaning()
            vectors.load(database)
            until = ids.monotonic() + FILL_SECONDS
            while ids.monotonic() < until and vectors.fill(database, encoder.encode):
                pass
            row = encoder.encode([query])[0]
        except ImportError as error:
            self._off = f"a package is missing ({error.name}); install session-memory again"
            return None
        except (*FAILURES, OSError) as error:  # the file of vectors: words still rank
            self._off = f"vectors cannot be used ({error})"
            return None
        return vectors.near(row) if len(vectors) and row.any() else None

    def meaning(self) -> tuple[Local, Vectors]:
        """The encoder and its vectors, opened when they are first needed. Raises ImportError, OSError."""
        if self._meaning is None:
            self._meaning = self._open()
        return self._meaning

    def _open(self) -> tuple[Local, Vectors]:
        from session_memory.embed.local import Local  # numpy and the table: only for those who search
        from session_memory.index.vectors import Vectors

        encoder = Local()
        keyed = self._opened.journal.keyed
        return encoder, Vectors(
            self._opened.home.vectors, encoder.model, encoder.wide, lambda text: keyed(f"text {text}")
        )


def _line(hit: dict[str, Any]) -> str:
    head = f"- {hit['timestamp'][:16]} {hit['category']}/{hit['type']} ({hit['id'][:12]})"
    return f"{head}: {plain(hit['snippet'])}{in_words(hit.get('mark'))}"
