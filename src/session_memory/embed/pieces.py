"""Text as word pieces: the tokenizer of BERT in a few lines, with identifiers split as people read them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from session_memory.model.words import IDENTIFIER, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
LONGEST = 40  # letters of a word; longer ones are hashes and encodings
MOST_KNOWN = 100_000  # words whose pieces are remembered


class Pieces:
    """Numbers of word pieces by greedy longest match; what the vocabulary does not know is left out."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        self._known: dict[str, tuple[int, ...]] = {}

    def numbers(self, text: str) -> list[int]:
        """The pieces of a text in order, without punctuation."""
        if not (text.islower() or text.isupper()):
            text = IDENTIFIER.sub(lambda found: _spaced(found.group()), text)
        text = text.lower()
        if not text.isascii():
            text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        found: list[int] = []
        for word in WORD.findall(text):
            known = self._known.get(word)
            if known is None:
                known = self._cut(word)
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[word] = known
            found += known
        return found

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST:
            return ()
        found = []
        begin = 0
        while begin < len(word):
            for end in range(len(word), begin, -1):
                number = self._vocabulary.get(word[begin:end] if begin == 0 else f"##{word[begin:end]}")
                if number is not None:
                    found.append(number)
                    begin = end
                    break
            else:
                return ()
        return tuple(found)


@lru_cache(MOST_KNOWN)
def _spaced(word: str) -> str:
    """An identifier as the words it is made of."""
    return " ".join(pieces(word)) or word
