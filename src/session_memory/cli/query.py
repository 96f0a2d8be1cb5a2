"""`query`: find events by category, type, tag and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.events import ORDERS
from session_memory.actions.vocabulary import in_words
from session_memory.cli import filters
from session_memory.cli.opening import open_memory
from session_memory.cli.search import print_event
from session_memory.cli.terminal import one_line

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory query --category decision --after 2026-11-01 --order oldest"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The filters of `session_query`."""
    filters.arguments(parser)
    parser.add_argument("--keyword", help="plain words")
    parser.add_argument("--order", choices=ORDERS)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--cursor", help="the next page: the cursor the last one ended with")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print one page; 1 when nothing matches."""
    asked = filters.asked(args, args.keyword, order=args.order, cursor=args.cursor)
    with open_memory(args) as memory:
        page = memory.events.query(asked)
        taught = {} if page.events else memory.vocabulary.taught(asked)
    terminal.json(
        {"events": page.events, "total_count": page.total, "total_capped": page.capped, "next_cursor": page.next_cursor,
         **taught}
    )  # fmt: skip
    for event in page.events:
        print_event(terminal, event, args.keyword or "")
    if not page.events:
        terminal.line("No event matches.")
        for line in in_words(taught):
            terminal.line(f"  {one_line(line)}")
    elif page.next_cursor:
        terminal.line(terminal.style(f"{page.total:,} in all; next page: --cursor {page.next_cursor}", "dim"))
    return 0 if page.events else 1
