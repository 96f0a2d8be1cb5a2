"""Notes: what an event contributes to the facts of a project, small enough to be kept for all that happened.

A note is a plain dict: `what` (one of the words below), `id` of its source event, `at`, `session`, `by` (who stated it), and
what it says. Notes are all that is taken from a tool's output, and they never hold any of it but the rules of a task that was
shown, commit titles and names of files. Standard library only: the hook at a session's start reads the newest events with it.
"""

from __future__ import annotations

from session_memory.model import rules, shell
from session_memory.model.event import STATED
from session_memory.model.facts import EDITS, files_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Event = dict[str, Any]
    Note = dict[str, Any]

SAID, STATEMENT, EDIT, COMMIT, TASK, RAN, COUNT, FAILED, TODO, ITEM, SUMMARY, REPLY, ASKED, ANSWERED, PLAN, TOLD = (
    "said", "stated", "edit", "commit", "task", "ran", "count", "failed", "todo", "item", "summary", "reply", "asked", "answered",
    "plan", "told",
)  # fmt: skip
WORDS = ("user_prompt", "command", "answer", "plan_approval")
LONG, SHORT = 1_200, 300  # characters of a text that a note keeps
MOST_RULES = 24  # of one task
TITLE = 120
REPLY_HEAD, REPLY_TAIL = 90, 140  # characters of a reply: of its beginning, of its end
# lines under a summary's headings for what is to be done that are none of it; it is asked to quote the user there
PASSED = ("```", "`", "None", "No pending", '"', "“", ">", "The user", "User ", "Quote", "Direct quote", "From the")
UNSEEN = ("head", "grep", "rg", "sed", "awk", "wc", "cut", "jq")  # behind such a filter nobody saw how a command ended


class Reader:
    """Turns events, oldest first, into notes. A tool's response is understood by its call, which comes before it."""

    def __init__(self) -> None:
        self._calls: dict[str, Event] = {}
        self._named = ""  # what the user typed lately: a file named there may hold the task

    def read(self, event: Event) -> list[Note]:
        """The notes of one event; none for most."""
        category, data = event["category"], event["data"]
        if category == "message":
            return self._message(event, data)
        if category == "tool_call":
            return self._call(event, data)
        if category == "tool_response":
            return self._response(event, data)
        if category in STATED or event.get("stated_by") in ("user", "model"):
            return [_note(STATEMENT, event, stated=_trimmed(event))]
        return []

    def _message(self, event: Event, data: dict[str, Any]) -> list[Note]:
        type_ = event["type"]
        if "/agent-" in event["session_id"]:
            return []  # what a subagent was asked and answered is between it and its parent
        if type_ in WORDS:
            text = str(data.get("text") or _command_words(data))
            self._named = (self._named + " " + text)[-4000:]
            if not text.strip():
                return []
            made = [_note(SAID, event, text=text[:LONG], type=type_, long=len(text))]
            if type_ == "plan_approval":
                made[0]["approved"] = bool(data.get("approved"))
            return made
        if type_ == "compact_summary":
            return [_note(SUMMARY, event, text=str(data.get("text", "")), next=next_steps(str(data.get("text", ""))))]
        if type_ == "reply":
            return [_note(REPLY, event, text=_ends(_unlabelled(str(data.get("text", "")))))]
        return []

    def _call(self, event: Event, data: dict[str, Any]) -> list[Note]:
        self._calls[event["id"]] = event
        given = data.get("input")
        type_ = event["type"]
        if not isinstance(given, dict):
            return []
        if type_ == "AskUserQuestion":
            questions = given.get("questions")
            asked = [
                str(each.get("question", ""))
                for each in (questions if isinstance(questions, list) else [])
                if isinstance(each, dict)
            ]
            return [_note(ASKED, event, text=each[:SHORT]) for each in asked if each]
        if type_ == "TodoWrite" and isinstance(given.get("todos"), list):
            items = [
                [str(each.get("content", ""))[:TITLE], str(each.get("status", ""))]
                for each in given["todos"]
                if isinstance(each, dict)
            ]
            return [_note(TODO, event, items=items[:40])]
        return []

    def _response(self, event: Event, data: dict[str, Any]) -> list[Note]:
        call = self._calls.pop(str(event.get("parent_id") or ""), None)
        if call is None:
            return []
        given = call["data"].get("input")
        given = given if isinstance(given, dict) else {}
        tool, ok = call["type"], bool(data.get("ok"))
        if tool in EDITS:
            files = call["data"].get("files")
            return [_note(EDIT, call, file=str(each)) for each in files[:1]] if ok and isinstance(files, list) else []
        if tool == "AskUserQuestion":
            return [_note(ANSWERED, event, call=call["id"])]
        if tool == "ExitPlanMode":
            plan = str(given.get("plan", ""))
            return [_plan(event, call, plan)] if plan and "rejected" not in data else []
        if tool in ("TaskCreate", "TaskUpdate"):
            return _listed(call, given, str(data.get("output", ""))) if ok else []
        if tool == "Read" and ok:
            return self._task_file(call, str(given.get("file_path", "")), str(data.get("output", "")))
        command = given.get("command")
        if tool == "Bash" and isinstance(command, str) and not data.get("rejected"):
            if given.get("run_in_background") or str(data.get("output", "")).startswith(
                "Command running in background"
            ):
                return []  # it has begun; how it ended is told elsewhere, if at all
            return _ran(call, event, command, str(data.get("output", "")), ok=ok)
        return []

    def _task_file(self, call: Event, path: str, output: str) -> list[Note]:
        """The rules of a document that the user named as what is to be done."""
        name = path.rsplit("/", 1)[-1]
        if (
            not name.lower().endswith((".md", ".txt", ".rst"))
            or not _names(self._named, name)
            or name.upper() in ("CLAUDE.MD", "AGENTS.MD")
        ):
            return []
        found = rules.of_task(_without_numbers(output))[:MOST_RULES]
        return [_note(TASK, call, task=name, change="show", title=name, rules=found)] if found else []


