"""The door for what the client asks at a session's start: the start is recorded, and what it should know is printed.

Until the brief is written this is the message of the very first start: what is recorded, where, and how to stop it.
"""

from __future__ import annotations

import json
import os
import sys

from session_memory.hooks import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.hooks.record import Call

GREETED = "greeted"  # an empty file in the home: the message was shown


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


def run(home_given: str | None = None) -> None:
    """Record the start; print what the client shows or gives to the model."""
    call = record.record(record.read(sys.stdin.buffer), home_given)
    told = greeting(call) if call is not None else ""
    if told:
        sys.stdout.write(json.dumps({"systemMessage": told}) + "\n")
        sys.stdout.flush()


def main(home_given: str | None = None) -> int:
    """Answer the payload on stdin."""
    return record.guarded(lambda: run(home_given), home_given)
