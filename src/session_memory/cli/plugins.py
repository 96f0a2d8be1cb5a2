"""`plugins`: plugins that are loaded, and those that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory plugins"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print both lists; 1 when one failed."""
    with open_memory(args) as memory:
        registry = memory.opened.plugins
        loaded = registry.listed()
        failed = dict(registry.failed)
        folder = memory.opened.home.plugins
    terminal.json({"plugins": loaded, "failed": failed})
    terminal.table(
        ("plugin", "from", "skills"),
        [(each["name"], each["source"], ", ".join(each["skills"]) or "any") for each in loaded],
    )
    for name, why in failed.items():
        terminal.line(terminal.style(f"{name}: {why}", "red"))
    terminal.line(terminal.style(f"Your own go into {folder}", "dim"))
    return 1 if failed else 0
