"""A text within a budget: sections of items, each with a short and a full form; nothing that must be told is dropped silently.

First every item that must be told gets one line, then the others, then items grow to their full form in the order of
the sections. What does not fit is counted: `n more in FILE`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from session_memory.model.plain import shortened
from session_memory.model.tokens import estimate

TIGHT = 60  # characters of an item when even the one-liners do not fit


@dataclass
class Item:
    """One statement: `short` is one line, `full` may be several."""

    short: str
    full: str


@dataclass
class Section:
    """A heading and its items, most important first. `must`: every item is told before any optional section."""

    heading: str
    items: list[Item] = field(default_factory=list)
    must: bool = False


def compose(head: list[str], sections: list[Section], last: str, budget: int, more: str) -> str:
    """Markdown of `head`, the sections and the line `last`, within about `budget` tokens; `more` names where the rest is."""
    shown = [section for section in sections if section.items]
    chosen: dict[tuple[int, int], str] = {}
    room = budget - sum(estimate(line) + 1 for line in [*head, last])
    room -= sum(estimate(s.heading) + (3 if s.must else 1) for s in shown)  # left out, a heading is named in one line
    for tight in (False, True):
        chosen.clear()
        left = _must(shown, chosen, room, tight=tight)
        if left >= 0:
            break
    if left >= 0:
        left = _optional(shown, chosen, left)
        _grow(shown, chosen, left)
    return _written(head, shown, chosen, last, more)


def whole(head: list[str], sections: list[Section], last: str) -> str:
    """The same without a budget: every item in full."""
    shown = [section for section in sections if section.items]
    chosen = {(s, i): item.full for s, section in enumerate(shown) for i, item in enumerate(section.items)}
    return _written(head, shown, chosen, last, "")


def _must(shown: list[Section], chosen: dict[tuple[int, int], str], room: int, *, tight: bool) -> int:
    """Choose one line for every item that must be told; returns what is left, negative when they did not all fit."""
    # a round of first items, then of second ones: no section starves another
    longest = max((len(section.items) for section in shown if section.must), default=0)
    for i in range(longest):
        for s, section in enumerate(shown):
            if not section.must or i >= len(section.items):
                continue
            line = shortened(section.items[i].short, TIGHT) if tight else section.items[i].short
            cost = estimate(line) + 2
            if cost > room:
                return -1
            chosen[s, i] = line
            room -= cost
    return room


def _optional(shown: list[Section], chosen: dict[tuple[int, int], str], room: int) -> int:
    for s, section in enumerate(shown):
        for i, item in enumerate(section.items):
            cost = estimate(item.short) + (2 if i else 4)
            if not section.must and cost <= room:
                chosen[s, i] = item.short
                room -= cost
    return room


def _grow(shown: list[Section], chosen: dict[tuple[int, int], str], room: int) -> None:
    for s, section in enumerate(shown):
        for i, item in enumerate(section.items):
            cost = estimate(item.full) - estimate(item.short)
            if (s, i) in chosen and cost <= room:
                chosen[s, i] = item.full
                room -= max(0, cost)


def _written(head: list[str], shown: list[Section], chosen: dict[tuple[int, int], str], last: str, more: str) -> str:
    lines = list(head)
    elsewhere = []
    for s, section in enumerate(shown):
        told = [chosen[s, i] for i in range(len(section.items)) if (s, i) in chosen]
        missing = len(section.items) - len(told)
        if not told and not section.must:
            elsewhere.append(f"{section.heading} ({missing})")
            continue
        lines += ["", f"## {section.heading}"]
        lines += ["- " + each.replace("\n", "\n  ") for each in told]
        if missing:
            lines.append(f"- … {missing} more{f' in {more}' if more else ''}")
    if elsewhere:
        lines += ["", f"Left out{f', see {more}' if more else ''}: {', '.join(elsewhere)}"]
    return "\n".join([*lines, "", last]).strip() + "\n"
