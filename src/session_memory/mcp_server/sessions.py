"""Tools about sessions: start one, and see how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from session_memory.mcp_server.answers import ToolSpec, fitted_state, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_init(
        skill_name: str | None = None,
        session_id: str | None = None,
        resume_from_checkpoint: str | None = None,
        project: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> CallToolResult:
        """Start a session, or attach to a known session_id. resume_from_checkpoint: id, name or 'latest'."""
        return structured(
            memory().starts.begin(
                skill=skill_name,
                session_id=session_id,
                checkpoint=resume_from_checkpoint,
                project=project,
                config=config,
            )
        )

    async def session_status(session_id: str | None = None) -> CallToolResult:
        """Session, counts, plugin state and progress, last checkpoint, health of log and index."""
        return structured(memory().starts.status(session_id, fit=fitted_state))

    return [
        ToolSpec(session_init, "Start or attach a session", reads=False),
        ToolSpec(session_status, "Session status", reads=True),
    ]
