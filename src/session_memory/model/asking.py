"""What a question asks for, as far as its words tell: the kind of event that would answer it, and when that was.

English only, and never more than a hint: whoever ranks lets it move an event a little, never decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice

KINDS: tuple[tuple[str, str], ...] = (
    ("command", r"\b(which|what) command|\bcommands? (to|for|that)\b|\bhow (do|did|does|can|could|should|to|was|were) "
                r"|\b(which|what) (env|environment) var"),
    ("failure", r"\bfail(s|ed|ing|ure|ures)?\b|\bwrong\b|\bbroken?\b|\bcrash|\berrors?\b|\bdid(n't| not) work|\bcomplain"),
    ("reason", r"\bwhy\b|\breasons?\b|\bhow come\b|\bbecause of what\b"),
    ("wish", r"\b(did|do|had|have|what) (i|we) (want|ask|say|tell|told|prefer|decide|agree|allow)|\bdid i\b|\ballowed\b"
             r"|\bshould (i|we|this|it|the)\b|\bmay (i|we)\b|\bmust(n't| not)?\b|\bforbid"),
    ("place", r"\bwhere (is|are|was|were|did|do|does)\b|\b(which|what) (file|path|folder|directory|module|migration)"
              r"|\bfiles? (with|that|of|for)\b|\bpath (of|to)\b|\bdefin(ed|ition|es?)\b|\bhandler\b|\bimplement(ed|ation)\b"),
    ("commit", r"\bcommit (hash|id|sha)\b|\bhash of\b|\b(which|last|latest|first) commit\b"),
)  # fmt: skip
ASKED = tuple((name, re.compile(pattern)) for name, pattern in KINDS)
LAST = re.compile(
    r"\b(last|latest|newest|most recent(ly)?|final(ly)?|currently|now|at the end|in the end|so far)\b"
    r"|^\W*(is|are|was|were|did|has|have) .*\b(finished|done|complete[d]?|closed|merged|pushed|pass|passing|open|over|ready)\b"
)
FIRST = re.compile(r"\b(at first|initial(ly)?|original(ly)?|first|earliest|in the beginning|to begin with)\b")
SIDE = re.compile(
    r"\b(?:(right|just|immediately|shortly|soon|directly|straight) )?(before|after|since|until|once|following|prior to) (.+)",
    re.DOTALL,
)
LATER = ("after", "since", "once", "following")
COUNTED = re.compile(r"\b(?:how many|number of|count of) (\w{3,})|\b(\w{3,}) count\b")
MOST_COUNTED = 12
# words that say what is asked for, not what it is about
FRAME = re.compile(
    r"\b(?:done|happen(?:ed|ing|s)?|(?:in )?progress|commands?|number|count|many|tell|told|ask(?:ed)?|sa(?:y|id)|want(?:ed)?|files?"
    r"|paths?|hash|reasons?|last|latest|first|final|defin(?:ed?|ition)|go(?:es)? wrong|went wrong|allowed|use[ds]?|put|get|try"
    r"|tried|long|may|right|just|here|going on|place)\b"
)
WHEN = re.compile(r"\b(?:when|while|as|at the time)\b")
COMPACTION = re.compile(r"\bcompact(ed|ion|ing)?\b|\bcontext (was|got|ran|is) (lost|full|out|cut)")


@dataclass(frozen=True)
class Asked:
    """kinds: command, failure, reason, wish, place, commit. end: -1 asks for the first, 1 for the last. counted: the beginning
    of what is to be counted. main, anchor: what happened, and the words of what it was before (`side` -1) or after (1)."""

    kinds: frozenset[str]
    end: int = 0
    counted: str = ""
    side: int = 0
    main: str = ""
    anchor: str = ""
    compaction: bool = False
    wanted: re.Pattern[str] | None = None  # what an answer must hold
    within: tuple[int, int] | None = None  # ms: a time that the question mentions


# what an answer must hold, whatever its words: a number, the hash of a commit, or lines to type
AMOUNT = re.compile(
    r"\bhow (many|much|long|often|big|large|old|far|fast|wide)\b|\b(count|number|amount) of\b|\b\w{3,} count\b"
    r"|\b(which|what) (port|version|limit|timeout|size|status|code)\b"
)
NUMBER = re.compile(r"(?<![\w.:/-])\d[\d_,.]*\d?(?![\w/-])")
HASH = re.compile(r"(?<![\w./-])(?=[a-f]*\d)[0-9a-f]{7,12}(?![\w/-])")
CODE = re.compile(r"```[a-z]+\s+[^\s`][^`]{3,80}")
MOST_WANTED = 200  # places of one text

NOTHING_ASKED = Asked(frozenset())


def wanted(question: str) -> re.Pattern[str] | None:
    """What the answer to a question must hold, as far as that can be told; never raises."""
    low = " ".join(question.lower().split())[:1_000]
    if any(name == "commit" and pattern.search(low) for name, pattern in ASKED):
        return HASH
    if AMOUNT.search(low):
        return NUMBER
    return CODE if dict(ASKED)["command"].search(low) else None


def places(pattern: re.Pattern[str] | None, text: str) -> list[tuple[int, int]]:
    """Where it stands in a text."""
    return [found.span() for found in islice(pattern.finditer(text), MOST_WANTED)] if pattern else []


def asked(text: str, within: tuple[int, int] | None = None) -> Asked:
    """Read a question that mentions the time `within`; never raises."""
    return replace(_asked(text), within=within, wanted=wanted(text))


def _asked(text: str) -> Asked:
    low = " ".join(text.lower().split())[:1_000]
    kinds = frozenset(name for name, pattern in ASKED if pattern.search(low))
    number = COUNTED.search(low)
    counted = (number.group(1) or number.group(2))[:MOST_COUNTED].rstrip("s") if number else ""
    when = COMPACTION.search(low)
    if when:
        end = _end(low)
        return Asked(kinds, end, counted, 0, _about(WHEN.split(COMPACTION.sub(" ", low))[0]), "", True)
    found = SIDE.search(low)
    if found:
        side, main = 1 if found.group(2) in LATER else -1, low[: found.start()]
        end = _end(main)
        if end == -side:  # the first after something, the last before it: what is next to it
            end = 0
        return Asked(kinds, end, counted, side, _about(main), found.group(3).strip(" ?.!"))
    return Asked(kinds, _end(low), counted, main=_about(low))


def _end(text: str) -> int:
    return 1 if LAST.search(text) else -1 if FIRST.search(text) else 0


def _about(text: str) -> str:
    """What a question is about, without the words that frame it."""
    return FRAME.sub(" ", text)
