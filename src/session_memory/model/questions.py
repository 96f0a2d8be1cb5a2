"""How questions stand: a fold over question events in the order they happened."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Event = dict[str, Any]

CLOSED = frozenset("answered deferred dropped closed resolved withdrawn obsolete".split())
ANSWERED = ("answered", "closed", "resolved")


def closes(event: Event) -> bool:
    """Whether a question event ends a question rather than raising one."""
    return standing(event) != "open"


def standing(event: Event) -> str:
    """How a question stands after its event: open, answered, deferred or dropped."""
    given = (event["type"].lower().removeprefix("question_"), str(event["data"].get("status", "")).lower())
    said = next((each for each in given if each in CLOSED), "open")
    return "answered" if said in ANSWERED else said if said in ("open", "deferred") else "dropped"


class Question:
    """One question: the event that raised it, how it stands, and the event that said so."""

    __slots__ = ("closing", "event", "name", "status")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.name = _name(event)
        self.status = "open"
        self.closing: Event | None = None


def open_questions(events: Iterable[Event]) -> list[Event]:
    """The question events that stand open, oldest first."""
    return [each.event for each in ledger(events) if each.status == "open"]


def ledger(events: Iterable[Event]) -> list[Question]:
    """Every question and how it stands, in the order they were raised.

    A question is closed by a later event that answers, defers or drops it: linked by `parent_id` to the event that
    raised it, or by the same `data.id` (also `question_id` or `answers`). Ids are only sure to be unique within a
    session: where several open questions bear one, that of the answer's own session is meant, else the newest.
    Raised again after that, it is open again.
    """
    opened: dict[str, Question] = {}
    every: dict[str, Question] = {}
    for event in in_order(each for each in events if each["category"] == "question"):
        if closes(event):
            _close(opened, every, event)
            continue
        raised = Question(event)
        if raised.name is not None:  # said again: the newest wording counts
            for known in [key for key, each in opened.items() if each.name == raised.name and _same(each.event, event)]:
                del opened[known], every[known]
        opened[event["id"]] = every[event["id"]] = raised
    return list(every.values())


def _close(opened: dict[str, Question], every: dict[str, Question], event: Event) -> None:
    meant = opened.get(str(event.get("parent_id"))) or _named(opened, event)
    if meant is None:
        earlier = every.get(str(event.get("parent_id"))) or _named(every, event)
        if earlier is not None:  # deferred, and answered later
            earlier.status, earlier.closing = standing(event), event
        elif any(event["data"].get(each) for each in ("question", "text", "title")):  # asked and answered in one event
            stated = every[event["id"]] = Question(event)
            stated.status, stated.closing = standing(event), event
        return
    meant.status, meant.closing = standing(event), event
    del opened[meant.event["id"]]


def _named(among: dict[str, Question], event: Event) -> Question | None:
    """The question an answer means by its name: of its own session before any other, the newest first."""
    name = _name(event)
    if name is None:
        return None
    found = [each for each in among.values() if each.name == name]
    here = [each for each in found if each.event["session_id"] == event["session_id"]]
    among_these = here or found
    return among_these[-1] if among_these else None


def in_order(events: Iterable[Event]) -> list[Event]:
    """Oldest first; events of one millisecond keep the order they were given in."""
    return sorted(events, key=lambda event: event["timestamp"])


def _same(one: Event, other: Event) -> bool:
    """Whether two raisings of one id are the same question: ids are only sure to be unique within a session."""
    return one["session_id"] == other["session_id"] or wording(one) == wording(other)


def wording(event: Event) -> str:
    """The question itself."""
    data = event["data"]
    for name in ("question", "text", "title", "description", "content"):
        if data.get(name):
            return str(data[name])
    return " ".join(str(value) for value in data.values() if isinstance(value, str)) or "(no text)"


def _name(event: Event) -> str | None:
    data = event["data"]
    for name in ("id", "question_id", "answers"):
        if data.get(name) not in (None, ""):
            return str(data[name])
    return None
