"""`unpause`: record again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.pause import rules

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory unpause"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What."""
    parser.add_argument("--project", action="store_true", help="end the pause of this folder's project only")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """End pauses."""
    consent, keys, name = rules(args)
    ended = [consent.resume(key) for key in keys].count(True) > 0
    terminal.json({"ended": ended, "paused": consent.paused(keys[0])})
    terminal.line(f"{f'{name} is' if name else 'Everything is'} recorded again." if ended else "Nothing was paused.")
    return 0
