"""`fix`: where an error was met before, and what was done next when it did not come back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from session_memory.cli import scope
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import cut, one_line, when
from session_memory.ids import at_ms
from session_memory.model.amounts import plural
from session_memory.model.handoff import ID

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory fix \"TypeError: Cannot read properties of undefined (reading 'map')\""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The text of an error, --limit, and where to look."""
    parser.add_argument(
        "text", nargs="+", help="the error as it was printed, its telling line or all of it; - reads stdin"
    )
    parser.add_argument("--limit", type=int, default=5, help="how many sessions (default 5)")
    scope.arguments(parser)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print where it was met and what came next; 1 when it was never met."""
    text = sys.stdin.read() if args.text == ["-"] else " ".join(args.text)
    with open_memory(args) as memory:
        found = memory.fixes.fix(text, limit=args.limit, **scope.chosen(args))
        elsewhere = 0 if found["met"] or args.all else memory.fixes.fix(text, everywhere=True)["met"]
    terminal.json(found)
    if not found["met"]:
        _nothing(terminal, found, scope.place(args), elsewhere)
        return 1
    terminal.line(terminal.style(cut(one_line(found["error"]), 2 * terminal.width), "bold"))
    other = found["met"] - found["exact"]
    how = f" ({found['exact']} letter by letter, {other} with other numbers or paths)" if other else ""
    many = "at least " if found["capped"] else ""
    terminal.line(f"Met {many}{plural(found['met'], 'time')} in {plural(found['sessions'], 'session')}{how}, "
                  f"last {when(at_ms(found['last']))}.")  # fmt: skip
    several = [each for each in found["next"] if each["sessions"] > 1]
    if several:
        terminal.line("\nDone next in more than one session, and it did not come back:")
        for each in several:
            passed = f", {each['passed']} with proof" if each["passed"] else ""
            terminal.line(
                f"  {_deed(terminal, each)}  {terminal.style(plural(each['sessions'], 'session') + passed, 'dim')}"
            )
    for case in found["cases"]:
        _case(terminal, case)
    if found["more_cases"]:
        terminal.line(terminal.style(f"\n{plural(found['more_cases'], 'older session')}: --limit", "dim"))
    return 0


def _nothing(terminal: Terminal, found: dict[str, Any], place: str, elsewhere: int) -> None:
    hint = f" It was met {plural(elsewhere, 'time')} in other projects: --all" if elsewhere else ""
    terminal.line(f"This error was never met {place}: {cut(one_line(found['error']), terminal.width)!r}.{hint}")
    if found["quoted"]:
        terminal.line(
            f"{plural(found['quoted'], 'event')} only quote it, as a file or a search that shows it: session-memory search"
        )
    if found["near"]:
        terminal.line("Nearest, but not this error:")
        for each in found["near"]:
            terminal.line(f"  {_head(terminal, each)}  {cut(one_line(each['line']), 2 * terminal.width - 60)}")


def _case(terminal: Terminal, case: dict[str, Any]) -> None:
    met, again = case["met"], f", {case['times']} times" if case["times"] > 1 else ""
    terminal.line(f"\n{_head(terminal, met)} in {case['session_id'][:8]}{again}")
    if met["ran"]:
        terminal.line(f"  ran     {cut(one_line(met['ran']), 2 * terminal.width - 20)}")
    if met["level"] != "exact":
        terminal.line(f"  met as  {cut(one_line(met['line']), 2 * terminal.width - 20)}")
    if case["vain"]:
        terminal.line("  it came back after:")
        for each in case["vain"]:
            terminal.line(f"    {_deed(terminal, each)}")
    passed = case["passed"]
    if case["next"]:
        terminal.line(f"  then{', until it passed' if passed and passed['ended'] == 'ok' else ''}:")
        for each in case["next"]:
            terminal.line(f"    {_deed(terminal, each)}  {_head(terminal, each)}")
    elif not passed:
        terminal.line("  nothing was run or edited after it in that session")
    if passed:
        said = {"ok": "passed", "failed": "failed, but not with this error"}.get(
            passed["ended"], "ran without this error"
        )
        terminal.line(
            f"  {terminal.style(said, 'green')}  {cut(one_line(passed['text']), terminal.width)}  {_head(terminal, passed)}"
        )
    else:
        why = ", but the command did not run again either" if met["ran"] else ""
        terminal.line(terminal.style(f"  not seen again in that session{why}", "dim"))


def _deed(terminal: Terminal, deed: dict[str, Any]) -> str:
    return f"{deed['what']:<6}  {cut(one_line(deed['text']), 2 * terminal.width - 60)}"


def _head(terminal: Terminal, turn: dict[str, Any]) -> str:
    return terminal.style(f"{when(at_ms(turn['timestamp']))}  {turn['id'][:ID]} {turn['role']}", "dim")
