"""`rebuild`: make the index again from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.ids import monotonic
from session_memory.model.amounts import plural, size

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory rebuild"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Rebuild with a bar."""
    began = monotonic()
    with open_memory(args) as memory:
        count = memory.health.rebuild(
            lambda done, total: terminal.progress("Rebuilding", done, total, f"{size(done)} of {size(total)}")
        )
    terminal.progress_done()
    seconds = monotonic() - began
    terminal.json({"events": count, "seconds": round(seconds, 3)})
    terminal.line(f"The index was made again: {plural(count, 'event')} in {seconds:.1f} s.")
    return 0
