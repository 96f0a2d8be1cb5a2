"""The tool about documents: read one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from mcp_types import CallToolResult

from session_memory.extract import reading
from session_memory.mcp_server.answers import ToolSpec, structured
from session_memory.model import chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.memory import Memory


def tools(memory: Callable[[], Memory]) -> list[ToolSpec]:
    """The tools of this room."""

    async def session_ingest(
        file_path: str, chunk_size: int = chunks.SIZE, overlap: int = chunks.OVERLAP
    ) -> CallToolResult:
        """Make a file of the project (PDF, DOCX, HTML, text, code) searchable by session_query."""
        opening = memory().documents.open(file_path, chunk_size, overlap)
        found = None
        if not opening.unchanged:  # other calls are answered while it is read
            found = await to_thread.run_sync(reading.read, opening.content, opening.format)
        return structured(memory().documents.keep(opening, found))

    return [ToolSpec(session_ingest, "Read a document in", reads=False)]
