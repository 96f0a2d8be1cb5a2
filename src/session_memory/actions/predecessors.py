"""Homes of the product before this one: what was found at our places is taken over at open, another home on request."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from session_memory import ids, paths
from session_memory.actions.imports import BATCH, keep_each
from session_memory.actions.opened import Opened
from session_memory.capture import predecessor
from session_memory.errors import LogUnavailable, SessionMemoryError
from session_memory.index import database as databases
from session_memory.index import sessions as session_rows
from session_memory.index.database import Database
from session_memory.log import predecessor as aside
from session_memory.log.lock import Lock
from session_memory.model.event import CATEGORIES
from session_memory.model.record import DOCUMENT, ENTITY, LEARNING, RELATION, Draft

Progress = Callable[[int, int], None]
TABLE_OF = {LEARNING: "learning", ENTITY: "entity", RELATION: "relation", DOCUMENT: "document"}


@dataclass
class Taken:
    """What was taken over from one home."""

    path: str
    events: int = 0
    known: int = 0  # events that were here already
    sessions: int = 0
    checkpoints: int = 0
    learnings: int = 0
    entities: int = 0
    relations: int = 0
    documents: int = 0
    unreadable: int = 0  # lines of its log
    troubles: list[str] = field(default_factory=list)


class Predecessors:
    """What can be done with them."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def adopt(self) -> list[Taken]:
        """Take over what was moved aside, once. A failure is a warning: the files stay and the next start tries again."""
        home = self._opened.home
        taken: list[Taken] = []
        for folder in aside.unfinished(home):
            try:
                with Lock(os.path.join(folder, "import.lock"), 0.0):
                    if folder not in aside.unfinished(home):
                        continue  # another process has just done it
                    found = self.take(folder, checkpoints=home.checkpoints)
                    done = json.dumps({**found.__dict__, "at": ids.at_text(ids.now_ms())}, indent=2)
                    paths.write_whole(os.path.join(folder, aside.DONE), done.encode() + b"\n")
            except LogUnavailable as error:
                if error.code != "log-busy":  # busy: another process is at it
                    self._opened.warn(f"The home of the product before this one is not taken over yet: {error}")
                continue
            except (OSError, SessionMemoryError) as error:
                self._opened.warn(f"The home of the product before this one is not taken over yet: {error}")
                continue
            self._opened.warn(
                f"Taken over from the product before this one: {found.events} events, {found.sessions} sessions,"
                f" {found.checkpoints} checkpoints, {found.learnings} learnings, {found.entities} entities,"
                f" {found.relations} relations, {found.documents} documents. Its files are kept in storage/predecessor."
            )
            taken.append(found)
        return taken

    def take(self, path: str, *, checkpoints: str = "", progress: Progress = lambda done, total: None) -> Taken:
        """Everything in one of its homes; a second time adds nothing. Flushed to disk at the end.

        Raises InvalidInput (bad-home), LogUnavailable, IndexUnavailable, OSError.
        """
        opened = self._opened
        log, index, folder = predecessor.home_of(path)
        result = Taken(path)
        database = opened.read()
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in predecessor.TABLES}
        if index:
            try:
                rows, troubles = databases.foreign_rows(index, predecessor.TABLES)
                result.troubles += [f"its index, {each}" for each in troubles]
            except databases.DAMAGE as error:
                result.troubles.append(f"its index cannot be read ({error}); its log was taken over all the same")
        self._sessions(database, rows["sessions"], result)
        if log:
            self._events(database, log, result, progress)
        self._things(database, rows, result, self._first_ms(rows, log))
        made = predecessor.checkpoints(rows["checkpoints"], checkpoints or folder)
        fresh = [
            draft for draft in made if not database.one("SELECT 1 FROM checkpoint WHERE key = ?", (self._key(draft),))
        ]
        result.checkpoints = len(fresh)
        keep_each(opened.journal, fresh, result.troubles)
        opened.journal.flush()
        opened.index.catch_up(wait=20.0)
        return result

    def _sessions(self, database: Database, rows: list[dict[str, Any]], result: Taken) -> None:
        fresh = []
        for draft in predecessor.sessions(rows):
            known = session_rows.find(database, draft.body["session"]) or {}
            if not known.get("how" if draft.body["change"] == "start" else "ended"):
                fresh.append(draft)
        result.sessions = sum(draft.body["change"] == "start" for draft in fresh)
        keep_each(self._opened.journal, fresh, result.troubles)

    def _events(self, database: Database, log: str, result: Taken, progress: Progress) -> None:
        lines = predecessor.Lines(log, CATEGORIES)
        total, drafts = os.stat(log).st_size, iter(lines)
        new_ids: dict[str, str] = {}  # its ids -> ours, for what refers to them
        while batch := list(islice(drafts, BATCH)):
            fresh = []
            for draft in batch:
                old = draft.body["source"]["id"]
                row = database.one("SELECT lower(hex(id)) FROM event WHERE key = ?", (self._key(draft),))
                if row is not None:
                    new_ids.setdefault(old, row[0])
                    result.known += 1
                    continue
                draft.id = ids.new_id(ids.now_ms())
                new_ids.setdefault(old, draft.id)
                parent = draft.body.get("parent")
                if parent in new_ids:
                    draft.body["parent"] = new_ids[parent]
                fresh.append(draft)
            keep_each(self._opened.journal, fresh, result.troubles)
            result.events += len(fresh)
            progress(lines.offset, total)
        result.unreadable = lines.unreadable

    def _things(
        self, database: Database, rows: dict[str, list[dict[str, Any]]], result: Taken, at_ms: int | None
    ) -> None:
        """Learnings, entities, relations and documents."""
        keyed = self._opened.journal.keyed
        known = {str(row["id"]): predecessor.entity_id(row, keyed) for row in rows["entities"]}
        result.learnings = self._new(database, predecessor.learnings(rows["learnings"]), result)
        result.entities = self._new(database, predecessor.entities(rows["entities"], keyed, at_ms), result)
        result.relations = self._new(
            database, predecessor.relations(rows["entity_relations"], known, keyed, at_ms), result
        )
        result.documents = self._new(database, predecessor.documents(rows["ingested_documents"]), result)

    def _new(self, database: Database, drafts: Iterable[Draft], result: Taken) -> int:
        fresh = [
            draft
            for draft in drafts
            if not database.one(
                f"SELECT 1 FROM {TABLE_OF[draft.kind]} WHERE id = ? AND record IS NOT NULL", (draft.body[draft.kind],)
            )
        ]
        keep_each(self._opened.journal, fresh, result.troubles)
        return len(fresh)

    def _first_ms(self, rows: dict[str, list[dict[str, Any]]], log: str) -> int | None:
        """The earliest time it knew: for what bears none."""
        times = [predecessor.when(row.get("started_at")) for row in rows["sessions"]]
        known = [each for each in times if each is not None]
        return min(known) if known else int(os.stat(log).st_mtime * 1000) if log else None

    def _key(self, draft: Draft) -> str:
        return f"{draft.key}:{self._opened.journal.keyed(draft.key_text or '')}"
