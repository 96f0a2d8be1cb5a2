"""`scan`: secrets that are in the memory all the same: found by today's rules and, with `--fix`, taken out with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.forget import told
from session_memory.cli.opening import open_memory
from session_memory.model.amounts import plural, size

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory scan --fix"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to mend."""
    parser.add_argument(
        "--fix", action="store_true", help="put redacted copies in their place, and forget the originals"
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Scan; 1 when secrets are there (or still there)."""
    with open_memory(args) as memory:
        receipt = None
        if args.fix:
            found, receipt = memory.scans.fix(
                progress=lambda done, total: terminal.progress("Making the index again", done, total, size(done))
            )
            terminal.progress_done()
        else:
            found = memory.scans.look()
    terminal.json({**found.__dict__, "receipt": receipt.__dict__ if receipt else None})
    if not found.records:
        terminal.line(f"{plural(found.searched, 'record')} searched: no secret that today's rules know.")
        return 0
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.kinds.items(), key=lambda each: -each[1]))
    terminal.line(f"{plural(found.records, 'record')} of {found.searched:,} hold what looks like a secret: {kinds}.")
    if receipt is None:
        terminal.line(
            "Take them out: session-memory scan --fix. And change the secrets themselves: they were written to a disk."
        )
        return 1
    told(receipt, terminal)
    terminal.line("Redacted copies stand in their place. Change the secrets themselves: they were written to a disk.")
    return 1 if receipt.still_in else 0
