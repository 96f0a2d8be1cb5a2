"""Which words the index knows: how often each, and how the nearest of them are spelled.

The list of all words is that of every project; none of it is told before an event of the asked ones was found to hold it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from session_memory.index import search

if TYPE_CHECKING:
    from session_memory.index.database import Database

MOST = 1_000  # events of one word that are counted
LOOKED = 40_000  # known words of one first letter that are compared
TRIED = 12  # of the nearest that are looked for in the asked projects
WORD = re.compile(r"\w+")
# what the index takes off words to get at their stems
ENDINGS = frozenset(
    "s es e ed d er ers ing ings ion ions ation ations ment ments ness al ally ity ive ize ized able ible ly y ies ied".split()
)


def count(database: Database, wanted: search.Filter, expression: str) -> int:
    """How many events within a filter an FTS5 expression matches, at most MOST."""
    where, values = search.conditions(wanted)
    row = database.one(
        "SELECT count(*) FROM (SELECT 1 FROM event_text JOIN event ON event.n = event_text.rowid"
        f" WHERE event_text MATCH ? AND {where} LIMIT ?)",
        [expression, *values, MOST],
    )
    return int(row[0]) if row else 0


def nearest(database: Database, wanted: search.Filter, word: str, most: int = 3) -> dict[str, int]:
    """Known words that are spelled almost as `word` is, with how many events hold each, the nearest first."""
    low = _plain(word)
    if not low.isalnum() or len(low) < 3:
        return {}
    database.run("CREATE VIRTUAL TABLE IF NOT EXISTS temp.known_word USING fts5vocab('main', 'event_text', 'row')")
    rows = database.rows(
        "SELECT term FROM temp.known_word WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? LIMIT ?",
        (low[0], chr(ord(low[0]) + 1), max(3, len(low) - 7), len(low) + 2, LOOKED),
    )
    near = sorted((far, term) for (term,) in rows if (far := apart(low, term, most := _allowed(term))) <= most)
    near = [each for each in near if each[0] == near[0][0]]
    found: dict[str, int] = {}
    for _far, term in near[:TRIED]:
        spelled = _spelled(database, wanted, term, low)
        if spelled and spelled not in found:
            found[spelled] = count(database, wanted, f'"{spelled}"')
        if len(found) == most:
            break
    return found


def _allowed(term: str) -> int:
    """How far off a word may be to count as a spelling of it."""
    return 1 if len(term) < 6 else 2


def _spelled(database: Database, wanted: search.Filter, term: str, word: str) -> str:
    """A term of the index, which keeps stems, as an event of the asked projects spells it; "" where none holds it."""
    where, values = search.conditions(wanted)
    row = database.one(
        "SELECT words_text(event.data) FROM event_text JOIN event ON event.n = event_text.rowid"
        f" WHERE event_text MATCH ? AND {where} LIMIT 1",
        [f'text : "{term}"', *values],
    )
    begins = term[: max(3, len(term) - 1)]
    known = {each for each in WORD.findall(row[0]) if _plain(each).startswith(begins)} if row else set()
    return min(known, key=lambda each: (apart(_plain(each), word, 9), each), default="").lower()


def _plain(word: str) -> str:
    """In small letters without accents, as the index keeps words."""
    low = word.lower()
    if low.isascii():
        return low
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))


def apart(one: str, other: str, most: int) -> int:
    """Letters to put in, leave out, change or swap to get from a word to a stem; endings that words take count nothing.

    More than `most` is told as `most` + 1."""
    if len(other) > len(one) + most or len(other) < len(one) - most - 6:
        return most + 1
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            step = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                step = min(step, rows[-2][j - 2] + 1)
            row.append(step)
        if min(row) > most:
            break
        rows.append(row)
    return min([most + 1, *(row[-1] for i, row in enumerate(rows) if i == len(one) or one[i:] in ENDINGS)])
