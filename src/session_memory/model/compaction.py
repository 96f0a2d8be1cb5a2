"""What a compaction's summary still holds of the facts before it: compared by words, line by line. Standard library only."""

from __future__ import annotations

from session_memory.model.fact import COMMANDS, FAILING, FILES, WORK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.model.fact import Fact

ENOUGH = 0.7  # of a statement's words must stand together in one line of the summary
SHORT_WORD = 4  # letters; shorter words say little
NAMED = (FILES, COMMANDS, FAILING, WORK)  # sections whose facts are known by a name
NEGATIONS = frozenset("no not never don't dont without avoid must cannot can't only".split())


class Summary:
    """A summary, its lines as sets of words; made once, asked for every fact."""

    def __init__(self, text: str) -> None:
        self._text = " ".join(text.lower().split())
        lines = [each for line in text.splitlines() for each in line.split(". ")]
        self._lines = [found for found in map(words, lines) if found]

    def holds(self, fact: Fact) -> bool:
        """Whether whoever reads the summary knows this fact from it."""
        if fact.section in NAMED:
            return " ".join(fact.about.lower().split()) in self._text
        wanted = words(fact.text)
        if not wanted:
            return " ".join(fact.text.lower().split()) in self._text
        forbids = wanted & NEGATIONS
        weighty = wanted - NEGATIONS
        return any(
            len(weighty & line) >= ENOUGH * len(weighty) and (not forbids or line & NEGATIONS) for line in self._lines
        )


def words(text: str) -> frozenset[str]:
    """The telling words of a text: long ones without their endings, and those that forbid."""
    found = set()
    for word in "".join(c if c.isalnum() or c in "'_" else " " for c in text.lower()).split():
        if word in NEGATIONS:
            found.add(word)
        elif len(word) >= SHORT_WORD or not word.isascii():
            found.add(word[:-1] if word.endswith("s") and not word.endswith("ss") else word)
    return frozenset(found)
