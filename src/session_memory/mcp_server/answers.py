"""What a tool is and how it answers: lean structured results, prose without structure, errors as text.

Claude Code shows the model only `structuredContent` where there is one, so data tools keep it lean and prose tools
(resume, handoff) return text alone, whose last line carries the ids.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult, TextContent

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Report = Callable[[float, float | None, str | None], Coroutine[Any, Any, None]]

MOST_CHARACTERS = 16_000  # of any answer: more would push the conversation itself out of the client's window
SHORT = 400  # characters a string keeps when its event's data has to be cut

# what tells the client how far the running call is; nothing is sent to one that did not ask
REPORT: ContextVar[Report | None] = ContextVar("report", default=None)


class ToolSpec:
    """One tool: its function (name, docstring and signature are what the model sees), title, and whether it only reads.

    hidden: for the client itself, not for the model."""

    __slots__ = ("function", "hidden", "reads", "title")

    def __init__(self, function: Callable[..., Any], title: str, *, reads: bool, hidden: bool = False) -> None:
        self.function = function
        self.title = title
        self.reads = reads
        self.hidden = hidden


def structured(result: dict[str, Any]) -> CallToolResult:
    """A result as compact JSON, for machines and models; members that are None are left out."""
    lean = {name: value for name, value in result.items() if value is not None}
    text = json.dumps(lean, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=lean)


def prose(text: str, ids: dict[str, Any]) -> CallToolResult:
    """A text to be read as it is; `ids` also go into `_meta`."""
    return CallToolResult(content=[TextContent(type="text", text=text)], _meta={"session-memory": ids})


def failed(text: str) -> CallToolResult:
    """An error the model reads."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def fitted(events: list[dict[str, Any]], room: int = MOST_CHARACTERS - 1_000) -> list[dict[str, Any]]:
    """As many of the events as fit into `room` characters of JSON, at least one; one that is too long is cut."""
    kept: list[dict[str, Any]] = []
    used = 0
    for event in events:
        shown = event
        size = len(json.dumps(event, ensure_ascii=False))
        if size > room // 2:
            shown = {**event, "data": cut(event.get("data", {}), room // 4)}
            size = len(json.dumps(shown, ensure_ascii=False))
        if kept and used + size > room:
            break
        kept.append(shown)
        used += size
    return kept


def fitted_state(state: dict[str, Any], room: int = MOST_CHARACTERS // 2) -> dict[str, Any]:
    """A plugin's state within `room` characters: of its `custom_data` what fits, with `cut` = characters left out."""
    if len(json.dumps(state, ensure_ascii=False)) <= room:
        return state
    known = {"phase": str(state.get("phase", ""))[:SHORT], "progress": state.get("progress", 0.0)}
    rest = state.get("custom_data")
    return {**known, "custom_data": cut(rest if isinstance(rest, dict) else {}, room - SHORT)}


def fitted_lists(result: dict[str, Any], names: tuple[str, ...], room: int = MOST_CHARACTERS - 1_000) -> dict[str, Any]:
    """The result with its lists as long as one answer can carry: shared evenly, what one leaves over goes to the next."""
    lists = [name for name in names if result.get(name)]
    shown = dict(result)
    for number, name in enumerate(lists):
        share = room // (len(lists) - number)
        kept: list[Any] = []
        used = 0
        for each in result[name]:
            if isinstance(each.get("metadata"), dict) and len(json.dumps(each, ensure_ascii=False)) > share // 4:
                each = {**each, "metadata": cut(each["metadata"], share // 8)}  # noqa: PLW2901  # the same one, shorter
            size = len(json.dumps(each, ensure_ascii=False)) + 1
            if used + size > share:
                break
            kept.append(each)
            used += size
        if len(kept) < len(result[name]):
            shown["left_out"] = {**shown.get("left_out", {}), name: len(result[name]) - len(kept)}
        shown[name] = kept
        room -= used
    return shown


def cut(data: dict[str, Any], room: int) -> dict[str, Any]:
    """`data` within `room` characters: short members whole, long strings by their beginning, `cut` = characters left out."""
    whole = len(json.dumps(data, ensure_ascii=False))
    short: dict[str, Any] = {}
    for name, value in data.items():
        piece = value if len(json.dumps(value, ensure_ascii=False)) <= SHORT else _beginning(value)
        if len(json.dumps({**short, name: piece}, ensure_ascii=False)) > room:
            break
        short[name] = piece
    short["cut"] = whole - len(json.dumps(short, ensure_ascii=False))
    return short


def _beginning(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:SHORT] + " …"
