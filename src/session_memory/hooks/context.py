"""The door for what the client asks: what a session that begins should know, and what a compaction should not lose.

The answer is made from the brief and the log's newest records, without a database; what is answered is recorded with the reason
of every line. The very first start is greeted: what is recorded, where, and how to stop it.
"""

from __future__ import annotations

import os
import sys

from session_memory.hooks import record
from session_memory.quick_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.hooks.record import Call
    from session_memory.model.context import Context
    from session_memory.model.record import Draft

GREETED = "greeted"  # an empty file in the home: the message was shown
BEGINNING = ("startup", "resume", "clear", "compact", "fork")


def greeting(call: Call) -> str:
    """What the user is told once; "" when that has been done."""
    from session_memory import paths

    mark = os.path.join(call.root, GREETED)
    if os.path.lexists(mark):
        return ""
    old = old_sessions(call.around.claude_projects, str(call.payload.get("session_id")))
    paths.write_whole(mark, b"")
    many = f"{old} earlier session{'s' if old != 1 else ''}"
    offer = f" {many} on this disk can be made searchable: ! session-memory import claude-code" if old else ""
    return (
        "Session Memory records this and later sessions (prompts, replies, tool calls; secrets replaced) in"
        f" {call.root}, on this machine only. Here you can type: ! session-memory pause (to stop), ! session-memory forget"
        " --help (to remove what was kept). SESSION_MEMORY_OFF=1 switches it off; <private>...</private> keeps a word"
        f" out.{offer}"
    )


def old_sessions(projects: str, this: str) -> int:
    """How many transcripts the client keeps, this session's left out."""
    found = 0
    try:
        for folder in os.scandir(projects):
            if folder.is_dir():
                found += sum(
                    1 for name in os.listdir(folder.path) if name.endswith(".jsonl") and not name.startswith(this)
                )
    except OSError:
        return found  # no history, or none that we may read
    return found


def begun(call: Call) -> tuple[Context, list[Draft]]:
    """What a session that begins is told, and the records of it (none when there is nothing to tell). Raises OSError."""
    from session_memory import ids
    from session_memory.capture import moment
    from session_memory.model.context import compose, injection

    payload, where = call.payload, call.where
    begins = moment.Beginning(
        str(payload.get("source")), str(payload["session_id"]), where.project, where.cwd, root=call.around.project_dir or "",
        branch=where.branch or "", before=where.before, transcript=str(payload.get("transcript_path") or ""),
    )  # fmt: skip
    budget = int(call.settings.value("context.budget_tokens"))
    notes, here = moment.of(call.home, begins, budget)
    made = compose(notes, here, ids.new_origin()[:8])
    if not budget or not made.text:
        return made, []
    return made, injection(begins.session, where.project, made, begins.source)


def _begun(call: Call) -> tuple[Context | None, list[Draft]]:
    """The same; a brief that cannot be told must not keep the start from being recorded."""
    if call.payload.get("source") not in BEGINNING:
        return None, []
    try:
        return begun(call)
    except Exception as error:  # a hook's door: said in hook.log, and the session begins without it
        record.log(call.root, f"nothing could be told: {type(error).__name__}: {error}"[:2000])
        return None, []


def run(home_given: str | None = None) -> None:
    """Record what the payload says; print what the client shows, or gives to the model."""
    call = record.called(record.read(sys.stdin.buffer), home_given)
    if call is None:
        return
    if call.payload.get("hook_event_name") == "PreCompact":
        from session_memory.capture.labelled import ASKED

        call.keep()
        _write(ASKED)  # what the summary is asked to say, so that it can be read again without guessing
        return
    made, drafts = _begun(call)
    call.keep(drafts)
    shown = [greeting(call)]
    answer: dict[str, Any] = {}
    if made is not None and drafts:
        shown.append(made.receipt())
        answer["hookSpecificOutput"] = {"hookEventName": "SessionStart", "additionalContext": made.text}
    told = "\n".join(each for each in shown if each)
    if told:
        answer["systemMessage"] = told
    if answer:
        _write(dumps(answer))


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(home_given: str | None = None) -> int:
    """Answer the payload on stdin."""
    return record.guarded(lambda: run(home_given), home_given)
