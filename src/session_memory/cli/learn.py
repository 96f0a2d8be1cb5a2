"""`learn`: lessons that can be used again: list, search, create, say how one did, make one of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.actions.learnings import CATEGORIES
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.model.confidence import OUTCOMES
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory learn create 'Retry with exponential backoff' --category pattern --confidence 0.8"


def arguments(parser: argparse.ArgumentParser) -> None:
    """One verb each; none = list."""
    import argparse

    verbs = parser.add_subparsers(dest="verb", metavar="list|search|create|apply|merge")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the memory's home folder")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="output for machines")
        return made

    for name, text in (("list", "the surest lessons"), ("search", "lessons by plain words")):
        made = verb(name, text)
        if name == "search":
            made.add_argument("text", nargs="+", help="what the task is about")
        made.add_argument("--category", choices=CATEGORIES)
        made.add_argument("--min-confidence", type=float, metavar="0-1")
        made.add_argument("--all", action="store_true", help="of every project")
        made.add_argument("--limit", type=int, default=20)
    made = verb("create", "keep a lesson")
    made.add_argument("words", nargs="+", metavar="TITLE", help="what was learnt; its category may stand before it")
    made.add_argument("--category", choices=CATEGORIES)
    made.add_argument("--description", default="")
    made.add_argument("--confidence", type=float, metavar="0-1")
    made = verb("apply", "say how using a lesson went")
    made.add_argument("id", help="the first 6 digits of its id or more")
    made.add_argument("--outcome", choices=OUTCOMES, default="success")
    made.add_argument("--notes")
    made = verb("merge", "let one lesson stand for others")
    made.add_argument("keep", help="id of the one that stays")
    made.add_argument("other", nargs="+", help="ids of those that it stands for")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do it; 1 when nothing is found."""
    with open_memory(args) as memory:
        if args.verb == "create":
            return _created(memory, args, terminal)
        if args.verb == "apply":
            done = memory.learnings.apply(args.id, outcome=args.outcome, notes=args.notes)
            terminal.json(done)
            terminal.line(f"{done['outcome']}: confidence is now {done.get('confidence', 'counted later')}")
            return 0
        if args.verb == "merge":
            done = memory.learnings.merge(args.keep, args.other)
            terminal.json(done)
            terminal.line(
                f"{one_line(done['title'])}: stands for {len(done['merged'])} more; confidence {done['confidence']}"
            )
            return 0
        found = memory.learnings.search(
            " ".join(getattr(args, "text", ())), category=getattr(args, "category", None),
            min_confidence=getattr(args, "min_confidence", None), limit=getattr(args, "limit", 20),
            everywhere=getattr(args, "all", False),
        )  # fmt: skip
    terminal.json(found)
    return _listed(found, terminal)


def _created(memory: Memory, args: argparse.Namespace, terminal: Terminal) -> int:
    first, *rest = args.words
    named = first if rest and first in CATEGORIES else None
    title = " ".join(rest if named else args.words)
    made = memory.learnings.create(
        args.category or named or "pattern",
        title,
        description=args.description,
        confidence=args.confidence,
        stated_by="user",
    )
    terminal.json(made)
    terminal.line(f"Kept: {made['learning_id']}, confidence {made['confidence']}")
    for each in made.get("similar", ()):
        terminal.line(f"Much like {each['learning_id'][:ID]}: {one_line(each['title'])}")
        terminal.line(
            f"  one of both: session-memory learn merge {made['learning_id'][:ID]} {each['learning_id'][:ID]}"
        )
    return 0


def _listed(found: dict[str, Any], terminal: Terminal) -> int:
    if not found["learnings"]:
        elsewhere = found.get("in_other_projects")
        terminal.line("Nothing was learnt yet." + (f" {elsewhere} in other projects: --all" if elsewhere else ""))
        return 1
    if "note" in found:
        terminal.line(found["note"])
    terminal.table(
        ("id", "sure", "used", "shown", "category", "lesson"),
        [(each["learning_id"][:ID], f"{each['confidence']:.2f}", _used(each), each["shown"], each["category"],
          one_line(each["title"])) for each in found["learnings"]],
    )  # fmt: skip
    return 0


def _used(learning: dict[str, Any]) -> str:
    went = learning["outcomes"]
    bad = f" ({went['failed']} in vain)" if went["failed"] else ""
    return f"{learning['usage_count']}{bad}"
