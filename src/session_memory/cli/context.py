"""`context`: what a session is told by itself: beforehand, afterwards, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line, when

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory context --dry-run --why"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which text, and whether with its reasons."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--dry-run", action="store_true", help="what a session that began now here would be told (the default)"
    )
    which.add_argument(
        "--last", action="store_true", help="the very text that was put into a session last, byte by byte"
    )
    parser.add_argument("--source", default="startup", metavar="HOW", help="startup, resume, clear, compact or fork")
    parser.add_argument("--prompt", metavar="TEXT", help="what this prompt would be reminded of, instead")
    parser.add_argument("--why", action="store_true", help="the reason of every line, and what was left out and why")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the text alone, or with its reasons."""
    with open_memory(args) as memory:
        if args.last:
            found = memory.contexts.last()
        elif args.prompt is not None:
            made = memory.contexts.recalled(args.prompt, "", keep=False)
            found = {"at": None, "session": "", **made.data("prompt")}
        else:
            found = {"at": None, "session": "", **memory.contexts.rehearsed(args.source).data(args.source)}
    terminal.json(found)
    if found["text"]:
        terminal.line(str(found["text"]))
    else:
        terminal.line(_nothing(found))
    if args.why:
        _reasons(found, terminal)
    return 0


def _nothing(found: dict[str, Any]) -> str:
    if found["source"] != "prompt":
        return "Nothing would be told: nothing that a session should know is recorded in this project."
    why = next((each["why"] for each in found["left_out"]), "nothing recorded holds enough of its words")
    return f"Nothing would be told: {why}."


def _reasons(found: dict[str, Any], terminal: Terminal) -> None:
    at = f", {when(found['at'])}" if found["at"] else ""
    terminal.line(f"\nabout {found['tokens']} tokens{at}; source: {found['source']}")
    for title, lines in (("told", found["lines"]), ("left out", found["left_out"])):
        rows = [
            (each.get("section", ""), each.get("by", ""), one_line(each["why"]), one_line(each.get("text", "")))
            for each in lines
        ]
        if rows:
            terminal.line()
            terminal.table((title, "by", "why", "text"), rows, wide=3)
