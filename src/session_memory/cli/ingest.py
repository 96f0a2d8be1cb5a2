"""`ingest`: take a file, or the documents of a folder, in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.errors import InvalidInput, NotFound
from session_memory.model import chunks
from session_memory.model.amounts import plural

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal
    from session_memory.memory import Memory

EXAMPLE = "session-memory ingest docs/architecture.pdf"


def arguments(parser: argparse.ArgumentParser) -> None:
    """A path, how to cut, and --outside."""
    parser.add_argument("path", help="a file (PDF, DOCX, HTML, Markdown, text, code), or a folder of documents")
    parser.add_argument("--chunk-size", type=int, default=chunks.SIZE, help=f"characters (default {chunks.SIZE:,})")
    parser.add_argument("--overlap", type=int, default=chunks.OVERLAP, help=f"characters (default {chunks.OVERLAP})")
    parser.add_argument("--outside", action="store_true", help="although it lies outside this folder's project")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Read it in with a bar; 1 when any file was refused."""
    told: list[dict[str, Any]] = []
    with open_memory(args) as memory:
        if not os.path.isdir(args.path):
            told.append(_one(memory, args, args.path, terminal))
        else:
            for path in memory.documents.within(args.path):
                try:
                    told.append(_one(memory, args, path, terminal))
                except (InvalidInput, NotFound) as error:
                    terminal.progress_done()
                    told.append({"file": path, "status": "refused", "reason": str(error)})
    terminal.json(told if os.path.isdir(args.path) else told[0])
    for each in told:
        terminal.line(f"{one_line(each['file'])}: {_said(each)}")
    if not told:
        terminal.line("No document was found there. In a folder, code is passed over: name its file to take it in.")
    return 1 if not told or any(each["status"] == "refused" for each in told) else 0


def _one(memory: Memory, args: argparse.Namespace, path: str, terminal: Terminal) -> dict[str, Any]:
    found = memory.documents.ingest(
        os.path.abspath(os.path.expanduser(path)), args.chunk_size, args.overlap, anywhere=args.outside,
        progress=lambda done, total: terminal.progress("Reading", done, total, os.path.basename(path)),
    )  # fmt: skip
    terminal.progress_done()
    return found


def _said(each: dict[str, Any]) -> str:
    if each["status"] == "refused":
        return one_line(each["reason"])
    counts = [
        plural(each[name], word)
        for name, word in (("pages", "page"), ("words", "word"), ("chunks", "chunk"))
        if name in each
    ]
    return f"{each['status']}, {', '.join(counts)}"
