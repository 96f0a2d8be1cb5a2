"""The place in an event's text where the searched words stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping


def snippet(data: Mapping[str, Any], keyword: str = "", room: int = 200) -> str:
    """At most about `room` characters of the event's text, around the place where most of the words stand together."""
    text = " ".join(plain_text(dict(data)).split())
    if len(text) <= room:
        return text
    words = [re.escape(word) for word in re.findall(r"\w{2,}", keyword)[:32]]
    starts = [match.start() for match in re.finditer("|".join(words), text, re.IGNORECASE)] if words else []
    if not starts:
        return text[:room].rstrip() + " …"
    best = max(starts, key=lambda start: sum(start <= other < start + room for other in starts))
    begin = max(0, best - room // 5)
    piece = text[begin : begin + room].strip()
    return ("… " if begin else "") + piece + (" …" if begin + room < len(text) else "")
