"""Contexts: what sessions are told by themselves, seen beforehand, afterwards, and explained."""

from __future__ import annotations

from typing import Any

from session_memory import git, ids
from session_memory.actions.opened import Opened
from session_memory.actions.sessions import Sessions
from session_memory.capture import labelled, moment
from session_memory.errors import InvalidInput, NotFound, SessionMemoryError
from session_memory.index import brief as brief_file
from session_memory.index import checkpoints as checkpoint_rows
from session_memory.index import projects as project_rows
from session_memory.index import search as event_rows
from session_memory.index.database import FAILURES
from session_memory.index.match import match
from session_memory.model import brief, fact, reminder
from session_memory.model.compaction import Summary
from session_memory.model.context import Context, compose, injection
from session_memory.model.event import STATED

SOURCES = ("startup", "resume", "clear", "compact", "fork")
PAUSE_MS = 3_000  # between two writings of the briefs while a session works: the hook reads what is newer itself
MOST_COMPACTIONS = 50
# kinds a compaction is judged by, and the sections they are made of
JUDGED = {"rules": (fact.RULES, fact.TASKS), "questions": (fact.QUESTIONS,), "decisions": (fact.DECISIONS,),
          "files": (fact.FILES,), "commands": (fact.COMMANDS,)}  # fmt: skip


class Contexts:
    """What can be told to a session that begins, and what was."""

    def __init__(self, opened: Opened, sessions: Sessions) -> None:
        self._opened = opened
        self._sessions = sessions
        self._written = 0

    def keep_up(self) -> None:
        """Apply what hooks have recorded meanwhile, and write the briefs that are out of date; cheap when nothing is new."""
        self._opened.index.catch_up()
        if self._opened.index.touched and ids.now_ms() - self._written >= PAUSE_MS:
            self.refresh()

    def refresh(self) -> None:
        """Write the brief of every project that has got something new. What fails is warned about: a brief is only a view."""
        opened = self._opened
        touched, opened.index.touched = opened.index.touched, set()
        self._written = ids.now_ms()
        try:
            database = opened.index.database() if touched else None
            for project in sorted(touched - {""}):
                assert database is not None
                keys = project_rows.in_scope(database, project)
                for key in project_rows.keys_of(
                    database, project
                ):  # hooks know a project by the key of its folder alone
                    brief_file.write(database, opened.home, key, keys)
        except (SessionMemoryError, OSError, *FAILURES) as error:
            opened.index.touched |= touched
            opened.warn(f"The brief of a project could not be written ({error}); sessions begin with an older one.")

    def rehearsed(self, source: str) -> Context:
        """What a session that began now in this folder would be told. Raises InvalidInput (bad-argument), OSError."""
        if source not in SOURCES:
            raise InvalidInput(
                "bad-argument", f"{source[:40]!r} is no way a session begins.", f"Use one of: {', '.join(SOURCES)}."
            )
        opened = self._opened
        opened.read()
        self.refresh()
        session = self._sessions.meant(None) if source in ("resume", "compact") else None
        branch = git.head(opened.cwd)[0] or ""
        begins = moment.Beginning(
            source, session or ids.new_id(ids.now_ms()), opened.project()[0], opened.cwd, branch=branch
        )
        notes, here = moment.of(opened.home, begins, int(opened.settings.value("context.budget_tokens")))
        return compose(notes, here, ids.new_origin()[:8])

    def last(self) -> dict[str, Any]:
        """The newest text that was put into a session of the project: session, at (ms), its data. Raises NotFound (no-context)."""
        found = checkpoint_rows.injections(self._opened.read(), self._opened.project()[0], 1)
        if not found:
            raise NotFound(
                "no-context", "Nothing has been put into a session of this project yet.",
                "It is done at the start of a session with the hooks installed; to see it now: session-memory context --dry-run",
            )  # fmt: skip
        return found[0]

    def compactions(self, *, everywhere: bool = False) -> list[dict[str, Any]]:
        """Every compaction, newest first: session, at (ms), and for each kind of fact how many there were, were kept by the
        summary, and were told again afterwards; how many statements the summary made in labelled lines."""
        database = self._opened.read()
        projects = () if everywhere else project_rows.in_scope(database, self._opened.project()[0])
        summaries = event_rows.every(
            database, event_rows.Filter(projects=projects, type="compact_summary"), most=MOST_COMPACTIONS, newest=True
        )
        return [self._compaction(each) for each in reversed(summaries)]

    def _compaction(self, event: dict[str, Any]) -> dict[str, Any]:
        database, session = self._opened.read(), event["session_id"]
        at = ids.at_ms(event["timestamp"])
        facts = brief.facts(brief_file.of_session(database, session, at - 1))
        text = str(event["data"].get("text", ""))
        summary = Summary(text)
        told = {
            each
            for found in checkpoint_rows.injections_of(database, session, at)
            for line in found["lines"]
            for each in line["ids"]
        }
        kinds: dict[str, Any] = {}
        for kind, sections in JUDGED.items():
            those = [each for each in facts if each.section in sections]
            lost = [each for each in those if not summary.holds(each)]
            kinds[kind] = {
                "before": len(those), "kept": len(those) - len(lost),
                "told_again": sum(1 for each in lost if each.ids[0] in told), "lost": [each.text[:200] for each in lost],
            }  # fmt: skip
        return {
            "session": session,
            "at": at,
            "characters": len(text),
            "stated": len(labelled.read(text)),
            "kinds": kinds,
        }

    def recalled(self, prompt: str, session: str, *, keep: bool = True) -> Context:
        """What is remembered of what a prompt asks about, if it is worth an interruption; with `keep` it is recorded as told.

        Raises IndexUnavailable, LogUnavailable.
        """
        opened = self._opened
        database = opened.read()
        project = self._sessions.project_of(database, session)
        told = checkpoint_rows.injections(database, project, reminder.LOOKED_AT)
        words = match(prompt[: reminder.MOST_PROMPT])
        why = reminder.refused(prompt, [each for each in told if each["session"] == session], ids.now_ms())
        if why or words is None or not opened.settings.value("context.budget_tokens"):
            return Context("", [], [{"why": why}] if why else [])
        wanted = event_rows.Filter(projects=project_rows.in_scope(database, project), categories=STATED, match=words)
        hits = event_rows.search(database, wanted, order="relevance", limit=reminder.LOOKED_AT).events
        known = {
            each for found in told if found["session"] == session for line in found["lines"] for each in line["ids"]
        }
        made = reminder.compose(prompt, hits, session, known, ids.now_ms(), ids.new_origin()[:8])
        if made.text and keep and not opened.paused():
            opened.keep(injection(session, project, made, "prompt"), stated=False)
        return made
