"""The tool about documents: read one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import from_thread, to_thread
from mcp_types import CallToolResult

from session_memory.extract import reading
from session_memory.mcp_server.answers import REPORT, ToolSpec, structured
from session_memory.model import chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.extract.reading import Progress
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
            found = await to_thread.run_sync(reading.read, opening.content, opening.format, _progress())
        return structured(memory().documents.keep(opening, found))

    return [ToolSpec(session_ingest, "Read a document in", reads=False)]


def _progress() -> Progress:
    """What tells the client, from the thread that reads, how many pages are done: at each hundredth of them."""
    report, told = REPORT.get(), -1

    def progress(done: int, total: int) -> None:
        nonlocal told
        hundredth = 100 * done // max(total, 1)
        if report is not None and hundredth > told:
            told = hundredth
            from_thread.run(report, float(done), float(total), "pages read")

    return progress