def told(session: str, at: str, record_id: str, data: dict[str, Any]) -> Note:
    """The note of an injection: which events it told of."""
    found = [each for line in data.get("lines", ()) for each in line.get("ids", ())]
    return {"what": TOLD, "id": record_id, "at": at, "session": session, "ids": found}


def event_of(record_id: str, at: str, body: dict[str, Any]) -> Event:
    """The event of a log record's body, as the index gives it."""
    event = {
        "id": record_id, "timestamp": at, "category": body.get("category", ""), "type": str(body.get("type", "")),
        "session_id": str(body.get("session", "")), "stated_by": body.get("stated_by"), "data": body.get("data") or {},
    }  # fmt: skip
    if body.get("parent"):
        event["parent_id"] = body["parent"]
    if body.get("branch"):
        event["branch"] = body["branch"]
    return event


def next_steps(summary: str) -> list[str]:
    """What a compaction's summary says is to be done: the lines under its headings for pending work and the next step."""
    found: list[str] = []
    taking = False
    for raw in (summary.partition("\nSummary:\n")[2] or summary).splitlines():
        line = raw.strip()
        if not line:
            continue
        if line.startswith("#") or (
            line.rstrip("*").endswith(":") and not line.startswith(("-", "*", "•")) and len(line) < 80
        ):
            low = line.lower().strip("0123456789.#*: ")
            taking = low.startswith(("pending task", "optional next step", "next step", "remaining", "open task"))
        elif taking:
            said = line.lstrip("-*•[] ").replace("**", "")
            if said.startswith("If you need specific details"):
                break  # what the client says behind every summary
            if len(said) > 8 and not said.startswith(PASSED) and not said.endswith(":"):
                found.append(said[:SHORT])
    return found[:12]


