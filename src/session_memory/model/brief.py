"""The brief: what is worth carrying over of a project, as facts with their sources, folded from notes.

Only what labelled sessions showed to be right nine times in ten becomes a fact: the user's words, what was stated through a
tool, edited files, commits, the state of tasks; with care the rules of the task in progress, commands that passed twice and
commands that keep failing. Nothing is guessed from prose. Standard library only.
"""

from __future__ import annotations

from session_memory.model import rules
from session_memory.model.asks import asked
from session_memory.model.fact import (
    ASKS,
    BLOCKERS,
    COMMANDS,
    DECISIONS,
    FAILING,
    FILES,
    FINDINGS,
    LAST,
    LESSONS,
    NEXT,
    QUESTIONS,
    RULES,
    SET_ASIDE,
    TASKS,
    WORK,
    Fact,
)  # fmt: skip
from session_memory.model.facts import alternatives_of, gather, reason_of, severity, text_of
from session_memory.model.mark import described, in_words, is_mark
from session_memory.model.notes import (
    ANSWERED,
    ASKED,
    COMMIT,
    COUNT,
    EDIT,
    FAILED,
    ITEM,
    LESSON,
    PLAN,
    RAN,
    REPLY,
    SAID,
    STATEMENT,
    SUMMARY,
    TASK,
    TODO,
    TOLD,
)  # fmt: skip
from session_memory.model.questions import wording
from session_memory.model.runs import counted
from session_memory.model.tasks import Tasks, newest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.model.notes import Note

MOST_RULES, MOST_TASK_RULES, MOST_ASKS, MOST_FILES, MOST_COMMANDS, MOST_COMMITS = 12, 12, 5, 24, 8, 3
UNDER_WAY, SHOWN_LAST = "which is in progress", "which was shown last"
MOST_HELD = 10  # tasks whose rules a brief holds: one that is closed may be begun again
REPEATED = 2  # as often must a command pass, or fail in a row, to be told
# notes of a kind that a brief holds, the newest
KEPT = {STATEMENT: 300, SAID: 60, EDIT: 60, COMMIT: 12, TASK: 60, COUNT: 40, FAILED: 10, ITEM: 40, TOLD: 10}


def facts(notes: list[Note]) -> list[Fact]:
    """The facts of these notes (oldest first), by section, the most important of a section first."""
    stated = gather(_statements(notes))
    found = [*_rules(notes, stated.constraints), *_task_rules(notes)]
    found += [_stated(QUESTIONS, each, wording(each), "open question") for each in reversed(stated.questions)]
    found += [
        Fact(QUESTIONS, note["text"], note, "put to the user, not answered yet", more=" - put to the user")
        for note in _unanswered(notes)
    ]
    found += [_stated(BLOCKERS, each, text_of(each), "blocker, not resolved") for each in reversed(stated.blockers)]
    found += [_decision(each) for each in reversed(stated.decisions)]
    found += [
        Fact(DECISIONS, f"Plan approved: {note['title']}", note, "plan the user approved", by="user")
        for note in _last(notes, PLAN)
    ]
    found += [_set_aside(each) for each in reversed(stated.set_aside)]
    found += [_lesson(note) for note in notes if note["what"] == LESSON]
    found += _next(notes, stated.next_steps)
    found += [
        _stated(FINDINGS, each, f"{severity(each)}: {text_of(each)}", "finding, not resolved")
        for each in stated.findings
    ]
    return [*_once(found), *_asks(notes), *_work(notes), *_files(notes), *_commands(notes), *_reply(notes)]


