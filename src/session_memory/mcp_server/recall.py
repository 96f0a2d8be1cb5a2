"""The tool that finds in any words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mcp_types import CallToolResult

from session_memory.actions.events import Query
from session_memory.mcp_server.answers import ToolSpec, fitted, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_semantic_search(
        query: str,
        session_id: str | None = None,
        scope: Literal["session", "lineage", "project", "all"] | None = None,
        category: str | None = None,
        limit: int = 10,
        min_similarity: float | None = None,
    ) -> CallToolResult:
        """Find events by a question in any words: full text, meaning and context together."""
        found = memory().recall.search(
            query, session_id=session_id, scope=scope, category=category, limit=limit, min_similarity=min_similarity
        )
        if all(each.get("near") for each in found["results"]):  # no match: say which words are known
            asked = Query(keyword=query, category=category, session_id=session_id, scope=scope)
            found |= memory().vocabulary.taught(asked)
        return structured({**found, "results": fitted(found["results"]) if found["results"] else []})

    return [ToolSpec(session_semantic_search, "Search by meaning", reads=True)]
