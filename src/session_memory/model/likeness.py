"""Whether two short texts say the same in other words: the share of the words they have in common."""

from __future__ import annotations

import re

WORD = re.compile(r"[^\W_]+")
ALIKE = 0.6  # from here on two texts may be one
EMPTY = frozenset(
    "a an and any as at be before by can do each every for from if in into is it its not of on or so than that the then"
    " they this to use used uses using we when where with you your always never should must".split()
)
ENDINGS = ("ies", "ing", "es", "ed", "s")


def likeness(one: str, other: str) -> float:
    """0.0 to 1.0: the words in both / the words in either; words that say little are left out."""
    mine, theirs = _words(one), _words(other)
    either = mine | theirs
    if not either:
        return 1.0 if one.strip().lower() == other.strip().lower() else 0.0
    return len(mine & theirs) / len(either)


def _words(text: str) -> set[str]:
    return {_stem(word) for word in WORD.findall(text.lower()) if word not in EMPTY}


def _stem(word: str) -> str:
    """`retries`, `retrying`, `retry` -> one word; crude, and the same on both sides."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            return stem + "y" if ending == "ies" else stem.removesuffix("e")
    return word.removesuffix("e") if len(word) > 3 else word
