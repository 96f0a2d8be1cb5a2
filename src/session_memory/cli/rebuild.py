"""`rebuild`: make the index again from the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.eval import show
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
    """Rebuild with a bar; then ask the golden questions, where there are any."""
    began = monotonic()
    with open_memory(args) as memory:
        count = memory.health.rebuild(
            lambda done, total: terminal.progress("Rebuilding", done, total, f"{size(done)} of {size(total)}")
        )
        terminal.progress_done()
        seconds = monotonic() - began
        golden = memory.golden.run(everywhere=True) if memory.golden.listed(everywhere=True) else None
    told = {"events": count, "seconds": round(seconds, 3)}
    terminal.json(told if golden is None else {**told, "golden": golden})
    terminal.line(f"The index was made again: {plural(count, 'event')} in {seconds:.1f} s.")
    if golden is not None:
        show(terminal, golden)
    return 0
