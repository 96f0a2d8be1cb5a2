"""Imports: existing history becomes records; a second import changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from session_memory import git
from session_memory.actions.opened import Opened
from session_memory.capture.transcript import Transcript, find_transcripts, subagents_of
from session_memory.errors import InvalidInput
from session_memory.index import sessions as session_rows
from session_memory.index.database import Database
from session_memory.log.journal import Journal
from session_memory.model.record import SESSION, Draft

NEAR_MS = 15 * 60_000  # a hook tells of a message when it is over, the transcript when it began
BATCH = 2_000  # drafts in one append: one lock, one write


@dataclass
class Imported:
    """What an import brought."""

    transcripts: int = 0
    new: int = 0  # events
    known: int = 0
    bytes: int = 0
    redacted: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


class Imports:
    """What can be brought in."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._projects: dict[str, tuple[str, str]] = {}

    def found(self, path: str) -> list[str]:
        """The transcripts at a path, oldest first. Raises InvalidInput (bad-transcript)."""
        return find_transcripts(path)

    def claude_code(self, path: str, progress: Callable[[int, int], None] = lambda done, total: None) -> Imported:
        """Every session at `path` with its subagents; times are those of the transcript. Flushed to disk at the end.

        Raises InvalidInput (bad-transcript), LogUnavailable, IndexUnavailable.
        """
        opened = self._opened
        database = opened.read()
        before = opened.journal.redacted
        files = [file for main in find_transcripts(path) for file in (main, *subagents_of(main))]
        total = sum(os.stat(file).st_size for file in files)
        result = Imported(transcripts=len(files))
        seen: set[str] = set()
        for file in files:
            try:
                self._one(database, Transcript(file), result, seen, partial(_shown, progress, result.bytes, total))
            except OSError as error:
                result.troubles.append(f"{os.path.basename(file)} could not be read ({error.strerror}).")
            result.bytes += os.stat(file).st_size
        opened.journal.flush()
        progress(total, total)
        opened.index.catch_up(wait=20.0)
        result.redacted = opened.journal.redacted - before
        return result

    def _one(
        self, database: Database, transcript: Transcript, result: Imported, seen: set[str],
        progress: Callable[[int], None],
    ) -> None:  # fmt: skip
        drafts = iter(transcript)
        while True:
            batch = list(islice(drafts, BATCH))
            if not batch:
                break
            fresh = self._fresh(database, batch, result, seen)
            for draft in fresh:
                key, name = self._project(transcript.cwd)
                draft.body["project"] = key
                if draft.kind == SESSION:
                    draft.body["project_name"] = name
            keep_each(self._opened.journal, fresh, result.troubles)
            progress(transcript.offset)
        for why, count in transcript.skipped.items():
            result.skipped[why] = result.skipped.get(why, 0) + count

    def _fresh(self, database: Database, batch: list[Draft], result: Imported, seen: set[str]) -> list[Draft]:
        """The drafts the memory does not hold yet."""
        fresh = []
        for draft in batch:
            if draft.kind == SESSION:
                known = session_rows.find(database, draft.body["session"]) or {}
                if any(not known.get(name) for name in ("how", "parent_session") if draft.body.get(name)):
                    fresh.append(draft)
                continue
            key = self._opened.journal.key_of(draft) or ""
            record = f"{draft.body['source'].get('uuid')} {draft.body['type']}"
            copied = bool(draft.body["source"].get("copied")) and record in seen
            if copied or key in seen or _held(database, draft, key):
                seen.add(record)
                result.known += 1
                continue
            seen |= {key, record}
            result.new += 1
            fresh.append(draft)
        return fresh

    def _project(self, cwd: str) -> tuple[str, str]:
        if cwd not in self._projects:
            if cwd and os.path.isdir(cwd):
                self._projects[cwd] = git.project_key(cwd)
            else:  # the folder is gone, or on another machine: its path is all that is known
                self._projects[cwd] = (f"dir:{cwd}", os.path.basename(cwd.rstrip("/")) or "unknown")
        return self._projects[cwd]


def _held(database: Database, draft: Draft, key: str) -> bool:
    """Whether the memory holds it: by its key, or by the one that this product gave it before hooks recorded too."""
    if database.one("SELECT 1 FROM event WHERE key = ?", (key,)):
        return True
    if draft.body["source"].get("copied") or key.startswith("queued:"):
        return _said(database, draft)
    before = f"uuid:{draft.body['source'].get('uuid')}"
    return bool(database.one("SELECT 1 FROM event WHERE key = ? AND type = ?", (before, draft.body["type"])))


def _said(database: Database, draft: Draft) -> bool:
    """Whether the same words were kept from about the same time: for what has no name of its own, or another one here."""
    at, member = draft.at_ms or 0, "text" if "text" in draft.body["data"] else "args"
    return bool(
        database.one(
            "SELECT 1 FROM event WHERE at BETWEEN ? AND ? AND category = ? AND type = ? AND data ->> ? = ?",
            (
                at - NEAR_MS,
                at + NEAR_MS,
                draft.body["category"],
                draft.body["type"],
                member,
                draft.body["data"].get(member),
            ),
        )
    )


def keep_each(journal: Journal, drafts: list[Draft], troubles: list[str]) -> None:
    """Append what an import brings; a draft over the limit becomes a trouble and takes no other with it. Raises LogUnavailable."""
    try:
        journal.append(drafts, stated=False)
    except InvalidInput as error:
        if error.code != "too-large":
            raise
        if len(drafts) == 1:
            troubles.append(f"{drafts[0].body.get('source')}: {error}")
            return
        for draft in drafts:
            keep_each(journal, [draft], troubles)


def _shown(progress: Callable[[int, int], None], before: int, total: int, here: int) -> None:
    progress(before + here, total)
