"""Reading a document: which reader its ending and first bytes ask for, in a child process where the format is a rich one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from session_memory import ids
from session_memory.errors import InvalidInput
from session_memory.extract import plain
from session_memory.extract.limits import MOST_BYTES, MOST_PLAIN_BYTES, STALLED_SECONDS, RefusedError
from session_memory.model.mentions import CODE_ENDINGS
from session_memory.settings import child_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int], None]

RICH = {"pdf": "pdf", "docx": "docx", "html": "html", "htm": "html", "xhtml": "html"}
MARKDOWN = frozenset(("md", "markdown", "mdx"))
KIND = {"pdf": "pages", "docx": "markdown", "html": "markdown"}  # how the text of a format is cut
NEEDS = {"pdf": {"pypdf": "pypdf>=7,<8"}, "docx": {"mammoth": "mammoth>=1.13,<2", "defusedxml": "defusedxml>=0.7.1,<1"}}
CHILD = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from session_memory.extract.child import main; main(sys.argv[2])"
LONGEST_LINE = 64_000_000  # bytes of the child's last line: its text, escaped


class Found(NamedTuple):
    """The text of a document; kind: how it is to be cut (markdown, pages, code, text)."""

    text: str
    kind: str
    title: str | None
    pages: int | None


def format_of(path: str) -> str:
    """pdf, docx, html, or the kind of a text: markdown, code, text."""
    ending = os.path.splitext(path)[1][1:].lower()
    if ending in RICH:
        return RICH[ending]
    return "markdown" if ending in MARKDOWN else "code" if ending in CODE_ENDINGS else "text"


def most_bytes(format_: str) -> int:
    """How large a file of a format may be."""
    return MOST_BYTES if format_ in KIND else MOST_PLAIN_BYTES


def read(content: bytes, format_: str, progress: Progress = lambda done, total: None) -> Found:
    """The text of a file's bytes. Raises InvalidInput: encrypted, damaged, hostile, too large, binary, library missing."""
    try:
        if format_ not in KIND:
            return Found(plain.decoded(content), format_, None, None)
        if format_ == "pdf" and b"%PDF-" not in content[:1024]:
            raise RefusedError(
                "damaged-document", "The file does not begin like a PDF.", "Give it the ending of what it is."
            )
        missing = [name for module, name in NEEDS.get(format_, {}).items() if find_spec(module) is None]
        if missing:
            raise RefusedError(
                "documents-missing", f"Reading {format_.upper()} needs packages that are not installed here.",
                f"Run: {install_command(missing)}",
            )  # fmt: skip
        told = _asked(content, format_, progress)
    except RefusedError as error:
        raise InvalidInput(error.code, error.what, error.fix) from error
    if "code" in told:
        raise InvalidInput(told["code"], told["what"], told["fix"])
    return Found(told["text"], KIND[format_], told["title"], told["pages"])


def install_command(names: list[str], extra: str = "documents") -> str:
    """What installs packages, which are those of an extra, into the environment that runs now."""
    wanted = " ".join(f"'{name}'" for name in names)
    place = sys.prefix.replace("\\", "/")
    if "/pipx/venvs/" in place:
        return f"pipx inject session-memory {wanted}"
    if "/uv/tools/" in place:
        return f"uv tool install --force 'session-memory[{extra}]'"
    if find_spec("pip") is None:
        return f"uv pip install --python {sys.executable} {wanted}"
    return f"{sys.executable} -m pip install {wanted}"


def _asked(content: bytes, format_: str, progress: Progress) -> dict[str, Any]:
    """What the child says at last. It is ended when it says nothing for too long."""
    with tempfile.TemporaryFile() as errors:
        told, stalled = _listened(content, format_, progress, errors)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2_000))
        said = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    if "text" in told or "code" in told:
        return told
    if stalled:
        raise RefusedError(
            "too-large", f"Nothing more could be read for {STALLED_SECONDS:.0f} seconds.", "Save it as text first."
        )
    reason = f" ({said[0][:200]})" if said else ""
    raise RefusedError(
        "damaged-document", f"The document cannot be read{reason}.", "It may be cut off or damaged: save it again."
    )


def _listened(content: bytes, format_: str, progress: Progress, errors: IO[bytes]) -> tuple[dict[str, Any], bool]:
    """The child's last word, and whether it was ended for its silence."""
    words = [sys.executable, "-I", "-S", "-c", CHILD, json.dumps([each for each in sys.path if each]), format_]
    child = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=os.path.abspath(os.sep),
        env=child_environment({}),
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    until = [ids.monotonic() + STALLED_SECONDS]
    over = threading.Event()
    stalled = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            if ids.monotonic() > until[0]:
                stalled.set()
                child.kill()
                return

    def feed() -> None:
        try:
            with child.stdin as pipe:  # type: ignore[union-attr]  # opened as a pipe above
                pipe.write(content)
        except OSError:
            return  # it has ended already: what it said counts

    threads = [threading.Thread(target=each, daemon=True) for each in (watch, feed)]
    for thread in threads:
        thread.start()
    told: dict[str, Any] = {}
    try:
        while line := child.stdout.readline(LONGEST_LINE):
            told = json.loads(line)
            until[0] = ids.monotonic() + STALLED_SECONDS
            if "total" in told:
                progress(told["done"], told["total"])
    except ValueError:
        told = {}  # killed in the middle of a line
    finally:
        over.set()
        child.kill()
        child.wait()
        child.stdout.close()
        threads[1].join(1)
    return told, stalled.is_set()
