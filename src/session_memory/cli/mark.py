"""`mark`: say of a fact that it is accepted, rejected, superseded or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.search import print_event
from session_memory.model.mark import STATUSES

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory mark 019aaacd0c01 wrong --note 'the limit is per key, not per tenant'"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The event, what it is now, why, and what replaces it."""
    parser.add_argument("id", help="id of an event, or its first 6 digits or more, as search and handoff show it")
    parser.add_argument("status", choices=(*STATUSES, "clear"), help="clear takes the mark back")
    parser.add_argument("--note", default="", metavar="TEXT", help="why; shown with every hit")
    parser.add_argument("--by", default="", metavar="ID", help="the event that holds in its place")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Keep the mark, as the user's word, and show the event as it is told from now on."""
    with open_memory(args) as memory:
        told = memory.marks.put(args.id, args.status, note=args.note, by=args.by)
    terminal.json({name: value for name, value in told.items() if name != "event"})
    print_event(terminal, told["event"])
    if told["mark"] is None:
        terminal.line(terminal.style("The mark is taken back.", "dim"))
    return 0