def kept(notes: list[Note]) -> list[Note]:
    """Those of the notes (oldest first) that still matter, commands as counts: what the brief's file holds.

    `facts(kept(a) + b)` says what `facts(a + b)` says, but for what KEPT leaves out.
    """
    statements = _statements(notes)
    stated = gather(statements)
    marked = {event["id"]: event for event in statements}
    alive = {
        each["id"]
        for events in (stated.constraints, stated.decisions, stated.questions, stated.blockers, stated.next_steps, stated.findings,
                       stated.assumptions, stated.set_aside)
        for each in events
    }  # fmt: skip
    tasks = Tasks(notes)
    holding = {*tasks.in_progress(), *(name for name, _note in newest(tasks.shown)[:MOST_HELD])}
    unanswered = {id(note) for note in _unanswered(notes)}
    last_edit = {note["file"]: id(note) for note in notes if note["what"] == EDIT}
    single = {what: id(note) for note in notes for what in (note["what"],) if what in (TODO, SUMMARY, PLAN, REPLY)}
    found = []
    for each in notes:
        note, what = each, each["what"]
        if what == STATEMENT and note["id"] not in alive:
            continue
        if (what == ASKED and id(note) not in unanswered) or (what == EDIT and last_edit[note["file"]] != id(note)):
            continue
        if what in (RAN, ANSWERED, COUNT, FAILED) or (what in single and single[what] != id(note)):
            continue
        if what == TASK and note["change"] == "show":
            rules_held = note["task"] in holding and tasks.shown[note["task"]]["id"] == note["id"]
            note = {**note, "rules": note["rules"] if rules_held else []}
        elif what == TASK and tasks.state[note["task"]]["id"] == note["id"]:
            note = tasks.state[note["task"]]  # with what was known when it was closed
        elif what == STATEMENT:
            note = {**note, "stated": marked[note["id"]]}
        elif what == SUMMARY and note.get("text"):
            note = {**note, "text": ""}
        found.append(note)
    found += counted(notes)
    return sorted(_bounded(found), key=lambda note: str(note["at"]))


def _bounded(notes: list[Note]) -> list[Note]:
    """The newest of each kind; of what the user said, rules that stand for good stay longer than the rest."""
    room = dict(KEPT)
    found = []
    for note in reversed(notes):
        what = note["what"]
        if what in room:
            if room[what] <= 0 and not (what == SAID and any(stands for _text, stands in rules.of_user(note["text"]))):
                continue
            room[what] -= 1
        found.append(note)
    return found[::-1]


def _statements(notes: list[Note]) -> list[dict[str, Any]]:
    """The stated events, each with its mark: the index has attached those it knows, newer ones are events among the notes."""
    events = [note["stated"] for note in notes if note["what"] == STATEMENT]
    found = {event["id"]: event for event in events if not is_mark(event)}
    for event in events:
        for target in [known for known in found if is_mark(event) and known.startswith(event["parent_id"])]:
            mark = described(event["type"], event["data"], event["timestamp"], event.get("stated_by") or "model")
            found[target] = {**found[target], "mark": mark}
    return list(found.values())


def _once(found: list[Fact]) -> list[Fact]:
    """Each statement once: a hook and a transcript tell it under two ids until the index joins them."""
    told: dict[tuple[str, str], Fact] = {}
    for fact in found:
        told.setdefault((fact.section, _folded(fact.text + fact.more) or fact.text), fact)
    return list(told.values())


def _stated(section: str, event: dict[str, Any], text: str, why: str, more: str = "") -> Fact:
    note = {
        "id": event["id"],
        "at": event["timestamp"],
        "by": event.get("stated_by") or "model",
        "session": event["session_id"],
    }
    made = Fact(section, text, note, why, more=more, stands=True)
    made.files = event.get("named", [])
    return made


def _decision(event: dict[str, Any]) -> Fact:
    reason, others = reason_of(event), alternatives_of(event)
    more = (f". Why: {reason}" if reason else "") + (f" (not taken: {'; '.join(others)})" if others else "")
    return _stated(DECISIONS, event, text_of(event), "decision", more + in_words(event.get("mark")))


def _set_aside(event: dict[str, Any]) -> Fact:
    return _stated(SET_ASIDE, event, text_of(event), "rejected, superseded or wrong", in_words(event.get("mark")))


