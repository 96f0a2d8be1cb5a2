"""A mark: what somebody says about a fact after it was stated; itself an event, so the newest one counts and none is lost."""

from __future__ import annotations

from session_memory.model.plain import in_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATUSES = ("accepted", "rejected", "superseded", "wrong")
CLEARED = "cleared"  # takes the mark back
ENDS = frozenset(("rejected", "superseded", "wrong"))  # the fact does not hold any more
CATEGORY = "decision"
SHOWN = 12  # digits of an event's id that are enough to name it
NOTE = 300  # characters of a note that travel with a hit; the whole note stands in the mark's own event


def is_mark(event: dict[str, Any]) -> bool:
    """Whether an event says something about another one and nothing of its own."""
    if event["category"] != CATEGORY or not event.get("parent_id"):
        return False
    if event["type"] == "accepted":  # `accepted: Use SQLite` under a question is a decision too
        return not any(event["data"].get(name) for name in ("title", "decision"))
    return event["type"] in ENDS or event["type"] == CLEARED


def described(status: str, data: dict[str, Any], at: str, stated_by: str) -> dict[str, Any] | None:
    """The mark as it travels with its event: status, at, stated_by, and where given note and by (what replaces it).

    None for one that takes a mark back.
    """
    if status == CLEARED:
        return None
    mark: dict[str, Any] = {"status": status, "at": at, "stated_by": stated_by}
    note = _first(data, ("note", "reason", "rationale", "why"))
    if note:
        mark["note"] = note if len(note) <= NOTE else note[: NOTE - 1] + "…"
    by = _first(data, ("by", "superseded_by"))
    if by:
        mark["by"] = by[:NOTE]
    return mark


def in_words(mark: dict[str, Any] | None) -> str:
    """A mark behind a line: ` [wrong: the note]`; empty without one."""
    if not mark:
        return ""
    note = f": {in_line(mark['note'], NOTE)}" if mark.get("note") else ""
    by = f", see {in_line(mark['by'], SHOWN + 1)[:SHOWN]}" if mark.get("by") else ""
    return f" [{mark['status']}{by}{note}]"


def _first(data: dict[str, Any], names: tuple[str, ...]) -> str:
    return next(
        (str(data[name]).strip() for name in names if isinstance(data.get(name), str) and data[name].strip()), ""
    )
