"""`import`: bring existing history in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.errors import InvalidInput
from session_memory.ids import monotonic
from session_memory.model.amounts import plural, size
from session_memory.settings import environment

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory import claude-code"
OLDER = "session-memory import session-memory ~/old-home"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The source and where it lies."""
    parser.add_argument("source", choices=("claude-code", "session-memory"), help="whose history")
    parser.add_argument(
        "path",
        nargs="?",
        help="claude-code: a transcript, a project folder or a projects root (default: all of it);"
        " session-memory: a home of the product before this one",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Import; again and again is safe: what is known is passed over."""
    if args.source == "session-memory" and not args.path:
        raise InvalidInput("missing-argument", "import session-memory needs the path of a home.", f"Example: {OLDER}")
    path = os.path.abspath(os.path.expanduser(args.path)) if args.path else environment().claude_projects
    with open_memory(args) as memory:
        if args.source == "session-memory":
            taken_over(memory, path, terminal)
        else:
            brought_in(memory, path, terminal)
    return 0


def taken_over(memory: Memory, path: str, terminal: Terminal) -> None:
    """Import a home of the product before this one with a bar, and say what came."""
    found = memory.predecessors.take(
        path, progress=lambda done, total: terminal.progress("Importing", done, total, f"{size(done)} of {size(total)}")
    )
    terminal.progress_done()
    terminal.json(found.__dict__)
    came = ", ".join(
        plural(count, word)
        for count, word in (
            (found.sessions, "session"), (found.checkpoints, "checkpoint"), (found.learnings, "learning"),
            (found.relations, "relation"), (found.documents, "document"),
        ) if count
    )  # fmt: skip
    terminal.line(f"{plural(found.events, 'new event')}; {found.known:,} were known already.")
    if came or found.entities:
        terminal.line(f"Also {came}{', ' if came else ''}{found.entities:,} entities.")
    if found.unreadable:
        terminal.line(f"{plural(found.unreadable, 'line')} of its log could not be read; the file is unchanged.")
    for trouble in found.troubles:
        terminal.line(terminal.style(trouble, "yellow"))


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
    if report.left_out:
        terminal.line(f"{plural(report.left_out, 'record')} left out: recording was paused or excluded then.")
    if report.redacted:
        terminal.line(f"{plural(report.redacted, 'secret')} replaced before anything was written.")
    left_out = ", ".join(f"{count:,} {why}" for why, count in sorted(report.skipped.items(), key=lambda each: -each[1]))
    if left_out:
        terminal.line(terminal.style(f"Left out, as they hold nothing to remember: {left_out}", "dim"))
    for trouble in report.troubles:
        terminal.line(terminal.style(trouble, "yellow"))
    return report.new
