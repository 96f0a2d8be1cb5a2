"""What a session must carry over, gathered from its events: never guessed, always with the event it comes from."""

from __future__ import annotations

from session_memory.model.commands import last_failed
from session_memory.model.mark import ENDS, is_mark
from session_memory.model.pattern import later
from session_memory.model.questions import in_order, open_questions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Event = dict[str, Any]

SEVERITIES = ("critical", "high", "medium", "low", "info")
RESOLVED = frozenset("resolved fixed closed dropped done completed withdrawn invalid".split())
REJECTED = frozenset("rejected superseded wrong withdrawn reverted".split())
PROMPTS = ("user_prompt", "command", "answer", "plan_approval")
MOST_PROMPTS = 5
# a relative path with an ending, in prose; a first name with a dot in it is a host, not a folder
PATH = later(r"(?<![\w/:.@~\\-])(?:\.{1,2}/)?(?:[\w@+.-]+/)+[\w@+-][\w@+.-]*\.[A-Za-z][A-Za-z0-9]{0,9}(?![\w/(])")
EDITS = ("Edit", "Write", "MultiEdit", "NotebookEdit")


class Facts:
    """Events by what they mean for whoever goes on. Lists are oldest first, prompts newest first, findings most severe first.

    set_aside: rejected, superseded or wrong; each with its `mark`. reply: what the model said last. files: (path, edits, reads),
    last touched first. failed: the newest command that failed and was not seen to pass since.
    """

    __slots__ = (
        "assumptions", "blockers", "constraints", "decisions", "failed", "files", "findings", "next_steps", "prompts", "questions",
        "reply", "set_aside",
    )  # fmt: skip

    def __init__(self, questions: list[Event]) -> None:
        self.questions = questions
        self.constraints: list[Event] = []
        self.decisions: list[Event] = []
        self.findings: list[Event] = []
        self.blockers: list[Event] = []
        self.next_steps: list[Event] = []
        self.assumptions: list[Event] = []
        self.set_aside: list[Event] = []
        self.prompts: list[Event] = []
        self.reply: Event | None = None
        self.files: list[tuple[str, int, int]] = []
        self.failed: Event | None = None


def gather(events: Iterable[Event], place: Callable[[Event, str], str | None] | None = None) -> Facts:
    """The facts of these events (any order, any categories; marks attached, as the index gives them).

    place: the path of a file as it is to be shown, or None for one that is left out (outside of the project).
    """
    ordered = in_order(events)
    stated = [event for event in ordered if event["category"] not in ("tool_call", "tool_response", "message")]
    stated = [event for event in stated if not is_mark(event)]
    ended = _ended(stated)
    facts = Facts(questions=[event for event in open_questions(stated) if event["id"] not in ended])
    for event in stated:
        over = ended.get(event["id"])
        if over is None:
            _sort_in(facts, event)
        elif over:
            facts.set_aside.append({**event, "mark": over})
    facts.findings.sort(key=lambda event: SEVERITIES.index(severity(event)))
    said = [event for event in reversed(ordered) if event["category"] == "message"]
    facts.prompts = [event for event in said if _typed(event)][:MOST_PROMPTS]
    facts.reply = next((event for event in said if event["type"] == "reply" and not _of_subagent(event)), None)
    facts.files = touched(ordered, place)
    facts.failed = last_failed(ordered)
    return facts


def _sort_in(facts: Facts, event: Event) -> None:
    category, type_ = event["category"], event["type"].lower()
    if category == "decision":
        (facts.constraints if type_ == "constraint" else facts.decisions).append(event)
    elif category == "finding" and _opens(event):
        (facts.blockers if type_ in ("blocker", "blocked") else facts.findings).append(event)
    elif category == "phase" and type_ in ("next_step", "next_steps"):
        facts.next_steps.append(event)
    elif category == "assumption" and _opens(event):
        facts.assumptions.append(event)


def _typed(event: Event) -> bool:
    """Whether a person said it: what a subagent is told comes from the model, and a bare `/model` tells nobody anything."""
    if event["type"] not in PROMPTS or event.get("stated_by") in ("model", "tool") or _of_subagent(event):
        return False
    return event["type"] != "command" or bool(str(event["data"].get("args", "")).strip())


def _of_subagent(event: Event) -> bool:
    return "/agent-" in event.get("session_id", "")


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


