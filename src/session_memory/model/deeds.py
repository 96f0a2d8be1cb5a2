"""Deeds: what an event did to the work, as one line: a file that was edited, a command that was run, a finding.

Looking is no deed: reading, searching, and commands that only print.
"""

from __future__ import annotations

import re
from typing import Any

from session_memory.model import shell
from session_memory.model.facts import text_of
from session_memory.model.invocations import line_of
from session_memory.model.mentions import EDITS, relative

EDITED, RAN, NOTED = "edited", "ran", "noted"
WRITTEN = ("new_string", "new_str", "file_text", "new_source", "content", "edits", "patch", "diff", "insert_text")
WHERE = ("file_path", "notebook_path", "path", "file", "filename")
PATCHED = re.compile(r"(?m)^\*\*\* (?:Update|Add|Delete) File: (.+)$")
LOOKS = {"git": frozenset("status log diff show branch remote blame rev-parse ls-files describe reflog".split())}
# programs that are not worth a thought elsewhere, and yet may be what helped
ACTING = frozenset("kill pkill killall rm mkdir rmdir cp mv touch export unset source chmod chown tee xargs".split())
WRITES = re.compile(r"(?<![0-9&>])>{1,2}(?!&)\s*(?!/dev/)[^\s>&]")  # a redirection into a file
BOOKS = shell.TRACKERS - {"gh", "glab", "hub"}  # which do much else
LONGEST = 200


def edited(type_: str, data: dict[str, Any]) -> list[str]:
    """The files that a tool call edits, as it names them."""
    given = data.get("input")
    if isinstance(given, str):
        return PATCHED.findall(given)
    holder = given if isinstance(given, dict) else data
    texts = [each for value in holder.values() for each in (value if isinstance(value, list) else [value])]
    patched = [path for text in texts if isinstance(text, str) for path in PATCHED.findall(text)]
    if patched:
        return list(dict.fromkeys(patched))
    if type_ not in EDITS and not any(holder.get(name) for name in WRITTEN):
        return []
    found = [holder.get(name) for name in WHERE]
    files = data.get("files")
    found += files if isinstance(files, list) else []
    return list(dict.fromkeys(each for each in found if isinstance(each, str) and each.strip()))


def steps_of(data: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(as typed, words) of every command of a call that does more than look."""
    found = []
    for typed, words, _sign in shell.steps(line_of(data)[:8_000]):
        name = words[0].rsplit("/", 1)[-1]
        if name in shell.LOOKING or (words[1:2] and words[1] in LOOKS.get(name, ())) or not name[:1].isalnum():
            continue
        found.append((" ".join(typed.split())[:LONGEST], words))
    return found


def acts_of(data: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(as typed, words of the part that acts) of every pipeline of a call that may have changed something."""
    found = []
    piped: list[tuple[str, list[str]]] = []
    for typed, words, sign in shell.steps(line_of(data)[:8_000]):
        piped.append((" ".join(typed.split()), words))
        if sign == "|":
            continue
        acting = [n for n, each in enumerate(piped) if _acts(*each)]
        if acting:  # what only shows its output is left out
            found.append(
                (" | ".join(typed for typed, _words in piped[: acting[-1] + 1])[:LONGEST], piped[acting[0]][1])
            )
        piped = []
    return found


def _acts(typed: str, words: list[str]) -> bool:
    name = words[0].rsplit("/", 1)[-1]
    if name in ACTING or (name == "sed" and any(each.startswith(("-i", "--in-place")) for each in words[1:])):
        return True
    if name in shell.LOOKING or (words[1:2] and words[1] in LOOKS.get(name, ())):
        return bool(WRITES.search(typed))
    return name[:1].isalnum()


def _keeps_books(words: list[str]) -> bool:
    """Whether a command only notes what is going on: tickets, and what the next commit will hold."""
    return words[0] in BOOKS or words[:2] == ["git", "add"]


def deeds(event: dict[str, Any], project: str) -> list[tuple[str, str, str]]:
    """(what, its name among others, as shown) of each deed of an event. project: the key that paths are told from."""
    category, data = event["category"], event["data"]
    if category == "tool_call":
        files = [relative(path, project) for path in edited(event["type"], data)]
        if files:
            return [(EDITED, path, path) for path in files]
        return [(RAN, shell.wording(words), typed) for typed, words in acts_of(data) if not _keeps_books(words)]
    if category in ("decision", "finding"):
        said = " ".join(text_of(event).split())[:LONGEST]
        return [(NOTED, said, said)] if said else []
    return []
