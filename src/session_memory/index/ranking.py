"""The one ranking: which events answer some words best, and what each of them owes its place to.

Words first (bm25 over text and parts), then what stands around: an event beside others that match is more likely meant
than one that matches alone. Everything after the first step looks at a bounded pool of candidates only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from session_memory.index.database import loads
from session_memory.index.match import Match
from session_memory.index.match import match as match_words
from session_memory.model.passage import best, stem, stems
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from session_memory.index.database import Database, Value
    from session_memory.model.asking import Asked

POOL = 300  # candidates that are ranked with all that is known of them; behind them bm25 decides
FIRST_HITS = 600  # rows taken from full text before filters
MANY, COMMON = 8_000, 4_000  # rows beyond which ranking is bounded; rows beyond which a word is common
WEIGHTS = "1.0, 0.6"  # of the columns text and parts: a part of a word says less than the word
NEXT = (0.4, 0.1)  # shares of its score that an event lends to the next and the one behind it, both ways
LENDERS = 60  # how many of the best lend
AROUND, REACH = 0.6, 12  # weight of what matches around an event, and how far around reaches (events)
CLOSE = 80  # candidates whose texts are looked at
PASSAGE = 0.5  # weight of how much of the query stands in one passage
PIECES = 0.1  # weight of the parts of joined words that stand alone as well
LIKED = 1.5  # factor for an event of the kind that is asked for
DONE = 0.8  # factor for answers of tools that only say that a file was written
DEFINES, SHOWS = 1.7, 1.15  # factors for a call that defines a name, and for another text that does
ENDS = 0.5  # how much the first or last of the hits gains where one is asked for
ABOUT = 0.5  # share of what a question is about, beside all of its words
TYPED = 60  # words of the user that are looked at where a wish is asked for
AGAIN, ALIKE = 0.9, 0.9  # factors for each further hit in the same file, and of a text that begins alike
LOOK = 200
LONG_COMMAND = 300  # a longer one is a script or a commit message
LETTERS = re.compile(r"[^a-z]+")
BESIDE, ALONE, NEARBY, ANCHORS = 1.0, 2.0, 12, 3  # gain beside what a question names as a time, how far that reaches (events)
RULE = re.compile(r"\b(must|never|do not|don't|always|only|instead of|not allowed|forbidden|required?)\b")
COMMIT = re.compile(r"\[[\w./-]+(?: \([^)]*\))? [0-9a-f]{7,40}\] ")
DEFINITION = re.compile(
    r"\b(?:def|defp|defmodule|defmacro|defmacrop|class|struct|interface|enum|trait|fn|func|function|fun|const|let|var|val"
    r"|module|impl|table|identity|attribute|alias as|type)\b|\(\) *\{"
)
# weight of nearness in meaning where everything is talk, and where everything is calls of tools and what they gave
MEANING, MEANING_TOOLS = 1.2, 0.3
NEAREST = 100  # how many of the nearest join the pool
QUESTION, NAMED = 0.85, 1.15  # factors for dialogue: a question seldom answers; somebody named in the query is meant


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


def rank(
    database: Database, match: Match | None, where: str, values: Sequence[Value], *, asked: Asked,
    beyond: bool = False, near: Near | None = None,
) -> list[Hit]:  # fmt: skip
    """The pool, best first. With `beyond` also events that hold none of the words: they stand beside those that do, happened
    when the question says, or are `near` in meaning."""
    if match is None:
        match = Match((), (), ())
    main = _main(match, asked)
    pool = candidates(database, match, where, values) if match.wholes else {}
    if main is not None and main != match and len(pool) < POOL:  # a full pool holds the best of both already
        _about(pool, candidates(database, main, where, values))
    if beyond and "wish" in asked.kinds:
        _add(database, pool, _typed(database, where, values), where, values)
    if near is not None and beyond:
        _add(database, pool, near.best(NEAREST), where, values)
    if not pool:
        return []
    top = max(hit.words for hit in pool.values()) or 1.0
    for hit in pool.values():
        hit.words /= top
        hit.parts["words"] = hit.words
    _lend(database, pool, where, values, beyond=beyond)
    _near_time(database, pool, asked, where, values, beyond=beyond, weight=ALONE if main is None else BESIDE)
    if near is not None:
        _mean(pool, near)
    around = _around(pool)
    widest = max(around.values()) or 1.0
    for hit in pool.values():
        hit.parts["around"] = AROUND * around[hit.n] / widest
        hit.score = sum(hit.parts.values())
    ordered = sorted(pool.values(), key=_order)
    near = ordered[:CLOSE]
    _read(database, near, match, main or match, asked)
    _ends(near, asked)
    return [*_varied(sorted(near, key=_order)), *ordered[CLOSE:]]


class Near(Protocol):
    """How near events are to a query in meaning: index/vectors.py."""

    def best(self, most: int) -> list[int]:
        """The nearest, nearest first."""

    def of(self, numbers: Sequence[int]) -> dict[int, tuple[float, float]]:
        """(cosine, cosine with its neighbours') of those of these events that are known."""


def _mean(pool: dict[int, Hit], near: Near) -> None:
    """Nearness in meaning as a share of the nearest candidate's: sums of scores tell more than sums of ranks."""
    found = near.of(list(pool))
    if not found:
        return
    low, high = min(each for _own, each in found.values()), max(each for _own, each in found.values())
    talk = sum(not hit.category.startswith("tool_") for hit in pool.values()) / len(pool)
    weight = MEANING_TOOLS + (MEANING - MEANING_TOOLS) * talk * talk
    for n, (own, smooth) in found.items():
        pool[n].similarity = own
        pool[n].parts["meaning"] = weight * (smooth - low) / ((high - low) or 1.0)


def _main(match: Match, asked: Asked) -> Match | None:
    """The words that say what a question is about; None when all of them only frame it."""
    if not asked.main:
        return match
    words = match_words(asked.main)
    kept = {each.lower() for each in words.wholes} if words is not None and words.tells else set()
    wholes = tuple(each for each in match.wholes if each.lower() in kept)
    return replace(match, wholes=wholes) if wholes else None


def _about(pool: dict[int, Hit], told: dict[int, Hit]) -> None:
    """What a question is about counts for more than the words that frame it or say when."""
    top = max((hit.words for hit in pool.values()), default=1.0) or 1.0
    best_told = max((hit.words for hit in told.values()), default=1.0) or 1.0
    for hit in pool.values():
        hit.words *= (1 - ABOUT) / top
    for n, hit in told.items():
        share = ABOUT * hit.words / best_told
        if n in pool:
            pool[n].words += share
        else:
            hit.words = share
            pool[n] = hit


def _typed(database: Database, where: str, values: Sequence[Value]) -> list[int]:
    """What the user said last, whatever its words."""
    sql = (
        f"SELECT n FROM event WHERE {where} AND category = 'message' AND stated_by = 'user' ORDER BY at DESC LIMIT {TYPED}"
    )
    return [row[0] for row in database.rows(sql, values)]


def _order(hit: Hit) -> tuple[float, int, int]:
    return (-hit.score, -hit.at, -hit.n)


def _varied(hits: list[Hit]) -> list[Hit]:
    """The same file, or nearly the same text, again and again tells little more each time."""
    seen: dict[str, int] = {}
    for hit in hits:
        factor = 1.0
        for each, less in ((hit.file, AGAIN), (hit.look, ALIKE)):
            times = seen.get(each, 0) if each else 0
            seen[each] = times + 1
            factor *= less ** min(times, 5)
        if factor != 1.0:
            hit.parts["again"] = hit.score * (factor - 1)
            hit.score *= factor
    return sorted(hits, key=_order)


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
            return {row[0]: Hit(*row[:6], words=row[6]) for row in rows}
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
    if not bounded or rows_with(database, match.required, MANY) < MANY:
        return scored, [match.required], True
    few = match.wholes if len(match.wholes) > 1 else ()
    rare = [each for each in few if rows_with(database, each, COMMON) < COMMON]
    newest = database.one(
        "SELECT min(n) FROM (SELECT rowid AS n FROM event_text WHERE event_text MATCH ? ORDER BY rowid DESC LIMIT ?)",
        (match.required, COMMON),
    )
    since: Value = newest[0] if newest else 0
    recent = f"{scored} AND rowid >= ?"
    if not rare:
        return recent, [match.required, since], False
    return f"{scored} UNION ALL {recent}", [" OR ".join(rare), match.required, since], False


def rows_with(database: Database, expression: str, most: int) -> int:
    """How many rows match, counted up to `most`."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM event_text WHERE event_text MATCH ? LIMIT ?)"
    row = database.one(sql, (expression, most))
    return int(row[0]) if row else 0


def _around(pool: Mapping[int, Hit]) -> dict[int, float]:
    """For each candidate how much matches around it in its session: the root of the sum of squares, less with distance."""
    fading = [math.exp(-2 * step / REACH) for step in range(2 * REACH)]  # beyond it is nothing
    sessions: dict[int, list[Hit]] = {}
    for hit in pool.values():
        sessions.setdefault(hit.session, []).append(hit)
    found = {}
    for hits in sessions.values():
        hits.sort(key=lambda hit: hit.n)
        first = 0
        for hit in hits:
            while hit.n - hits[first].n >= len(fading):
                first += 1
            total = 0.0
            for other in hits[first:]:
                step = abs(other.n - hit.n)
                if step >= len(fading):
                    break
                total += fading[step] * other.words * other.words
            found[hit.n] = math.sqrt(total)
    return found


def _lend(database: Database, pool: dict[int, Hit], where: str, values: Sequence[Value], *, beyond: bool) -> None:
    """Each candidate lends a share of its score to the events before and after it in its session."""
    lent: dict[int, float] = {}
    for hit in sorted(pool.values(), key=lambda hit: -hit.words)[:LENDERS]:
        for n, step in _beside(database, hit.session, hit.at, hit.n, len(NEXT)):
            lent[n] = lent.get(n, 0.0) + NEXT[step] * hit.words
    if beyond:
        _add(database, pool, lent, where, values)
    for n, share in lent.items():
        if n in pool:
            pool[n].parts["beside"] = share


def _add(database: Database, pool: dict[int, Hit], numbers: Iterable[int], where: str, values: Sequence[Value]) -> None:
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


def _near_time(
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
        _add(database, pool, gains, where, values)
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
    around = _around(found)
    best_hits = sorted(found.values(), key=lambda hit: -(hit.words + around[hit.n]))[:ANCHORS]
    return [(hit.n, hit.session, hit.at) for hit in best_hits]


def _read(database: Database, hits: list[Hit], match: Match, main: Match, asked: Asked) -> None:
    """What the texts of the first few tell: how much of the query stands close together, and what kind of event it is."""
    marks = ", ".join("?" * len(hits))
    rows = database.rows(f"SELECT n, data, stated_by FROM event WHERE n IN ({marks})", [hit.n for hit in hits])
    found = {row[0]: (loads(row[1]), row[2]) for row in rows}
    texts = {n: plain_text(data).lower() for n, (data, _by) in found.items()}
    words = stems([each.strip('"') for each in main.wholes])
    weights = {each: math.log(1 + len(hits) / (1 + sum(each in text for text in texts.values()))) for each in words}
    whole = sum(weights.values()) or 1.0
    for hit in hits:
        data, by = found[hit.n]
        text = texts[hit.n]
        files = data.get("files")
        if hit.category.startswith("tool_"):
            hit.look = LETTERS.sub("", text[:LOOK])[: LOOK // 4]
        hit.file = str(files[0]) if isinstance(files, list) and files else ""
        hit.parts["passage"] = PASSAGE * best(text, weights)[0] / whole
        hit.score += hit.parts["passage"]
        if match.parts:
            hit.parts["pieces"] = PIECES * _pieces_in(text, match) / len(match.parts)
            hit.score += hit.parts["pieces"]
        factor = 1.0
        for name, likes in KINDS:
            if name in asked.kinds and likes(hit, data, by, text):
                factor *= LIKED
        if asked.within is not None and asked.within[0] <= hit.at <= asked.within[1]:
            factor *= LIKED
        if asked.counted and re.search(rf"\b\d+ (?:\w+ )?{re.escape(asked.counted)}", text):
            factor *= LIKED
        if hit.category == "message":
            factor *= _spoken(data, words)
        elif hit.category == "tool_response" and hit.type in ("Edit", "Write"):
            factor *= DONE
        if any(defines(text, each) for each in match.joined):
            factor *= DEFINES if hit.category == "tool_call" else SHOWS
        if factor != 1.0:
            hit.parts["kind"] = hit.score * (factor - 1)
            hit.score *= factor


def _pieces_in(text: str, match: Match) -> int:
    """How many parts stand in the text beside the whole words they are parts of."""
    for word in match.joined:
        text = text.replace(word, " ")
    return sum(1 for part in match.parts if part in text)


def _spoken(data: Any, words: Sequence[str]) -> float:
    """The factor of a turn of a dialogue."""
    factor = 1.0
    if str(data.get("text", "")).partition(" [shared")[0].rstrip().endswith("?"):
        factor *= QUESTION
    if stem(str(data.get("speaker", ""))) in words:
        factor *= NAMED
    return factor


def defines(text: str, word: str) -> bool:
    """Whether the text (lower case) defines a name."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        whole = not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")
        if whole and DEFINITION.search(text[text.rfind("\n", 0, at) + 1 : end + 4]):
            return True
        at = text.find(word, end)
    return False


