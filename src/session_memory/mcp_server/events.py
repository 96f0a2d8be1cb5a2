"""Tools about events: record one, find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mcp_types import CallToolResult
from typing_extensions import TypedDict

from session_memory.actions.events import LIMIT, Query
from session_memory.actions.timeline import BESIDE, MOST
from session_memory.mcp_server.answers import ToolSpec, fitted, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


class TimeRange(TypedDict, total=False):
    """Both ends are optional: ISO 8601 or seconds since 1970; a time without a zone is UTC."""

    after: str | float
    before: str | float


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_record(
        category: str,
        type: str,
        data: dict[str, Any],
        parent_id: str | None = None,
        tags: list[str] | None = None,
        session_id: str | None = None,
        key: str | None = None,
    ) -> CallToolResult:
        """Keep one event for good. parent_id: the event it answers. key: recording the same key again changes nothing."""
        kept, session = memory().events.record(
            category, type, data, parent_id=parent_id, tags=tags, session_id=session_id, key=key
        )
        record = kept.records[0]
        return structured(
            {"event_id": record.id, "timestamp": record.at, "session_id": session, "stored": kept.stored,
             "indexed": kept.indexed, "reason": kept.reason or None, "hint": kept.hint or None}
        )  # fmt: skip

    async def session_query(
        keyword: str | None = None,
        category: str | None = None,
        categories: list[str] | None = None,
        type: str | None = None,
        tags: list[str] | None = None,
        time_range: TimeRange | None = None,
        session_id: str | None = None,
        scope: Literal["session", "lineage", "project", "all"] | None = None,
        limit: int = 50,
        offset: int = 0,
        cursor: str | None = None,
        include_data: bool = True,
        order: Literal["newest", "oldest", "relevance"] | None = None,
        file: str | None = None,
        branch: str | None = None,
        around: str | None = None,
    ) -> CallToolResult:
        """Find events by words (best first) or filters (newest first; tags: any), or around an event id. Page with next_cursor."""
        if around is not None:
            beside = min(limit if limit != LIMIT else 2 * BESIDE, 2 * MOST) // 2
            return structured(memory().timeline.around(around, before=beside, after=beside))
        times = time_range or {}
        asked = Query(
            category, categories, type, keyword, tags, times.get("after"), times.get("before"), session_id, scope,
            limit, offset, cursor, order, file, branch,
        )  # fmt: skip
        page = memory().events.page(asked, include_data=include_data, fit=fitted)
        taught = {} if page["total_count"] else memory().vocabulary.taught(asked)
        return structured({**page, **taught})

    return [
        ToolSpec(session_record, "Record an event", reads=False),
        ToolSpec(session_query, "Find events", reads=True),
    ]
