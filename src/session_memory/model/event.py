"""Events: the kinds of things a session notes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What an event is about. Plugins may declare more.
CATEGORIES = (
    "tool_call",
    "tool_response",
    "decision",
    "finding",
    "question",
    "phase",
    "checkpoint",
    "custom",
    "message",
    "assumption",
)
# What a session states rather than does: the events that facts are gathered from.
STATED = ("decision", "finding", "question", "phase", "assumption", "checkpoint", "custom")
LABELLED = "stated"  # key of what a labelled line states, to which the log adds the hash of session and words
# Who states things, the most trusted first.
TRUST = ("user", "model", "rule", "tool", "import")


def trust(event: dict[str, Any]) -> int:
    """Where whoever stated an event stands in TRUST; smaller is more."""
    by = event.get("stated_by")
    return TRUST.index(by) if by in TRUST else len(TRUST)
