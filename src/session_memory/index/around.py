"""What stands around the events that match: neighbours in their session, and what happened when the question says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from session_memory.index.candidates import Hit, candidates
from session_memory.index.match import match as match_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from session_memory.index.database import Database, Value
    from session_memory.model.asking import Asked

NEXT = (0.4, 0.1)  # shares of its score that an event lends to the next and the one behind it, both ways
TOOLS = 0.7  # how much of that where everything is calls of tools: what stands beside a call is seldom what is meant
LENDERS = 60  # how many of the best lend
REACH = 12  # how far around an event what matches counts for it (events)
NEARBY, ANCHORS = 12, 3  # how far what a question names as a time reaches (events), and how many places may be meant
TYPED = 60  # words of the user that are looked at where a wish is asked for


def density(pool: Mapping[int, Hit]) -> dict[int, float]:
    """For each candidate how much matches around it in its session: the root of the sum of squares, less with distance."""
    sessions: dict[int, list[Hit]] = {}
    for hit in sorted(pool.values(), key=lambda hit: hit.n):
        sessions.setdefault(hit.session, []).append(hit)
    found: dict[int, float] = {}
    for hits in sessions.values():
        behind = _faded(hits)
        before = _faded(hits[::-1])[::-1]
        for hit, one, other in zip(hits, behind, before):
            found[hit.n] = math.sqrt(one + other - hit.words * hit.words)  # itself is in both
    return found


def _faded(hits: Sequence[Hit]) -> list[float]:
    """For each of these hits the squares of it and of all before it, each fading with its distance."""
    sums: list[float] = []
    total, last = 0.0, hits[0].n
    for hit in hits:
        total = total * math.exp(-2 * abs(hit.n - last) / REACH) + hit.words * hit.words
        last = hit.n
        sums.append(total)
    return sums


def lend(
    database: Database, pool: dict[int, Hit], where: str, values: Sequence[Value], *, talk: float, beyond: bool
) -> None:
    """Each candidate lends a share of its score to the events before and after it in its session."""
    lent: dict[int, float] = {}
    share = TOOLS + (1 - TOOLS) * talk
    lenders = sorted(pool.values(), key=lambda hit: -hit.words)[:LENDERS]
    for n, *others in database.rows(_neighbours(len(lenders)), [hit.n for hit in lenders]):
        for place, other in enumerate(others):
            if other is not None:
                lent[other] = lent.get(other, 0.0) + share * NEXT[place // 2] * pool[n].words
    if beyond:
        add(database, pool, lent, where, values)
    for n, gain in lent.items():
        if n in pool:
            pool[n].parts["beside"] = gain


def _neighbours(count: int) -> str:
    """SQL that gives for each of `count` events itself and the next before and after it in its session, as far as NEXT reaches."""
    columns = ", ".join(
        f"(SELECT n FROM event WHERE session_n = one.session_n AND at {sign}= one.at AND (at, n) {sign} (one.at, one.n)"
        f" ORDER BY at {way}, n {way} LIMIT 1 OFFSET {step})"
        for step in range(len(NEXT))
        for way, sign in (("DESC", "<"), ("ASC", ">"))
    )
    return f"SELECT n, {columns} FROM event AS one WHERE n IN ({', '.join('?' * count)})"


def add(database: Database, pool: dict[int, Hit], numbers: Iterable[int], where: str, values: Sequence[Value]) -> None:
    """Put events into the pool that the filters let through."""
    new = [n for n in numbers if n not in pool]
    marks = ", ".join("?" * len(new))
    sql = f"SELECT n, session_n, category, type, parent, at FROM event WHERE n IN ({marks}) AND {where}"
    for row in database.rows(sql, [*new, *values]):
        pool[row[0]] = Hit(*row)


def _beside(database: Database, session: int, at: int, n: int, most: int, side: int = 0) -> list[tuple[int, int]]:
    """(number, steps away from 0 on) of the events before (side -1) and after (1) one in its session."""
    found = []
    for way, sign, each in (("DESC", "<", -1), ("ASC", ">", 1)):
        if side in (0, each):
            rows = database.rows(
                f"SELECT n FROM event WHERE session_n = ? AND at {sign}= ? AND (at, n) {sign} (?, ?)"
                f" ORDER BY at {way}, n {way} LIMIT ?",
                (session, at, at, n, most),
            )
            found += [(row[0], step) for step, row in enumerate(rows)]
    return found


def near_time(
    database: Database, pool: dict[int, Hit], asked: Asked, where: str, values: Sequence[Value], *, beyond: bool,
    weight: float,
) -> None:  # fmt: skip
    """What happened about when the question names: a compaction, or what it was before or after."""
    gains: dict[int, float] = {}
    for n, session, at in _anchors(database, asked, where, values):
        gains[n] = max(gains.get(n, 0.0), 1.0 if asked.compaction else 0.0)
        for other, step in _beside(database, session, at, n, NEARBY, asked.side):
            gains[other] = max(gains.get(other, 0.0), math.exp(-2 * step / NEARBY))
    if beyond:
        add(database, pool, gains, where, values)
    for n, gain in gains.items():
        if n in pool and gain:
            pool[n].parts["time"] = weight * gain


def _anchors(database: Database, asked: Asked, where: str, values: Sequence[Value]) -> list[tuple[int, int, int]]:
    """(n, session, at) of what a question names as a time."""
    if asked.compaction:
        sql = (
            "SELECT n, session_n, at FROM event WHERE category = 'message' AND type = 'compact_summary'"
            f" AND {where} ORDER BY at DESC LIMIT {ANCHORS}"
        )
        return list(database.rows(sql, values))
    words = match_words(asked.anchor) if asked.side else None
    if words is None:
        return []
    found = candidates(database, words, where, values)
    around = density(found)
    best_hits = sorted(found.values(), key=lambda hit: -(hit.words + around[hit.n]))[:ANCHORS]
    return [(hit.n, hit.session, hit.at) for hit in best_hits]


def typed(database: Database, where: str, values: Sequence[Value]) -> list[int]:
    """What the user said last, whatever its words."""
    sql = f"SELECT n FROM event WHERE {where} AND category = 'message' AND stated_by = 'user' ORDER BY at DESC LIMIT {TYPED}"
    return [row[0] for row in database.rows(sql, values)]
