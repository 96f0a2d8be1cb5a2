"""`search`: find events by plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.events import MOST
from session_memory.actions.vocabulary import in_words
from session_memory.cli import filters
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.actions.events import Query
    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory search 'why did we drop redis' --all --after 'last month'"
FILTERS = ("categories", "type", "tags", "after", "before", "file", "branch")  # beside session, scope and limit
PLACES = {"session": "in this session", "lineage": "in this session or those before it", "project": "in this project",
          "all": "in any project"}  # fmt: skip
FEW = 4  # words of a question of which it is worth saying that nothing holds them all
NEAR = 0.45  # similarity from which it is worth a person's time to read on
BEHIND = 3  # hits behind the last that are told as left out


def arguments(parser: argparse.ArgumentParser) -> None:
    """Words, --all, --limit, --explain and the filters of `query`."""
    parser.add_argument("text", nargs="+", help='plain words, a path, an error message, or "a phrase"')
    parser.add_argument("--all", action="store_true", help="in every project, not only this folder's")
    parser.add_argument("--limit", type=int, default=10, help="how many (default 10)")
    parser.add_argument(
        "--explain", action="store_true",
        help="by words, meaning and context: what each hit owes its place to, and what was near and left out",
    )  # fmt: skip
    filters.arguments(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the best matches; 1 when there are none."""
    keyword = " ".join(args.text)
    asked = filters.asked(args, keyword, everywhere=args.all)
    if args.explain:
        return _explained(args, terminal, asked)
    with open_memory(args) as memory:
        page = memory.events.query(asked)
        taught = memory.vocabulary.taught(asked)
        near = [] if page.events else _near(memory, asked)
    whole = bool(taught.get("all"))  # some event holds all of the words, or there is nothing to tell of them
    told = {"events": page.events, "total_count": page.total, "total_capped": page.capped}
    terminal.json({**told, **({} if page.events and whole else taught), **({"near": near} if near else {})})
    if not page.events:
        place = (
            "with these filters"
            if taught.get("without_filters")
            else PLACES["all" if args.all else args.scope or "project"]
        )
        terminal.line(f"Nothing found for {one_line(keyword)!r} {place}.{_elsewhere(taught)}")
        _nothing(terminal, taught, near)
        return 1
    unknown = [word for word, number in taught.get("words", {}).items() if not number]
    if unknown or (not whole and 1 < len(taught.get("words", {})) <= FEW):
        terminal.line(
            terminal.style("Nothing holds all of these words; what holds most of them comes first.", "yellow")
        )
        for line in in_words({**taught, "words": dict.fromkeys(unknown, 0)}):
            terminal.line(terminal.style(f"  {one_line(line)}", "dim"))
    for event in page.events:
        print_event(terminal, event, keyword)
    more = page.total - len(page.events)
    if more > 0:
        terminal.line(terminal.style(f"{more:,}{'+' if page.capped else ''} more: --limit", "dim"))
    return 0


def _near(memory: Memory, asked: Query) -> list[dict[str, Any]]:
    """What is near in meaning to a question that nothing matches."""
    more = {name: getattr(asked, name) for name in FILTERS}
    found = memory.recall.search(
        asked.keyword or "", session_id=asked.session_id, scope=asked.scope, limit=BEHIND, **more
    )
    return [each for each in found["results"] if each.get("near") and each.get("similarity", 0) >= NEAR]


def _elsewhere(taught: dict[str, Any]) -> str:
    return f" {counted(taught['elsewhere'])} in other projects: --all" if taught.get("elsewhere") else ""


def _nothing(terminal: Terminal, taught: dict[str, Any], near: list[dict[str, Any]]) -> None:
    unfiltered = taught.get("without_filters", 0)
    if unfiltered:
        terminal.line(f"  Without the filters: {counted(unfiltered)}")
    for line in in_words(taught):
        terminal.line(f"  {one_line(line)}")
    if near:
        terminal.line("Nearest in meaning, but no match:")
    for hit in near:
        head = f"{when(at_ms(hit['timestamp']))}  {hit['id'][:ID]}  {hit['category']}/{hit['type']}"
        terminal.line(f"  {terminal.style(head, 'dim')}  {cut(one_line(hit['snippet']), 2 * terminal.width - 60)}")


def counted(matches: int) -> str:
    """`1 match`, `12 matches`."""
    return f"{matches:,} match" + ("" if matches == 1 else "es")


def _explained(args: argparse.Namespace, terminal: Terminal, asked: Query) -> int:
    """The hits of `session_semantic_search` with the parts of their scores; 1 when there are none."""
    more = {name: getattr(asked, name) for name in FILTERS}
    limit = min(MOST, args.limit + BEHIND) if 0 < args.limit <= MOST else args.limit  # which is refused
    with open_memory(args) as memory:
        found = memory.recall.search(
            asked.keyword or "", session_id=asked.session_id, scope=asked.scope, limit=limit, explain=True, **more,
        )  # fmt: skip
        taught = {} if any(not hit.get("near") for hit in found["results"]) else memory.vocabulary.taught(asked)
    results = found["results"]
    found |= {"results": results[: args.limit], "left_out": results[args.limit :], **taught}
    terminal.json(found)
    for hit in found["results"]:
        head = f"{when(at_ms(hit['timestamp']))}  {hit['category']}/{hit['type']}"
        parts = "  ".join(f"{name} {value:+.2f}" for name, value in hit["parts"].items())
        near = terminal.style("  near, no match: it holds none of the words", "yellow") if hit.get("near") else ""
        terminal.line(f"{terminal.style(head, 'cyan')}  {terminal.style(hit['id'][:ID], 'dim')}{near}")
        terminal.line(f"  {one_line(hit['snippet'])}")
        terminal.line(terminal.style(f"  {hit['score']:.2f} = {parts}", "dim"))
    how = f"by {found['mode']}" + (f"; meaning is off: {found['meaning_off']}" if "meaning_off" in found else "")
    terminal.line(terminal.style(f"{plural(len(found['results']), 'hit')} {how}", "dim"))
    if found["left_out"]:
        terminal.line(terminal.style("Next, and left out:", "dim"))
        for hit in found["left_out"]:
            near = "near  " if hit.get("near") else ""
            line = f"  {hit['score']:.2f}  {hit['id'][:ID]}  {near}{one_line(hit['snippet'])}"
            terminal.line(terminal.style(cut(line, terminal.width), "dim"))
    for line in in_words(taught):
        terminal.line(f"  {one_line(line)}")
    return 0 if found["results"] else 1


def print_event(terminal: Terminal, event: dict[str, Any], keyword: str = "") -> None:
    """Two lines: what and when, and the place in its text where the words stand."""
    from session_memory.model.mark import in_words
    from session_memory.model.snippet import snippet

    head = f"{when(at_ms(event['timestamp']))}  {event['category']}/{event['type']}"
    data = event["data"]
    if event["type"] == "document" and event["data"].get("file"):
        data = {"text": data.get("text", "")}  # file and title stand in the head
        page = f", page {event['source']['page']}" if event.get("source", {}).get("page") else ""
        title = f": {event['data']['title']}" if event["data"].get("title") else ""
        head += "  " + one_line(f"{event['data']['file']}{page}{title}")
    terminal.line(f"{terminal.style(head, 'cyan')}  {terminal.style(event['id'][:ID], 'dim')}")
    marked = terminal.style(in_words(event.get("mark")), "yellow")
    terminal.line(f"  {one_line(snippet(data, keyword, 2 * terminal.width - 10))}{marked}")
