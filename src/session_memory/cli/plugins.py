"""`plugins`: what is loaded and what failed; write a starter of your own, and try it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory plugins new translation"


def arguments(parser: argparse.ArgumentParser) -> None:
    """One verb each; none = list."""
    import argparse

    verbs = parser.add_subparsers(dest="verb", metavar="list|new|test")
    for name, text in (
        ("list", "plugins that are loaded, and those that failed"),
        ("new", "write a commented starter file and its test into the home"),
        ("test", "run a plugin where it can harm nothing: what it would give, and whether it keeps the contract"),
    ):
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the memory's home folder")
        made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="output for machines")
        if name != "list":
            made.add_argument("name", help="the plugin's name")
        if name == "test":
            made.add_argument("--session", help="over this session's events (default: the newest of its skills)")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do it; 1 when a plugin failed."""
    with open_memory(args) as memory:
        if args.verb == "new":
            file, test = memory.trials.new(args.name)
            terminal.json({"file": file, "test": test})
            terminal.line(f"Written: {file}\n         {test}")
            terminal.line(f"Change it as you like, then: session-memory plugins test {args.name}")
            return 0
        if args.verb == "test":
            return _tested(memory.trials.test(args.name, args.session), terminal)
        return _listed(memory, terminal)


def _listed(memory: Memory, terminal: Terminal) -> int:
    registry = memory.opened.plugins
    loaded, failed = registry.listed(), registry.failed
    terminal.json({"plugins": loaded, "failed": failed})
    terminal.table(
        ("plugin", "from", "skills"),
        [(each["name"], each["source"], ", ".join(each["skills"]) or "any") for each in loaded],
    )
    for name, why in failed.items():
        terminal.line(terminal.style(one_line(f"{name}: {why}"), "red"))
    terminal.line(terminal.style(f"Your own go into {memory.opened.home.plugins}", "dim"))
    return 1 if failed else 0


def _tested(report: dict[str, Any], terminal: Terminal) -> int:
    good = all(each["ok"] for each in report["checks"])
    terminal.json({**report, "ok": good})
    for each in report["checks"]:
        mark = terminal.style("ok    ", "green") if each["ok"] else terminal.style("wrong ", "red")
        terminal.line(f"{mark} {one_line(each['what'])}" + (f": {one_line(each['why'])}" if each["why"] else ""))
    result = report.get("result")
    if result:
        source = "the newest session of its skills" if report["recorded"] else "a sample session"
        terminal.line(f"\nFor {source} ({report['events']} events) it gives:")
        terminal.line(
            f"  phase {one_line(result['phase']) or '-'}, progress {result['progress']:.0%}, {one_line(result['summary'])}"
        )
        for name in ("next_steps", "blocking_items"):
            for each in result[name]:
                terminal.line(f"  {'next' if name == 'next_steps' else 'blocked'}: {one_line(each)}")
    return 0 if good else 1
