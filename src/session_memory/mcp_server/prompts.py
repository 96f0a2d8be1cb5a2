"""Prompts: what people type with a slash to use the memory without waiting for the model to think of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.mcpserver import MCPServer

    from session_memory.memory import Memory


def add(server: MCPServer[Any], memory: Callable[[], Memory]) -> None:
    """Register the prompts."""

    @server.prompt(title="Resume")
    async def resume(checkpoint: str = "") -> str:
        """Go on where the last session stopped (or at a named checkpoint)."""
        told = memory().handoffs.resume(name=checkpoint or None)
        return f"Here is what our memory holds about the work so far. Go on from there.\n\n{told.text}"

    @server.prompt(title="Handoff")
    async def handoff() -> str:
        """Write down what whoever goes on must know."""
        told = memory().handoffs.write()
        return (
            "This is the handoff our memory has written. Check it against what you know, record with session_record"
            f" what is missing, and tell me where the file lies.\n\n{told.text}"
        )

    @server.prompt(title="Recall")
    async def recall(topic: str) -> str:
        """What we know about a topic."""
        return f"What our memory holds about {topic!r}, best match first:\n\n{memory().recall.told(topic)}"
