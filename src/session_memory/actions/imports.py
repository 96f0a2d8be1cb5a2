"""Imports: existing history becomes records; a second import changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from session_memory import git, ids
from session_memory.actions.opened import Opened
from session_memory.capture import prompts, transcripts
from session_memory.capture.consent import Consent
from session_memory.capture.transcript import Transcript, find_transcripts, subagents_of
from session_memory.errors import InvalidInput
from session_memory.index import sessions as session_rows
from session_memory.index.database import Database
from session_memory.log.journal import Journal
from session_memory.model.record import EVENT, SESSION, Draft
from session_memory.model.values import clean_text
from session_memory.settings import environment

WAIT = 20.0  # seconds for the index
SOON_MS = 2_000  # a hook and the transcript tell of a turn's beginning within it
NEAR_MS = 15 * 60_000  # a hook tells of a message when it is over, the transcript when it began
BATCH = 1_000  # drafts in one append: one lock, one write


@dataclass
class Imported:
    """What an import brought."""

    transcripts: int = 0
    new: int = 0  # events
    known: int = 0
    left_out: int = 0  # what a pause or an exclusion keeps out
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

        What the user keeps out (pauses, exclusions, private words) stays out. Raises InvalidInput (bad-transcript,
        bad-settings), LogUnavailable, IndexUnavailable.
        """
        result = Imported()
        files = [file for main in find_transcripts(path) for file in (main, *subagents_of(main))]
        total = sum(os.stat(file).st_size for file in files)
        for _step in self._every(files, result, partial(_shown, progress, total)):
            pass
        progress(total, total)
        return result

    def missed(self, folder: str, result: Imported) -> Iterator[None]:
        """Complete from the client's transcripts what its hooks could not tell (a killed client, no hooks at the time), in
        steps of a fraction of a second, so that the one who drives it can do other things in between.

        Only sessions the memory knows and those that went on after it began: older history is brought in when asked.
        Raises as `claude_code`.
        """
        opened = self._opened
        try:
            mains = find_transcripts(folder)
        except InvalidInput:
            return  # the client has none here
        looked = transcripts.looked(opened.home)
        database = opened.read()
        first = database.one("SELECT min(started) FROM session WHERE id NOT LIKE '%/%'")
        began = first[0] if first and first[0] is not None else ids.now_ms()
        seen: dict[str, list[int]] = {}
        for main in mains:
            for file in (main, *subagents_of(main)):
                state = os.stat(file)
                mark = [state.st_size, state.st_mtime_ns]
                session = os.path.basename(main).removesuffix(".jsonl")
                wanted = session_rows.find(database, session) is not None or state.st_mtime_ns // 1_000_000 > began
                wanted = wanted and session != opened.client_session  # it goes on: its hooks tell of it
                if wanted and looked.get(file) != mark:
                    yield from self._every([file], result, _quiet)
                    seen[file] = mark
        if seen:
            transcripts.note(opened.home, {**looked, **seen})

    def _every(self, files: list[str], result: Imported, progress: Callable[[int], None]) -> Iterator[None]:
        opened = self._opened
        database = opened.read()
        before = opened.journal.redacted
        consent = opened.consent()
        seen: set[str] = set()
        for file in files:
            try:
                for offset in self._one(database, Transcript(file), result, seen, consent):
                    progress(result.bytes + offset)
                    yield
            except OSError as error:
                result.troubles.append(f"{os.path.basename(file)} could not be read ({error.strerror}).")
            result.transcripts += 1
            result.bytes += os.stat(file).st_size
        opened.journal.flush()
        opened.index.catch_up(wait=WAIT)
        result.redacted += opened.journal.redacted - before

    def _one(
        self, database: Database, transcript: Transcript, result: Imported, seen: set[str], consent: Consent
    ) -> Iterator[int]:
        """Bring one transcript in; yields the offset after each batch."""
        drafts = iter(transcript)
        if transcript.forked:  # what it copies may have come in a moment ago
            self._opened.index.catch_up(wait=WAIT)
        origin = ""  # of a fork: the session whose records it begins with
        ours = _by_this_client(transcript.path)
        while True:
            batch = list(islice(drafts, BATCH))
            if not batch:
                break
            key, name = self._project(transcript.cwd)
            allowed = [draft for draft in batch if consent.allows(transcript.session, key, transcript.cwd, draft.at_ms)]
            result.left_out += len(batch) - len(allowed)
            fresh, origin = self._fresh(database, allowed, result, seen, origin)
            kept = [draft for draft in map(consent.kept, fresh) if draft is not None]
            for draft in kept:
                draft.body["project"] = key
                if not ours and draft.body.get("stated_by") == "user":
                    draft.body["stated_by"] = "import"
                if draft.kind == SESSION:
                    draft.body["project_name"] = name
            result.new += sum(1 for draft in kept if draft.kind == EVENT)
            keep_each(self._opened.journal, kept, result.troubles)
            yield transcript.offset
        if transcript.forked:
            self._opened.index.catch_up(wait=WAIT)
            self._fork(database, transcript.session, origin)
        for why, count in transcript.skipped.items():
            result.skipped[why] = result.skipped.get(why, 0) + count

    def _fork(self, database: Database, session: str, parent: str) -> None:
        """Note whose copy a forked session began with: its client does not say."""
        known = session_rows.find(database, session)
        if parent and parent != session and known and not known.get("parent_session"):
            body = {"session": session, "project": known["project"], "change": "update", "parent_session": parent}
            self._opened.journal.append([Draft(SESSION, body)], stated=False)

    def _fresh(
        self, database: Database, batch: list[Draft], result: Imported, seen: set[str], origin: str
    ) -> tuple[list[Draft], str]:
        """The drafts the memory does not hold yet, and the session that holds what they copy."""
        fresh = []
        for draft in batch:
            if draft.kind == SESSION:
                known = session_rows.find(database, draft.body["session"]) or {}
                if any(not known.get(name) for name in ("how", "parent_session") if draft.body.get(name)):
                    fresh.append(draft)
                continue
            key = self._opened.journal.key_of(draft) or ""
            record = f"{draft.body['source'].get('uuid')} {draft.body['type']}"
            copied = bool(draft.body["source"].get("copied"))
            if self._opened.journal.bans().bans("", key) or (copied and self._copies_forgotten(draft, origin)):
                result.left_out += 1
                continue
            holder = _holder(database, draft, key)
            if holder is not None or key in seen or (copied and record in seen):
                origin = holder or origin if copied else origin
                seen.add(record)
                result.known += 1
                continue
            seen |= {key, record}
            fresh.append(draft)
        return fresh, origin

    def _copies_forgotten(self, draft: Draft, origin: str) -> bool:
        """Whether a fork's copy says what was forgotten where it was said first. Its key is another one, its words are not."""
        journal, data = self._opened.journal, draft.body["data"]
        if draft.body["type"] == "compact_summary":
            digests = journal.keyed_by_all(prompts.summary_key(origin, data["text"]))
            return any(journal.bans().bans("", f"compact_summary:{each}") for each in digests)
        if draft.body["type"] not in (*prompts.TYPED, "reply"):
            return False  # a call's copy has its key
        return any(journal.bans().bans_words(each) for each in journal.keyed_by_all(prompts.words(data)))

    def _project(self, cwd: str) -> tuple[str, str]:
        if cwd not in self._projects:
            if cwd and os.path.isdir(cwd):
                self._projects[cwd] = git.project_key(cwd)
            else:  # the folder is gone, or on another machine: its path is all that is known
                self._projects[cwd] = (f"dir:{cwd}", os.path.basename(cwd.rstrip("/")) or "unknown")
        return self._projects[cwd]


