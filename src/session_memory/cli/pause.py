"""`pause`: record nothing, for a while or until `unpause`; what is said meanwhile does not come back by import either."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory import git, ids, paths, settings
from session_memory.capture.consent import Consent
from session_memory.model.times import read_span

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory pause --project --for 2h"


def arguments(parser: argparse.ArgumentParser) -> None:
    """How long, and what."""
    parser.add_argument("--project", action="store_true", help="this folder's project only")
    parser.add_argument("--for", dest="span", metavar="TIME", help="how long: 30m, 2h, 1d (default: until unpause)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Pause."""
    consent, key, name = rules(args)
    span = read_span(args.span) if args.span else None
    consent.pause(key, span)
    terminal.json({"paused": consent.paused(key)})
    until = (
        f"until {ids.local_text(ids.now_ms() + span)}" if span is not None else "until you run: session-memory unpause"
    )
    terminal.line(f"Nothing {f'of {name} ' if key else ''}is recorded {until}.")
    return 0


def rules(args: argparse.Namespace) -> tuple[Consent, str | None, str]:
    """What the user lets us keep, and key and name of the project that is meant (None for everything)."""
    root = paths.home_root(getattr(args, "home", None), settings.environment().home)
    paths.make_dir(root)
    key, name = git.project_key(os.getcwd()) if args.project else (None, "")
    return Consent(root, settings.load(root)), key, name
