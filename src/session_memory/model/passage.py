"""Where in a text the words of a query stand closest together, and how much of the query that place holds."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDE = 400  # characters of a passage
MOST_PLACES = 60  # of one word in one text
ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ers", "er", "ed", "es", "s", "e", "ly")
SHORTEST = 3
WANTED = "\0"  # stands for a place that is wanted: no word
WORD = re.compile(r"\w+")


@lru_cache(4_096)
def stem(word: str) -> str:
    """The beginning of a word that its forms share, roughly: `tests`, `testing` -> test."""
    low = word.lower()
    for ending in ENDINGS:
        if low.endswith(ending) and len(low) - len(ending) >= SHORTEST:
            return low[: len(low) - len(ending)]
    return low


def stems(words: list[str]) -> list[str]:
    """The stems of the words of a query, each once."""
    return list(dict.fromkeys(stem(each) for word in words for each in WORD.findall(word) if len(each) > 1))


def best(
    text: str, weights: Mapping[str, float], wide: int = WIDE, wanted: Sequence[tuple[int, int]] = (), worth: float = 0.0,
    alone: bool = False,
) -> tuple[float, int, int]:  # fmt: skip
    """(weight of the words in it, begin, end) of the passage of at most `wide` characters that holds the most of them.

    `text` is lower case, `weights` go by stem. wanted: places (begin, end) one of which is worth as much as a word of this
    weight; alone: even where no word stands beside it. (0, 0, 0) where nothing stands.
    """
    places: list[tuple[int, str]] = []
    for each in weights:
        at, count = text.find(each), 0
        while at >= 0 and count < MOST_PLACES:
            if at == 0 or not text[at - 1].isalpha():
                places.append((at, each))
                count += 1
            at = text.find(each, at + len(each))
    if not places and not (wanted and alone):
        return 0.0, 0, 0
    if wanted:
        weights = {**weights, WANTED: worth}
        ends = dict(wanted)
        places += [(begin, WANTED) for begin in ends]
    places.sort()
    inside: dict[str, int] = {}
    weight, first = 0.0, 0
    found = (0.0, 0, 0)
    for at, each in places:
        inside[each] = inside.get(each, 0) + 1
        if inside[each] == 1:
            weight += weights[each]
        while at - places[first][0] > wide:
            out = places[first][1]
            inside[out] -= 1
            if not inside[out]:
                weight -= weights[out]
            first += 1
        bare = not alone and each is WANTED and weight <= worth + 1e-9
        if weight > found[0] + 1e-9 and not bare:
            found = (weight, places[first][0], ends[at] if each is WANTED else at + len(each))
    return found
