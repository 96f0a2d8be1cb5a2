"""`forget`: take something out of every file of the home, for ever, with a receipt that was checked by searching the bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from session_memory.actions.forgetting import Wanted
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.errors import InvalidInput
from session_memory.model.amounts import plural, size
from session_memory.model.times import read_time

if TYPE_CHECKING:
    import argparse

    from session_memory.actions.forgetting import Plan, Receipt
    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory forget --text 'Project Bluebird' --dry-run"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What, and whether it is meant."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--text", help="everything that says this, letter by letter")
    what.add_argument("--id", help="one record, by its id or the beginning of it")
    what.add_argument("--session", help="a session with its subagents")
    what.add_argument("--before", metavar="DATE", help="everything that happened before")
    what.add_argument("--project", help="everything of a project, by its name or key")
    what.add_argument("--origin", help="everything that one device wrote")
    what.add_argument("--source", help="everything of one provenance: claude-code, import, tool, user, model")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would go, change nothing")
    how.add_argument("--yes", action="store_true", help="do it without asking")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Show, ask, forget, prove. 1 when one of our files holds it all the same."""
    before = read_time(args.before) if args.before else None
    wanted = Wanted(args.text, args.id, args.session, before, args.origin, args.source, args.project)
    with open_memory(args) as memory:
        plan = memory.forgetting.plan(wanted)
        if args.dry_run:
            terminal.json({"dry_run": True, "records": len(plan.records), "kinds": plan.kinds})
            _planned(plan, terminal)
            terminal.line("Nothing was changed (--dry-run).")
            return 0
        if not args.yes:
            _planned(plan, terminal)
            if terminal.as_json or not sys.stdin.isatty():
                fix = "Say --yes, or look first with --dry-run."
                raise InvalidInput("missing-argument", "Forgetting cannot be undone.", fix)
            if not terminal.ask("Forget this for ever?", default=False):
                terminal.line("Nothing was changed.")
                return 0
        receipt = memory.forgetting.carry_out(
            plan,
            lambda done, total: terminal.progress(
                "Making the index again", done, total, f"{size(done)} of {size(total)}"
            ),
        )
    terminal.progress_done()
    terminal.json(receipt.__dict__)
    told(receipt, terminal)
    return 1 if receipt.still_in else 0


def _planned(plan: Plan, terminal: Terminal) -> None:
    kinds = ", ".join(plural(count, kind) for kind, count in sorted(plan.kinds.items(), key=lambda each: -each[1]))
    terminal.line(f"{plural(len(plan.records), 'record')} would go{f': {kinds}' if kinds else ''}.")
    if not plan.records and plan.wanted.text:
        terminal.line("Nothing says it yet; it would be left out of everything that is recorded later.")
    for each in plan.examples:
        terminal.line(f"  {one_line(each)[: terminal.width - 2]}")


def told(receipt: Receipt, terminal: Terminal) -> None:
    """What went, and what the search found."""
    went = [(receipt.lines, "line"), (receipt.long_bodies, "long text"), (receipt.views_removed, "derived file")]
    told = ", ".join(plural(count, noun) for count, noun in went if count)
    terminal.line(
        f"Forgotten: {plural(receipt.records, 'record')} ({told or 'nothing stood there'}); the index was made again."
    )
    terminal.line(
        f"Searched {plural(receipt.files_searched, 'file')} ({size(receipt.bytes_searched)}) byte by byte for"
        f" {plural(receipt.searched_for, 'text')}: {'found in none' if not receipt.still_in else 'FOUND'}."
    )
    if receipt.may_return:
        terminal.line(
            "The text is too short to be banned: a hash of it could be guessed. Said again, it is kept again."
        )
    if receipt.also_elsewhere:
        terminal.line(f"{plural(receipt.also_elsewhere, 'text')} of it other records say too: those stay.")
    for name in receipt.still_in:
        terminal.line(
            terminal.style(f"Still in {name}: a damaged line or a file of your own; look at it, or remove it.", "red")
        )
    for name in receipt.transcripts:
        terminal.line(f"Not ours, and it still holds it: {name}")
    for name in receipt.backups:
        terminal.line(f"A backup made earlier may hold it: {name}")
