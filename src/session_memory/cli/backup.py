"""`backup`: copy a memory into one file, and prove the copy by restoring it to a temporary place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.model.amounts import plural, size

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory backup ~/backups"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("path", nargs="?", help="a file, or a folder to put it in (default: the current folder)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Write it with a bar."""
    with open_memory(args) as memory:
        made = memory.backups.make(
            os.path.expanduser(args.path) if args.path else None,
            lambda done, total: terminal.progress("Copying", done, total, f"{size(done)} of {size(total)}"),
        )
    terminal.progress_done()
    terminal.json(made.__dict__)
    terminal.line(
        f"{made.path}: {size(made.bytes)}, {plural(made.lines, 'line')} of the log; restored once, and it verifies."
    )
    terminal.line("It holds everything you recorded and the home's secret: keep it where nobody else can read it.")
    return 0
