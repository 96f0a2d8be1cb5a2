"""`restore`: make a home from a backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory.actions.backups import restore
from session_memory.model.amounts import plural
from session_memory.paths import home_root
from session_memory.settings import environment

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory restore ~/backups/session-memory-20261124T101500.tar.gz --home ~/restored"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which one."""
    parser.add_argument("path", help="a file that `backup` wrote")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Restore into --home (or the usual home), which must be empty or absent."""
    root = home_root(getattr(args, "home", None), environment().home)
    made = restore(os.path.abspath(os.path.expanduser(args.path)), root)
    terminal.json({**made.__dict__, "home": root})
    terminal.line(f"{root}: {plural(made.lines, 'line')} of the log; the index is made at the first use.")
    terminal.line("What was forgotten after this backup was made is in it again: forget it here too.")
    return 0
