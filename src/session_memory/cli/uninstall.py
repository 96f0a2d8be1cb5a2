"""`uninstall`: take back what `install` did; what is remembered stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory import paths, settings
from session_memory.actions.wiring import CLIENTS, Wiring
from session_memory.cli.install import done

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory uninstall claude-code --dry-run"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which client."""
    parser.add_argument("client", choices=CLIENTS, help="whose configuration to change")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Uninstall."""
    home = paths.Home(paths.home_root(getattr(args, "home", None), settings.environment().home))
    wiring = Wiring(home)
    return done(
        wiring.uninstall(args.client),
        wiring.undo,
        args.dry_run,
        terminal,
        f"{args.client} does not start session-memory.",
    )
