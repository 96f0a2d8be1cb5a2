"""Asks: which of the user's messages still say what is to be done, and without the rules in them. Standard library only."""

from __future__ import annotations

from session_memory.model import rules
from session_memory.model.notes import REPLY, SAID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.model.notes import Note

TALK = frozenset(
    "yes yep no ok okay sure please thanks thank you good great perfect nice fine go on ahead continue proceed carry keep going do"
    " it that this again try retry check look now then and next wait stop done so well hi hello".split()
)
WONDERING = frozenset("did does do is are was were has have what why where which who when how".split())


def asked(notes: list[Note]) -> list[tuple[str, Note]]:
    """(what was asked for, note) for the user's messages, the newest first and each wording once.

    Left out: what says nothing by itself (but for the newest message), what a reply has answered, and mere rules.
    """
    said = [note for note in reversed(notes) if note["what"] == SAID and note["type"] != "plan_approval"]
    replied = max((str(note["at"]) for note in notes if note["what"] == REPLY), default="")
    once: dict[str, tuple[str, Note]] = {}
    for note in said:
        text = str(note["text"])
        if (note is not said[0] and _mere_talk(text)) or (replied > note["at"] and _wonders(text)):
            continue
        rest = _without_rules(text)
        if rest.strip("… "):
            once.setdefault(" ".join(_words(text)), (rest, note))
    return list(once.values())


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def _without_rules(text: str) -> str:
    """What was asked for besides rules: those are told as such."""
    for rule, _stands in rules.of_user(text):
        text = text.replace(rule, "…").replace("… …", "…")
    return text


def _mere_talk(text: str) -> bool:
    """Whether a message says nothing by itself: `go on`, `yes please`, `check again`."""
    return all(word in TALK for word in _words(text))


def _wonders(text: str) -> bool:
    """Whether a message only wants to know something: a reply answers it, and nothing is left to do."""
    return text.rstrip().endswith("?") and len(rules.sentences(text)) == 1 and text.lower().split()[0] in WONDERING
