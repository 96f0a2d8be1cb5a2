"""`verify`: prove that log, chain and index agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory
from session_memory.model.amounts import plural, size

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory verify && echo all is well"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print what was checked; 0 only when everything agrees."""
    with open_memory(args) as memory:
        total = memory.health.report()["log"]["bytes"]
        proof = memory.health.verify(lambda done, _all: terminal.progress("Comparing", done, total))
    terminal.progress_done()
    log = proof.log
    faults = [str(fault) for fault in log.faults]
    if log.torn:
        faults.append(f"{plural(log.torn, 'byte')} of an unfinished write at the end; the next write sets them aside")
    terminal.json(
        {"green": proof.green, "lines": log.lines, "bytes": log.bytes, "forgotten": log.forgotten,
         "repeated_keys": log.repeats, "newer_version": log.newer, "log_faults": faults, "index_faults": proof.index}
    )  # fmt: skip
    terminal.line(f"Log    {plural(log.lines, 'line')}, {size(log.bytes)}: numbers, chain and bodies checked")
    for name, count in (
        ("forgotten", log.forgotten),
        ("recorded twice", log.repeats),
        ("of a newer version", log.newer),
    ):
        if count:
            terminal.line(f"       {count:,} {name}")
    for fault in faults:
        terminal.line(terminal.style(f"       {fault}", "red"))
    terminal.line("Index  " + ("holds exactly what the log holds" if not proof.index else "differs from the log:"))
    for fault in proof.index:
        terminal.line(terminal.style(f"       {fault}", "red"))
    if proof.green:
        terminal.line(terminal.style("green", "green", "bold"))
        return 0
    if proof.index and not faults:
        terminal.line("The log is whole. Make the index again: session-memory rebuild")
    return 1
