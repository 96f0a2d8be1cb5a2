"""Starting work and looking around: what `session_init` and `session_status` put together from the other rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.actions.handoffs import Handoffs
from session_memory.actions.health import Health
from session_memory.actions.imports import Imported, Imports
from session_memory.actions.opened import Opened
from session_memory.actions.projects import Projects
from session_memory.actions.sessions import Sessions
from session_memory.actions.states import States
from session_memory.errors import NotFound
from session_memory.index import search as event_rows
from session_memory.index import sessions as session_rows
from session_memory.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VIEWED = 50  # events a view of a session shows


class Starts:
    """Begin a session; tell how one stands."""

    def __init__(
        self,
        opened: Opened,
        sessions: Sessions,
        states: States,
        handoffs: Handoffs,
        health: Health,
        imports: Imports,
        projects: Projects,
    ) -> None:
        self._opened = opened
        self._projects = projects
        self._imports = imports
        self._sessions = sessions
        self._states = states
        self._handoffs = handoffs
        self._health = health

    def begin(
        self,
        *,
        skill: str | None = None,
        session_id: str | None = None,
        checkpoint: str | None = None,
        project: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Attach or start a session, and resume a checkpoint into it. Raises what those raise."""
        session, status = self._sessions.start(session_id=session_id, skill=skill, project=project, config=config)
        context: str | None = None
        if checkpoint:
            context = self._handoffs.resume_any(checkpoint).text
            status = "resumed"
        state = self._states.of(session)
        found = session_rows.find(self._opened.read(), session) or {}
        if status == "existing" and context is None:
            context = self._handoffs.where_we_are(session)
        return {
            "session_id": session,
            "status": status,
            "skill": found.get("skill"),
            "plugin": state.plugin.name,
            "project": found.get("project_name"),
            "resumption_context": context,
            "event_count": found.get("event_count", 0),
        }

    def missed(self) -> Iterator[None]:
        """Steps that bring in what the hooks of Claude Code could not tell (none where another client is served); before
        them, what is certainly one project is made one.

        Raises what `Projects.join` and `Imports.missed` raise.
        """
        opened = self._opened
        self._projects.join()
        if opened.client_session is None:
            return
        yield from self._imports.missed(environment().transcripts_of(opened.cwd), Imported())

    def status(
        self, session_id: str | None, *, fit: Callable[[dict[str, Any]], dict[str, Any]] = lambda state: state
    ) -> dict[str, Any]:
        """As `session_status` returns it; `fit` cuts a plugin's state to what one answer can carry.

        Raises NotFound (unknown-session), IndexUnavailable.
        """
        result = self._sessions.status(session_id)
        if result["session_id"]:
            state = self._states.of(result["session_id"])
            result["plugin"] = state.plugin.name
            result["plugin_state"] = fit(state.folded.object)
            result["progress"] = round(state.folded.progress, 3)
            if state.folded.error:
                result["plugin_error"] = state.folded.error
        return {**result, "health": self._health.brief()}

    def view(self, session_id: str, fit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> dict[str, Any]:
        """A session and its newest events, as the resource shows it. Raises NotFound (unknown-session)."""
        database = self._opened.read()
        found = session_rows.find(database, session_id)
        if found is None:
            raise NotFound("unknown-session", f"No session has the id {session_id[:80]!r}.")
        events = event_rows.every(database, event_rows.Filter(session=session_id), most=VIEWED, newest=True)
        shown = fit(events[::-1])
        about = {**found, "started": ids.at_text(found["started"]), "last": ids.at_text(found["last"])}
        return {"session": about, "newest_events": shown, "events_left_out": found["event_count"] - len(shown)}