def _rules(notes: list[Note], constraints: list[dict[str, Any]]) -> list[Fact]:
    """What the user ruled: stated through a tool, or a sentence of what was typed; those that stand for good first,
    of them what is forbidden, each the newest before older ones."""
    found = [_stated(RULES, each, text_of(each), "constraint") for each in constraints]
    said = [note for note in notes if note["what"] == SAID and note["type"] != "plan_approval"]
    for note in (
        each for each in said if each.get("long", 0) <= rules.MOST_PASTED
    ):  # its beginning is all a note holds
        for text, stands in rules.of_user(_answer(note)):
            found.append(Fact(RULES, text, note, "the user's words", by=_sayer(note), stands=stands))
    once: dict[str, Fact] = {}
    for fact in found:
        once[_folded(fact.text)] = fact
    # the user's before others': however many a model states, they push none of his out
    ordered = sorted(
        once.values(),
        key=lambda fact: (fact.stands and fact.by == "user", fact.stands, rules.forbids(fact.text), fact.at),
        reverse=True,
    )
    return ordered[:MOST_RULES]


def _sayer(note: Note) -> str:
    """Whose words were typed: the user's, unless they came in with a history that this client did not write."""
    return "import" if note.get("by") == "import" else "user"


def _answer(note: Note) -> str:
    """What the user said himself: of an answer to a question, what stands behind the arrow."""
    if note["type"] != "answer":
        return str(note["text"])
    return "\n".join(
        line.partition("->")[2].strip() for line in str(note["text"]).splitlines() if line.startswith("->")
    ) or str(note["text"])


def _task_rules(notes: list[Note]) -> list[Fact]:
    """Rules in force: those of the tasks in progress, prohibitions first; about ten."""
    tasks = Tasks(notes)
    found: list[tuple[int, int, Fact]] = []
    begun = tasks.begun()
    for order, name in enumerate(tasks.in_progress()):
        note = tasks.shown.get(name)
        why = f"rule of {name}, {UNDER_WAY if begun else SHOWN_LAST}"
        known = _titled(name, note or {} if name.isdigit() else {})  # a mere number says nothing
        for text, rank in (note or {}).get("rules", ()):
            found.append((rank, order, Fact(TASKS, text, note or {}, why, by="tool", more=known)))
    plan = tasks.plan()
    for text, rank in (plan or {}).get("rules", ()):
        found.append(
            (
                rank,
                9,
                Fact(TASKS, text, plan or {}, "rule of the plan that the user approved", by="user", more="the plan"),
            )
        )
    found.sort(key=lambda each: (each[0], each[1]))
    once = {_folded(fact.text): fact for _rank, _order, fact in reversed(found)}
    binding = [each for each in found if once[_folded(each[2].text)] is each[2]][:MOST_TASK_RULES]
    return [fact for _rank, _order, fact in sorted(binding, key=lambda each: (each[1], each[0]))]


def _titled(name: str, note: Note) -> str:
    """A task as one speaks of it: `#42 (Answer 429)`."""
    title = str(note.get("title") or "")
    return (f"#{name}" if name.isdigit() else name) + (f" ({title})" if title and title != name else "")


def _asks(notes: list[Note]) -> list[Fact]:
    """What the user asked for last, in his own words, the newest first."""
    return [Fact(ASKS, text, note, "the user's words", by=_sayer(note)) for text, note in asked(notes)[:MOST_ASKS]]


def _unanswered(notes: list[Note]) -> list[Note]:
    answered = {note["call"] for note in notes if note["what"] == ANSWERED}
    return [note for note in notes if note["what"] == ASKED and note["id"] not in answered]


def _lesson(note: Note) -> Fact:
    """A learning that the outcomes have made sure."""
    used = f", used {note['used']}x" if note["used"] else ""
    more = f": {note['more']}" if note["more"] else ""
    return Fact(
        LESSONS, note["text"], note, f"learning of confidence {note['confidence']:.2f}{used}", more=more, stands=True
    )


