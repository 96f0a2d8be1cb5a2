"""Tools about the graph: state an entity, tie two together, look around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mcp_types import CallToolResult

from session_memory.actions.entities import Query
from session_memory.mcp_server.answers import ToolSpec, fitted_lists, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory

RelationType = Literal[
    "calls", "imports", "depends_on", "modifies", "extends", "implements", "owns", "references", "uses", "tests",
    "decided_by",
]  # fmt: skip


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def entity_create(
        entity_type: str, name: str, qualified_name: str | None = None, metadata: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Add or merge an entity. qualified_name: like src/auth.ts:handleAuth."""
        return structured(memory().entities.create(entity_type, name, qualified_name, metadata))

    async def entity_link(
        source: str,
        target: str,
        relation_type: RelationType,
        weight: float | None = None,
        metadata: dict[str, Any] | None = None,
        supersedes: str | None = None,
        valid_from: str | None = None,
        valid_to: str | None = None,
    ) -> CallToolResult:
        """Relate entities by id or name; missing ones are made. supersedes: relation_id or old target, which ends."""
        return structured(
            memory().entities.link(
                source, target, relation_type, weight=weight, metadata=metadata, supersedes=supersedes,
                valid_from=valid_from, valid_to=valid_to,
            )
        )  # fmt: skip

    async def entity_query(
        related_to: str | None = None,
        entity_type: str | None = None,
        name_pattern: str | None = None,
        relation_types: list[str] | None = None,
        depth: int = 1,
        session_id: str | None = None,
        include_relations: bool = True,
        limit: int = 20,
        as_of: str | None = None,
    ) -> CallToolResult:
        """Entities by filter, or around one (id, name or words)."""
        asked = Query(
            entity_type, name_pattern, related_to, relation_types, depth, session_id, include_relations, limit, as_of
        )
        return structured(fitted_lists(memory().entities.query(asked), ("entities", "relations")))

    return [
        ToolSpec(entity_create, "State an entity", reads=False),
        ToolSpec(entity_link, "Relate entities", reads=False),
        ToolSpec(entity_query, "Ask the graph", reads=True),
    ]
