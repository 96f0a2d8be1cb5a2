"""Whether what was told is what a label says: by the label's own evidence, strictly. True but unlabelled counts as wrong."""

from __future__ import annotations

from typing import Any

from session_memory.model import shell
from session_memory.model.compaction import words

# section -> the types of label it can answer
KINDS = {
    "rules": ("constraint",), "task": ("constraint",), "asks": ("constraint", "state", "question"), "questions": ("question",),
    "blockers": ("blocker",), "decisions": ("decision", "rejected"), "next": ("next_step",), "work": ("state",),
    "files": ("file",), "commands": ("env",), "failing": ("blocker", "env"), "last": ("state",), "findings": ("blocker",),
}  # fmt: skip
NEAR = 25  # lines
ENOUGH = 0.6  # of a quote's words, where the wording differs


def flat(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def answers(line: dict[str, Any], label: dict[str, Any], at: int) -> bool:
    """Whether a told line (whose source stands on line `at`) is what the label says."""
    section, text = line["section"], line["text"].removeprefix("- ")
    if label["type"] not in KINDS[section]:
        return False
    quotes = [each["quote"] for each in label["evidence"]]
    here = any(each["line"] == at for each in label["evidence"])
    if section == "files":
        path = text.replace(": ", "").removesuffix(" (gone)").rstrip("*")
        return path.endswith(label["text"]) or label["text"].endswith(path)
    if section == "commands":
        known = {shell.usual(part) for quote in quotes for part in shell.parts(quote)}
        return text.split("`")[1] in known
    if section == "work":
        if text.startswith("Commit "):
            return any(text.split()[1] in quote for quote in quotes)
        name = text.partition(": ")[2].split(" ")[0]
        verb = "in progress" if text.startswith("In progress") else "closed"
        return verb in label["text"] and any(part in label["text"] for part in (name, name.partition("-")[2]))
    if section == "failing":  # an outcome stands a few lines behind its call; the last failure is the one that is named
        return here or any(each["line"] - NEAR <= at <= each["line"] for each in label["evidence"])
    for quote in quotes:
        one, other = flat(text), flat(quote)
        if other in one or (len(one) > 12 and one in other):
            return True
        said = words(quote)
        if section in ("next", "last") and said and len(said & words(text)) >= ENOUGH * len(said):
            return True
    return False


def held_by(label: dict[str, Any], lines: list[dict[str, Any]], at: dict[str, int]) -> bool:
    """Whether any told line says what the label says."""
    return any(answers(line, label, at.get(line["ids"][0], 0)) for line in lines)
