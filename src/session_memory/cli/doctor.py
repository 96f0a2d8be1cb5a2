"""`doctor`: look at everything a memory stands on, and repair what can be repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory doctor --fix"
MARKS = {"ok": ("ok", "green"), "note": ("note", "cyan"), "warning": ("WARN", "yellow"), "fault": ("FAULT", "red")}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to repair."""
    parser.add_argument("--fix", action="store_true", help="repair what can be repaired without losing anything")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print every finding; 1 while a warning or a fault is left."""
    with open_memory(args) as memory:
        found = memory.doctor.examine(fix=args.fix)
        home = memory.opened.home.root
    bad = [each for each in found if each.level in ("warning", "fault")]
    names = ("area", "level", "what", "fix", "repaired")
    terminal.json(
        {"home": home, "green": not bad, "findings": [{n: getattr(each, n) for n in names} for each in found]}
    )
    terminal.line(f"Home {home}")
    for each in found:
        word, colour = MARKS[each.level]
        terminal.line(f"{terminal.style(f'{word:>5}', colour)}  {each.area}: {each.what}")
        if each.fix and each.level != "ok":
            terminal.line(f"         -> {each.fix}")
    terminal.line("")
    terminal.line("All is well." if not bad else f"{len(bad)} to look at.")
    return 1 if bad else 0
