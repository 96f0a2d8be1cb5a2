"""`show`: one event, session, checkpoint, learning, entity or document in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.errors import InvalidInput, NotFound
from session_memory.model.plain import plain

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory show 019aaacd0c01"


def arguments(parser: argparse.ArgumentParser) -> None:
    """An id, or the beginning of an event's id."""
    parser.add_argument(
        "id",
        help="id of an event (its first 6 digits or more), session, checkpoint, learning or document; or an entity's name",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print it as indented JSON."""
    with open_memory(args) as memory:
        found = _find(memory, args.id)
    terminal.json(found)
    terminal.line(plain(json.dumps(found, ensure_ascii=False, indent=2)))
    return 0


def _find(memory: Memory, wanted: str) -> dict[str, Any]:
    if not wanted.strip():
        raise InvalidInput("missing-argument", "There is no id in that.", "Give one that search or sessions shows.")
    try:
        return memory.starts.view(wanted, fit=lambda events: events)
    except NotFound:
        pass  # not a session
    try:
        checkpoint, _count = memory.checkpoints.meant(wanted, None)
        return checkpoint or {}
    except NotFound:
        pass  # not a checkpoint
    try:
        return memory.events.get(wanted)
    except NotFound:
        found = memory.health.thing(wanted)
        if found is None:
            raise
        return found
