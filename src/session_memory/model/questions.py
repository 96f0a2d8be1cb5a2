"""Which questions are open: a fold over question events in the order they happened."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

CLOSED = frozenset("answered deferred dropped closed resolved withdrawn obsolete".split())


def closes(event: dict[str, Any]) -> bool:
    """Whether a question event ends a question rather than raising one."""
    status = str(event["data"].get("status", "")).lower()
    return event["type"].lower().removeprefix("question_") in CLOSED or status in CLOSED


def open_questions(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The question events that stand open, oldest first.

    A question is closed by a later event that answers, defers or drops it: linked by `parent_id` to the event that
    raised it, or by the same `data.id` (also `question_id` or `answers`). Raised again after that, it is open again.
    """
    standing: dict[str, dict[str, Any]] = {}
    for event in in_order(each for each in events if each["category"] == "question"):
        name = _name(event)
        if not closes(event):
            if name is not None:  # said again: the newest wording counts
                for known in [key for key, each in standing.items() if _name(each) == name and _same(each, event)]:
                    del standing[known]
            standing[event["id"]] = event
            continue
        parent = event.get("parent_id")
        if parent in standing:
            twins = _name(standing[parent])
            del standing[parent]
            name = name or twins
        if name is not None:
            for known in [key for key, each in standing.items() if _name(each) == name]:
                del standing[known]
    return list(standing.values())


def in_order(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Oldest first; events of one millisecond keep the order they were given in."""
    return sorted(events, key=lambda event: event["timestamp"])


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two raisings of one id are the same question: ids are only sure to be unique within a session."""
    return one["session_id"] == other["session_id"] or wording(one) == wording(other)


def wording(event: dict[str, Any]) -> str:
    """The question itself."""
    data = event["data"]
    for name in ("question", "text", "title", "description", "content"):
        if data.get(name):
            return str(data[name])
    return " ".join(str(value) for value in data.values() if isinstance(value, str)) or "(no text)"


def _name(event: dict[str, Any]) -> str | None:
    data = event["data"]
    for name in ("id", "question_id", "answers"):
        if data.get(name) not in (None, ""):
            return str(data[name])
    return None
