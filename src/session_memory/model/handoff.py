"""What the next session is told: the sections of a handoff and of a resume, made from facts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from session_memory.model import facts as facts_of
from session_memory.model.facts import Event, Facts
from session_memory.model.plain import in_line, quoted
from session_memory.model.questions import wording
from session_memory.model.telling import TIGHT, Item, Section

LINE, LONG = 160, 1200  # characters of a one-liner and of an item in full
# members of the object by what may go first; those whose first items matter most (of the others the last, being newest)
LEAST_FIRST = (
    "files", "changed_since", "last_prompts", "findings", "next_steps", "decisions", "blockers", "constraints",
    "open_questions",
)  # fmt: skip
MOST_IMPORTANT_FIRST = ("files", "changed_since", "last_prompts", "findings")
ID = 12  # digits of an event id that are shown: enough to name it


@dataclass
class Standing:
    """Where the work stands, beside its facts."""

    project: str = ""
    session: str = ""
    skill: str = ""
    phase: str = ""
    progress: float | None = None
    branch: str = ""
    commit: str = ""
    checkpoint: str = ""  # "name (type, when)" of the checkpoint that is meant
    summary: str = ""  # as whoever made the checkpoint wrote it
    plugin: str = ""  # what the skill's plugin says
    steps: list[str] = field(default_factory=list)  # the plugin's next steps
    blocking: list[str] = field(default_factory=list)  # the plugin's blocking items
    since: list[str] = field(default_factory=list)  # what changed in git since


def sections(facts: Facts, standing: Standing, include: dict[str, bool] | None = None) -> list[Section]:
    """The sections in the order people read them; `include` switches decisions, findings, open_questions, progress off."""
    wanted = include or {}

    def on(name: str) -> bool:
        return wanted.get(name, True)

    found = [Section("Where we are", _where(standing), must=True)] if on("progress") else []
    if on("decisions"):
        found.append(Section("Rules the user set", [_stated(e) for e in reversed(facts.constraints)], must=True))
        found.append(Section("Decisions", [_decision(e) for e in reversed(facts.decisions)], must=True))
    if on("open_questions"):
        found.append(Section("Open questions", [_question(e) for e in reversed(facts.questions)], must=True))
    if on("findings"):
        found.append(Section("Blockers", _with(facts.blockers, standing.blocking), must=True))
        found.append(Section("Findings", [_finding(e) for e in facts.findings]))
    if on("progress"):
        found.append(Section("Next steps", _with(facts.next_steps, standing.steps), must=True))
        found.append(Section("Changed since", [_plain(line) for line in standing.since]))
        found.append(Section("Last failing command", [_failed(facts.failed)] if facts.failed else []))
        found.append(Section("Last prompts", [_prompt(e) for e in facts.prompts]))
        found.append(Section("Files", [_plain(_file(*each)) for each in facts.files]))
        found.append(Section("Assumptions", [_stated(e) for e in reversed(facts.assumptions)]))
    return found


def as_object(facts: Facts, standing: Standing, include: dict[str, bool] | None = None) -> dict[str, Any]:
    """The same for machines: every fact with its event id; empty members are left out."""
    wanted = include or {}
    result: dict[str, Any] = {"project": standing.project, "session_id": standing.session, "skill": standing.skill}
    if wanted.get("progress", True):
        result.update(phase=standing.phase, progress=standing.progress, branch=standing.branch, commit=standing.commit,
                      checkpoint=standing.checkpoint, summary=standing.summary,
                      next_steps=[*_short(facts.next_steps), *({"text": each} for each in standing.steps)],
                      changed_since=standing.since, files=[path for path, _edits, _reads in facts.files],
                      last_prompts=_short(facts.prompts))  # fmt: skip
    if wanted.get("decisions", True):
        result["constraints"] = _short(facts.constraints)
        result["decisions"] = [
            {**each, "rationale": facts_of.reason_of(event), "alternatives": facts_of.alternatives_of(event)}
            for each, event in zip(_short(facts.decisions), facts.decisions)
        ]
    if wanted.get("findings", True):
        result["findings"] = [
            {**each, "severity": facts_of.severity(event)}
            for each, event in zip(_short(facts.findings), facts.findings)
        ]
        result["blockers"] = [*_short(facts.blockers), *({"text": each} for each in standing.blocking)]
    if wanted.get("open_questions", True):
        result["open_questions"] = [
            {"id": event["id"], "timestamp": event["timestamp"], "question": quoted(wording(event), LONG)}
            for event in facts.questions
        ]
    return {name: value for name, value in result.items() if value not in (None, "", [])}


def fitted(told: dict[str, Any], room: int) -> dict[str, Any]:
    """What `as_object` gives within `room` characters of JSON: first shorter, then fewer; `left_out` counts by member."""
    result = dict(told)

    def size() -> int:
        return len(json.dumps(result, ensure_ascii=False))

    if size() > room:
        result = {name: quoted(each, LONG) if isinstance(each, str) else each for name, each in result.items()}
    for name in LEAST_FIRST:
        if size() > room:
            result[name] = [_tight(each) for each in result.get(name, [])]
    left_out: dict[str, int] = {}
    for name in LEAST_FIRST:
        while result.get(name) and size() > room:
            many = max(1, len(result[name]) // 4)
            result[name] = result[name][:-many] if name in MOST_IMPORTANT_FIRST else result[name][many:]
            left_out[name] = left_out.get(name, 0) + many
            result["left_out"] = left_out
    return {name: value for name, value in result.items() if value not in ([], {})}


def _tight(each: Any) -> Any:
    """An item by its beginning, with its id."""
    if isinstance(each, str):
        return in_line(each, TIGHT)
    return {
        name: in_line(value, TIGHT) if isinstance(value, str) else value
        for name, value in each.items() if name not in ("rationale", "alternatives")
    }  # fmt: skip


def _short(events: list[Event]) -> list[dict[str, Any]]:
    return [
        {"id": event["id"], "timestamp": event["timestamp"], "text": quoted(facts_of.text_of(event), LONG)}
        for event in events
    ]


def _where(standing: Standing) -> list[Item]:
    known = [
        ("Project", standing.project),
        ("Skill", standing.skill),
        ("Checkpoint", standing.checkpoint),
        ("Phase", standing.phase),
        ("Progress", "" if not standing.progress else f"{standing.progress:.0%}"),
        ("Branch", " at ".join(each for each in (standing.branch, standing.commit[:8]) if each)),
        ("State", standing.plugin),
    ]
    items = [_plain(f"{name}: {in_line(value, LINE)}") for name, value in known if value]
    if standing.summary:
        items.append(Item(f"Summary: {in_line(standing.summary, LINE)}", f"Summary: {quoted(standing.summary, LONG)}"))
    return items


def _plain(text: str) -> Item:
    line = in_line(text, LINE)
    return Item(line, line)


def _mark(event: Event) -> str:
    return f"`{event['id'][:ID]}`"


def _stated(event: Event) -> Item:
    text = facts_of.text_of(event)
    return Item(in_line(text, LINE), f"{in_line(text, LONG)} {_mark(event)}")


def _decision(event: Event) -> Item:
    text, why, others = facts_of.text_of(event), facts_of.reason_of(event), facts_of.alternatives_of(event)
    full = in_line(text, LONG)
    if why:
        full += f". Why: {in_line(why, LONG)}"
    if others:
        full += f" (not taken: {in_line('; '.join(others), LINE * 2)})"
    return Item(in_line(text, LINE), f"{full} {_mark(event)}")


def _finding(event: Event) -> Item:
    text, data = facts_of.text_of(event), event["data"]
    level = facts_of.severity(event)
    place = str(data.get("file") or "")
    if place and data.get("line"):
        place += f":{data['line']}"
    more = data.get("description") if data.get("description") != text else ""
    full = f"{level}: {in_line(text, LONG)}" + (f" ({in_line(place, LINE)})" if place else "")
    if more:
        full += f". {in_line(str(more), LONG)}"
    return Item(f"{level}: {in_line(text, LINE)}", f"{full} {_mark(event)}")


def _question(event: Event) -> Item:
    text, name = wording(event), str(event["data"].get("id") or "")
    shown = f"{in_line(name, 40)}: " if name else ""
    return Item(
        f"{shown}{in_line(text, LINE)}", f"{shown}{in_line(text, LONG)} ({event['timestamp'][:10]}) {_mark(event)}"
    )


def _with(events: list[Event], told: list[str]) -> list[Item]:
    """Stated events, newest first, and what a plugin adds in other words."""
    texts = {facts_of.text_of(event) for event in events}
    return [_stated(event) for event in reversed(events)] + [_plain(each) for each in told if each not in texts]


def _prompt(event: Event) -> Item:
    data = event["data"]
    text = str(data.get("text") or f"{data.get('name', '')} {data.get('args', '')}")
    when = event["timestamp"][:16].replace("T", " ")
    return Item(f"{when} {in_line(text, LINE)}", f"{when} {in_line(text, LONG)}")


def _failed(event: Event) -> Item:
    data = event["data"]
    said = str(data.get("error") or data.get("output") or "")
    code = f" (exit {data['exit_code']})" if data.get("exit_code") is not None else ""
    line = f"{in_line(str(data['command']), LINE)}{code}"
    return Item(line, f"{line}: {in_line(said[-400:], 400)}" if said else line)


def _file(path: str, edits: int, reads: int) -> str:
    return path + (f" (edited {edits}x)" if edits else f" (read {reads}x)")
