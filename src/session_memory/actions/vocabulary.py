"""Vocabulary: what an answer without a match can still teach: which words are known, and how the nearest are spelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from session_memory.actions.events import Query
from session_memory.index import vocabulary as rows
from session_memory.index.match import EDGE, match

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.opened import Opened

MOST_WORDS = 12  # of one question that are looked up


class Vocabulary:
    """What is known of words."""

    def __init__(self, opened: Opened, events: Events) -> None:
        self._opened = opened
        self._events = events

    def taught(self, asked: Query) -> dict[str, Any]:
        """What is known of the words of a question: {words, all, spellings, without_filters, elsewhere}; {} for no words.

        words: how many events and pieces of documents of the scope hold each (at most 1,000 are counted), whatever else is
        filtered by. all: how many hold all of them. spellings: of the unknown ones, the nearest known. without_filters: how
        many of the scope match, where filters left none. elsewhere: the same in all projects, where the scope holds none.
        Members that say nothing are left out. Raises InvalidInput, IndexUnavailable.
        """
        asks = _words(asked.keyword or "")
        words = match(asked.keyword or "")
        if not asks or words is None:
            return {}
        plain = Query(session_id=asked.session_id, scope=asked.scope)
        scope = replace(self._events.filter(plain), match=words)  # with words, pieces of documents count too
        database = self._opened.read()
        counts = {word: rows.count(database, scope, expression) for word, expression in asks.items()}
        told: dict[str, Any] = {"words": counts, "all": rows.count(database, scope, " AND ".join(asks.values()))}
        spellings = {word: rows.nearest(database, scope, word) for word, number in counts.items() if not number}
        if any(spellings.values()):
            told["spellings"] = {word: near for word, near in spellings.items() if near}
        if replace(asked, keyword=None, limit=1, offset=0, cursor=None, order=None) != replace(plain, limit=1):
            told["without_filters"] = rows.count(database, scope, words.required)
        if not any(counts.values()) and scope.projects:
            told["elsewhere"] = rows.count(database, replace(scope, projects=()), words.required)
        return {name: value for name, value in told.items() if value or name in ("words", "all")}


def in_words(told: dict[str, Any]) -> list[str]:
    """What was taught, a line each, for a person."""
    lines = []
    words, spellings = told.get("words", {}), told.get("spellings", {})
    known = [_counted(word, number) for word, number in words.items() if number]
    if known:
        lines.append(f"Known here, so many times: {', '.join(known)}")
    for word, number in words.items():
        if not number:
            near = ", ".join(_counted(each, n) for each, n in spellings.get(word, {}).items())
            lines.append(f"Nothing holds {word!r}" + (f"; nearest spelling: {near}" if near else ""))
    return lines


def _counted(word: str, number: int) -> str:
    return f"{word} {number:,}{'+' if number == rows.MOST else ''}"


def _words(keyword: str) -> dict[str, str]:
    """The words of a question that matter, each with the expression it is found by."""
    found: dict[str, str] = {}
    for chunk in keyword.split():
        word, matched = chunk.strip(EDGE), match(chunk.replace('"', " "))
        if matched is not None and matched.tells and len(found) < MOST_WORDS:
            found.setdefault(word.lower() or chunk, f"({matched.required})")
    return found