def _note(what: str, event: Event, **more: Any) -> Note:
    made: Note = {"what": what, "id": event["id"], "at": event["timestamp"], "session": event["session_id"].partition("/")[0],
                  "by": event.get("stated_by") or "model"}  # fmt: skip
    if event.get("branch"):
        made["branch"] = event["branch"]
    made.update(more)
    return made


def _trimmed(event: Event) -> Event:
    """A stated event with texts of a bearable length."""
    data: dict[str, Any] = {}
    for name, value in event["data"].items():
        if isinstance(value, str):
            data[name] = value[:LONG]
        elif isinstance(value, (int, float, bool)) or value is None:
            data[name] = value
        elif isinstance(value, list):
            data[name] = [each[:SHORT] if isinstance(each, str) else str(each)[:SHORT] for each in value[:20]]
    made = {**{name: value for name, value in event.items() if name not in ("source", "data", "commit")}, "data": data}
    named = files_named(event)
    return {**made, "named": named[:8]} if named else made


def _ends(text: str) -> str:
    """How a reply begins and how it ends: the end tells what comes next, or asks."""
    if len(text) <= REPLY_HEAD + REPLY_TAIL + 3:
        return text
    head, tail = text[:REPLY_HEAD], text[-REPLY_TAIL:]
    return f"{head[: head.rfind(' ')] if ' ' in head else head} … {tail.partition(' ')[2] or tail}"


def _unlabelled(text: str) -> str:
    """A reply on one line, without its labelled lines (`DECISION: …`): those are facts of their own."""
    return " ".join(
        " ".join(line for line in text.splitlines() if not line.strip("-*• ").partition(":")[0].isupper()).split()
    )


def _command_words(data: dict[str, Any]) -> str:
    """What was typed behind a slash command; a shell line that the user ran is no statement."""
    return "" if data.get("name") == "!" else str(data.get("args") or "")


def _ran(call: Event, event: Event, command: str, output: str, *, ok: bool) -> list[Note]:
    """What a shell call tells: that it ran, and of issue trackers and commits what they say of the work."""
    parts = shell.parts(command)
    found: list[Note] = []
    shown: list[str] = []
    others = False
    for words in parts:
        change = shell.task_change(words)
        if change is not None and change[0] == "show":
            shown += change[1]
            others = others or any(each in ("--comments", "-c") for each in words)  # anybody may comment
        elif change is not None and ok:
            found += [_note(TASK, call, task=each, change=change[0]) for each in change[1]]
        elif words[:2] == ["git", "commit"] and ok:
            found += _commits(event, output, command)
        others = others or not (words[0] in shell.TRACKERS or words[0] in ("echo", "printf"))
    # where another command printed too, nobody knows whose words they are
    found += [_shown(call, name, text, known=not others) for name, text in _blocks(output, shown)]
    if parts:
        # of a sequence only the last command's outcome is known; of a chain that passed, all of them passed
        passed = parts if ok and not _sequence(command) else parts[-1:] if ok else []
        passed = [] if _unseen(command) else passed
        found.append(
            _note(
                RAN,
                call,
                passed=[each[:12] for each in passed],
                last=parts[-1][:12],
                ok=ok,
                code=event["data"].get("exit_code"),
            )
        )
    return found


def _names(said: str, name: str) -> bool:
    """Whether a text names a file: its whole name, not the end of another one's."""
    at = said.find(name)
    while at >= 0:
        around = said[at - 1 : at] + said[at + len(name) : at + len(name) + 1]
        if not any(c.isalnum() or c in "_-" for c in around):
            return True
        at = said.find(name, at + 1)
    return False


def _sequence(command: str) -> bool:
    """Whether the outcome tells of the last command only."""
    head = command.split("<<", 1)[0]
    return ";" in head or "||" in head or "\n" in head.strip()


def _unseen(command: str) -> bool:
    """Whether a filter hid how what ran before it ended."""
    behind = command.split("<<", 1)[0].split("|")[1:]
    return any(each.split()[:1] and each.split()[0] in UNSEEN for each in behind)


