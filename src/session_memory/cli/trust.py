"""`trust`: let a project's .env set the documented variables (keys and accounts, never addresses)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory import paths, settings, trust

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory trust ~/projects/shop"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which folder, and which way."""
    parser.add_argument("folder", nargs="?", help="the project's folder (default: this one)")
    parser.add_argument("--remove", action="store_true", help="trust it no longer")
    parser.add_argument("--list", action="store_true", help="show the folders that are trusted, change nothing")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Change or show the list."""
    root = paths.home_root(getattr(args, "home", None), settings.environment().home)
    folder = os.path.abspath(os.path.expanduser(args.folder or os.getcwd()))
    changed = False if args.list else trust.change(root, folder, on=not args.remove)
    known = trust.folders(root)
    terminal.json({"trusted": known, "changed": changed})
    if args.list:
        for each in known:
            terminal.line(each)
        if not known:
            terminal.line("No folder is trusted: no project's .env sets anything.")
    elif args.remove:
        terminal.line(f"{folder} is trusted no longer." if changed else f"{folder} was not trusted.")
    else:
        names = ", ".join(settings.PROJECT_VARIABLES)
        terminal.line(
            f"{folder} is trusted{'' if changed else ' already'}: its .env may set {names}, and nothing else."
        )
    return 0
