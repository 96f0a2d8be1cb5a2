"""A fact: one statement worth carrying over, with its section, its source and the reason why it is one. Standard library only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.model.notes import Note

# sections, in the order of their weight
RULES, TASKS, QUESTIONS, BLOCKERS, DECISIONS, SET_ASIDE, LESSONS = (
    "rules", "task", "questions", "blockers", "decisions", "set aside", "lessons",
)  # fmt: skip
NEXT, ASKS, WORK, FILES, COMMANDS, FAILING, FINDINGS, LAST = (
    "next", "asks", "work", "files", "commands", "failing", "findings", "last",
)  # fmt: skip


class Fact:
    """One statement worth carrying over.

    section: one of the words above. text: quoted words, or what was done. by: user, model, rule, tool or import. at: when.
    ids: source events, the first one is shown. why: what made it a fact. about: words by which a text is known to hold it.
    files: those it names.
    """

    __slots__ = ("about", "at", "by", "files", "ids", "more", "section", "session", "stands", "text", "why")

    def __init__(
        self, section: str, text: str, note: Note, why: str, *, by: str = "", more: str = "", stands: bool = False, about: str = ""
    ) -> None:  # fmt: skip
        self.section = section
        self.text = text
        self.by = by or str(note.get("by") or "model")
        self.at = str(note["at"])
        self.ids = [str(note["id"])]
        self.session = str(note.get("session", ""))
        self.why = why
        self.more = more
        self.stands = stands
        self.about = about or text
        self.files: list[str] = []
