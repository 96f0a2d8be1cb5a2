"""What the next session is told: the sections of a handoff and of a resume, made from facts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from session_memory.ids import at_ms
from session_memory.model import facts as facts_of
from session_memory.model.amounts import span
from session_memory.model.event import TRUST, trust
from session_memory.model.facts import Facts
from session_memory.model.plain import in_line, quoted
from session_memory.model.questions import wording
from session_memory.model.receipt import Receipt
from session_memory.model.telling import TIGHT, Item, Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.model.facts import Event

LINE, LONG = 160, 1200  # characters of a one-liner and of an item in full
SAID = 400  # characters of a prompt, a reply or an output: they are quoted, not carried over
# members of the object by what may go first; those whose first items matter most (of the others the last, being newest)
LEAST_FIRST = (
    "files", "changed_since", "last_prompts", "findings", "next_steps", "decisions", "blockers", "constraints",
    "open_questions",
)  # fmt: skip
MOST_IMPORTANT_FIRST = ("files", "changed_since", "last_prompts", "findings")
ID = 16  # digits of an event id that are shown: 12 are the time alone, and an import makes many at once
MOST_FILES = 20
SET_ASIDE = "Set aside, not to be repeated"
LEGEND = "In brackets: who said it, where it was not the model. Trust in this order: user, model, rule, tool, import."
LEGEND_FROM = 300  # tokens of a text that can afford this line


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
    last: str = ""  # when the session was last active, as event times are written
    now: str = ""  # likewise; empty = no ages are told
    checkpoint: str = ""  # "name (type, when)" of the checkpoint that is meant
    summary: str = ""  # as whoever made the checkpoint wrote it
    plugin: str = ""  # what the skill's plugin says
    steps: list[str] = field(default_factory=list)  # the plugin's next steps
    blocking: list[str] = field(default_factory=list)  # the plugin's blocking items
    receipt: Receipt = field(default_factory=Receipt)  # what became of the tree since
    gone: dict[str, list[str]] = field(default_factory=dict)  # event id -> files it names that are not there now


def sections(facts: Facts, standing: Standing, include: dict[str, bool] | None = None) -> list[Section]:
    """The sections in the order people read them; `include` switches decisions, findings, open_questions, progress off."""
    wanted = include or {}

    def on(name: str) -> bool:
        return wanted.get(name, True)

    say = _Say(facts, standing)
    found = [Section("Where we are", _where(standing), must=True)] if on("progress") else []
    if on("decisions"):
        found.append(Section("Rules the user set", _each(say.stated, facts.constraints), must=True))
        found.append(Section("Decisions", _each(say.decision, facts.decisions), must=True))
        found.append(Section(SET_ASIDE, [say.set_aside(e) for e in reversed(facts.set_aside)]))
    if on("open_questions"):
        found.append(Section("Open questions", _each(say.question, facts.questions), must=True))
    if on("findings"):
        found.append(Section("Blockers", _with(say, facts.blockers, standing.blocking), must=True))
        found.append(Section("Findings", [say.finding(e) for e in facts.findings]))
    if on("progress"):
        found.append(Section("Next steps", _with(say, facts.next_steps, standing.steps), must=True))
        found.append(Section("Last prompts", [_quote(e) for e in facts.prompts]))
        found.append(Section("Last reply", [_quote(facts.reply)] if facts.reply else []))
        found.append(Section("Files", _files(facts, standing.receipt)))
        found.append(Section(standing.receipt.heading, [_plain(line) for line in standing.receipt.lines]))
        found.append(Section("Last failed command", [say.failed(facts.failed)] if facts.failed else []))
        found.append(Section("Assumptions", _each(say.stated, facts.assumptions)))
    return found


def legend(facts: Facts, budget: int) -> list[str]:
    """The line that explains who is named behind facts; none where the model stated them all, or room is short."""
    if budget < LEGEND_FROM:
        return []
    told = (facts.constraints, facts.decisions, facts.findings, facts.questions, facts.blockers, facts.next_steps,
            facts.assumptions, facts.set_aside)  # fmt: skip
    return [LEGEND] if any(_who(event) for events in told for event in events) else []


def as_object(facts: Facts, standing: Standing, include: dict[str, bool] | None = None) -> dict[str, Any]:
    """The same for machines: every fact with its event id; empty members are left out."""
    wanted = include or {}
    result: dict[str, Any] = {"project": standing.project, "session_id": standing.session, "skill": standing.skill}
    if wanted.get("progress", True):
        result.update(phase=standing.phase, progress=standing.progress, branch=standing.branch, commit=standing.commit,
                      checkpoint=standing.checkpoint, summary=standing.summary,
                      next_steps=[*_short(facts.next_steps), *({"text": each} for each in standing.steps)],
                      changed_since=standing.receipt.whole(),
                      files=[path for path, _edits, _reads in facts.files[:MOST_FILES]],
                      last_prompts=_short(facts.prompts))  # fmt: skip
    if wanted.get("decisions", True):
        result["constraints"] = _short(facts.constraints)
        result["decisions"] = [
            {**each, "rationale": facts_of.reason_of(event), "alternatives": facts_of.alternatives_of(event)}
            for each, event in zip(_short(facts.decisions), facts.decisions)
        ]
        result["set_aside"] = _short(facts.set_aside)
    if wanted.get("findings", True):
        result["findings"] = [
            {**each, "severity": facts_of.severity(event)}
            for each, event in zip(_short(facts.findings), facts.findings)
        ]
        result["blockers"] = [*_short(facts.blockers), *({"text": each} for each in standing.blocking)]
    if wanted.get("open_questions", True):
        result["open_questions"] = [
            {"question" if name == "text" else name: value for name, value in each.items()}
            for each in _short(facts.questions, wording)
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


def _short(events: list[Event], text: Callable[[Event], str] = facts_of.text_of) -> list[dict[str, Any]]:
    return [
        {"id": event["id"], "timestamp": event["timestamp"], "text": quoted(text(event), LONG),
         **{name: event[name] for name in ("stated_by", "mark") if event.get(name) not in (None, "model")}}
        for event in events
    ]  # fmt: skip


def _where(standing: Standing) -> list[Item]:
    ago = _ago(standing.last, standing.now)
    known = [
        ("Project", standing.project),
        ("Skill", standing.skill),
        ("Last active", _minute(standing.last) + (f" UTC ({ago} ago)" if ago else "")),
        ("Checkpoint", standing.checkpoint),
        ("Phase", standing.phase),
        ("Progress", "" if not standing.progress else f"{standing.progress:.0%}"),
        ("Branch", " at ".join(each for each in (standing.branch, standing.commit[:8]) if each)),
        (standing.receipt.since, standing.receipt.headline),
        ("State", standing.plugin),
    ]
    items = [_plain(f"{name}: {in_line(value, 2 * LINE)}", 2 * LINE) for name, value in known if value]
    if standing.summary:
        items.append(Item(f"Summary: {in_line(standing.summary, LINE)}", f"Summary: {quoted(standing.summary, LONG)}"))
    return items


class _Say:
    """How one fact is told: in one line, and in full with who said it, when, and the event's id."""

    def __init__(self, facts: Facts, standing: Standing) -> None:
        self._standing = standing
        told = (facts.constraints, facts.decisions, facts.findings, facts.set_aside)
        self._texts = {event["id"]: facts_of.text_of(event) for events in told for event in events}

    def stated(self, event: Event) -> Item:
        return self._item(event, facts_of.text_of(event))

    def decision(self, event: Event) -> Item:
        why, others = facts_of.reason_of(event), facts_of.alternatives_of(event)
        more = f". Why: {in_line(why, LONG)}" if why else ""
        more += f" (not taken: {in_line('; '.join(others), LINE * 2)})" if others else ""
        return self._item(event, facts_of.text_of(event), more)

    def finding(self, event: Event) -> Item:
        text, data = facts_of.text_of(event), event["data"]
        place = str(data.get("file") or "")
        place += f":{data['line']}" if place and data.get("line") else ""
        more = f" ({in_line(place, LINE)})" if place else ""
        if data.get("description") and data["description"] != text:
            more += f". {in_line(str(data['description']), LONG)}"
        return self._item(event, text, more, before=f"{facts_of.severity(event)}: ")

    def question(self, event: Event) -> Item:
        name = str(event["data"].get("id") or "")
        ago = _ago(event["timestamp"], self._standing.now)
        since = event["timestamp"][:10]
        return self._item(
            event,
            wording(event),
            before=f"{in_line(name, 40)}: " if name else "",
            age=f"open for {ago}" if ago else f"since {since}",
            when=f"since {since}",
        )

    def set_aside(self, event: Event) -> Item:
        mark = event["mark"]
        why = in_line(mark.get("note") or facts_of.reason_of(event), SAID)
        by = str(mark.get("by") or "")
        instead = in_line(self._texts.get(by, ""), LINE) or (f"`{in_line(by, ID + 1)[:ID]}`" if by else "")
        more = (f". Why: {why}" if why else "") + (f". Instead: {instead}" if instead else "")
        said = {**event, "stated_by": mark["stated_by"], "mark": None}
        return self._item(said, facts_of.text_of(event), more, before=f"{mark['status']}: ", when=mark["at"][:10])

    def failed(self, event: Event) -> Item:
        data = event["data"]
        said = str(data.get("error") or data.get("output") or "").strip()
        code = data.get("exit_code")
        said = said.removeprefix(f"Exit code {code}").strip() if code is not None else said
        ago = _ago(event["timestamp"], self._standing.now)
        when = _minute(event["timestamp"]) + (f", {ago} ago" if ago else "")
        code_text = f" (exit {code})" if code is not None else ""
        line = f"{in_line(str(data['command']), LINE)}{code_text}, {when}; not seen to pass since"
        return Item(line, f"{line}. It said: {in_line(said[-SAID:], SAID)}" if said else line)

    def _item(
        self, event: Event, text: str, more: str = "", *, before: str = "", age: str = "", when: str = ""
    ) -> Item:
        """age: stands in the short form too; when: instead of the date in the full one."""
        who, gone = _who(event), self._standing.gone.get(event["id"], [])
        missing = f" [not there now: {in_line(', '.join(gone), LINE)}]" if gone else ""
        few = [each for each in (who, age) if each]
        short = f"{before}{in_line(text, LINE)}" + (f" ({', '.join(few)})" if few else "") + missing
        stamp = f"({', '.join(dict.fromkeys([*few, when or event['timestamp'][:10]]))})"
        return Item(short, f"{before}{in_line(text, LONG)}{more} {stamp}{missing} `{event['id'][:ID]}`")


