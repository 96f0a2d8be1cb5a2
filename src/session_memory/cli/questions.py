"""`questions`: what was asked and not answered yet, in every session of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory questions --all"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which ones."""
    parser.add_argument("--all", action="store_true", help="answered, deferred and dropped ones too")
    parser.add_argument("--everywhere", action="store_true", help="of every project")
    parser.add_argument("--session", help="of one session")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print them; 1 when there are none."""
    with open_memory(args) as memory:
        found = memory.questions.listed(closed=args.all, everywhere=args.everywhere, session_id=args.session)
    terminal.json({"questions": found, "open": sum(each["status"] == "open" for each in found)})
    if not found:
        terminal.line("No question." if args.all else "No open question.")
        return 1
    for each in found:
        name = f"{each['question_id']}: " if each.get("question_id") else ""
        head = f"{each['id'][:ID]}  {each['status']}, {_age(each['age_days'])} old, asked by {each['asked_by']}"
        terminal.line(f"{terminal.style(head, 'cyan')}  {terminal.style(one_line(each['session_id']), 'dim')}")
        terminal.line(f"  {one_line(name + each['question'])}")
        if each.get("answer"):
            terminal.line(f"  -> {one_line(each['answer'])}")
    terminal.line(terminal.style("Answer one: session-memory answer ID TEXT", "dim"))
    return 0


def _age(days: float) -> str:
    return f"{days:.0f} d" if days >= 2 else f"{days * 24:.0f} h"
