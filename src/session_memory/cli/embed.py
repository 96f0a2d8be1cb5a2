"""`embed`: make the vectors that search by meaning lacks, now and to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.cli.opening import open_memory

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory embed"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Embed with a bar; 1 when vectors are still missing at the end."""
    with open_memory(args) as memory:
        found = memory.meaning.finish(lambda done, total: terminal.progress("Embedding", done, total))
    terminal.progress_done()
    terminal.json(found)
    for line in told(found):
        terminal.line(line)
    return 0 if found["complete"] else 1


def told(found: dict[str, Any]) -> list[str]:
    """How search by meaning stands, as `status` and `embed` show it."""
    model = found.get("model", "its model")
    lines = [f"{found['provider']}: {found['embedded']:,} of {found['events']:,} events have a vector of {model}"]
    if "note" in found:
        lines.append(found["note"])
    if "trouble" in found:
        at = f" ({found['trouble_at'][:16]})" if "trouble_at" in found else ""
        lines += [f"{found['trouble']}{at}", "Nothing is lost: words and the local table rank until the rest is made."]
    return lines
