"""What every action works on: one home's log, index, plugins and settings, opened, and the one way to keep records."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_memory import git, ids
from session_memory.capture import clients
from session_memory.capture.consent import Consent
from session_memory.errors import IndexUnavailable, InvalidInput, LogUnavailable
from session_memory.index.catchup import Index
from session_memory.log.journal import Journal
from session_memory.plugins.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.catchup import Progress
    from session_memory.index.database import Database
    from session_memory.model.record import Draft, Record
    from session_memory.paths import Home
    from session_memory.settings import Settings


@dataclass
class Kept:
    """What became of drafts: the records, where they lie, and whether the index has them."""

    records: list[Record]
    stored: str
    indexed: bool
    reason: str = ""
    hint: str = ""  # what the caller should know of it: which event a mark met, or that its parent is unknown


@dataclass
class Opened:
    """One home, opened by one process for one client working in one folder."""

    home: Home
    settings: Settings
    journal: Journal
    index: Index
    plugins: Registry
    cwd: str
    client: str = ""
    client_session: str | None = None  # the client's own session id, where it has one
    client_pid: str = ""  # the client's process, where it says so; else our parent is meant
    off: bool = False  # SESSION_MEMORY_OFF
    session: str | None = None  # the session this client attached last
    warnings: list[str] = field(default_factory=list)
    behind: int = 0  # bytes of the log the last read could not see
    waiting: int = 0  # files of the spool it could not see either
    session_project: tuple[str, str] = ("", "")  # a session and its project, as asked last
    _client_started: str = ""  # the session the client began with
    _project: tuple[str, str] | None = None

    def keep(self, drafts: Sequence[Draft], *, stated: bool = True) -> Kept:
        """Append, then bring the index up to date. A failing index never fails the record; it says `indexed: false`.

        Raises InvalidInput (too-large), LogUnavailable.
        """
        records = self.journal.append(drafts, stated=stated)
        if records and not records[0].seq:
            return Kept(records, "spool", False, "the log's lock is held; the record waits in the spool, on disk")
        try:
            behind = self.index.catch_up()
        except (IndexUnavailable, LogUnavailable) as error:
            return Kept(records, "log", False, str(error))
        return Kept(records, "log", behind == 0, "" if behind == 0 else "the index is catching up in another process")

    def read(self, progress: Progress | None = None) -> Database:
        """The index, with the spool merged and caught up as far as possible. Raises IndexUnavailable."""
        self.waiting = self.journal.merge()
        self.behind = self.index.catch_up(progress=progress)
        return self.index.database()

    def project(self) -> tuple[str, str]:
        """Key and name of the project of the folder we work in; asked of git once."""
        if self._project is None:
            self._project = git.project_key(self.cwd)
        return self._project

    def follow_client(self) -> None:
        """Go where the client has gone: `/clear` gives it a new session, of which only its hooks are told."""
        if self.client_session is None:
            return
        started = self._client_started = self._client_started or self.client_session
        now = clients.current(self.home, self.client_pid or str(os.getppid()), started)
        if now != self.client_session:
            self.client_session, self.session = now, None

    def consent(self) -> Consent:
        """What the user lets us keep, as it stands now: another process may have changed it. Raises InvalidInput."""
        return Consent(self.home.root, self.settings)

    def paused(self) -> str:
        """Why nothing may be recorded now, as a sentence; "" when it may. Raises InvalidInput (bad-settings)."""
        if self.off:
            return "Recording is switched off by SESSION_MEMORY_OFF."
        held = self.consent().paused(self.project()[0])
        if held is None:
            return ""
        until = f" until {ids.local_text(held['to'])}" if held["to"] is not None else ""
        return f"Recording {'of this project ' if held['project'] else ''}is paused{until}."

    def must_be_on(self, feature: str) -> None:
        """Raises InvalidInput (feature-off) where the user switched a feature (`entities`, `document_ingest`) off."""
        if not self.settings.value(f"features.{feature}"):
            fix = f"Set features.{feature} to true in config.json."
            raise InvalidInput("feature-off", f"features.{feature} is switched off.", fix)

    def must_record(self) -> None:
        """Raises InvalidInput (paused) while nothing may be recorded: what is asked for would be lost in silence."""
        why = self.paused()
        if why:
            fix = "Unset it and start again." if self.off else "Run: session-memory unpause"
            raise InvalidInput("paused", f"{why} Nothing was kept.", fix)

    def warn(self, text: str) -> None:
        """Show a warning once: on stderr now, and in `status`."""
        if text not in self.warnings:
            self.warnings.append(text)
            with contextlib.suppress(OSError, ValueError):  # a closed or full stderr: it still stands in `status`
                print(f"session-memory: {text}", file=sys.stderr)

    def close(self) -> None:
        """Close the index; the log needs no closing."""
        self.index.close()