def _each(say: Callable[[Event], Item], events: list[Event]) -> list[Item]:
    """The most trusted first, of these the newest first."""
    newest = events[::-1]
    return [say(event) for event in sorted(newest, key=trust)]


def _who(event: Event) -> str:
    """Who stated it, where it was not the model, and who accepted it since."""
    by, mark = _name(event), event.get("mark")
    accepted = " by ".join(each for each in ("accepted", _name(mark)) if each) if mark else ""
    return ", ".join(each for each in (by, accepted) if each)


def _name(stated: dict[str, Any]) -> str:
    by = str(stated.get("stated_by", "model"))
    return "" if by == "model" else by if by in TRUST else "unknown"


def _plain(text: str, room: int = LINE) -> Item:
    line = in_line(text, room)
    return Item(line, line)


def _ago(then: str, now: str) -> str:
    return span(max(0, at_ms(now) - at_ms(then))) if then and now else ""


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


def _with(say: _Say, events: list[Event], told: list[str]) -> list[Item]:
    """Stated events, and what a plugin adds in other words."""
    texts = {facts_of.text_of(event) for event in events}
    return _each(say.stated, events) + [_plain(each) for each in told if each not in texts]


def _quote(event: Event) -> Item:
    data = event["data"]
    text = str(data.get("text") or f"{data.get('name', '')} {data.get('args', '')}").replace("```", " ")
    when = _minute(event["timestamp"])
    return Item(f"{when} {in_line(text, LINE)}", f"{when} {in_line(text, SAID)}")


def _files(facts: Facts, receipt: Receipt) -> list[Item]:
    """Files that sessions touched: first those of which the tree now says something else."""
    ranked = sorted(facts.files, key=lambda each: each[0] not in receipt.ours)
    return [_plain(_file(*each, receipt.ours.get(each[0], "")), 2 * LINE) for each in ranked[:MOST_FILES]]


def _file(path: str, edits: int, reads: int, became: str) -> str:
    return f"{path} ({f'edited {edits}x' if edits else f'read {reads}x'})" + (f": {became}" if became else "")
