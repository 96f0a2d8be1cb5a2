"""Recorded text made harmless for terminals, for Markdown of ours and for models."""

from __future__ import annotations

import re

from session_memory.model.pattern import later

# control characters except newline and tab; escape sequences; direction overrides; zero-width characters; BOM
ESCAPES = later(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
UNSEEN = later(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
FENCE = later(r"<(/?)\s*(session-memory|system-reminder|system|function_calls|antml)", re.IGNORECASE)
LINE_START = later(r"(?m)^(\s{0,3})(#{1,6}\s|```|~~~|---|===|>)")


def plain(text: str) -> str:
    """`text` without what a terminal would obey or a reader could not see; our own fences are broken open."""
    cleaned = UNSEEN.sub("", ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return FENCE.sub(r"‹\1\2", cleaned)


def quoted(text: str, room: int) -> str:
    """`plain` text inside our Markdown: it cannot start a heading, fence or quote, and has at most `room` characters."""
    cleaned = LINE_START.sub(r"\1\\\2", plain(text)).strip()
    return shortened(cleaned, room)


def in_line(text: str, room: int) -> str:
    """`plain` text on one line of our Markdown, at most `room` characters."""
    return shortened(" ".join(quoted(text, 8 * room).split()), room)


def shortened(text: str, room: int) -> str:
    """`text` cut at a word where it is longer than `room` characters, with an ellipsis."""
    if len(text) <= room:
        return text
    head = text[: room - 1]
    space = head.rfind(" ", room // 2)
    return (head[:space] if space > 0 else head).rstrip() + "…"
