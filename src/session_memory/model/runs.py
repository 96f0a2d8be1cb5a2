"""Runs: how often each command passed, and which failed since they passed last. Standard library only."""

from __future__ import annotations

from session_memory.model import shell
from session_memory.model.notes import COUNT, FAILED, RAN, TASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.model.notes import Note


def counted(notes: list[Note]) -> list[Note]:
    """How often each command passed, and which failed since they passed last, and how often."""
    known = frozenset(note["task"] for note in notes if note["what"] == TASK)
    passed: dict[str, Note] = {}
    failed: dict[str, Note] = {}
    for note in notes:
        what = note["what"]
        if what == COUNT:
            passed[note["command"]] = note
        elif what == FAILED:
            failed[note["command"]] = note
        elif what == RAN:
            for text in {shell.usual(words, known) for words in note["passed"]} - {""}:
                times = passed.pop(text, {}).get("times", 0) + 1
                passed[text] = _count(COUNT, note, text, times)
            last = " ".join(note["last"])
            if note["ok"]:
                failed.pop(last, None)
            elif note["last"][0] not in shell.LOOKING:
                times = failed.pop(last, {}).get("times", 0) + 1
                failed[last] = {**_count(FAILED, note, last, times), "code": note.get("code")}
    return [*passed.values(), *failed.values()]


def _count(what: str, note: Note, command: str, times: int) -> Note:
    few = {name: note[name] for name in ("id", "at", "session", "by")}
    return {"what": what, **few, "command": command, "times": times}
