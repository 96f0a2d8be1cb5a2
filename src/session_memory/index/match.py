"""A human's keyword as an FTS5 expression: never an error, never FTS syntax, whole words before their parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from session_memory.model.values import clean_text
from session_memory.model.words import RUN, SYMBOL, pictures, pieces, spelled

MOST_CHARACTERS = 20_000
MOST_TERMS = 64
QUOTED = re.compile(r'"([^"]*)"')
JOINED = re.compile(r"[./_\-:@#+\\]")
EDGE = " \t\r\n.,;:!?()[]{}<>'\"`*^~|&=/\\-"
STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in is it its me my no not of"
    " on or our shall should so some that the their them then there these they this those to us was we were what when"
    " where which who whom whose why will with would you your about into again any all also".split()
)


@dataclass(frozen=True)
class Match:
    """What matches: any of `wholes` (FTS5 expressions). `parts` are pieces of the `joined` words and only add rank; `said` is what
    was asked, word by word in lower case."""

    wholes: tuple[str, ...]
    parts: tuple[str, ...]
    joined: tuple[str, ...]
    said: tuple[str, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether there is more than stop words."""
        return any(each.strip('"').lower() not in STOP for each in self.wholes)

    @property
    def required(self) -> str:
        """The expression that decides what matches."""
        return " OR ".join(self.wholes)


def match(keyword: str) -> Match | None:
    """The expression of a keyword, or None when there is no word in it (which finds nothing). Never raises."""
    text = clean_text(keyword[:MOST_CHARACTERS]).replace("\0", " ")
    whole: dict[str, None] = {}
    parts: dict[str, None] = {}
    stops: dict[str, None] = {}
    joined: dict[str, None] = {}
    for phrase in QUOTED.findall(text):
        for expression in _phrase(phrase):
            whole[expression] = None
    for chunk in QUOTED.sub(" ", text).split():
        _take(chunk, whole, parts, stops, joined)
    required = _longest(whole) or _longest(stops)
    if not required:
        return None
    said = tuple(text.lower().split()[:MOST_TERMS])
    return Match(tuple(required), tuple(parts)[:MOST_TERMS], tuple(joined), said)


def _take(
    chunk: str, whole: dict[str, None], parts: dict[str, None], stops: dict[str, None], joined: dict[str, None]
) -> None:
    symbol = SYMBOL.search(chunk)
    if symbol and symbol.group() == chunk.strip(",;:!?()[]{}<>'\"`*"):
        whole[f'parts : "{spelled(symbol.group())}"'] = None
        return
    for picture in _pictures(chunk):
        whole[picture] = None
    for run in RUN.findall(chunk):
        for expression in _pairs(run):
            whole[expression] = None
    for rest in RUN.split(chunk):
        word = rest.strip(EDGE)
        if not any(c.isalnum() for c in word):
            continue
        if word.lower() in STOP:
            stops[_quote(word)] = None
            continue
        whole[_quote(word)] = None
        split = [piece for piece in JOINED.split(word) if piece]
        if len(split) > 1 or pieces(word):
            joined[word.lower()] = None
        for piece in split:
            if len(split) > 1 and len(piece) > 1 and piece.lower() not in STOP:
                parts[piece.lower()] = None
            for smaller in pieces(piece):
                parts[smaller.lower()] = None


def _phrase(text: str) -> list[str]:
    runs = RUN.findall(text)
    if runs:  # a phrase of pairs for each run: their order across runs is not kept
        return [expression for run in runs for expression in _pairs(run)]
    return [_quote(text)] if any(c.isalnum() for c in text) else _pictures(text)


def _pictures(text: str) -> list[str]:
    return [f'parts : "{each}"' for each in pictures(text)] if not text.isascii() else []


def _pairs(run: str) -> list[str]:
    letters = [c for c in run if c.isalnum()]
    if not letters:
        return []
    if len(letters) == 1:
        return [f'parts : "{letters[0]}" *']
    return [f'parts : "{" ".join(a + b for a, b in zip(letters, letters[1:]))}"']


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _longest(expressions: dict[str, None]) -> list[str]:
    """At most MOST_TERMS, the longest first where there are more: they are the rarer ones."""
    if len(expressions) <= MOST_TERMS:
        return list(expressions)
    return sorted(expressions, key=len, reverse=True)[:MOST_TERMS]
