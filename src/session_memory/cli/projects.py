"""`projects`: every project with what is remembered of it; which of their keys are one project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import when
from session_memory.errors import InvalidInput

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory projects alias ~/old-folder"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which project."""
    parser.add_argument(
        "verb", nargs="?", choices=("list", "alias", "unalias"), default="list", metavar="list|alias|unalias",
        help="alias: OTHER is the same project as this folder's; unalias takes it back (default: list)",
    )  # fmt: skip
    parser.add_argument("other", nargs="?", metavar="OTHER", help="a project's key, name or folder (which may be gone)")
    parser.add_argument("--to", metavar="PROJECT", help="alias: the same as this project instead")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them, the one of this folder marked (1 when there are none); or say what is one project."""
    if (args.verb == "list") != (args.other is None) or (args.to and args.verb != "alias"):
        raise InvalidInput("bad-argument", "Say which project is meant.", f"For example: {EXAMPLE}")
    with open_memory(args) as memory:
        if args.verb == "alias":
            return _alias(args, memory, terminal)
        if args.verb == "unalias":
            key, kept = memory.projects.unalias(args.other)
            terminal.json({"key": key, "alias_of": None, "stored": kept.stored})
            terminal.line(f"{key} is a project of its own again.")
            return 0
        return _list(memory, terminal)


def _alias(args: argparse.Namespace, memory: Memory, terminal: Terminal) -> int:
    key, target, kept = memory.projects.alias(args.other, args.to)
    terminal.json({"key": key, "alias_of": target, "stored": kept.stored if kept else None})
    if kept is None:
        terminal.line(f"They are one project already: {target}")
        return 0
    terminal.line(f"{key} is now the same project as {target}.")
    terminal.line(f"Take it back: session-memory projects unalias '{key}'")
    return 0


def _list(memory: Memory, terminal: Terminal) -> int:
    found, here = memory.projects.listed(), memory.projects.here()
    likely = memory.projects.suggested()
    terminal.json([{**each, "here": each["key"] == here} for each in found])
    if not found:
        terminal.line("No project yet: nothing has been recorded.")
        return 1
    rows = []
    for each in found:
        last = when(each["last"]) if each["last"] else ""
        mark = "*" if each["key"] == here else ""
        rows.append((mark, each["name"], each["sessions"], each["events"], last, each["key"]))
        rows += [("", "", "", "", "", f"= {alias}") for alias in each["aliases"]]
    terminal.table(("", "project", "sessions", "events", "last", "key"), rows)
    for each in likely:
        terminal.line(f"{each['name']} looks like this folder's project ({each['why']}). If so:")
        terminal.line(f"  session-memory projects alias '{each['key']}'")
    return 0
