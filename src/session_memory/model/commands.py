"""Commands that failed: which one is worth a line of history, told without guessing that it still fails.

"The last failure without a later success" is still open one time in nine (measured on labelled sessions), so a command
counts as seen to pass as soon as anything of its kind passed, and commands that only look around do not count at all.
"""

from __future__ import annotations

from session_memory.model import shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Event = dict[str, Any]

SHELLS = frozenset(
    "bash shell powershell terminal run_command execute_command run_shell_command run_terminal_cmd".split()
)
MOST_SINCE = 20  # commands that passed since: work went on, so an older failure is nobody's concern any more


def last_failed(events: list[Event]) -> Event | None:
    """The newest failing command of which nothing like it passed later (events oldest first): its response, with `command`."""
    commands = {event["id"]: command for event in events if (command := _command(event))}
    passed: set[str] = set()
    count = 0
    for event in reversed(events):
        command = commands.get(str(event.get("parent_id")), "")
        if event["category"] != "tool_response" or not command:
            continue
        data, kinds = event["data"], kinds_of(command)
        if data.get("ok"):
            passed |= set(kinds)
            count += bool(kinds)
            if count > MOST_SINCE:
                return None
        elif data.get("ok") is False and not data.get("rejected") and kinds and not passed & set(kinds[-1:]):
            return {**event, "data": {**data, "command": command}}
    return None


def kinds_of(command: str) -> list[str]:
    """What a command line runs, in order: the program and its first word, without those that only look around.

    `cd app && git add -A && git commit -m x | tail` gives `git add`, `git commit`.
    """
    return [" ".join(words[:2]) for words in shell.parts(command) if words[0].rsplit("/", 1)[-1] not in shell.LOOKING]


def _command(event: Event) -> str:
    given = event["data"].get("input")
    if event["category"] != "tool_call" or event["type"].lower() not in SHELLS or not isinstance(given, dict):
        return ""
    return str(given.get("command") or "")
