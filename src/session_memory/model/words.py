"""How text becomes words that can be found: plain text for the tokenizer, and the parts it would lose.

SQLite's `unicode61` cuts at everything that is neither letter nor digit. It keeps a run of Chinese or Thai as one word,
`getUserName` as another, and drops the plus signs of `C++`. `search_parts` adds what is missing: pieces of identifiers,
pairs of characters for scripts that write no spaces, and symbol words and emoji spelled in letters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from session_memory.model.plain import ESCAPES

MOST_TEXT = 200_000  # characters of one event that are searchable
MOST_PIECES = 8  # an identifier of more pieces is a hash or noise
# scripts that write words without spaces, and Hangul, whose particles stick to the word
SPACELESS = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
RUN = re.compile(f"[{SPACELESS}]+")
IDENTIFIER = re.compile(r"[A-Za-z0-9]+")
PIECE = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
SYMBOL = re.compile(r"(?<![\w.])(?:[A-Za-z][A-Za-z0-9]{0,20}(?:\+\+|#)|\.[A-Za-z][A-Za-z0-9]{0,20})(?![\w+#])")
PICTURE = re.compile(
    "[\u2600-\u27bf\u2b50-\u2b55\U0001f000-\U0001faff]"
)  # emoji, check marks, stars: the tokenizer drops them
MOST_PICTURES = 40  # of one event
SPELLED = {"+": "xplus", "#": "xsharp", ".": "xdot"}
# names of members that say what their value is for, not what the event is about
PLAIN_KEYS = frozenset(
    "id title text description rationale reason decision question answer severity status name type category input"
    " output ok error file files line path command cmd content message summary details data value tags alternatives"
    " exit_code old_string new_string file_path prompt cut args result stdout stderr interrupted isImage".split()
)


def plain_text(data: Any) -> str:
    """The searchable text of an event's data: strings, numbers and telling member names, a line each, in reading order."""
    found: list[str] = []
    room = MOST_TEXT
    stack: list[Any] = [data]
    while stack and room > 0:
        value = stack.pop()
        if isinstance(value, dict):
            for name, inner in reversed(list(value.items())):
                stack.append(inner)
                if name not in PLAIN_KEYS:
                    stack.append(str(name))
        elif isinstance(value, (list, tuple)):
            stack.extend(reversed(value))
        elif isinstance(value, bool) or value is None:
            continue
        else:
            text = str(value)[:room]
            found.append(text)
            room -= len(text) + 1
    text = "\n".join(found).replace("\0", "\ufffd")
    return ESCAPES.sub(" ", text) if "\x1b" in text else text  # colour codes would stick to words


def search_parts(text: str) -> str:
    """What the tokenizer would lose of `text`, as words with spaces between them; short for ordinary prose."""
    found: dict[str, None] = {}
    for word in dict.fromkeys(IDENTIFIER.findall(text)):  # once each: long outputs say the same words again and again
        for piece in _small_pieces(word):
            found[piece] = None
    for match in SYMBOL.finditer(text):
        found[spelled(match.group())] = None
    if text.isascii():
        return " ".join(found)
    runs = dict.fromkeys(pairs(run) for run in RUN.findall(text))
    return " ".join([*found, *pictures(text), *runs])


def pictures(text: str) -> list[str]:
    """Each emoji of a text, once, as a word the tokenizer keeps: 🚀 -> xu1f680x."""
    return [f"xu{ord(each):x}x" for each in list(dict.fromkeys(PICTURE.findall(text)))[:MOST_PICTURES]]


def pieces(word: str) -> list[str]:
    """`getUserName` -> get, User, Name; nothing when the word is in one piece or looks like a hash."""
    found = PIECE.findall(word)
    if not 1 < len(found) <= MOST_PIECES or len(word) < 1.6 * len(found):
        return []
    return [piece for piece in found if len(piece) > 1]


@lru_cache(maxsize=16_384)  # the same names come again in event after event
def _small_pieces(word: str) -> tuple[str, ...]:
    if len(word) < 3 or word.islower() or word.isdigit():
        return ()
    return tuple(piece.lower() for piece in pieces(word))


def spelled(symbol: str) -> str:
    """`C++` -> cxplusxplus: a word the tokenizer keeps whole."""
    return "".join(SPELLED.get(c, c.lower()) for c in symbol)


def pairs(run: str) -> str:
    """日本語 -> `日本 本語 語`: any substring of the run is a phrase of pairs, or the beginning of one."""
    letters = [c for c in run if c.isalnum()]
    return " ".join([*(a + b for a, b in zip(letters, letters[1:])), *letters[-1:]])
