"""`compactions`: what each compaction kept and lost, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line, when

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory compactions --lost"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and whether the lost facts are listed."""
    parser.add_argument("--all", action="store_true", help="of every project")
    parser.add_argument("--lost", action="store_true", help="list what the summaries did not hold")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """A row for each compaction; in the columns what was kept of what there was."""
    with open_memory(args) as memory:
        found = memory.contexts.compactions(everywhere=args.all)
    terminal.json({"compactions": found})
    if not found:
        terminal.line("No compaction has been recorded.")
        return 0
    kinds = list(found[0]["kinds"])
    rows = [
        (
            when(each["at"]),
            each["session"][:8],
            *(_share(each["kinds"][kind]) for kind in kinds),
            each["stated"],
            f"{each['characters']:,}",
        )
        for each in found
    ]
    terminal.table(("when", "session", *kinds, "stated", "characters"), rows, wide=1)
    terminal.line(
        "\nkept of what there was (+ told again by this memory afterwards); stated: labelled lines in the summary"
    )
    if args.lost:
        for each in found:
            for kind in kinds:
                for text in each["kinds"][kind]["lost"]:
                    terminal.line(f"{when(each['at'])}  {kind:9}  {one_line(text)}")
    return 0


def _share(kind: dict[str, Any]) -> str:
    again = f" +{kind['told_again']}" if kind["told_again"] else ""
    return f"{kind['kept']}/{kind['before']}{again}"
