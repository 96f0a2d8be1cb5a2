"""`config`: every setting and where it came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory config"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them all; 1 when config.json has a problem."""
    with open_memory(args) as memory:
        found = memory.opened.settings
        path = memory.opened.home.config
    rows = found.rows()
    terminal.json(
        {"file": path, "settings": [{"name": n, "value": v, "from": o} for n, v, o in rows],
         "problems": found.problems, "ignored": found.ignored}
    )  # fmt: skip
    terminal.table(("setting", "value", "from"), [(n, _shown(v), o) for n, v, o in rows], wide=1)
    for problem in [*found.problems, *found.ignored]:
        terminal.line(terminal.style(problem, "yellow"))
    terminal.line(terminal.style(f"File: {path}", "dim"))
    return 1 if found.problems else 0


def _shown(value: object) -> str:
    """A value as config.json spells it, strings without their quotes."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
