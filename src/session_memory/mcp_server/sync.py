"""Tools about other devices: how the exchange stands, push, pull. Listed only where sync is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from mcp_types import CallToolResult

from session_memory.mcp_server.answers import ToolSpec, fitted_lists, structured

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def exchanged(types: list[str] | None, *, push: bool, force: bool, dry_run: bool) -> CallToolResult:
        sync = memory().sync
        job = sync.begin(push=push, force=force, dry_run=dry_run, types=types or ())
        await to_thread.run_sync(job.run)  # other calls are answered meanwhile
        return structured(fitted_lists(sync.finish(job, types or ()), ("origins",)))

    async def sync_status() -> CallToolResult:
        """What other devices have and lack, as last seen."""
        return structured(fitted_lists(memory().sync.status(), ("origins",)))

    async def sync_push(
        resource_types: list[str] | None = None, force: bool = False, dry_run: bool = False
    ) -> CallToolResult:
        """Exchange with other devices: receive, then send."""
        return await exchanged(resource_types, push=True, force=force, dry_run=dry_run)

    async def sync_pull(
        resource_types: list[str] | None = None, force: bool = False, dry_run: bool = False
    ) -> CallToolResult:
        """Receive from other devices."""
        return await exchanged(resource_types, push=False, force=force, dry_run=dry_run)

    return [
        ToolSpec(sync_status, "Sync status", reads=True),
        ToolSpec(sync_push, "Push to other devices", reads=False),
        ToolSpec(sync_pull, "Pull from other devices", reads=False),
    ]
