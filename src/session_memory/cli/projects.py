"""`projects`: every project with what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import when

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory projects"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them, the one of this folder marked; 1 when there are none."""
    with open_memory(args) as memory:
        found = memory.health.projects()
        here = memory.opened.project()[0]
    terminal.json([{**each, "here": each["key"] == here} for each in found])
    if not found:
        terminal.line("No project yet: nothing has been recorded.")
        return 1
    rows = [
        ("*" if each["key"] == here else "", each["name"], each["sessions"], each["events"],
         when(each["last"]) if each["last"] else "", each["key"])
        for each in found
    ]  # fmt: skip
    terminal.table(("", "project", "sessions", "events", "last", "key"), rows)
    return 0
