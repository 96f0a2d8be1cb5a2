"""Memory: one home opened for one client: log, index, plugins and settings, and the rooms of what can be done with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory import paths, settings
from session_memory.actions import launcher, scanner
from session_memory.actions.backups import Backups
from session_memory.actions.checkpoints import Checkpoints
from session_memory.actions.conflicts import Conflicts
from session_memory.actions.context import Contexts
from session_memory.actions.doctor import Doctor
from session_memory.actions.documents import Documents
from session_memory.actions.entities import Entities
from session_memory.actions.events import Events
from session_memory.actions.files import Files
from session_memory.actions.fixes import Fixes
from session_memory.actions.forgetting import Forgetting
from session_memory.actions.golden import Golden
from session_memory.actions.handoffs import Handoffs
from session_memory.actions.health import Health
from session_memory.actions.imports import Imports
from session_memory.actions.invocations import Invocations
from session_memory.actions.learnings import Learnings
from session_memory.actions.marks import Marks
from session_memory.actions.meaning import Meaning
from session_memory.actions.opened import Opened
from session_memory.actions.predecessors import Predecessors
from session_memory.actions.projects import Projects
from session_memory.actions.questions import Questions
from session_memory.actions.recall import Recall
from session_memory.actions.scans import Scans
from session_memory.actions.sessions import Sessions
from session_memory.actions.starts import Starts
from session_memory.actions.states import States
from session_memory.actions.sync import Sync
from session_memory.actions.timeline import Timeline
from session_memory.actions.trials import Trials
from session_memory.actions.vocabulary import Vocabulary
from session_memory.errors import InvalidInput
from session_memory.index.catchup import Index
from session_memory.index.database import FAILURES, unavailable
from session_memory.log.journal import SERVER_DEADLINE, Journal
from session_memory.plugins.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping


class Memory:
    """The rooms of what can be done with one home. Close it when done."""

    def __init__(
        self,
        home: str | None = None,
        *,
        cwd: str | None = None,
        client: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Open (and on the first run make) the home. Raises InvalidInput (bad-home, bad-settings), LogUnavailable."""
        around = settings.environment(environ)
        root = paths.home_root(home, around.home)
        folder = os.path.abspath(cwd or around.project_dir or os.getcwd())
        found = settings.load(root, environ=environ, cwd=folder)
        if found.unsafe:
            raise InvalidInput(
                "bad-settings",
                f"config.json cannot be used: {'; '.join(found.unsafe)}.",
                "Correct it; nothing is read or recorded until then.",
            )
        place = paths.Home(root, found.events_file, found.index_file, found.checkpoints_dir, found.handoffs_dir)
        self.opened = Opened(
            home=place,
            settings=found,
            journal=Journal(
                place,
                durability=found.durability,
                deadline=SERVER_DEADLINE,
                patterns=found.redaction_patterns,
                known=settings.secret_values(environ),
                scanner=scanner.load(),
                warn=self._warn,
            ),
            index=Index(place, self._warn),
            plugins=Registry(place.plugins),
            cwd=folder,
            client=client,
            client_session=around.client_session,
            client_pid=around.client_pid,
            off=around.off,
        )
        self.opened.journal.settle()
        settings.write_defaults(root)
        launcher.write(place)
        for problem in found.problems:
            self._warn(problem)
        self.sessions = Sessions(self.opened)
        self.states = States(self.opened)
        self.events = Events(self.opened, self.sessions)
        self.marks = Marks(self.events)
        self.projects = Projects(self.opened)
        self.entities = Entities(self.opened, self.sessions)
        self.documents = Documents(self.opened, self.sessions)
        self.vocabulary = Vocabulary(self.opened, self.events)
        self.meaning = Meaning(self.opened)
        self.recall = Recall(self.opened, self.events, self.meaning)
        self.golden = Golden(self.opened, self.events, self.recall, self.meaning, self.projects)
        self.checkpoints = Checkpoints(self.opened, self.sessions, self.states)
        self.handoffs = Handoffs(self.opened, self.sessions, self.states, self.checkpoints)
        self.contexts = Contexts(self.opened, self.sessions)
        self.learnings = Learnings(self.opened, self.sessions, self.meaning)
        self.questions = Questions(self.opened, self.sessions, self.events)
        self.trials = Trials(self.opened)
        self.imports = Imports(self.opened)
        self.predecessors = Predecessors(self.opened)
        self.invocations = Invocations(self.opened, self.projects)
        self.files = Files(self.opened, self.projects)
        self.timeline = Timeline(self.opened, self.events, self.projects)
        self.fixes = Fixes(self.opened, self.projects, self.events)
        self.health = Health(self.opened)
        self.backups = Backups(self.opened)
        self.doctor = Doctor(self.opened, self.projects)
        self.forgetting = Forgetting(self.opened)
        self.scans = Scans(self.opened, self.forgetting)
        self.sync = Sync(self.opened, self.forgetting)
        self.conflicts = Conflicts(self.forgetting)
        self.starts = Starts(
            self.opened, self.sessions, self.states, self.handoffs, self.health, self.imports, self.projects
        )
        self.forgetting.finish()
        self.predecessors.adopt()

    def _warn(self, text: str) -> None:
        self.opened.warn(text)

    def close(self) -> None:
        """Write the briefs that are out of date, and give the index back; the log needs no closing."""
        self.contexts.refresh()
        self.opened.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.close()
        if isinstance(error, FAILURES):
            raise unavailable(error) from error
