"""The place in an event's text where most of the searched words stand together, after the file it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.model.asking import HASH, places, wanted
from session_memory.model.passage import best, stems
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping

WORTH = 6  # what a number or hash that is asked for is worth: a word of so many letters
FOLDERS = 5  # last parts of a path that are shown


def snippet(data: Mapping[str, Any], keyword: str = "", room: int = 200) -> str:
    """At most about `room` characters of the event's text, around the place where most of the words stand together.

    Rarer (longer) words count for more. Where a file is named, its path comes first.
    """
    text = " ".join(plain_text(dict(data)).split())
    if len(text) <= room:
        return text
    words = stems(keyword[:1000].split()[:64])
    path = _path(data)
    if path:  # it is shown in front: the room is for what else there is
        text = " ".join(text.replace(data["files"][0], " ").split())
        if len(text) <= room - len(path):
            return path + text
    room = max(room - len(path), room // 2)
    low = text.lower()
    low = low if len(low) == len(text) else text
    weights = {each: len(each) for each in words}
    sought = wanted(keyword)
    worth = 2 * sum(weights.values()) if sought is HASH else WORTH
    _weight, first, end = best(low, weights, room * 4 // 5, places(sought, low), worth, alone=sought is HASH)
    if not end:
        return path + text[:room].rstrip() + " …"
    begin = max(0, min(first - (room - (end - first)) // 3, len(text) - room))
    piece = text[begin : begin + room].strip()
    return path + ("… " if begin else "") + piece + (" …" if begin + room < len(text) else "")


def _path(data: Mapping[str, Any]) -> str:
    files = data.get("files")
    if not isinstance(files, list) or not files or not isinstance(files[0], str):
        return ""
    parts = files[0].replace("\\", "/").split("/")
    return "/".join(parts[-FOLDERS:]) + ": " if len(parts[-1]) < 100 else ""