def _next(notes: list[Note], stated: list[dict[str, Any]]) -> list[Fact]:
    found = [_stated(NEXT, each, text_of(each), "next step") for each in reversed(stated)]
    todo = _last(notes, TODO)
    for note in todo:
        found += [
            Fact(NEXT, text, note, f"on the task list, {status}")
            for text, status in note["items"]
            if status not in ("completed", "done")
        ]
    items: dict[str, Note] = {}
    for note in notes:
        if note["what"] == ITEM:
            known = items.get(note["number"], {})
            items[note["number"]] = {**known, **{name: value for name, value in note.items() if value}}
    for note in items.values():
        if note.get("text") and note.get("status") not in ("completed", "deleted"):
            found.append(Fact(NEXT, note["text"], note, f"on the task list, {note.get('status') or 'pending'}"))
    for note in _last(notes, SUMMARY):
        if not _commits_since(notes, note["at"]):
            found += [
                Fact(NEXT, text, note, "next step in the summary of the last compaction")
                for text in note.get("next", ())[:5]
            ]
    return found


def _work(notes: list[Note]) -> list[Fact]:
    """Tasks in progress, and the last commits."""
    tasks = Tasks(notes)
    found = []
    for name in tasks.begun()[:3]:
        said = f"In progress: {_titled(name, tasks.shown.get(name, {}))}"
        found.append(Fact(WORK, said, tasks.state[name], "begun, not closed", about=name))
    closed = [(name, note) for name, note in newest(tasks.state) if note["change"] == "closed"]
    if closed:
        name, note = closed[0]
        found.append(Fact(WORK, f"Closed last: {_titled(name, {})}", note, "closed last", about=name))
    commits = _commits(notes)
    for note in commits[:MOST_COMMITS]:
        found.append(
            Fact(
                WORK,
                f"Commit {note['hash']} on {note['on']}: {note['subject']}",
                note,
                "commit",
                by="tool",
                about=note["hash"],
            )
        )
    return found


def _commits(notes: list[Note]) -> list[Note]:
    """The newest first; one that was amended (same subject and branch, at once after) is told once."""
    found: dict[tuple[str, str], Note] = {}
    for note in notes:
        if note["what"] == COMMIT:
            found.pop((note["on"], note["subject"]), None)
            found[note["on"], note["subject"]] = note
    return list(found.values())[::-1]


def _commits_since(notes: list[Note], at: str) -> int:
    return sum(1 for note in notes if note["what"] == COMMIT and note["at"] > at)


def _files(notes: list[Note]) -> list[Fact]:
    """Files edited: those since the last commit first, then the last edited."""
    last = {note["file"]: note for note in notes if note["what"] == EDIT}
    committed: dict[str, str] = {}
    for note in notes:
        if note["what"] == COMMIT:
            committed[note["session"]] = note["at"]
    found = []
    for note in sorted(last.values(), key=lambda each: str(each["at"]), reverse=True):
        since = note["at"] > committed.get(note["session"], "")
        why = "edited since the last commit" if since else "edited and committed"
        found.append(
            Fact(FILES, note["file"], note, why, by="tool", stands=since, about=note["file"].rsplit("/", 1)[-1])
        )
    found.sort(key=lambda fact: not fact.stands)
    return found[:MOST_FILES]


def _commands(notes: list[Note]) -> list[Fact]:
    runs = counted(notes)
    failing = [note for note in runs if note["what"] == FAILED and note["times"] >= REPEATED]
    broken = {note["command"] for note in failing}
    often = [
        note for note in runs if note["what"] == COUNT and note["times"] >= REPEATED and note["command"] not in broken
    ]
    often.sort(key=lambda note: (note["times"], str(note["at"])), reverse=True)
    found = [
        Fact(COMMANDS, note["command"], note, f"passed {note['times']} times", by="tool")
        for note in often[:MOST_COMMANDS]
    ]
    for note in sorted(failing, key=lambda note: str(note["at"]), reverse=True)[:3]:
        code = f", exit {note['code']}" if note.get("code") is not None else ""
        found.append(
            Fact(
                FAILING,
                note["command"],
                note,
                f"failed {note['times']} times in a row{code}, not seen to pass since",
                by="tool",
            )
        )
    return found


def _reply(notes: list[Note]) -> list[Fact]:
    return [Fact(LAST, note["text"], note, "the last reply") for note in _last(notes, REPLY)]


def _last(notes: list[Note], what: str) -> list[Note]:
    """The newest note of a kind, as a list of one; empty without any."""
    return next(([note] for note in reversed(notes) if note["what"] == what), [])


def _folded(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
