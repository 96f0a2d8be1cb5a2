"""The tool that the client's hook calls at every prompt: what is remembered of what the prompt asks about.

The model does not see it: it is marked as one of the application's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from session_memory.mcp_server.answers import ToolSpec, prose

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def prompt_recall(prompt: str, session_id: str) -> CallToolResult:
        """For the client's UserPromptSubmit hook: its answer as JSON."""
        made = memory().contexts.recalled(prompt, session_id)
        answer: dict[str, Any] = {}
        if made.text:
            told = {"hookEventName": "UserPromptSubmit", "additionalContext": made.text}
            answer = {"hookSpecificOutput": told, "systemMessage": made.receipt()}
        return prose(json.dumps(answer, ensure_ascii=False), {})

    return [ToolSpec(prompt_recall, "Recall for a prompt", reads=False, hidden=True)]
