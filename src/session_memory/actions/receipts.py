"""Receipts: hold what a session left behind against the tree as it is now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from session_memory import git
from session_memory.index import sessions as session_rows
from session_memory.model import facts as facts_of
from session_memory.model.receipt import Receipt, compare

if TYPE_CHECKING:
    from session_memory.actions.opened import Opened
    from session_memory.index.database import Database
    from session_memory.model.facts import Event, Facts

MOST_LOOKED = 500  # files of one receipt that are looked for on the disk


class Tree:
    """The folder we work in, as far as it is the project of a session; and where sessions of it worked."""

    def __init__(self, opened: Opened, database: Database, session: dict[str, Any]) -> None:
        self._opened = opened
        self._database = database
        self._session = session
        here, worked = _top(opened.cwd), str(session.get("cwd") or "").partition("\0")[0]
        # a session may bear a project's name of its own choice, and still have worked here
        self._own = session.get("project") == opened.project()[0] or (bool(worked) and here == _top(worked))
        self._top = here if self._own else None
        self._known: dict[str, tuple[str, list[str]]] = {}  # session -> where it worked, what its paths are told from
        self._looked: dict[str, bool] = {}

    def place(self, event: Event, path: str) -> str | None:
        """A file as it is told: relative to the project's folder; None for one outside of it."""
        folder, bases = self._bases(event["session_id"])
        whole = os.path.normpath(os.path.join(folder, path))
        for base in bases:
            if whole.startswith(base):
                return whole[len(base) :].replace(os.sep, "/")
        return None if bases or os.path.isabs(whole) or whole.startswith("..") else whole

    def _bases(self, session: str) -> tuple[str, list[str]]:
        if session not in self._known:
            main = session.partition("/agent-")[0]
            folder = session_rows.folder(self._database, session) or session_rows.folder(self._database, main)
            folder = "" if "\0" in folder else folder
            own = [self._top, self._opened.cwd] if self._own else []
            there = [_top(folder), folder] if folder else []
            self._known[session] = folder, [each.rstrip(os.sep) + os.sep for each in (*own, *there) if each]
        return self._known[session]

    def has(self, path: str) -> bool:
        """Whether a file of the project is there now; True where that cannot be told."""
        if self._top is None:
            return True
        if path not in self._looked and len(self._looked) < MOST_LOOKED:
            self._looked[path] = os.path.lexists(os.path.join(self._top, path))
        return self._looked.get(path, True)

    def gone(self, facts: Facts) -> dict[str, list[str]]:
        """Event ids of facts, with the files each names that are not in the project now."""
        told = (facts.constraints, facts.decisions, facts.findings, facts.blockers, facts.next_steps, facts.assumptions)
        found = {event["id"]: self._missing(event) for events in told for event in events}
        return {event_id: paths for event_id, paths in found.items() if paths}

    def _missing(self, event: Event) -> list[str]:
        """Files of one fact: told from the folder of its session, or from the project's top."""
        missing = []
        for path in facts_of.files_named(event):
            placed = [each for each in (self.place(event, path), os.path.normpath(path)) if each is not None]
            inside = [each for each in placed if not os.path.isabs(each) and not each.startswith("..")]
            if inside and not any(self.has(each) for each in inside):
                missing.append(inside[0])
        return missing

    def receipt(self, checkpoint: dict[str, Any] | None, work: list[Event]) -> Receipt:
        """What became of the tree since the checkpoint, or since the session began. work: the events that touched files."""
        since = "Since the checkpoint" if checkpoint else "Since the session began"
        if not self._own or git.head(self._opened.cwd) == (None, None):
            return Receipt(since)
        commit = str((checkpoint or {}).get("commit") or self._session.get("commit") or "")
        lineage = set(session_rows.lineage(self._database, str(self._session.get("id", ""))))
        mine = [event for event in work if event["session_id"].partition("/agent-")[0] in lineage]
        ours = [path for path, edits, _reads in facts_of.touched(mine, self.place) if edits]
        return compare(git.changes_since(self._opened.cwd, commit or None), commit, since, ours, self.has)


def _top(folder: str) -> str:
    return git.top(folder) or os.path.realpath(folder)
