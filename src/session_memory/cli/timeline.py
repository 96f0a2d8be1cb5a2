"""`timeline`: what stood beside an event or a time, a line each; `show` tells one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.timeline import BESIDE
from session_memory.cli import scope
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory timeline 019aaacd0c01 --before 3 --after 10"


def arguments(parser: argparse.ArgumentParser) -> None:
    """An event or a time, how many lines on each side, and where to look."""
    times = "2026-11-20T14:00, yesterday, last monday, checkpoint NAME"
    parser.add_argument("around", nargs="*", default=["now"], metavar="EVENT-OR-TIME",
                        help=f"an event's id; or a time: {times} (default: now)")  # fmt: skip
    parser.add_argument("--before", type=int, default=BESIDE, help=f"lines before it (default {BESIDE})")
    parser.add_argument("--after", type=int, default=BESIDE, help=f"lines after it (default {BESIDE})")
    scope.arguments(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the lines, oldest first; 1 when there are none."""
    with open_memory(args) as memory:
        found = memory.timeline.around(
            " ".join(args.around), before=args.before, after=args.after, **scope.chosen(args)
        )
    terminal.json(found)
    if not found["events"]:
        terminal.line(f"Nothing stands there {scope.place(args)}.")
        return 1
    if found["earlier"]:
        terminal.line(terminal.style(f"  {found['earlier']:,} earlier: --before", "dim"))
    sessions = {each["session_id"] for each in found["events"]}
    day = ""
    for each in found["events"]:
        date, _, hour = when(at_ms(each["timestamp"])).partition(" ")
        if date != day:
            terminal.line(terminal.style(date, "bold"))
            day = date
        sign = terminal.style(">", "yellow", "bold") if each.get("here") else " "
        whose = f" in {each['session_id'][:8]}" if len(sessions) > 1 else ""
        kind = terminal.style(cut(f"{each['category']}/{each['type']}", 24).ljust(24), "cyan")
        turn = terminal.style(f"{each['id'][:ID]} {each['role']:<5}{whose}", "dim")
        size = terminal.style(f"{each['size']:>7,}", "dim")
        text = cut(one_line(each["text"]), max(40, terminal.width - 68))
        terminal.line(f"{sign} {hour}  {kind} {turn} {size}  {text}")
    if found["later"]:
        terminal.line(terminal.style(f"  {found['later']:,} later: --after", "dim"))
    said = f"{plural(len(found['events']), 'event')}, {found['size']:,} characters in full: session-memory show ID"
    terminal.line(terminal.style(said, "dim"))
    return 0
