"""`search`: find events by plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.events import Query
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory search 'why did we drop redis' --all"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Words, --all and --limit."""
    parser.add_argument("text", nargs="+", help='plain words, a path, an error message, or "a phrase"')
    parser.add_argument("--all", action="store_true", help="in every project, not only this folder's")
    parser.add_argument("--limit", type=int, default=10, help="how many (default 10)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the best matches; 1 when there are none."""
    keyword = " ".join(args.text)
    with open_memory(args) as memory:
        page = memory.events.query(Query(keyword=keyword, scope="all" if args.all else None, limit=args.limit))
        elsewhere = 0
        if not page.events and not args.all:
            elsewhere = memory.events.query(Query(keyword=keyword, scope="all", limit=1)).total
    terminal.json({"events": page.events, "total_count": page.total, "total_capped": page.capped})
    if not page.events:
        hint = f" {plural(elsewhere, 'match')} in other projects: --all" if elsewhere else ""
        terminal.line(f"Nothing found for {one_line(keyword)!r} in this project.{hint}".replace("matchs", "matches"))
        return 1
    for event in page.events:
        print_event(terminal, event, keyword)
    more = page.total - len(page.events)
    if more > 0:
        terminal.line(terminal.style(f"{more:,}{'+' if page.capped else ''} more: --limit", "dim"))
    return 0


def print_event(terminal: Terminal, event: dict[str, Any], keyword: str = "") -> None:
    """Two lines: what and when, and the place in its text where the words stand."""
    from session_memory.model.mark import in_words
    from session_memory.model.snippet import snippet

    head = f"{when(at_ms(event['timestamp']))}  {event['category']}/{event['type']}"
    if event["type"] == "document" and event["data"].get("file"):
        page = f", page {event['source']['page']}" if event.get("source", {}).get("page") else ""
        title = f": {event['data']['title']}" if event["data"].get("title") else ""
        head += one_line(f"  {event['data']['file']}{page}{title}")
    terminal.line(f"{terminal.style(head, 'cyan')}  {terminal.style(event['id'][:12], 'dim')}")
    marked = terminal.style(in_words(event.get("mark")), "yellow")
    terminal.line(f"  {one_line(snippet(event['data'], keyword, 2 * terminal.width - 10))}{marked}")
