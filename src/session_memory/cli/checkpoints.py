"""`checkpoints`: list them, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import when
from session_memory.ids import at_ms

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory checkpoints --type manual"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Filters."""
    parser.add_argument("--session")
    parser.add_argument("--type", choices=("manual", "auto"))
    parser.add_argument("--all", action="store_true", help="of every project")
    parser.add_argument("--limit", type=int, default=20)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them; 1 when there are none."""
    with open_memory(args) as memory:
        listed = memory.checkpoints.listed(
            session_id=args.session, type_=args.type, limit=args.limit, everywhere=args.all
        )
    terminal.json(listed)
    rows = [
        (when(at_ms(each["timestamp"])), each["type"], each["event_count"], each["checkpoint_id"],
         f"{each['name']}  {each['summary']}")
        for each in listed["checkpoints"]
    ]  # fmt: skip
    if not rows:
        terminal.line("No checkpoint yet in this project. Make one: session-memory checkpoint NAME")
        return 1
    terminal.table(("made", "type", "events", "checkpoint", "name"), rows)
    return 0
