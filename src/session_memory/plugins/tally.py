"""How things stand that a skill calls by an id of its own: tasks, questions, findings, assumptions. Pure."""

from __future__ import annotations

from typing import Any

from session_memory.model import facts
from session_memory.model.questions import standing, wording
from session_memory.plugins.api import Event

Things = dict[str, dict[str, str]]  # by the skill's id, else by the event's
LONG = 300  # characters of a thing's text that a state keeps
NAMES = ("id", "question_id", "finding_id", "assumption_id", "answers", "resolves")
OVER = {"validated": "validated", "confirmed": "validated", "invalidated": "invalidated", "refuted": "invalidated"}


def take_question(things: Things, event: Event) -> None:
    """A question raised, answered, deferred or dropped; any other type (`gap`, `clarification`) raises one."""
    status = standing(event)
    said = "" if status == "answered" and event["data"].get("question") is None else wording(event)
    entry = _take(things, event, status, said)
    answer = event["data"].get("answer")
    if status == "answered" and answer is not None:
        entry["answer"] = str(answer)[:LONG]


def take_finding(things: Things, event: Event) -> None:
    """A finding raised or resolved, with its severity; any other type (`gap`, `bug`) raises one."""
    ends = event["type"].lower().removeprefix("finding_").removeprefix("blocker_")
    over = ends in facts.RESOLVED or str(event["data"].get("status", "")).lower() in facts.RESOLVED
    entry = _take(things, event, "resolved" if over else "open", "" if over else facts.text_of(event))
    if not over or "severity" not in entry:
        entry["severity"] = facts.severity(event)
    if not over and ends in ("blocker", "blocked"):
        entry["blocks"] = "yes"


def take_assumption(things: Things, event: Event) -> None:
    """An assumption recorded, validated or refuted."""
    ends = event["type"].lower().removeprefix("assumption_")
    status = OVER.get(ends) or OVER.get(str(event["data"].get("status", "")).lower()) or "open"
    _take(things, event, status, facts.text_of(event) if status == "open" else "")


def with_status(things: Things, status: str) -> list[tuple[str, str]]:
    """(id, text) of what stands so, in the order it was raised."""
    return [(key, entry.get("text", "")) for key, entry in things.items() if entry["status"] == status]


def count(things: Things, status: str) -> int:
    """How many stand so."""
    return sum(1 for entry in things.values() if entry["status"] == status)


def named(key: str, text: str) -> str:
    """`Q1: Do health checks count?`; an event's id says nothing to people."""
    shown = text or "(no text)"
    return shown if len(key) == 32 and all(c in "0123456789abcdef" for c in key) else f"{key}: {shown}"


def blocking(findings: Things) -> list[str]:
    """What open findings stop the work: blockers in their own words, and the critical ones."""
    return [
        entry.get("text", "") if "blocks" in entry else f"critical: {entry.get('text', '')}"
        for entry in findings.values()
        if entry["status"] == "open" and ("blocks" in entry or entry.get("severity") == "critical")
    ]


def by_severity(findings: Things) -> dict[str, list[str]]:
    """The ids of open findings by severity, most severe first."""
    found: dict[str, list[str]] = {severity: [] for severity in facts.SEVERITIES}
    for key, entry in findings.items():
        if entry["status"] == "open":
            found[entry["severity"]].append(key)
    return {severity: keys for severity, keys in found.items() if keys}


def some(number: int, noun: str) -> str:
    """`2 open questions`; nothing for none."""
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def _take(things: Things, event: Event, status: str, text: str) -> dict[str, str]:
    entry = things.setdefault(_key(things, event, status), {})
    entry.setdefault("event", event["id"])
    entry["status"] = status
    if status == "open":
        entry.pop("answer", None)  # raised again
    if text:
        entry["text"] = text[:LONG]
    return entry


def _key(things: Things, event: Event, status: str) -> str:
    """The skill's own id; of what ends something, the thing its event answers."""
    data: dict[str, Any] = event["data"]
    for name in NAMES:
        value = data.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    parent = event.get("parent_id")
    if parent and status != "open":
        for key, entry in things.items():
            if entry["event"] == parent:
                return key
    return str(event["id"])
