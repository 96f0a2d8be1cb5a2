"""What a session must carry over, gathered from its events: never guessed, always with the event it comes from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from session_memory.model.questions import in_order, open_questions

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITIES = ("critical", "high", "medium", "low", "info")
RESOLVED = frozenset("resolved fixed closed dropped done completed withdrawn invalid".split())
REJECTED = frozenset("rejected superseded wrong withdrawn reverted".split())
PROMPTS = ("user_prompt", "command", "answer", "plan_approval")
MOST_PROMPTS, MOST_FILES = 5, 20

Event = dict[str, Any]


@dataclass
class Facts:
    """Events by what they mean for whoever goes on. Lists are oldest first, prompts newest first."""

    constraints: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    findings: list[Event] = field(default_factory=list)  # most severe first
    questions: list[Event] = field(default_factory=list)
    blockers: list[Event] = field(default_factory=list)
    next_steps: list[Event] = field(default_factory=list)
    assumptions: list[Event] = field(default_factory=list)
    prompts: list[Event] = field(default_factory=list)
    files: list[tuple[str, int, int]] = field(default_factory=list)  # path, edits, reads; last touched first
    failed: Event | None = None  # the newest command that failed and has not passed since


def gather(events: Iterable[Event]) -> Facts:
    """The facts of these events (any order, any categories)."""
    ordered = in_order(events)
    stated = [event for event in ordered if event["category"] not in ("tool_call", "tool_response", "message")]
    gone = _ended(stated)
    facts = Facts(questions=open_questions(stated))
    for event in stated:
        if event["id"] in gone:
            continue
        category, type_ = event["category"], event["type"].lower()
        if category == "decision":
            (facts.constraints if type_ == "constraint" else facts.decisions).append(event)
        elif category == "finding":
            if _opens(event):
                (facts.blockers if type_ in ("blocker", "blocked") else facts.findings).append(event)
        elif category == "phase" and type_ in ("next_step", "next_steps"):
            facts.next_steps.append(event)
        elif category == "assumption" and _opens(event):
            facts.assumptions.append(event)
    facts.findings.sort(key=lambda event: SEVERITIES.index(severity(event)))
    facts.prompts = [e for e in reversed(ordered) if e["category"] == "message" and e["type"] in PROMPTS][:MOST_PROMPTS]
    facts.files = _files(ordered)
    facts.failed = _failed(ordered)
    return facts


def severity(event: Event) -> str:
    """One of SEVERITIES; medium where none, or an unknown one, was stated."""
    stated = str(event["data"].get("severity", "medium")).lower()
    return stated if stated in SEVERITIES else "medium"


def text_of(event: Event) -> str:
    """What the event says, in its own words: title first, then whatever it has."""
    data = event["data"]
    for name in ("title", "decision", "text", "description", "finding", "question", "summary", "name", "content"):
        value = data.get(name)
        if isinstance(value, str) and value.strip():
            return value
    said = [f"{name}: {value}" for name, value in data.items() if isinstance(value, (str, int, float)) and name != "id"]
    return "; ".join(said) or "(no text)"


def reason_of(event: Event) -> str:
    """Why, where it was said."""
    for name in ("rationale", "reason", "why", "because"):
        value = event["data"].get(name)
        if isinstance(value, str) and value.strip():
            return value
    return ""


def alternatives_of(event: Event) -> list[str]:
    """What was considered and not taken."""
    value = event["data"].get("alternatives") or event["data"].get("rejected") or []
    if isinstance(value, str):
        return [value]
    return [each if isinstance(each, str) else str(each) for each in value] if isinstance(value, list) else []


def _opens(event: Event) -> bool:
    """Whether an event states something that still holds, by its own words."""
    type_ = event["type"].lower()
    ends = type_.removeprefix("finding_").removeprefix("blocker_").removeprefix("assumption_")
    return (
        ends not in RESOLVED
        and ends not in ("validated", "unblocked")
        and (str(event["data"].get("status", "")).lower() not in RESOLVED)
    )


def _ended(events: list[Event]) -> set[str]:
    """Ids of events that a later one of the same category ends, or replaces, or that a mark ends by themselves."""
    gone: set[str] = set()
    named: dict[tuple[str, str], list[str]] = {}
    for event in events:
        data, category = event["data"], event["category"]
        name = str(data.get("id") or "")
        linked = {str(event.get("parent_id") or ""), *_ids(data.get("supersedes")), *_ids(data.get("resolves"))}
        status = str(data.get("status", "")).lower()
        if category == "decision" and (status in REJECTED or event["type"].lower() in REJECTED):
            gone.add(event["id"])
            gone |= linked | set(named.get((category, name), ()) if name else ())
        elif category == "decision":
            replaced = _ids(data.get("supersedes"))
            gone |= set(replaced) | {known for each in replaced for known in named.get((category, each), ())}
        elif category in ("finding", "assumption", "phase") and not _opens(event):
            gone |= linked | set(named.get((category, name), ()) if name else ())
            gone.add(event["id"])
        elif category == "phase" and status in ("done", "completed"):
            gone.add(event["id"])
        if name:
            named.setdefault((category, name), []).append(event["id"])
    return gone


def _ids(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []


def _files(events: list[Event]) -> list[tuple[str, int, int]]:
    edits: Counter[str] = Counter()
    reads: Counter[str] = Counter()
    last: dict[str, int] = {}
    for number, event in enumerate(events):
        files = event["data"].get("files")
        if event["category"] != "tool_call" or not isinstance(files, list):
            continue
        edited = event["type"] in ("Edit", "Write", "MultiEdit", "NotebookEdit")
        for path in files:
            (edits if edited else reads)[str(path)] += 1
            last[str(path)] = number
    ranked = sorted(last, key=lambda path: (edits[path] == 0, -last[path]))
    return [(path, edits[path], reads[path]) for path in ranked[:MOST_FILES]]


def _failed(events: list[Event]) -> Event | None:
    """The newest failing command that was not run again with success."""
    commands = {event["id"]: _command(event) for event in events if event["category"] == "tool_call"}
    passed: set[str] = set()
    for event in reversed(events):
        if event["category"] != "tool_response":
            continue
        command = commands.get(str(event.get("parent_id")), "")
        data = event["data"]
        if data.get("ok") is False and not data.get("rejected") and command and command not in passed:
            return {**event, "data": {**data, "command": command}}
        if data.get("ok"):
            passed.add(command)
    return None


def _command(event: Event) -> str:
    given = event["data"].get("input")
    return str(given.get("command", "")) if isinstance(given, dict) else ""
