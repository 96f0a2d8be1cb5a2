"""How well rows match by words alone, and cheaply where very many do: bm25 for rare words, mere presence for common ones.

bm25 visits every row that holds a word twice, to count it and to score it. A word that stands in every tenth row tells little
of them apart, so beside rarer words it only adds its weight where it stands, and where nothing is rare the newest rows count.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database, Value
    from session_memory.index.match import Match

WEIGHTS = "1.0, 0.6"  # of the columns text and parts: a part of a word says less than the word
ENOUGH = 6_000  # rows that bm25 visits
AT_MOST = 2  # times so many rows of the rarest word are looked at where no word is rare
NEWEST = 2_500  # rows in which common words are looked for whatever stands beside them
FEW = 1_200  # rows with a rare word below which pairs of common words are looked for as well
COMMON, PAIRED = 8, 5  # common words that count, and that are paired: the rarest of them
PRESENT = 1.3  # what bm25 gives on the average for a word that stands in a text, beside its weight
SAMPLE = 20  # one in so many rows, the newest, tells whether a word is still common
LEAST = 0.05  # weight of a word that stands in more than half of the rows: bm25 gives it none
BM25 = f"SELECT rowid AS n, bm25(event_text, {WEIGHTS}) AS score FROM event_text WHERE event_text MATCH ?"
HELD = "SELECT rowid AS n, ? AS score FROM event_text WHERE event_text MATCH ?"


class Word(NamedTuple):
    """An FTS5 expression and in about how many rows it stands."""

    expression: str
    rows: int


class Scored(NamedTuple):
    """SQL that gives (n, score) of rows, lower is better, its values, whether a row may come twice (the scores then add up),
    and whether these are all rows that match."""

    sql: str
    values: list[Value]
    parted: bool
    whole: bool


def every(match: Match) -> Scored:
    """All rows that match, by bm25."""
    return Scored(BM25, [match.required], parted=False, whole=True)


def scored(database: Database, match: Match) -> Scored:
    """The rows that are worth ranking: all that match as long as these are not very many."""
    last = database.one("SELECT max(n) FROM event")
    rows = (last[0] or 0) if last else 0
    if rows <= ENOUGH:
        return every(match)
    words = sorted((Word(each, _rows(database, each, rows)) for each in match.wholes), key=lambda word: word.rows)
    rare: list[Word] = []
    while words and sum(each.rows for each in rare) + words[0].rows <= ENOUGH:
        rare.append(words.pop(0))
    if not words:
        return every(match)
    return _parted(database, match, rare, words[:COMMON], rows)


def _parted(database: Database, match: Match, rare: list[Word], common: list[Word], rows: int) -> Scored:
    """Rare words everywhere; common ones beside them, beside each other, and in the newest rows."""
    newest = database.one(
        "SELECT min(n) FROM (SELECT rowid AS n FROM event_text WHERE event_text MATCH ? ORDER BY rowid DESC LIMIT ?)",
        (match.required, NEWEST),
    )
    since: Value = newest[0] if newest else 0
    base = [each.expression for each in rare]
    room = sum(each.rows for each in rare)
    pieces: list[str] = []
    values: list[Value] = []
    if base:
        pieces, values = [BM25], [" OR ".join(base)]
    if not rare and len(common) > 1 and common[0].rows <= AT_MOST * ENOUGH:
        base.append(common[0].expression)  # better the rarest of several words everywhere than none
    elif room < FEW:
        base += _pairs(common[:PAIRED], rows, ENOUGH - room)
    for word in common:
        weight = -PRESENT * max(LEAST, math.log((rows - word.rows + 0.5) / (word.rows + 0.5)))
        pieces.append(f"{HELD} AND rowid >= ?")
        values += [weight, word.expression, since]
        if base:
            pieces.append(f"{HELD} AND rowid < ?")
            values += [weight, f"({' OR '.join(base)}) AND {word.expression}", since]
    return Scored(" UNION ALL ".join(pieces), values, parted=len(pieces) > 1, whole=False)


def _pairs(common: Sequence[Word], rows: int, room: int) -> list[str]:
    """Pairs of words that stand together in few enough rows, as far as chance tells: the rarest first."""
    found = []
    for one, other in sorted(combinations(common, 2), key=lambda pair: pair[0].rows * pair[1].rows):
        room -= one.rows * other.rows // rows
        if room < 0:
            break
        found.append(f"({one.expression} AND {other.expression})")
    return found


def _rows(database: Database, expression: str, rows: int) -> int:
    """In how many of `rows` rows a word stands: counted up to ENOUGH, told from how soon so many were found beyond.

    The newest rows are looked at too: a word may stand in the old ones only.
    """
    inner = "SELECT rowid AS n FROM event_text WHERE event_text MATCH ?"
    found = database.one(f"SELECT count(*), max(n) FROM ({inner} LIMIT ?)", (expression, ENOUGH + 1)) or (0, 0)
    if found[0] <= ENOUGH:
        return int(found[0])
    newest = (expression, rows - rows // SAMPLE, ENOUGH + 1)
    late = database.one(f"SELECT count(*) FROM ({inner} AND rowid > ? LIMIT ?)", newest) or (0,)
    early = int(found[0] * rows / found[1])
    return early if late[0] > ENOUGH else max(ENOUGH + 1, min(early, int(late[0]) * SAMPLE))
