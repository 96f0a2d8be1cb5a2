"""The events that may be meant: the best by full text that the filters let through, from a bounded part of what matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_memory.index import scoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database, Value
    from session_memory.index.match import Match

POOL = 600  # candidates that are ranked with all that is known of them; behind them bm25 decides
FIRST_HITS = 1_200  # rows taken from full text before filters


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
    command: str = ""  # the first two words of what a call without a file runs
    look: str = ""  # the letters its text begins with
    parts: dict[str, float] = field(default_factory=dict)


def candidates(database: Database, match: Match, where: str, values: Sequence[Value]) -> dict[int, Hit]:
    """The best rows by words alone that the filters let through, at most POOL."""
    found, hits = scoring.scored(database, match), FIRST_HITS
    while True:
        inner = f"SELECT n, sum(score) AS score FROM ({found.sql}) GROUP BY n" if found.parted else found.sql
        # CROSS JOIN: the few hits lead, whatever the planner thinks of them
        sql = (
            f"WITH hit AS MATERIALIZED ({inner} ORDER BY score, n DESC LIMIT ?)"
            " SELECT event.n, event.session_n, event.category, event.type, event.parent, event.at, -hit.score,"
            " (SELECT count(*) FROM hit) FROM hit CROSS JOIN event ON event.n = hit.n"
            f" WHERE {where} ORDER BY hit.score, event.at DESC, event.hlc DESC LIMIT ?"
        )
        rows = list(database.rows(sql, [*found.values, hits, *values, POOL]))
        seen = rows[0][-1] if rows else hits
        if len(rows) == POOL or hits < 0 or (seen < hits and found.whole):
            pool = {row[0]: Hit(*row[:6]) for row in rows}
            for row in rows:
                pool[row[0]].words = row[6]
            return pool
        found, hits = scoring.every(match), -1  # SQLite's "no limit": the filters left too few of the best


def rest(
    database: Database, match: Match, where: str, values: Sequence[Value], pool: Sequence[int], offset: int, limit: int
) -> list[int]:
    """What comes behind the pool, by bm25 alone."""
    sql = (
        f"SELECT event.n FROM event_text CROSS JOIN event ON event.n = event_text.rowid WHERE event_text MATCH ? AND {where}"
        f" ORDER BY bm25(event_text, {scoring.WEIGHTS}), event.at DESC, event.hlc DESC LIMIT ?"
    )
    known = set(pool)
    rows = database.rows(sql, [match.required, *values, len(pool) + offset + limit])
    return [row[0] for row in rows if row[0] not in known][offset : offset + limit]
