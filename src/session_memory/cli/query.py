"""`query`: find events by category, type, tag and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.events import ORDERS, SCOPES, Query
from session_memory.cli.opening import open_memory
from session_memory.cli.search import print_event

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory query --category decision --after 2026-11-01 --order oldest"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The filters of `session_query`."""
    parser.add_argument("--category", action="append", help="may be given several times")
    parser.add_argument("--type")
    parser.add_argument("--tag", action="append", help="any of these; may be given several times")
    parser.add_argument("--keyword", help="plain words")
    parser.add_argument(
        "--after",
        help="ISO 8601, a date, yesterday, last week, 3 days ago, or checkpoint NAME; UTC where no zone stands",
    )
    parser.add_argument("--before")
    parser.add_argument("--file", help="of this file: a path or the end of one")
    parser.add_argument("--branch")
    parser.add_argument("--session", help="of this session only")
    parser.add_argument("--scope", choices=SCOPES)
    parser.add_argument("--order", choices=ORDERS)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--cursor", help="the next page: the cursor the last one ended with")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print one page; 1 when nothing matches."""
    asked = Query(
        categories=args.category, type=args.type, keyword=args.keyword, tags=args.tag, after=args.after,
        before=args.before, session_id=args.session, scope=args.scope, limit=args.limit, cursor=args.cursor,
        order=args.order, file=args.file, branch=args.branch,
    )  # fmt: skip
    with open_memory(args) as memory:
        page = memory.events.query(asked)
    terminal.json(
        {"events": page.events, "total_count": page.total, "total_capped": page.capped, "next_cursor": page.next_cursor}
    )
    for event in page.events:
        print_event(terminal, event, args.keyword or "")
    if not page.events:
        terminal.line("No event matches.")
    elif page.next_cursor:
        terminal.line(terminal.style(f"{page.total:,} in all; next page: --cursor {page.next_cursor}", "dim"))
    return 0 if page.events else 1
