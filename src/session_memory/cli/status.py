"""`status`: what is remembered, where it lies, and whether all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.embed import told
from session_memory.cli.opening import open_memory
from session_memory.model.amounts import plural, size
from session_memory.model.features import FEATURES

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory status"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the report; 1 when the index cannot be used."""
    with open_memory(args) as memory:
        report = memory.health.report()
        session = memory.starts.status(None)
        try:
            other = memory.golden.other_model()
        except (ImportError, OSError):
            other = None  # search by meaning is off, and search says so
    terminal.json({"home": memory.opened.home.root, "session": session, **report})
    if report["paused"]:
        terminal.line(f"Paused    {terminal.style(report['paused'], 'yellow')}")
    log, index = report["log"], report["index"]
    terminal.line(f"Home      {memory.opened.home.root}")
    terminal.line(f"Log       {plural(log.get('records', 0), 'record')}, {size(log['bytes'])}")
    if index["ok"]:
        terminal.line(
            f"Index     {plural(index['events'], 'event')} of {plural(index['sessions'], 'session')},"
            f" {plural(index['checkpoints'], 'checkpoint')}"
        )
    else:
        terminal.line(f"Index     {terminal.style(index['reason'], 'red')}")
    for why, lines in index.get("skipped", {}).items():
        terminal.line(f"          {plural(lines, 'line')} not indexed: {why}")
    if report["behind"]:
        terminal.line(f"          behind the log by {size(report['behind'])}; another process is catching up")
    if session.get("session_id"):
        terminal.line(
            f"Session   {session['session_id']} ({plural(session['event_count'], 'event')}, {session['project']})"
        )
    if other is not None:
        text = f"Golden    last asked with the model {other}: session-memory eval run tells what another one changed"
        terminal.line(terminal.style(text, "yellow"))
    if index["ok"]:
        first, *more = told(report["embeddings"])
        terminal.line(f"Meaning   {first}")
        for line in more:
            terminal.line(terminal.style(f"          {line}", "yellow"))
    for name, why in report["plugins_failed"].items():
        terminal.line(f"Plugin    {name} failed: {why}")
    for warning in report["warnings"]:
        terminal.line(terminal.style(f"Warning   {warning}", "yellow"))
    works = [name for name, (yes, _what) in FEATURES.items() if yes]
    missing = [name for name, (yes, _what) in FEATURES.items() if not yes]
    terminal.line(f"Works     {', '.join(works)}")
    terminal.line(f"Not yet   {', '.join(missing)}")
    return 0 if index["ok"] else 1