def files_named(event: Event) -> list[str]:
    """Files an event speaks of: as data, and of a decision or finding also the paths in its words."""
    data = event["data"]
    found = [each for name in ("file", "path", "files") for each in _ids(data.get(name))]
    if event["category"] in ("decision", "finding"):
        said = f"{text_of(event)} {reason_of(event)}"
        found += [path for path in PATH.findall(said) if not {".", "@"} & set(path.lstrip("./").partition("/")[0][1:])]
    return list(dict.fromkeys(each.strip() for each in found if each.strip()))


def _opens(event: Event) -> bool:
    """Whether an event states something that still holds, by its own words."""
    type_ = event["type"].lower()
    ends = type_.removeprefix("finding_").removeprefix("blocker_").removeprefix("assumption_")
    return (
        ends not in RESOLVED
        and ends not in ("validated", "unblocked")
        and (str(event["data"].get("status", "")).lower() not in RESOLVED)
    )


def _ended(events: list[Event]) -> dict[str, Event]:
    """Ids of events that do not hold any more, with the mark that says why; an empty one for those that are simply over.

    They were marked, or a later one of the same category ends or replaces them, or they say so themselves.
    """
    ended: dict[str, Event] = {}
    named: dict[tuple[str, str], list[str]] = {}
    here = {event["id"] for event in events}
    for event in events:
        data, category = event["data"], event["category"]
        name = str(data.get("id") or "")
        known = set(named.get((category, name), ())) if name else set()
        linked = {str(event.get("parent_id") or ""), *_ids(data.get("supersedes")), *_ids(data.get("resolves"))} - {""}
        status = _status(event)
        if category == "decision" and status in REJECTED:
            targets = (linked & here) | known | {each for one in linked for each in named.get((category, one), ())}
            over = _mark(event, status)
            ended.update(dict.fromkeys(targets, over))
            ended[event["id"]] = {} if targets else over
        elif category == "decision":
            for each in _ids(data.get("supersedes")):
                over = _mark(event, "superseded", by=event["id"])
                ended.update(dict.fromkeys({each, *named.get((category, each), ())}, over))
        elif category in ("finding", "assumption", "phase") and not _opens(event):
            ended.update({each: {} for each in (*linked, *known, event["id"])})
        elif category == "phase" and status in ("done", "completed"):
            ended[event["id"]] = {}
        if name:
            named.setdefault((category, name), []).append(event["id"])
    for event in events:
        _follow_mark(event, ended)
    return ended


def _follow_mark(event: Event, ended: dict[str, Event]) -> None:
    """What somebody said of an event afterwards counts, unless a later decision replaces it all the same."""
    mark = event.get("mark")
    if not mark:
        return
    if mark["status"] in ENDS:
        ended[event["id"]] = mark
    elif ended.get(event["id"]) and ended[event["id"]]["at"] < mark["at"]:
        del ended[event["id"]]


def _status(event: Event) -> str:
    """The status an event gives itself: by its data, or by its type."""
    status, type_ = str(event["data"].get("status", "")).lower(), event["type"].lower()
    return type_ if event["category"] == "decision" and type_ in REJECTED else status


def _mark(event: Event, status: str, by: str = "") -> Event:
    """A mark made of an event that ends another one, or itself."""
    mark = {"status": status, "at": event["timestamp"], "stated_by": event.get("stated_by", "model")}
    return {**mark, **({"by": by} if by else {}), **({"note": reason_of(event)} if reason_of(event) and not by else {})}


def _ids(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []


def touched(events: list[Event], place: Callable[[Event, str], str | None] | None = None) -> list[tuple[str, int, int]]:
    """Files with how often they were edited and read: edited ones first, last touched first."""
    edits: dict[str, int] = {}
    reads: dict[str, int] = {}
    last: dict[str, int] = {}
    for number, event in enumerate(events):
        files = event["data"].get("files")
        if event["category"] != "tool_call" or not isinstance(files, list):
            continue
        for path in files:
            shown = place(event, str(path)) if place else str(path)
            if shown is not None:
                counts = edits if event["type"] in EDITS else reads
                counts[shown] = counts.get(shown, 0) + 1
                last[shown] = number
    ranked = sorted(last, key=lambda path: (path not in edits, -last[path]))
    return [(path, edits.get(path, 0), reads.get(path, 0)) for path in ranked]
