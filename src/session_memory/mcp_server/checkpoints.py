"""Tools about checkpoints: make one, list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mcp_types import CallToolResult

from session_memory.mcp_server.answers import ToolSpec, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_checkpoint(
        name: str | None = None,
        summary: str | None = None,
        checkpoint_type: Literal["manual", "auto"] = "manual",
        session_id: str | None = None,
    ) -> CallToolResult:
        """Name this position, with state and summary, to resume from. The name is a label."""
        return structured(memory().checkpoints.create(name, summary, type_=checkpoint_type, session_id=session_id))

    async def session_list_checkpoints(
        session_id: str | None = None, checkpoint_type: Literal["manual", "auto"] | None = None, limit: int = 20
    ) -> CallToolResult:
        """Checkpoints of the project (or of one session), newest first."""
        return structured(memory().checkpoints.listed(session_id=session_id, type_=checkpoint_type, limit=limit))

    return [
        ToolSpec(session_checkpoint, "Make a checkpoint", reads=False),
        ToolSpec(session_list_checkpoints, "List checkpoints", reads=True),
    ]
