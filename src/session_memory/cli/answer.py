"""`answer`: answer a question that a session left open; the next session knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory answer Q1 'Health checks do not count'"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and what."""
    parser.add_argument("id", help="the question's own id, or the one of its event that `questions` shows")
    parser.add_argument("text", nargs="+", help="the answer, or why it is deferred or dropped")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--defer", action="store_true", help="not now")
    how.add_argument("--drop", action="store_true", help="it does not matter any more")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Record it as the user's word."""
    how = "deferred" if args.defer else "dropped" if args.drop else "answered"
    with open_memory(args) as memory:
        made = memory.questions.answer(args.id, " ".join(args.text), how=how)
    terminal.json(made)
    terminal.line(f"{how.capitalize()}: {one_line(made['question'])}")
    return 0
