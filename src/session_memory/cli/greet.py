"""`session-memory` alone on a terminal: what is remembered; with an empty memory, an offer to bring the history in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory.cli.import_ import brought_in
from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line, when
from session_memory.errors import InvalidInput
from session_memory.model.amounts import plural, size
from session_memory.settings import environment

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

RECENT = 5


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Greet."""
    with open_memory(args) as memory:
        report = memory.health.report()
        events = report["index"].get("events", 0)
        if not events:
            _offer(memory, terminal)
            events = memory.health.report()["index"].get("events", 0)
        recent = memory.sessions.listed(everywhere=True, limit=RECENT)
        projects = memory.projects.listed()
    terminal.json({"home": memory.opened.home.root, "events": events, "recent_sessions": recent})
    if not events:
        terminal.line(f"Session Memory is ready; nothing is remembered yet. Home: {memory.opened.home.root}")
        terminal.line("See what it does:  session-memory demo")
        return 0
    terminal.line(
        f"{terminal.style(plural(events, 'event'), 'bold')} of {plural(len(projects), 'project')} remembered in"
        f" {memory.opened.home.root} ({size(report['log']['bytes'])} log)."
    )
    _recent(recent, terminal)
    return 0


def _offer(memory: Memory, terminal: Terminal) -> None:
    root = environment().claude_projects
    try:
        found = memory.imports.found(root)
    except InvalidInput:
        return  # no history on this machine
    total = sum(os.stat(path).st_size for path in found)
    terminal.line(
        f"Your memory is empty, and {plural(len(found), 'Claude Code session')} ({size(total)}) lie on this disk."
    )
    if terminal.ask("Make them searchable now? Nothing leaves this machine.", default=True):
        brought_in(memory, root, terminal)


def _recent(recent: list[dict[str, Any]], terminal: Terminal) -> None:
    terminal.line()
    rows = [(when(each["last"]), each["project_name"], one_line(each.get("title") or each["id"])) for each in recent]
    terminal.table(("last", "project", "what"), rows)
    terminal.line()
    words = next((one_line(each["title"]) for each in recent if each.get("title")), "")
    topic = " ".join(words.split()[:4]) or "why did we"
    terminal.line("Ask it:")
    terminal.line(f"  session-memory search '{topic.replace(chr(39), '')}' --all")
    terminal.line("  session-memory resume        where things stand in this folder's project")
    terminal.line("  session-memory sessions      the newest sessions; --all for every project")