def _by_this_client(path: str) -> bool:
    """Whether a transcript lies where this user's client writes them: of any other one nobody knows who typed what it says."""
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(environment().claude_projects), ""))


def _holder(database: Database, draft: Draft, key: str) -> str | None:
    """The session that holds it already: by its key, by the one that this product gave it before hooks recorded too, or by
    its words from about the same time, where it has no name of its own or another one here. None when none does."""
    asked = "SELECT session.id FROM event JOIN session ON session.n = event.session_n WHERE "
    found = database.one(f"{asked} event.key = ?", (key,))
    body = draft.body
    if found is None and (body["source"].get("copied") or key.startswith("queued:")):
        at, member = draft.at_ms or 0, "text" if "text" in body["data"] else "args"
        found = database.one(
            f"{asked} event.at BETWEEN ? AND ? AND category = ? AND type = ? AND data ->> ? = ?",
            (at - NEAR_MS, at + NEAR_MS, body["category"], body["type"], member, _kept(body["data"].get(member))),
        )
    elif found is None:
        found = _turn(database, draft, asked)
        before = f"uuid:{body['source'].get('uuid')}"
        found = found or database.one(f"{asked} event.key = ? AND type = ?", (before, body["type"]))
        found = found or _unkeyed(database, draft, asked)
    return None if found is None else str(found[0])


def _turn(database: Database, draft: Draft, asked: str) -> tuple[object, ...] | None:
    """What a turn began with, told by a hook in other words (or under the key of an earlier version): it came first in it."""
    if draft.body["type"] not in prompts.TYPED or draft.key_text is None or draft.body["source"].get("queued"):
        return None
    until = (draft.at_ms or 0) + SOON_MS
    wanted = (draft.key, f"{draft.key}:", f"{draft.key};", until)  # `;` is what comes after `:`
    return database.one(f"{asked} (event.key = ? OR (event.key > ? AND event.key < ?)) AND event.at <= ?", wanted)


def _unkeyed(database: Database, draft: Draft, asked: str) -> tuple[object, ...] | None:
    """The same words, of a hook of an older client, which told no prompt's id."""
    text, at = draft.body["data"].get("text"), draft.at_ms or 0
    if draft.body["category"] != "message" or not text:
        return None
    return database.one(
        f"{asked} event.at BETWEEN ? AND ? AND category = 'message' AND type = ? AND event.key IS NULL AND data ->> 'text' = ?",
        (at - NEAR_MS, at + NEAR_MS, draft.body["type"], _kept(text)),
    )


def _kept(text: Any) -> Any:
    """A text as the log keeps it: half a character is replaced."""
    return clean_text(text) if isinstance(text, str) else text


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


def _shown(progress: Callable[[int, int], None], total: int, done: int) -> None:
    progress(done, total)


def _quiet(done: int) -> None:
    """Nobody watches."""
