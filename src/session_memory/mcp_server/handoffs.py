"""Tools that tell the next session what it must know: resume and handoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mcp_types import CallToolResult

from session_memory.mcp_server.answers import MOST_CHARACTERS, ToolSpec, prose, structured
from session_memory.model.handoff import fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory

ROOM = MOST_CHARACTERS - 1_000  # of a handoff as JSON


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_resume(
        checkpoint_id: str | None = None,
        checkpoint_name: str | None = None,
        use_latest: bool = False,
        budget_tokens: int | None = None,
    ) -> CallToolResult:
        """Go on from a checkpoint (default: the newest of the project): where things stand and what changed since."""
        told = memory().handoffs.resume(
            checkpoint_id=checkpoint_id, name=checkpoint_name, latest=use_latest, budget=budget_tokens
        )
        return prose(told.text, told.ids)

    async def session_handoff(
        include_decisions: bool = True,
        include_findings: bool = True,
        include_open_questions: bool = True,
        include_progress: bool = True,
        format: Literal["markdown", "json"] = "markdown",
        budget_tokens: int | None = None,
        session_id: str | None = None,
    ) -> CallToolResult:
        """Write what the next session must know; the whole text is also kept in a file."""
        include = {"decisions": include_decisions, "findings": include_findings,
                   "open_questions": include_open_questions, "progress": include_progress}  # fmt: skip
        told = memory().handoffs.write(session_id=session_id, include=include, budget=budget_tokens)
        return structured(fitted(told.object, ROOM)) if format == "json" else prose(told.text, told.ids)

    return [
        ToolSpec(session_resume, "Resume from a checkpoint", reads=False),
        ToolSpec(session_handoff, "Write a handoff", reads=False),
    ]
