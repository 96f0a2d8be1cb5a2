"""Events: the kinds of things a session notes."""

from __future__ import annotations

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
