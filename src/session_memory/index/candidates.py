"""The events that may be meant: the best by full text that the filters let through, from a bounded part of what matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database, Value
    from session_memory.index.match import Match

POOL = 600  # candidates that are ranked with all that is known of them; behind them bm25 decides
FIRST_HITS = 1_200  # rows taken from full text before filters
MANY, MANY_ALONE = 50_000, 8_000  # rows beyond which ranking is bounded; the same for a word that stands alone
COMMON, NEWEST = 10_000, 4_000  # rows beyond which a word is common; rows in which it is looked for then
SAMPLE = 20  # one in so many rows is counted
WEIGHTS = "1.0, 0.6"  # of the columns text and parts: a part of a word says less than the word


@dataclass
class Hit:
    """An event that may be meant: its row, what it is, its score (1 = the best by words alone) and its parts."""

    n: int
    session: int
    category: str
    type: str
    parent: bytes | None
    at: int
    score: float = 0.0
    words: float = 0.0  # bm25, more is better; 1 = the best
    similarity: float | None = None
    file: str = ""
    look: str = ""  # the letters its text begins with
    parts: dict[str, float] = field(default_factory=dict)


def candidates(database: Database, match: Match, where: str, values: Sequence[Value]) -> dict[int, Hit]:
    """The best rows by words alone that the filters let through, at most POOL."""
    bounded, hits = True, FIRST_HITS
    while True:
        inner, matched, whole = _scored(database, match, bounded)
        # CROSS JOIN: the few hits lead, whatever the planner thinks of them
        sql = (
            f"WITH scored AS MATERIALIZED ({inner}), hit AS MATERIALIZED"
            " (SELECT n, min(score) AS score FROM scored GROUP BY n ORDER BY score LIMIT ?)"
            " SELECT event.n, event.session_n, event.category, event.type, event.parent, event.at, -hit.score,"
            " (SELECT count(*) FROM hit) FROM hit CROSS JOIN event ON event.n = hit.n"
            f" WHERE {where} ORDER BY hit.score, event.at DESC, event.hlc DESC LIMIT ?"
        )
        rows = list(database.rows(sql, [*matched, hits, *values, POOL]))
        seen = rows[0][-1] if rows else hits
        if len(rows) == POOL or hits < 0 or (seen < hits and whole):
            pool = {row[0]: Hit(*row[:6]) for row in rows}
            for row in rows:
                pool[row[0]].words = row[6]
            return pool
        bounded, hits = False, -1  # SQLite's "no limit": the filters left too few of the best


def rest(
    database: Database, match: Match, where: str, values: Sequence[Value], pool: Sequence[int], offset: int, limit: int
) -> list[int]:
    """What comes behind the pool, by bm25 alone."""
    sql = (
        f"SELECT event.n FROM event_text CROSS JOIN event ON event.n = event_text.rowid WHERE event_text MATCH ? AND {where}"
        f" ORDER BY bm25(event_text, {WEIGHTS}), event.at DESC, event.hlc DESC LIMIT ?"
    )
    known = set(pool)
    rows = database.rows(sql, [match.required, *values, len(pool) + offset + limit])
    return [row[0] for row in rows if row[0] not in known][offset : offset + limit]


def _scored(database: Database, match: Match, bounded: bool) -> tuple[str, list[Value], bool]:
    """SQL that gives (n, score) of the rows to be ranked, its values, and whether these are all that match.

    Where very many rows match, only words that are not in many rows are looked for everywhere, and the others in the
    newest rows: a word that stands in every row tells nothing of them apart, and costs the most.
    """
    scored = f"SELECT rowid AS n, bm25(event_text, {WEIGHTS}) AS score FROM event_text WHERE event_text MATCH ?"
    few = match.wholes if len(match.wholes) > 1 else ()
    many = MANY if few else MANY_ALONE
    last = database.one("SELECT max(n) FROM event") if bounded else None
    rows = (last[0] or 0) if last else 0
    if rows < many or _about(database, match.required, rows) < many:
        return scored, [match.required], True
    rare = [each for each in few if _about(database, each, rows) < COMMON]
    newest = database.one(
        "SELECT min(n) FROM (SELECT rowid AS n FROM event_text WHERE event_text MATCH ? ORDER BY rowid DESC LIMIT ?)",
        (match.required, NEWEST),
    )
    since: Value = newest[0] if newest else 0
    recent = f"{scored} AND rowid >= ?"
    if not rare:
        return recent, [match.required, since], False
    return f"{scored} UNION ALL {recent}", [" OR ".join(rare), match.required, since], False


def _about(database: Database, expression: str, rows: int) -> int:
    """About how many of `rows` rows match, told from the newest of them: counting them all would cost as much as ranking."""
    sql = "SELECT count(*) FROM event_text WHERE event_text MATCH ? AND rowid > ?"
    row = database.one(sql, (expression, rows - rows // SAMPLE))
    return int(row[0]) * SAMPLE if row else 0
