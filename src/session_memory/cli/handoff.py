"""`handoff`: write what the next session must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory handoff --budget 2000"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Session and budget."""
    parser.add_argument("--session", help="of this session and those it came from (default: of the project)")
    parser.add_argument("--budget", type=int, metavar="TOKENS", help="how long the printed text may get")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Write the file and print the text."""
    with open_memory(args) as memory:
        told = memory.handoffs.write(session_id=args.session, budget=args.budget)
    terminal.json({"handoff": told.object, **told.ids})
    terminal.line(told.text)
    return 0
