"""`sessions`: the newest sessions of this project, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import when

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory sessions --all --limit 5"


def arguments(parser: argparse.ArgumentParser) -> None:
    """--all and --limit."""
    parser.add_argument("--all", action="store_true", help="of every project, not only this folder's")
    parser.add_argument("--limit", type=int, default=20, help="how many (default 20)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them; 1 when there are none."""
    with open_memory(args) as memory:
        found = memory.sessions.listed(everywhere=args.all, limit=args.limit)
        elsewhere = 0 if found or args.all else len(memory.sessions.listed(everywhere=True, limit=200))
    terminal.json(found)
    if not found:
        terminal.line("No session yet in this project." + (f" {elsewhere} elsewhere: --all" if elsewhere else ""))
        return 1
    rows = [
        (when(each["last"]), each["id"][:36], each["project_name"], each["event_count"], each.get("title", ""))
        for each in found
    ]
    terminal.table(("last", "session", "project", "events", "what"), rows)
    return 0
