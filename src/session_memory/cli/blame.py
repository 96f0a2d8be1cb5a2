"""`blame`: which decisions, findings, edits, commits and prompts shaped a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.files import ORDERS
from session_memory.cli import scope
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory blame src/auth.ts --order oldest"


def arguments(parser: argparse.ArgumentParser) -> None:
    """A path, --order, --limit, and where to look."""
    parser.add_argument("file", help="a path, or the end of one")
    parser.add_argument("--order", choices=ORDERS, default="newest")
    parser.add_argument("--limit", type=int, default=20, help="how many (default 20)")
    scope.arguments(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print one line a turn; 1 when nothing is known of the file."""
    with open_memory(args) as memory:
        found = memory.files.blame(args.file, order=args.order, limit=args.limit, **scope.chosen(args))
        elsewhere = 0 if found["turns"] or args.all else memory.files.blame(args.file, everywhere=True)["total_count"]
    terminal.json(found)
    name = one_line(found["file"])
    if not found["turns"]:
        hint = f" {plural(elsewhere, 'turn')} in other projects: --all" if elsewhere else ""
        terminal.line(f"Nothing shaped {name!r} {scope.place(args)}, as far as recorded.{hint}")
        return 1
    counts = ", ".join(plural(n, what) for what, n in found["counts"].items())
    terminal.line(
        f"{terminal.style(name, 'bold')}: {counts}{', at least' if found['capped'] else ''}; {args.order} first"
    )
    if len(found["paths"]) > 1:
        listed = ", ".join(f"{one_line(path)} ({plural(n, 'edit')})" for path, n in found["paths"].items())
        terminal.line(f"{len(found['paths'])} files end so: {listed}. Name more of the path to choose one.")
    for each in found["turns"]:
        why = f"before {plural(each['before'], 'edit')}: " if each.get("before") else ""
        where = f"{one_line(each['path'])}: " if len(found["paths"]) > 1 and each["what"] == "edit" else ""
        head = f"{when(at_ms(each['timestamp']))}  {terminal.style(format(each['what'], '<8'), 'cyan')}"
        turn = terminal.style(f"{each['id'][:ID]} {each['role']:<5} in {each['session_id'][:8]}", "dim")
        terminal.line(f"{head}  {turn}  {cut(why + where + one_line(each['text']), max(40, 2 * terminal.width - 70))}")
    more = found["total_count"] - len(found["turns"])
    if more:
        terminal.line(terminal.style(f"{more:,} more: --limit", "dim"))
    return 0
