"""The place in an event's text where most of the searched words stand together, after the file it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.model.asking import HASH, places, wanted
from session_memory.model.passage import best, stems
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping

WORTH = 6  # what a number or hash that is asked for is worth: a word of so many letters
CUT = 16  # characters by which a snippet may be longer or shorter so as not to cut a word
FOLDERS = 5  # last parts of a path that are shown


def snippet(data: Mapping[str, Any], keyword: str = "", room: int = 200) -> str:
    """At most about `room` characters of the event's text, around the place where most of the words stand together.

    Rarer (longer) words count for more. Where a file is named, its path comes first; of a change what is there now.
    """
    text = " ".join(plain_text(dict(data)).split())
    if len(text) <= room:
        return text
    path, now = _path(data), _now(data)
    left = max(room - len(path), room // 2)
    text = _beside(now, path)
    first, end = _place(text, keyword, left)
    if not end and now is not data:  # perhaps in what was replaced
        before = _beside(data, path)
        first, end = _place(before, keyword, left)
        text = before if end else text
    if len(text) <= left:
        return path + text
    if not end:
        return path + text[: _word_end(text, left)].rstrip() + " …"
    begin = max(0, min(first, first - (left - (end - first)) // 3, len(text) - left))
    begin, end = _word_begin(text, begin, first), _word_end(text, begin + left)
    return path + ("… " if begin else "") + text[begin:end].strip() + (" …" if end < len(text) else "")


def _beside(data: Mapping[str, Any], path: str) -> str:
    """The text on one line, without the path that is shown in front of it."""
    text = " ".join(plain_text(dict(data)).split())
    return f" {text} ".replace(f" {data['files'][0]} ", " ").strip() if path else text


def _place(text: str, keyword: str, room: int) -> tuple[int, int]:
    """Where the words stand closest together; (0, 0) for nowhere."""
    low = text.lower()
    if len(low) != len(text):  # a few letters become two
        low = "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    weights = {each: len(each) for each in stems(keyword[:1000].split()[:64])}
    sought = wanted(keyword)
    worth = 2 * sum(weights.values()) if sought is HASH else WORTH
    _weight, first, end = best(low, weights, room * 4 // 5, places(sought, low), worth, alone=sought is HASH)
    return first, end


def _now(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A change of a file without what it replaced."""
    given = data.get("input")
    if not isinstance(given, dict) or not given.get("new_string"):
        return data
    return {**data, "input": {name: value for name, value in given.items() if name != "old_string"}}


def _word_begin(text: str, begin: int, most: int) -> int:
    """`begin`, or behind the word it would cut, but not beyond `most`."""
    if begin == 0 or text[begin - 1] == " ":
        return begin
    space = text.find(" ", begin, min(begin + CUT, most))
    return space + 1 if space >= 0 else begin


def _word_end(text: str, end: int) -> int:
    """`end`, or behind the word it would cut."""
    if end >= len(text):
        return len(text)
    space = text.find(" ", end, end + CUT)
    return space if space >= 0 else end if len(text) > end + CUT else len(text)


def _path(data: Mapping[str, Any]) -> str:
    files = data.get("files")
    if not isinstance(files, list) or not files or not isinstance(files[0], str) or not files[0].strip():
        return ""
    parts = files[0].replace("\\", "/").split("/")
    return "/".join(parts[-FOLDERS:]) + ": " if len(parts[-1]) < 100 else ""
