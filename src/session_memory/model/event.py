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
# Messages that the user wrote
BY_USER = ("user_prompt", "command", "answer", "plan_approval")
# Who states things, the most trusted first.
TRUST = ("user", "model", "rule", "tool", "import")


def trust(event: dict[str, Any]) -> int:
    """Where whoever stated an event stands in TRUST; smaller is more."""
    by = event.get("stated_by")
    return TRUST.index(by) if by in TRUST else len(TRUST)


def role(category: str, type_: str, stated_by: str) -> str:
    """Who speaks or acts in a turn: user, model, rule or tool. What was imported is told by what it is."""
    if stated_by != "import":
        return stated_by
    if category == "message":
        return "user" if type_ in BY_USER else "model"
    return "tool" if category in ("tool_call", "tool_response") else "import"


def role_of(event: dict[str, Any]) -> str:
    """The same of an event as `session_query` returns it."""
    return role(event["category"], event["type"], str(event.get("stated_by") or "model"))
