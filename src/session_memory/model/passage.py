"""Where in a text the words of a query stand closest together, and how much of the query that place holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDE = 400  # characters of a passage
MOST_PLACES = 60  # of one word in one text
ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ers", "er", "ed", "es", "s", "e", "ly")
SHORTEST = 3
WORD = re.compile(r"\w+")


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


def best(text: str, weights: Mapping[str, float], wide: int = WIDE) -> tuple[float, int, int]:
    """(weight of the words in it, begin, end) of the passage of at most `wide` characters that holds the most of them.

    `text` is lower case, `weights` go by stem. (0, 0, 0) where none stands.
    """
    places: list[tuple[int, str]] = []
    for each in weights:
        at, count = text.find(each), 0
        while at >= 0 and count < MOST_PLACES:
            if at == 0 or not text[at - 1].isalpha():
                places.append((at, each))
                count += 1
            at = text.find(each, at + len(each))
    if not places:
        return 0.0, 0, 0
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
        if weight > found[0] + 1e-9:
            found = (weight, places[first][0], at + len(each))
    return found
