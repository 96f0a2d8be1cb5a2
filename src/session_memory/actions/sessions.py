"""Sessions: start, attach, find the one that is meant, and say how it stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from session_memory import git, ids
from session_memory.actions.opened import Opened
from session_memory.errors import IndexUnavailable, InvalidInput, NotFound
from session_memory.index import checkpoints as checkpoint_rows
from session_memory.index import projects as project_rows
from session_memory.index import sessions as session_rows
from session_memory.model.record import RESUME, SESSION, Draft

if TYPE_CHECKING:
    from session_memory.index.database import Database

LONGEST_ID = 200
MOST = 200  # sessions of one list


class Sessions:
    """What can be done with sessions."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def start(
        self,
        *,
        session_id: str | None = None,
        skill: str | None = None,
        project: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> tuple[str, str]:
        """Attach to a known session or start one; returns its id and `new` or `existing`.

        Without an id the client's own session is meant, where it has one. Raises InvalidInput, LogUnavailable.
        """
        opened = self._opened
        opened.must_record()
        opened.follow_client()
        wanted = _checked(session_id) or opened.client_session or ids.new_id(ids.now_ms())
        known = self.known(wanted)
        key, name = self._named(project)
        status = "existing" if known else "new"
        if known is None or skill or config or known.get("ended"):
            body: dict[str, Any] = {"session": wanted, "project": known["project"] if known else key}
            if known is None:
                body.update(self._surroundings(name))
            body["change"] = "start"
            if skill:
                body["skill"] = skill
            if config:
                body["config"] = config
            opened.keep([Draft(SESSION, body)])
        opened.session = wanted
        return wanted, status

    def current(self) -> str:
        """The session this client works in: attached, the client's own, or one started now. Raises LogUnavailable."""
        opened = self._opened
        opened.follow_client()
        if opened.session is None:
            wanted = opened.client_session or ids.new_id(ids.now_ms())
            if self.known(wanted) is None:
                key, name = opened.project()
                body = {"session": wanted, "project": key, "change": "start", **self._surroundings(name)}
                body["how"] = "implicit"
                opened.keep([Draft(SESSION, body)])
            opened.session = wanted
        return opened.session

    def known(self, session_id: str) -> dict[str, Any] | None:
        """What the index knows of a session; None for an unknown one, and while the index cannot be used.

        A record must not fail because the index does: said twice, a session's start changes nothing.
        """
        try:
            return session_rows.find(self._opened.read(), session_id)
        except IndexUnavailable:
            return None

    def meant(self, session_id: str | None) -> str | None:
        """The session a reader means: the named one, the attached one, else the newest of the project; None without any.

        Raises NotFound (unknown-session).
        """
        opened = self._opened
        opened.follow_client()
        database = opened.read()
        if session_id:
            if session_rows.find(database, session_id) is None:
                raise NotFound(
                    "unknown-session",
                    f"No session has the id {session_id[:80]!r}.",
                    "Call session_query with scope project, or session_init to start a session with this id.",
                )
            return session_id
        if opened.session or opened.client_session:
            wanted = opened.session or opened.client_session
            if wanted and session_rows.find(database, wanted):
                return wanted
        newest = session_rows.listed(database, opened.project()[0], 1)
        return str(newest[0]["id"]) if newest else None

    def project_of(self, database: Database, session_id: str | None) -> str:
        """The project a session belongs to, else the one of the folder we work in."""
        found = session_rows.find(database, session_id) if session_id else None
        return str(found["project"]) if found else self._opened.project()[0]

    def link(self, parent: str, checkpoint: str | None) -> None:
        """Note that the attached session goes on from another; nothing when it is the same one. Raises LogUnavailable."""
        if self._opened.paused():
            return
        here = self.current()
        database = self._opened.read()
        found = session_rows.find(database, here)
        if here == parent or (found and found.get("parent_session")):
            return
        project = self.project_of(database, here)
        drafts = [
            Draft(SESSION, {"session": here, "project": project, "change": "update", "parent_session": parent}),
            Draft(RESUME, {"session": here, "project": project, "parent_session": parent, "checkpoint": checkpoint}),
        ]
        self._opened.keep(drafts)

    def status(self, session_id: str | None) -> dict[str, Any]:
        """How a session stands, as `session_status` returns it (without plugin state and health)."""
        opened = self._opened
        found_id = self.meant(session_id)
        database = opened.read()
        found = session_rows.find(database, found_id) if found_id else None
        if found is None:
            return {"active": False, "session_id": None, "project": opened.project()[1], "event_count": 0}
        end = int(found["ended"]) if found.get("ended") else None
        last = checkpoint_rows.newest(database, session=found["id"])
        return {
            "active": found["id"] == (opened.session or opened.client_session),
            "session_id": found["id"],
            "skill": found.get("skill", ""),
            "project": found["project_name"],
            "started_at": ids.at_text(found["started"]),
            "duration_minutes": round(((end or max(found["last"], found["started"])) - found["started"]) / 60_000, 1),
            "event_count": found["event_count"],
            "events_by_category": session_rows.counts(database, found["id"]),
            "last_checkpoint": None
            if last is None
            else {"id": last["id"], "name": last["name"], "timestamp": ids.at_text(last["at"])},
        }

    def listed(self, *, everywhere: bool, limit: int) -> list[dict[str, Any]]:
        """The newest sessions of the project, or of all projects. Raises InvalidInput, IndexUnavailable."""
        if not 1 <= limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {limit}.", f"Use 1 to {MOST}.")
        return session_rows.listed(self._opened.read(), None if everywhere else self._opened.project()[0], limit)

    def _named(self, project: str | None) -> tuple[str, str]:
        if not project:
            return self._opened.project()
        if os.path.isdir(os.path.expanduser(project)):
            return git.project_key(os.path.abspath(os.path.expanduser(project)))
        try:
            for each in project_rows.listed(self._opened.read()):
                if project in (each["key"], each["name"], *each["aliases"]):
                    return each["key"], each["name"]
        except IndexUnavailable:
            pass  # a project of that name is then found by the name alone
        return f"name:{project}", project

    def _surroundings(self, project_name: str) -> dict[str, Any]:
        """Where a session starts: folder, branch and commit, client; members without a value are left out."""
        opened = self._opened
        branch, commit = git.head(opened.cwd)
        known = {"how": "startup", "client": opened.client, "cwd": opened.cwd, "branch": branch, "commit": commit,
                 "project_name": project_name}  # fmt: skip
        return {name: value for name, value in known.items() if value}


def _checked(session_id: str | None) -> str | None:
    if session_id is None or not session_id.strip():
        return None
    if len(session_id) > LONGEST_ID:
        raise InvalidInput(
            "bad-argument",
            f"session_id has {len(session_id)} characters; the limit is {LONGEST_ID}.",
            "Use a short id.",
        )
    return session_id
