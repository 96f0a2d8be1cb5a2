"""`checkpoint`: name this position to resume from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.model.amounts import plural

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory checkpoint before-refactoring --summary 'login works, tests green'"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Name, summary and session."""
    parser.add_argument("name", nargs="?", help="a label; the same name may be used again")
    parser.add_argument("--summary", help="what stands at this point")
    parser.add_argument("--session", help="of this session (default: the newest of the project)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Make it."""
    with open_memory(args) as memory:
        session = args.session or memory.sessions.meant(None)
        made = memory.checkpoints.create(args.name, args.summary, session_id=session)
    terminal.json(made)
    terminal.line(f"Checkpoint {made['name']!r} at {plural(made['event_count'], 'event')}: {made['checkpoint_id']}")
    return 0
