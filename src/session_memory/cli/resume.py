"""`resume`: where things stand and what changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory resume before-refactoring"


def arguments(parser: argparse.ArgumentParser) -> None:
    """A checkpoint's name or id, and the budget."""
    parser.add_argument("checkpoint", nargs="?", help="name or id (default: the newest of the project)")
    parser.add_argument("--budget", type=int, metavar="TOKENS", help="how long the text may get")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the text; nothing is linked, as no client session goes on from here."""
    with open_memory(args) as memory:
        told = memory.handoffs.resume_any(args.checkpoint or "latest", budget=args.budget, link=False)
    terminal.json({"text": told.text, **told.ids})
    terminal.line(told.text)
    return 0
