"""`import`: bring existing history in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import plural, size
from session_memory.ids import monotonic
from session_memory.settings import environment

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory import claude-code"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The source and where it lies."""
    parser.add_argument("source", choices=("claude-code",), help="whose history")
    parser.add_argument(
        "path", nargs="?", help="a transcript, a project folder or a projects root (default: all of it)"
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Import; again and again is safe: what is known is passed over."""
    path = os.path.abspath(args.path) if args.path else environment().claude_projects
    with open_memory(args) as memory:
        brought_in(memory, path, terminal)
    return 0


def brought_in(memory: Memory, path: str, terminal: Terminal) -> int:
    """Import what lies at `path` with a bar, and say what came; returns how many events are new."""
    began = monotonic()
    report = memory.imports.claude_code(
        path, lambda done, total: terminal.progress("Importing", done, total, f"{size(done)} of {size(total)}")
    )
    terminal.progress_done()
    terminal.json({**report.__dict__, "seconds": round(monotonic() - began, 2)})
    terminal.line(
        f"{plural(report.new, 'new event')} from {plural(report.transcripts, 'transcript')} ({size(report.bytes)})"
        f" in {monotonic() - began:.1f} s; {report.known:,} were known already."
    )
    if report.redacted:
        terminal.line(f"{plural(report.redacted, 'secret')} replaced before anything was written.")
    left_out = ", ".join(f"{count:,} {why}" for why, count in sorted(report.skipped.items(), key=lambda each: -each[1]))
    if left_out:
        terminal.line(terminal.style(f"Left out, as they hold nothing to remember: {left_out}", "dim"))
    for trouble in report.troubles:
        terminal.line(terminal.style(trouble, "yellow"))
    return report.new
