"""Resources: what clients can attach to a conversation by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp_types import Completion, ResourceTemplateReference

from session_memory.errors import NotFound
from session_memory.mcp_server.answers import MOST_CHARACTERS, fitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.mcpserver import MCPServer

    from session_memory.memory import Memory

COMPLETIONS = 100  # the protocol's limit of one answer


def add(server: MCPServer[Any], memory: Callable[[], Memory]) -> None:
    """Register the resources, their templates and completions."""

    @server.resource("memory://project/summary", title="Project summary", mime_type="text/markdown")
    async def project_summary() -> str:
        """Decisions, findings, open questions and next steps of this project."""
        return memory().handoffs.summary()[:MOST_CHARACTERS]

    @server.resource("memory://handoffs/latest", title="Latest handoff", mime_type="text/markdown")
    async def latest_handoff() -> str:
        """The handoff written last in this project."""
        text = memory().handoffs.latest()
        if text is None:
            raise ResourceNotFoundError("No handoff has been written in this project yet.")
        return text[:MOST_CHARACTERS]

    @server.resource("memory://sessions/{id}", title="Session", mime_type="application/json")
    async def session(id: str) -> str:
        """A session: how it stands, and its newest events."""
        try:
            return json.dumps(memory().starts.view(id, fit=fitted), ensure_ascii=False)
        except NotFound as error:
            raise ResourceNotFoundError(str(error)) from error

    @server.resource("memory://checkpoints/{id}", title="Checkpoint", mime_type="application/json")
    async def checkpoint(id: str) -> str:
        """A checkpoint with its state and summary."""
        try:
            found, _count = memory().checkpoints.meant(id, None)
        except NotFound as error:
            raise ResourceNotFoundError(str(error)) from error
        return json.dumps(found, ensure_ascii=False)[:MOST_CHARACTERS]

    @server.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # the SDK leaves it untyped
    async def complete(ref: Any, argument: Any, context: Any) -> Completion | None:
        """Ids of sessions and checkpoints that begin as typed; names of checkpoints for the resume prompt."""
        del context
        if isinstance(ref, ResourceTemplateReference) and "sessions" in ref.uri:
            values = [each["id"] for each in memory().sessions.listed(everywhere=False, limit=COMPLETIONS)]
        elif isinstance(ref, ResourceTemplateReference):
            values = [each["checkpoint_id"] for each in memory().checkpoints.listed(limit=COMPLETIONS)["checkpoints"]]
        elif argument.name == "checkpoint":
            values = [each["name"] for each in memory().checkpoints.listed(limit=COMPLETIONS)["checkpoints"]]
        else:
            return None
        fitting = [value for value in dict.fromkeys(values) if value.startswith(argument.value)]
        return Completion(values=fitting, total=len(fitting), has_more=False)
