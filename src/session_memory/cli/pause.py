"""`pause`: record nothing, for a while or until `unpause`; what is said meanwhile does not come back by import either."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory import git, ids, paths, settings
from session_memory.capture.consent import Consent
from session_memory.cli.opening import open_memory
from session_memory.errors import SessionMemoryError
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
    consent, keys, name = rules(args)
    span = read_span(args.span) if args.span else None
    for key in keys:
        consent.pause(key, span)
    terminal.json({"paused": consent.paused(keys[0])})
    until = (
        f"until {ids.local_text(ids.now_ms() + span)}" if span is not None else "until you run: session-memory unpause"
    )
    terminal.line(f"Nothing {f'of {name} ' if name else ''}is recorded {until}.")
    return 0


def rules(args: argparse.Namespace) -> tuple[Consent, tuple[str | None, ...], str]:
    """What the user lets us keep, and the keys and name of the project that is meant (None and "" for everything)."""
    root = paths.home_root(getattr(args, "home", None), settings.environment().home)
    paths.make_dir(root)
    consent = Consent(root, settings.load(root))
    if not args.project:
        return consent, (None,), ""
    key, name = git.project_key(os.getcwd())
    try:
        with open_memory(args) as memory:
            return consent, memory.projects.keys(key), name
    except SessionMemoryError:
        return consent, (key,), name  # a pause must not wait for an index
