"""What a person sees: lines, tables, a progress bar on long work, errors; or one JSON object for machines."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.model.plain import plain
from session_memory.settings import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.errors import SessionMemoryError

BAR = 24  # characters of the bar itself
REDRAW = 0.08  # seconds between two pictures of it
# what errors tell a model to call -> what a person types instead
COMMANDS = {tool: f"session-memory {command}" for tool, command in (
    ("session_query", "query"), ("session_semantic_search", "search"), ("session_list_checkpoints", "checkpoints"),
    ("session_checkpoint", "checkpoint"), ("session_learn", "learn search"), ("learning_create", "learn create"),
    ("session_resume", "resume"), ("session_handoff", "handoff"), ("session_status", "status"), ("session_ingest", "ingest"),
    ("entity_query", "graph"),
)}  # fmt: skip
TOOL = re.compile(r"\b(?:session|learning|entity)_[a-z_]+\b")
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Terminal:
    """Where a command prints. `as_json`: nothing but one JSON value on stdout."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.colour = sys.stdout.isatty() and not environment().no_color and os.name != "nt"
        self.width = shutil.get_terminal_size((100, 24)).columns
        self._drawn = 0.0
        self._began = ids.monotonic()

    def style(self, text: str, *names: str) -> str:
        """`text` in colour where the terminal shows any."""
        if not self.colour or not names:
            return text
        return f"\033[{';'.join(CODES[name] for name in names)}m{text}\033[0m"

    def line(self, text: str = "") -> None:
        """One line for a person; nothing in JSON mode. Recorded text is made harmless before it gets here."""
        if not self.as_json:
            print(text)

    def json(self, value: Any) -> None:
        """One JSON value for machines; nothing in human mode."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=2))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, wide: int = -1) -> None:
        """Columns as wide as their content; the column `wide` takes what is left and is cut."""
        if self.as_json:
            return
        cells = [[one_line(str(cell)) for cell in row] for row in rows]
        widths = [max([_width(head), *(_width(row[n]) for row in cells)]) for n, head in enumerate(heads)]
        widest = wide % len(heads)
        rest = self.width - sum(w for n, w in enumerate(widths) if n != widest) - 2 * (len(heads) - 1)
        widths[widest] = max(12, min(widths[widest], rest))
        print(self.style("  ".join(_fit(head, width) for head, width in zip(heads, widths)).rstrip(), "dim"))
        for row in cells:
            print("  ".join(_fit(cell, width) for cell, width in zip(row, widths)).rstrip())

    def progress(self, label: str, done: int, total: int, unit: str = "") -> None:
        """Draw the bar again, on stderr, when stderr is a terminal and the last picture is old enough."""
        now = ids.monotonic()
        if not sys.stderr.isatty() or (done < total and now - self._drawn < REDRAW):
            return
        self._drawn = now
        part = min(1.0, done / total) if total else 0.0
        filled = int(part * BAR)
        bar = "█" * filled + "░" * (BAR - filled)
        print(f"\r{label} {bar} {part:4.0%} {unit}\033[K", end="", file=sys.stderr, flush=True)

    def progress_done(self) -> None:
        """Remove the bar."""
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def ask(self, question: str, *, default: bool) -> bool:
        """Yes or no; the default without a terminal on both sides."""
        if self.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return default
        answer = input(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().lower()
        return default if not answer else answer in ("y", "yes")

    def error(self, error: SessionMemoryError) -> None:
        """What failed, why, what to do, in commands."""
        error.fix = as_commands(error.fix)
        if self.as_json:
            told = {"code": error.code, "what": error.what, "fix": error.fix}
            print(json.dumps({"error": told}, ensure_ascii=False))
        else:
            print(f"{self.style('error:', 'red', 'bold')} {error}", file=sys.stderr)


def as_commands(text: str) -> str:
    """A sentence with the command in place of each tool that it names: a person at a terminal calls no tools."""
    return TOOL.sub(lambda found: COMMANDS.get(found.group(), found.group()), text)


def one_line(text: str) -> str:
    """Recorded text on one line, without anything a terminal would obey."""
    return " ".join(plain(text).split())


def cut(text: str, room: int) -> str:
    """`text` with at most `room` characters, the last an ellipsis where it is longer."""
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"


def when(ms: int) -> str:
    """A time for people: local, to the minute."""
    return ids.local_text(ms)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _fit(text: str, width: int) -> str:
    if _width(text) > width:
        kept = ""
        for c in text:
            if _width(kept + c) > width - 1:
                break
            kept += c
        text = kept + "…"
    return text + " " * (width - _width(text))
