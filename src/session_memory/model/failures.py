"""Failures as people meet them: the line of an error that tells what went wrong, and its form without what changes.

Two errors are the same when their lines are alike letter by letter, or when they differ in numbers, paths and addresses
only. A number that says which error it is (`errno 13`, `HTTP 404`, `TS2345`) is no such difference, nor is any name.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_LINE = 400  # characters of an error's line that are compared
MOST_TEXT = 60_000  # characters of an event that are looked through
SPEAKS = re.compile(
    r"(?i)(?:error|exception|fault|panic(?:ked)?)\b|\b(?:fatal|failed|failure|cannot|can't|could not|unable|denied"
    r"|undefined|unexpected|refused|not found|no such)\b|^\*\* \(|^E\s{2,}"
)
NUMBER, PATH, ADDRESS = "‹number›", "‹path›", "‹hex›"
FOLDED = re.compile(
    r"(?P<hex>\b0x[0-9a-f]+\b|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{7,64}\b)"
    # a path has a beginning that only paths have, an ending that only files have, or several folders: not `read/write`
    r"|(?P<path>(?<![\w:/.\\@+-])(?:(?:[A-Za-z]:[\\/]|~/|\.{1,2}/|/)[\w.@+-]+(?:[\\/][\w.@+-]+)*"
    r"|[\w.@+-]+(?:[\\/][\w.@+-]+)*[\\/][\w@+-]+\.[A-Za-z]\w{0,5}\b|[\w.@+-]+(?:[\\/][\w.@+-]+){2,}))"
    r"|(?P<kept>\b(?:errno|code|status|exit|http(?:/[\d.]+)?|signal|error)[ :=#(]{1,2}-?\d+\b|\bv?\d+(?:\.\d+){1,3}\b(?=\S*[a-z]))"
    r"|(?P<number>(?<![\w.])-?\d+(?:[.,:]\d+)*(?=\b|[a-z]{1,3}\b)|#\d+\b)",
    re.IGNORECASE,
)
MARKS = {"hex": ADDRESS, "path": PATH, "number": NUMBER}


def telling(text: str) -> str:
    """The line of a pasted error that says what went wrong: of a Python traceback the last such, else the first."""
    lines = [each for each in (" ".join(line.split()) for line in text.splitlines()) if each]
    speaking = [each for each in lines if SPEAKS.search(each) and not each.startswith("Traceback (")]
    last = bool(speaking) and "Traceback (most recent call last)" in text
    found = (speaking or lines or [""])[-1 if last else 0]
    return found if len(found) <= MOST_LINE else found[:MOST_LINE].rpartition(" ")[0] or found[:MOST_LINE]


@lru_cache(maxsize=4096)
def form(line: str) -> str:
    """A line in small letters with signs in place of numbers, paths and addresses."""
    return FOLDED.sub(_sign, line).casefold()


def _sign(found: re.Match[str]) -> str:
    return MARKS.get(found.lastgroup or "", found.group())


def words(line: str) -> str:
    """What of a line stays the same in all of its forms: what to search for."""
    return " ".join(FOLDED.sub(lambda found: found.group() if found.lastgroup == "kept" else " ", line).split())


def tells(line: str) -> bool:
    """Whether enough of a line stays the same to know it by its form."""
    return len(re.findall(r"[^\W\d_]{2,}", words(line))) > 1


def met(text: str, line: str) -> tuple[str, str] | None:
    """(`exact` or `form`, the line of `text`) where the error of `line` stands in it; None where it does not."""
    wanted, low, by_form = form(line), line.casefold(), tells(line)
    literal = max(re.split("‹[a-z]+›", wanted), key=len).strip()
    found = None
    for each in text[:MOST_TEXT].splitlines():
        said = " ".join(each.split())
        folded = said.casefold()
        if literal not in folded:
            continue
        if low in folded:
            return "exact", _around(said, folded.find(low))
        if by_form and found is None and wanted in form(said[:4000]):
            found = "form", _around(said, folded.find(literal))
    return found


def _around(said: str, at: int) -> str:
    begin = max(0, at - 80) if len(said) > MOST_LINE else 0
    return said[begin : begin + MOST_LINE]