def _shown(call: Event, name: str, text: str, *, known: bool) -> Note:
    first = text.splitlines()[0] if text else ""
    titled = first.partition(":")[2] if first.lower().startswith("title:") else first.partition(name)[2]
    titled = titled.strip(" ·:-—\t")
    titled = titled.partition("]")[2] if titled.startswith("[") else titled  # a kind, as in `[EPIC] · Title`
    title = titled.strip(" ·:-—[]()\t").split("   ")[0].split(" [")[0]
    found = rules.of_task(text)[:MOST_RULES] if known else []
    title = "" if not known or rules.speaks(title) else title[:TITLE]
    return _note(TASK, call, task=name, change="show", title=title, rules=found)


def _blocks(output: str, ids: list[str]) -> list[tuple[str, str]]:
    """The text of each task in what a tracker printed: from the line that names it first to the next one's."""
    lines = output.splitlines()
    begins: dict[str, int] = {}
    for n, line in enumerate(lines):
        for name in ids:
            if (
                name not in begins
                and name in (each.strip(":·#") for each in line.split()[:4])
                and line[:1] not in " -*\t"
            ):
                begins[name] = n
    if len(ids) == 1:  # a tracker that does not print the name, or prints it below the title
        titled = [n for n, line in enumerate(lines[:12]) if line.lower().startswith("title:")][:1]
        begins[ids[0]] = min([*titled, begins.get(ids[0], len(lines) if titled else 0)])
    order = sorted(begins, key=lambda name: begins[name])
    ends = [begins[name] for name in order[1:]] + [len(lines)]
    return [(name, "\n".join(lines[begins[name] : end])) for name, end in zip(order, ends)]


def _commits(event: Event, output: str, command: str) -> list[Note]:
    """`[branch hash] subject`, as git prints it after a commit; of lines that look so, those whose subject stands in the command,
    or else the first."""
    asked = " ".join(command.replace("\\", "").split())
    found = []
    for line in output.splitlines():
        head, bracket, subject = line.partition("] ")
        words = head[1:].split() if line.startswith("[") and bracket else []
        if len(words) >= 2 and 6 <= len(words[-1]) <= 40 and all(c in "0123456789abcdef" for c in words[-1]):
            subject, on = rules.silenced(subject.strip()[:TITLE]), rules.silenced(words[0][:TITLE])
            made = _note(COMMIT, event, hash=words[-1], on=on, subject=subject)
            found.append((" ".join(line.partition("] ")[2].replace("\\", "").split())[:TITLE] in asked, made))
    return [made for stands, made in found if stands] or [made for _stands, made in found[:1]]


def _plan(event: Event, call: Event, plan: str) -> Note:
    title = next((line.strip("#* ").strip() for line in plan.splitlines() if line.strip("#*- ")), "")
    return _note(PLAN, call, title=title[:TITLE], rules=rules.of_task(plan)[:MOST_RULES], answer=event["id"])


def _listed(call: Event, given: dict[str, Any], output: str) -> list[Note]:
    """An item of the client's own task list; a new one's number stands only in the answer."""
    number = str(given.get("taskId") or "")
    if not number and "#" in output:
        number = output.partition("#")[2].split()[0].rstrip(":.") if output.partition("#")[2].split() else ""
    text = str(given.get("subject") or "")[:TITLE]
    return (
        [_note(ITEM, call, number=number, text=text, status=str(given.get("status") or ("pending" if text else "")))]
        if number
        else []
    )


def _without_numbers(output: str) -> str:
    """A file as the client's reader shows it, without line numbers (an arrow or a tab follows them)."""
    lines = []
    for line in output.splitlines():
        head, sign, rest = line.replace("→", "\t", 1).partition("\t")
        lines.append(rest if sign and head.strip().isdigit() else line)
    return "\n".join(lines)
