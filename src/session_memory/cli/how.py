"""`how`: how a command was really run here, and how each run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.actions.events import Query
from session_memory.actions.vocabulary import in_words
from session_memory.cli import scope
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory how 'git push'"
SHOWN = 3  # runs of one wording


def arguments(parser: argparse.ArgumentParser) -> None:
    """A command, --limit, and where to look."""
    parser.add_argument(
        "words",
        nargs="+",
        metavar="command",
        help="a program, or the beginning of a command line; quoted where it has options",
    )
    parser.add_argument("--limit", type=int, default=10, help="how many wordings (default 10)")
    scope.arguments(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the runs by wording, the newest first; 1 when it was never run."""
    command = " ".join(args.words)
    with open_memory(args) as memory:
        found = memory.invocations.how(command, limit=args.limit, **scope.chosen(args))
        elsewhere = 0 if found["runs"] or args.all else memory.invocations.how(command, everywhere=True)["runs"]
        taught = (
            {} if found["runs"] else memory.vocabulary.taught(Query(keyword=command, scope="all" if args.all else None))
        )
    terminal.json(found)
    if not found["runs"]:
        hint = f" {plural(elsewhere, 'run')} in other projects: --all" if elsewhere else ""
        terminal.line(f"{one_line(found['command'])!r} was never run {scope.place(args)}.{hint}")
        unknown = {word: 0 for word, number in taught.get("words", {}).items() if not number}
        for line in in_words({**taught, "words": unknown}):
            terminal.line(f"  {one_line(line)}")
        return 1
    many = "at least " if found["capped"] else ""
    days = sorted({when(at_ms(found[each]))[:10] for each in ("first", "last")})
    terminal.line(f"{terminal.style(one_line(found['command']), 'bold')}: {many}{_counts(found)}, {' to '.join(days)}")
    if found["flags"]:
        said = (f"{each['flag']} {each['runs']}" + (f" ({each['failed']} failed)" if each["failed"] else "")
                for each in found["flags"])  # fmt: skip
        terminal.line(one_line(f"Options used: {', '.join(said)}"))
    for group in found["groups"]:
        _group(terminal, group)
    if found["more_groups"]:
        terminal.line(terminal.style(f"{plural(found['more_groups'], 'more wording')}: --limit", "dim"))
    if found["unknown"]:
        why = "unknown: the status that the tool told is that of a whole line, with a pipe or another command in it."
        terminal.line(terminal.style(f"\n{why}", "dim"))
    return 0


def _group(terminal: Terminal, group: dict[str, Any]) -> None:
    terminal.line()
    terminal.line(f"{terminal.style(cut(one_line(group['wording']), terminal.width - 30), 'cyan')}  {_counts(group)}")
    for each in group["latest"][:SHOWN]:
        code = f" {each['exit_code']}" if each.get("exit_code") else ""
        ended = terminal.style(
            f"{each['ended'] + code:<10}", *{"failed": ["red"], "ok": ["green"]}.get(each["ended"], ["dim"])
        )
        turn = f"{each['id'][:ID]} {each['role']} in {each['session_id'][:8]}"
        head = f"  {when(at_ms(each['timestamp']))}  {ended}  {terminal.style(turn, 'dim')}  "
        terminal.line(f"{head}{cut(one_line(each['typed']), max(40, 2 * terminal.width - 70))}")
    if group["runs"] > SHOWN:
        terminal.line(terminal.style(f"  and {plural(group['runs'] - SHOWN, 'earlier run')}", "dim"))


def _counts(found: dict[str, Any]) -> str:
    ended = [f"{found[each]} {each}" for each in ("ok", "failed", "unknown") if found[each]]
    return f"{plural(found['runs'], 'run')} ({', '.join(ended)})"
