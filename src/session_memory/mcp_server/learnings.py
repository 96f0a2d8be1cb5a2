"""Tools about learnings: find them, state one, say how using one went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mcp_types import CallToolResult

from session_memory.mcp_server.answers import ToolSpec, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_learn(
        query: str | None = None,
        context: str | None = None,
        category: str | None = None,
        min_confidence: float | None = None,
        limit: int = 10,
    ) -> CallToolResult:
        """Lessons of earlier work, best first."""
        return structured(
            memory().learnings.search(query, context, category=category, min_confidence=min_confidence, limit=limit)
        )

    async def learning_create(
        category: Literal["pattern", "decision", "anti-pattern"],
        title: str,
        description: str = "",
        confidence: float | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> CallToolResult:
        """Keep a reusable lesson. metadata.supersedes: ids it replaces."""
        return structured(
            memory().learnings.create(
                category, title, description=description, confidence=confidence, metadata=metadata
            )
        )

    async def learning_apply(
        learning_id: str,
        success: bool | None = None,
        outcome: Literal["success", "partial", "failed"] | None = None,
        notes: str | None = None,
    ) -> CallToolResult:
        """Say how using a lesson went."""
        return structured(memory().learnings.apply(learning_id, success=success, outcome=outcome, notes=notes))

    return [
        # that a lesson was shown is counted, which changes nothing anybody relies on
        ToolSpec(session_learn, "Find learnings", reads=True),
        ToolSpec(learning_create, "Keep a learning", reads=False),
        ToolSpec(learning_apply, "Say how a learning did", reads=False),
    ]
