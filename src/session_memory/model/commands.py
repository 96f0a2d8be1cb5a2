"""Commands that failed: which one is worth a line of history, told without guessing that it still fails.

"The last failure without a later success" is still open one time in nine (measured on labelled sessions), so a command
counts as seen to pass as soon as anything of its kind passed, and commands that only look around do not count at all.
"""

from __future__ import annotations

from typing import Any

from session_memory.model.pattern import later

Event = dict[str, Any]

SHELLS = frozenset(
    "bash shell powershell terminal run_command execute_command run_shell_command run_terminal_cmd".split()
)
# they look around: that they find nothing is an answer
LOOKS = frozenset(
    "ls cat cd head tail grep rg ag find fd test [ which type command stat file diff wc sed awk jq curl wget echo printf ps"
    " pgrep kill pkill lsof sleep tree du df pwd env man source . export set if then else fi for while do done case esac"
    " true false".split()
)
MOST_SINCE = 20  # commands that passed since: work went on, so an older failure is nobody's concern any more
PARTS = later(r"&&|\|\||;|\n|\||(?<!>)&(?!>)")
QUOTED = later(r"""(?sm)<<-?\s*(['"]?)(\w+)\1.*?^\s*\2\s*$|'[^']*'|"(?:[^"\\]|\\.)*\"""")
BEFORE = later(r"^(?:[A-Za-z_]\w*=\S*\s+|(?:time|sudo|command|exec|nohup|timeout\s+\S+)\s+)+")


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
    kinds = []
    for part in PARTS.sub("\0", QUOTED.sub("''", command)).split("\0"):
        words = BEFORE.sub("", part.strip()).split()
        if words and words[0].rsplit("/", 1)[-1] not in LOOKS and not words[0].startswith(("#", "(", "{")):
            kinds.append(" ".join(words[:2]))
    return kinds


def _command(event: Event) -> str:
    given = event["data"].get("input")
    if event["category"] != "tool_call" or event["type"].lower() not in SHELLS or not isinstance(given, dict):
        return ""
    return str(given.get("command") or "")
