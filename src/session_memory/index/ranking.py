"""The one ranking: which events answer some words best, and what each of them owes its place to.

Words first (bm25 over text and parts), then what stands around: an event beside others that match is more likely meant
than one that matches alone; then nearness in meaning where there are vectors, and what the texts of the best tell.
Everything after the first step looks at a bounded pool of candidates only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from session_memory.index import candidates as pools
from session_memory.index.around import add, density, lend, near_time, typed
from session_memory.index.candidates import Hit, candidates
from session_memory.index.match import Match
from session_memory.index.match import match as match_words
from session_memory.index.reading import look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_memory.index.database import Database, Value
    from session_memory.model.asking import Asked

AROUND = 0.6  # weight of what matches around an event
CLOSE = 80  # candidates whose texts are looked at
ENDS = 0.8  # how much the first or last of the hits gains where one is asked for
ABOUT = 0.5  # share of what a question is about, beside all of its words
# factors for each further hit in the same file or of the same command, and of a text that begins alike
AGAIN, ALIKE = 0.9, 0.9
BESIDE, ALONE = 1.0, 2.0  # gain beside what a question names as a time; where it says nothing else
# weight of nearness in meaning where everything is talk, and where everything is calls of tools and what they gave
MEANING, MEANING_TOOLS = 1.2, 0.3
NEAREST = 100  # how many of the nearest join the pool


class Near(Protocol):
    """How near events are to a query in meaning: index/vectors.py."""

    def best(self, most: int) -> list[int]:
        """The nearest, nearest first."""

    def of(self, numbers: Sequence[int]) -> dict[int, tuple[float, float]]:
        """(cosine, cosine with its neighbours') of those of these events that are known."""


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
    if main is not None and main != match and len(pool) < pools.POOL:  # a full pool holds the best of both already
        _about(pool, candidates(database, main, where, values))
    if beyond and "wish" in asked.kinds:
        add(database, pool, typed(database, where, values), where, values)
    if near is not None and beyond:
        add(database, pool, near.best(NEAREST), where, values)
    if not pool:
        return []
    top = max(hit.words for hit in pool.values()) or 1.0
    for hit in pool.values():
        hit.words /= top
        hit.parts["words"] = hit.words
    lend(database, pool, where, values, talk=_talk(pool), beyond=beyond)
    near_time(database, pool, asked, where, values, beyond=beyond, weight=ALONE if main is None else BESIDE)
    if near is not None:
        _mean(pool, near)
    dense = density(pool)
    widest = max(dense.values()) or 1.0
    for hit in pool.values():
        hit.parts["around"] = AROUND * dense[hit.n] / widest
        hit.score = sum(hit.parts.values())
    ordered = sorted(pool.values(), key=_order)
    first = ordered[:CLOSE]
    look(database, first, match, main or match, asked)
    _ends(first, asked)
    return [*_varied(sorted(first, key=_order)), *ordered[CLOSE:]]


def _talk(pool: Mapping[int, Hit]) -> float:
    """The share of what was said, not called, among these events."""
    return sum(not hit.category.startswith("tool_") for hit in pool.values()) / len(pool)


def _mean(pool: dict[int, Hit], near: Near) -> None:
    """Nearness in meaning as a share of the nearest candidate's: sums of scores tell more than sums of ranks."""
    found = near.of(list(pool))
    if not found:
        return
    share = shares({n: smooth for n, (_own, smooth) in found.items()})
    weight = MEANING_TOOLS + (MEANING - MEANING_TOOLS) * _talk(pool) ** 2
    for n, (own, _smooth) in found.items():
        pool[n].similarity = own
        pool[n].parts["meaning"] = weight * share[n]


def shares(values: Mapping[int, float]) -> dict[int, float]:
    """How far each value lies on the way from the lowest (0) to the highest (1): scores of two kinds can then be added."""
    low, high = min(values.values(), default=0.0), max(values.values(), default=0.0)
    return {n: (value - low) / ((high - low) or 1.0) for n, value in values.items()}


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


def _order(hit: Hit) -> tuple[float, int, int]:
    return (-hit.score, -hit.at, -hit.n)


def _varied(hits: list[Hit]) -> list[Hit]:
    """The same file or command, or nearly the same text, again and again tells little more each time."""
    seen: dict[str, int] = {}
    for hit in hits:
        factor = 1.0
        for each, less in ((hit.file or hit.command, AGAIN), (hit.look, ALIKE)):
            times = seen.get(each, 0) if each else 0
            seen[each] = times + 1
            factor *= less ** min(times, 5)
        if factor != 1.0:
            hit.parts["again"] = hit.score * (factor - 1)
            hit.score *= factor
    return sorted(hits, key=_order)


def _ends(hits: list[Hit], asked: Asked) -> None:
    """Where the first or the last is asked for, the earlier or later hits gain."""
    if not asked.end:
        return
    times = [hit.at for hit in hits]
    first, span = min(times), (max(times) - min(times)) or 1
    liked = sorted(
        (hit for hit in hits if asked.kinds and hit.parts.get("kind", 0.0) > 0), key=lambda hit: (hit.at, hit.n)
    )
    place = {
        hit.n: n / max(1, len(liked) - 1) for n, hit in enumerate(liked)
    }  # the last commit is the last of the commits
    for hit in hits:
        there = place.get(hit.n, (hit.at - first) / span)
        hit.parts["end"] = hit.score * ENDS * (there if asked.end > 0 else 1 - there) ** 2
        hit.score += hit.parts["end"]
