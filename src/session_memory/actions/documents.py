"""Documents: a file of the project read in, so that it is found like what was recorded; again when it has changed."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory import git, paths
from session_memory.errors import InvalidInput, NotFound
from session_memory.extract import reading
from session_memory.index import documents as rows
from session_memory.model import chunks
from session_memory.model.record import DOCUMENT, Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.actions.opened import Opened
    from session_memory.actions.sessions import Sessions
    from session_memory.extract.reading import Found, Progress

LONGEST_PATH = 4_000
NEVER = (".git", ".ssh", ".gnupg", ".aws")  # folders that hold no documents
SECRET_ENDINGS = frozenset(("pem", "key", "p12", "pfx", "jks", "keystore", "kdbx"))
VENDORED = frozenset(("node_modules", "venv", "__pycache__", "dist", "build", "target", "vendor"))
MOST_FILES = 1_000  # of a folder
TAKEN = frozenset(
    (*reading.RICH, *reading.MARKDOWN, "txt", "rst", "adoc", "org")
)  # endings that a folder is searched for


@dataclass
class Opening:
    """A file that may be read in, as it was found: where, its bytes, and how it is to be cut."""

    path: str  # within the project where it lies there, else absolute
    content: bytes
    format: str
    chunk_size: int
    overlap: int
    document: str  # id
    sha256: str
    unchanged: bool


class Documents:
    """What can be done with documents."""

    def __init__(self, opened: Opened, sessions: Sessions) -> None:
        self._opened = opened
        self._sessions = sessions

    def ingest(
        self,
        path: str,
        chunk_size: int = chunks.SIZE,
        overlap: int = chunks.OVERLAP,
        *,
        progress: Progress = lambda done, total: None,
        anywhere: bool = False,
    ) -> dict[str, Any]:
        """Read one file in. anywhere: a person named it, so it may lie outside the project. Raises as `open` and `keep`."""
        opening = self.open(path, chunk_size, overlap, anywhere=anywhere)
        return self.keep(
            opening, None if opening.unchanged else reading.read(opening.content, opening.format, progress)
        )

    def open(self, path: str, chunk_size: int, overlap: int, *, anywhere: bool = False) -> Opening:
        """The bytes of a file that may be read in. Raises NotFound (no-document), InvalidInput (not-allowed, too-large, ...)."""
        self._opened.must_be_on("document_ingest")
        self._opened.must_record()
        if not chunks.SMALLEST <= chunk_size <= chunks.LARGEST:
            what = f"chunk_size is {chunk_size}."
            raise InvalidInput("bad-argument", what, f"Use {chunks.SMALLEST} to {chunks.LARGEST:,} characters.")
        if not 0 <= overlap <= chunk_size // 2:
            raise InvalidInput("bad-argument", f"overlap is {overlap}.", "Use 0 to half of chunk_size.")
        real, shown = self._place(path, anywhere=anywhere)
        format_ = reading.format_of(real)
        content = _content(real, shown, reading.most_bytes(format_))
        sha256 = hashlib.sha256(content).hexdigest()
        id_ = self._opened.journal.keyed("\0".join(("document", self._project(), shown)))
        known = rows.find(self._opened.read(), id_) or {}
        same = (known.get("sha256"), known.get("chunk_size"), known.get("overlap")) == (sha256, chunk_size, overlap)
        return Opening(shown, content, format_, chunk_size, overlap, id_, sha256, same and bool(known.get("chunks")))

    def keep(self, opening: Opening, found: Found | None) -> dict[str, Any]:
        """Record what was read; found None: the file has not changed, and nothing is. Raises InvalidInput, LogUnavailable."""
        result: dict[str, Any] = {"document_id": opening.document, "file": opening.path, "status": "unchanged"}
        if found is not None:
            if not found.text.strip():
                raise InvalidInput(
                    "damaged-document", f"{opening.path} holds no text.", "Scanned pages need text recognition first."
                )
            known = rows.find(self._opened.read(), opening.document)
            result["status"] = "replaced" if known else "new"
            session = self._sessions.current()
            body = {
                "session": session, "project": self._project(), "document": opening.document,
                "name": os.path.basename(opening.path), "path": opening.path, "type": opening.format, "kind": found.kind,
                "title": found.title, "words": len(found.text.split()), "pages": found.pages, "sha256": opening.sha256,
                "bytes": len(opening.content), "chunk_size": opening.chunk_size, "overlap": opening.overlap,
                "text": found.text, "stated_by": "import",
            }  # fmt: skip
            kept = self._opened.keep(
                [Draft(DOCUMENT, {name: value for name, value in body.items() if value is not None})]
            )
            if not kept.indexed:
                return {
                    **result,
                    "words": body["words"],
                    "stored": kept.stored,
                    "indexed": False,
                    "reason": kept.reason,
                }
        told = rows.find(self._opened.read(), opening.document) or {}
        result.update({name: told[name] for name in ("chunks", "words", "pages", "title", "record") if name in told})
        return result

    def within(self, path: str) -> Iterator[str]:
        """The documents below a folder: hidden and vendored folders left out. Raises InvalidInput (too-large)."""
        count = 0
        for base, folders, names in os.walk(path):
            folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in VENDORED)
            for name in sorted(names):
                if not name.startswith(".") and os.path.splitext(name)[1][1:].lower() in TAKEN:
                    count += 1
                    if count > MOST_FILES:
                        raise InvalidInput(
                            "too-large", f"{path} holds more than {MOST_FILES:,} documents.", "Name a folder in it."
                        )
                    yield os.path.join(base, name)

    def _place(self, path: str, *, anywhere: bool) -> tuple[str, str]:
        """Where a file really lies and what it is called. Raises InvalidInput (not-allowed), NotFound (no-document)."""
        if not path.strip() or "\0" in path or len(path) > LONGEST_PATH:
            raise InvalidInput("bad-argument", "file_path is empty, too long or no path.", "Name one file.")
        opened = self._opened
        given = os.path.join(opened.cwd, os.path.expanduser(path.strip()))
        real = os.path.realpath(given)
        project = os.path.realpath(git.root(opened.cwd) or opened.cwd)
        home, whole = os.path.realpath(os.path.expanduser("~")), os.path.abspath(os.sep)
        roots = [] if project in (home, whole) else [project]  # a home folder is no project
        roots += [os.path.realpath(os.path.expanduser(each)) for each in opened.settings.value("ingest.allow")]
        inside = next((root for root in roots if _below(real, root)), None)
        if inside is None and not anywhere:
            raise InvalidInput(
                "not-allowed", f"{path[:200]} lies outside the project and the folders you allow.",
                "The user can name its folder in ingest.allow in config.json, or read it in with: session-memory ingest --outside",
            )  # fmt: skip
        parts = os.path.relpath(real, inside or os.path.dirname(real)).split(os.sep)
        secret = parts[-1].startswith(".env") or os.path.splitext(real)[1][1:].lower() in SECRET_ENDINGS
        if secret or any(part in NEVER for part in parts) or _below(real, os.path.realpath(opened.home.root)):
            raise InvalidInput(
                "not-allowed",
                f"{path[:200]} is kept out: it holds keys, or is no document.",
                "Copy out what is needed.",
            )
        shown = os.path.relpath(real, project) if _below(real, project) else real
        if any(opened.consent().excludes(each) for each in (real, given, shown)):
            raise InvalidInput("not-allowed", f"{path[:200]} is kept out by capture.exclude.")
        if not os.path.exists(real):
            raise NotFound(
                "no-document", f"There is no file {path[:200]}.", "Paths are relative to the project's folder."
            )
        return real, shown.replace(os.sep, "/")

    def _project(self) -> str:
        known = self._sessions.known(self._sessions.current())
        return str(known["project"]) if known else self._opened.project()[0]


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _content(real: str, shown: str, most: int) -> bytes:
    """A regular file's bytes. Raises InvalidInput."""
    try:
        fd = paths.open_file(real, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not make us wait
    except OSError as error:
        raise InvalidInput("not-allowed", f"{shown} cannot be opened ({error.strerror}).") from error
    state = os.fstat(fd)
    if not stat.S_ISREG(state.st_mode):
        os.close(fd)
        raise InvalidInput("not-a-document", f"{shown} is no regular file.", "Name one file.")
    with open(fd, "rb") as file:
        if state.st_size > most:
            raise InvalidInput("too-large", f"{shown} has {state.st_size:,} bytes; the limit is {most:,}.", "Split it.")
        return file.read(most)
