"""`install`: make a client start the server (and Claude Code its hooks): shown first, backed up, taken back by `uninstall`."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

from session_memory.actions.wiring import CLIENTS, Wiring
from session_memory.cli.opening import open_memory
from session_memory.errors import InvalidInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from session_memory.actions.wiring import Change
    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory install claude-code --dry-run"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which client."""
    parser.add_argument("client", nargs="?", choices=CLIENTS, help="whose configuration to change")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
    parser.add_argument("--print", dest="shown", metavar="CLIENT", help="print the server's entry for any other client")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Install."""
    if not args.client and not args.shown:
        fix = f"One of {', '.join(CLIENTS)}, or --print CLIENT."
        raise InvalidInput("missing-argument", "install needs the name of a client.", fix)
    with open_memory(args) as memory:  # makes the home and the server's launcher in it
        home = memory.opened.home
    wiring = Wiring(home)
    if args.shown:
        entry = {"mcpServers": {"session-memory": wiring.server()}}
        terminal.json(entry)
        terminal.line(json.dumps(entry, indent=2, ensure_ascii=False))
        return 0
    changes = wiring.install(args.client)
    return done(changes, wiring.apply, args.dry_run, terminal, f"{args.client} starts session-memory already.")


def done(
    changes: list[Change], make: Callable[[list[Change]], list[str]], dry: bool, terminal: Terminal, nothing: str
) -> int:
    """Show the changes and, unless it is a dry run, make them."""
    backups = [] if dry else make(changes) if changes else []
    terminal.json({"changed": [each.path for each in changes], "backups": backups, "dry_run": dry})
    if not changes:
        terminal.line(nothing)
        return 0
    for change in changes:
        before, after = (change.before or "").splitlines(), (change.after or "").splitlines()
        for line in difflib.unified_diff(before, after, change.path, change.path, lineterm="", n=2):
            colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
            terminal.line(terminal.style(line, colour))
    for backup in backups:
        terminal.line(f"Kept as it was: {backup}")
    terminal.line("Nothing was changed (--dry-run)." if dry else "Done. Start the client anew.")
    return 0