def _is_command(hit: Hit, data: Any, by: str, text: str) -> bool:
    given = data.get("input")
    command = given.get("command") if isinstance(given, dict) else None
    return hit.category == "tool_call" and isinstance(command, str) and len(command) <= LONG_COMMAND


def _is_failure(hit: Hit, data: Any, by: str, text: str) -> bool:
    return data.get("ok") is False or hit.type in ("blocker", "bug", "error")


def _is_reason(hit: Hit, data: Any, by: str, text: str) -> bool:
    return hit.category in ("decision", "finding", "assumption") or (hit.category == "message" and by == "model")


def _is_wish(hit: Hit, data: Any, by: str, text: str) -> bool:
    return by == "user" or hit.category in ("decision",) or bool(RULE.search(text))


def _is_place(hit: Hit, data: Any, by: str, text: str) -> bool:
    return hit.category == "tool_call" and bool(data.get("files")) and hit.type == "Write"


def _is_commit(hit: Hit, data: Any, by: str, text: str) -> bool:
    return bool(COMMIT.search(text[:400]))


KINDS = (
    ("command", _is_command), ("failure", _is_failure), ("reason", _is_reason), ("wish", _is_wish),
    ("place", _is_place), ("commit", _is_commit),
)  # fmt: skip


def _ends(hits: list[Hit], asked: Asked) -> None:
    """Where the first or the last is asked for, the earlier or later hits gain."""
    if not asked.end:
        return
    times = [hit.at for hit in hits]
    first, span = min(times), (max(times) - min(times)) or 1
    for hit in hits:
        there = (hit.at - first) / span
        hit.parts["end"] = hit.score * ENDS * (there if asked.end > 0 else 1 - there) ** 2
        hit.score += hit.parts["end"]
