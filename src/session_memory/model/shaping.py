"""What shaped a file: which events edited, named or committed it, each told in one line.

A file is meant by its path or the end of it, whole names only: `auth.ts` is `src/auth.ts`, not `oauth.ts`.
"""

from __future__ import annotations

import re
from typing import Any

from session_memory.model.deeds import edited
from session_memory.model.event import role_of
from session_memory.model.facts import reason_of, text_of
from session_memory.model.invocations import FAILED, Turn, line_of, runs
from session_memory.model.mentions import relative

MOST_LINE = 20_000  # characters of a command that are looked at for its message
LONGEST_PATH = 400  # characters in front of a file's name
COMMITTED = re.compile(r"(?m)^\[[^\]\n]* ([0-9a-f]{7,40})\] (.+)$")  # as git says it
MESSAGE = re.compile(r"""(?s)(?:-a?m|--message[ =])\s*(?:"\$\(cat <<'?(\w+)'?\n(.+?)\n|(["'])(.+?)\3)""")
CHANGES = ("sed -i", "git mv", "git rm", "git checkout", "git restore", "git revert", "mv", "rm", "cp", "patch", "tee")


def plain_path(path: str) -> str:
    """A path as it is compared: with slashes, without `./` in front."""
    return path.strip().replace("\\", "/").removeprefix("./").rstrip("/")


def ends_so(path: str, wanted: str) -> bool:
    """Whether a path is the wanted one, or ends with it at a folder's edge."""
    known = plain_path(path)
    return known == wanted or known.endswith(f"/{wanted.lstrip('/')}")


def named_in(text: str, wanted: str) -> str:
    """The path by which a text names the file; "" where it does not. Looks at each letter once."""
    plain, at = text.replace("\\", "/"), 0
    while wanted and (at := plain.find(wanted, at)) >= 0:
        end, begin = at + len(wanted), at
        after = plain[end : end + 2]
        if not after or not (_in_name(after[0]) or after[0] == "/") or (after[0] == "." and not after[1:].isalnum()):
            while (
                begin
                and at - begin < LONGEST_PATH
                and (plain[begin - 1] == "/" or (begin < at and _in_name(plain[begin - 1])))
            ):
                begin -= 1  # the folders in front of it
            if begin < at or not (begin and _in_name(plain[begin - 1])):
                return plain[begin:end]
        at = end
    return ""


def _in_name(letter: str) -> bool:
    return letter.isalnum() or letter in "_.@+~-"


def edits(event: dict[str, Any], wanted: str) -> str:
    """The path, as its project calls it, by which a call that went well edits the file; "" where it does not."""
    answer = event.get("answer") or {}
    if event["category"] != "tool_call" or answer.get("ok") is False or answer.get("rejected"):
        return ""
    for path in edited(event["type"], event["data"]):
        if ends_so(path, wanted):
            return relative(path, event["project"])
    return ""


def changes(event: dict[str, Any], wanted: str) -> str:
    """The command by which a call changes the file without an editor: moved, removed, rewritten in place; "" for none."""
    answer = event.get("answer") or {}
    line = line_of(event["data"])
    if event["category"] != "tool_call" or not line or answer.get("ok") is False or answer.get("rejected"):
        return ""
    for asked in CHANGES:
        for run in runs(line, asked.split(), {}, _turn(event)):
            if any(ends_so(word, wanted) for word in run.words[1:]):
                return run.typed
    return ""


def change_of(data: dict[str, Any]) -> str:
    """What an edit changed, in one line: the first line that differs, and how many lines it took out and put in."""
    given = data.get("input")
    holder = given if isinstance(given, dict) else data
    several = holder.get("edits")
    pairs = [each for each in several if isinstance(each, dict)] if isinstance(several, list) else [holder]
    old = "\n".join(str(each.get("old_string") or each.get("old_str") or "") for each in pairs).splitlines()
    new = "\n".join(
        str(each.get("new_string") or each.get("new_str") or each.get("file_text") or each.get("content") or "")
        for each in pairs
    ).splitlines()
    gone = [line.strip() for line in old if line not in new and line.strip()]
    came = [line.strip() for line in new if line not in old and line.strip()]
    if not old:
        return f"wrote {len(new)} lines" if new else "changed it"
    first = (
        f"{gone[0]} -> {came[0]}"
        if gone and came
        else f"took out: {gone[0]}"
        if gone
        else f"put in: {came[0]}"
        if came
        else ""
    )
    return f"{first or 'moved or spaced'} (+{len(came)} -{len(gone)} lines)"


def commit_of(event: dict[str, Any]) -> str:
    """The hash and title of a commit that a call made; "" where it made none."""
    line = line_of(event["data"])[:MOST_LINE]
    made = runs(line, ["git", "commit"], event["answer"] or {}, _turn(event))
    if not made or all(each.ended == FAILED for each in made) or (event["answer"] or {}).get("rejected"):
        return ""
    said = COMMITTED.search(str((event["answer"] or {}).get("output") or ""))
    if said:
        return f"{said.group(1)} {said.group(2).strip()}"
    if event["answer"] is not None and event["answer"].get("ok") is False:
        return ""
    told = MESSAGE.search(line)
    return (told.group(2) or told.group(4)).strip().splitlines()[0] if told else made[0].typed


def statement(event: dict[str, Any]) -> str:
    """What an event says, with its reason where it has one."""
    reason = reason_of(event)
    return text_of(event) + (f" ({reason})" if reason else "")


def _turn(event: dict[str, Any]) -> Turn:
    return Turn(event["id"], event["timestamp"], role_of(event), event["session_id"])
