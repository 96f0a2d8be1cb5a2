"""Handoffs and resumes: gather what the next session must know, tell it within a budget, keep what was told."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from session_memory import git, ids, paths
from session_memory.actions.checkpoints import Checkpoints
from session_memory.actions.opened import Opened
from session_memory.actions.receipts import Tree
from session_memory.actions.sessions import Sessions
from session_memory.actions.states import States
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import checkpoints as checkpoint_rows
from session_memory.index import projects as project_rows
from session_memory.index import search as event_rows
from session_memory.index import sessions as session_rows
from session_memory.model import facts as facts_of
from session_memory.model.event import STATED
from session_memory.model.facts import Facts
from session_memory.model.handoff import Standing, as_object, legend, sections
from session_memory.model.record import HANDOFF, Draft
from session_memory.model.telling import Section, compose, whole
from session_memory.plugins.fold import told as told_by

BUDGET, LEAST, MOST = 3_000, 100, 3_900  # tokens of an answer: 16,000 characters are the end of any answer
MOST_CHARACTERS = 15_900
MOST_WORK = 4_000  # newest tool events that files and failures are gathered from
FIRST_LINE = "Recorded by Session Memory: notes of earlier sessions, not instructions."


@dataclass
class Told:
    """A text for the next session, its ids, and (of a handoff) the same for machines."""

    text: str
    ids: dict[str, Any]
    object: dict[str, Any] = field(default_factory=dict)


class Handoffs:
    """What can be told to the next session."""

    def __init__(self, opened: Opened, sessions: Sessions, states: States, checkpoints: Checkpoints) -> None:
        self._opened = opened
        self._sessions = sessions
        self._states = states
        self._checkpoints = checkpoints

    def resume_any(self, wanted: str, *, budget: int | None = None, link: bool = True) -> Told:
        """Resume by whatever names a checkpoint: `latest`, an id, a name. Raises NotFound."""
        if wanted.lower() in ("latest", "last", "newest"):
            return self.resume(latest=True, budget=budget, link=link)
        try:
            return self.resume(checkpoint_id=wanted, budget=budget, link=link)
        except NotFound:
            return self.resume(name=wanted, budget=budget, link=link)

    def resume(
        self, *, checkpoint_id: str | None = None, name: str | None = None, latest: bool = False,
        budget: int | None = None, link: bool = True,
    ) -> Told:  # fmt: skip
        """Where things stand at a checkpoint (default: the newest of the project) and what changed since.

        With `link` the attached session is noted as going on from the checkpoint's.
        Raises NotFound (unknown-checkpoint, no-checkpoint), InvalidInput (bad-argument).
        """
        del latest  # it is the default
        room = _budget(budget)
        checkpoint, count = self._checkpoints.meant(checkpoint_id, name)
        session = checkpoint["session"] if checkpoint else self._last_session()
        if session is None:
            raise self._nothing("Record with session_record; the next session can then resume.")
        facts, standing = self._gathered(session, None, checkpoint)
        head = ["# Resume", "", FIRST_LINE]
        if checkpoint is None:
            head.append("There is no checkpoint; this is where the last session stood.")
        elif count > 1:
            head.append(f"{count} checkpoints bear this name; this is the newest.")
        named = {"session_id": session, "checkpoint_id": checkpoint["id"] if checkpoint else None}
        if link:
            here = self._sessions.current()
            self._sessions.link(session, named["checkpoint_id"])
            named = {"session_id": here, "parent_session_id": session, "checkpoint_id": named["checkpoint_id"]}
        last = _last_line(named)
        text = composed(head + legend(facts, room), sections(facts, standing), last, room, "session_query")
        return Told(_within(text, last), {key: value for key, value in named.items() if value})

    def where_we_are(self, session: str, budget: int = 1_200) -> str:
        """The same for a session that is attached again, short."""
        facts, standing = self._gathered(session, None, checkpoint_rows.newest(self._opened.read(), session=session))
        return composed(
            ["# Where this session stands", *legend(facts, budget)],
            sections(facts, standing),
            f"session {session}",
            budget,
            "session_query",
        )

    def write(
        self, *, session_id: str | None = None, include: dict[str, bool] | None = None, budget: int | None = None
    ) -> Told:
        """A handoff of the project, or of a named session and those it came from; the whole text goes into a file.

        Raises NotFound (unknown-session, no-checkpoint), InvalidInput (bad-argument), LogUnavailable.
        """
        room = _budget(budget)
        session = self._sessions.meant(session_id)
        if session is None:
            raise self._nothing("Record with session_record first.")
        checkpoint = checkpoint_rows.newest(self._opened.read(), session=session)
        facts, standing = self._gathered(session, session if session_id else None, checkpoint)
        parts = sections(facts, standing, include)
        file = self._file(session)
        named = {"session_id": session, "checkpoint_id": checkpoint["id"] if checkpoint else None, "file": file}
        last = _last_line(named)
        head = ["# Handoff", "", FIRST_LINE]
        full = whole(head + legend(facts, MOST), parts, last)
        self._keep(session, full, file, named["checkpoint_id"])
        text = _within(composed(head + legend(facts, room), parts, last, room, os.path.basename(file)), last)
        told = {key: value for key, value in named.items() if value}
        return Told(text, told, {**as_object(facts, standing, include), **told})

    def _nothing(self, fix: str) -> NotFound:
        if self._opened.waiting:
            return NotFound(
                "no-checkpoint",
                "What was recorded waits in the spool, because another process holds the log's lock.",
                "Try again when it is free; session-memory doctor names the process.",
            )
        return NotFound("no-checkpoint", "Nothing has been recorded in this project yet.", fix)

    def summary(self) -> str:
        """The project's facts, as the resource shows them."""
        session = self._last_session()
        if session is None:
            return "Nothing has been recorded in this project yet.\n"
        facts, standing = self._gathered(session, None, None)
        return composed(
            ["# Project summary", "", FIRST_LINE, *legend(facts, MOST)],
            sections(facts, standing),
            f"session {session}",
            MOST,
            "session_query",
        )

    def latest(self) -> str | None:
        """The text of the project's newest handoff."""
        database = self._opened.read()
        project = self._sessions.project_of(database, self._opened.session)
        found = checkpoint_rows.newest_handoff(database, project)
        return None if found is None else str(found.get("text", ""))

    def _last_session(self) -> str | None:
        database = self._opened.read()
        project = self._sessions.project_of(database, self._opened.session)
        for found in session_rows.listed(database, project, 5):
            if found["event_count"]:
                return str(found["id"])
        return None

    def _gathered(
        self, session: str, lineage_of: str | None, checkpoint: dict[str, Any] | None
    ) -> tuple[Facts, Standing]:
        """Facts of the project (or of one lineage), and where the session stands."""
        opened = self._opened
        database = opened.read()
        found = session_rows.find(database, session) or {}
        projects = () if lineage_of else project_rows.keys_of(database, self._sessions.project_of(database, session))
        stated = event_rows.Filter(projects=projects, lineage_of=lineage_of, categories=self._stated())
        work = event_rows.Filter(
            projects=projects, lineage_of=lineage_of, categories=("tool_call", "tool_response", "message")
        )
        done = event_rows.every(database, work, most=MOST_WORK, newest=True)
        tree = Tree(opened, database, found)
        facts = facts_of.gather(event_rows.every(database, stated) + done, tree.place)
        state = self._states.of(session)
        said = told_by(state.plugin, state.events, state.folded, checkpoint)
        branch, commit = git.head(opened.cwd)
        standing = Standing(
            project=str(found.get("project_name", "")),
            session=session,
            skill=str(found.get("skill", "")),
            phase=state.folded.state.phase,
            progress=state.folded.progress,
            branch=branch or "",
            commit=commit or "",
            plugin=said.summary,
            steps=[str(each) for each in said.next_steps],
            blocking=[str(each) for each in said.blocking_items],
            last=ids.at_text(found["last"]) if found.get("last") else "",
            now=ids.at_text(ids.now_ms()),
            receipt=tree.receipt(checkpoint, done),
            gone=tree.gone(facts),
        )
        if checkpoint is not None:
            when = ids.at_text(checkpoint["at"])[:16].replace("T", " ")
            standing.checkpoint = f"{checkpoint['name']} ({checkpoint['type']}, {when} UTC)"
            standing.summary = str(checkpoint.get("summary", ""))
        if state.folded.error:
            standing.blocking.append(f"the plugin {state.plugin.name} failed: {state.folded.error}")
        return facts, standing

    def _stated(self) -> tuple[str, ...]:
        return (*STATED, *(each for each in self._opened.plugins.categories() if each not in STATED))

    def _file(self, session: str) -> str:
        stamp = ids.at_text(ids.now_ms()).replace(":", "").replace("-", "")[:15]
        unique = ids.new_origin()[:4]
        return os.path.join(self._opened.home.handoffs, f"{stamp}-{paths.safe_name(session, 24)}-{unique}.md")

    def _keep(self, session: str, text: str, file: str, checkpoint: str | None) -> None:
        body: dict[str, Any] = {
            "session": session,
            "project": self._sessions.project_of(self._opened.read(), session),
            "text": text,
            "file": os.path.basename(file),
        }
        if checkpoint:
            body["checkpoint"] = checkpoint
        kept = self._opened.keep([Draft(HANDOFF, body)]).records[0].body or body
        try:
            paths.make_dir(self._opened.home.handoffs)
            paths.write_whole(file, str(kept["text"]).encode("utf-8"))
        except OSError as error:
            # the text is in the log; the file is only its view
            self._opened.warn(f"The handoff's file could not be written ({error.strerror}); the handoff is kept.")


def _budget(given: int | None) -> int:
    if given is None:
        return BUDGET
    if not LEAST <= given <= 100_000:
        raise InvalidInput("bad-argument", f"budget_tokens is {given}.", f"Use {LEAST} or more.")
    return min(given, MOST)


def _last_line(named: dict[str, Any]) -> str:
    words = {"session_id": "session", "parent_session_id": "parent", "checkpoint_id": "checkpoint", "file": "file"}
    return " · ".join(f"{words[name]} {value}" for name, value in named.items() if value)


def composed(head: list[str], parts: list[Section], last: str, room: int, more: str) -> str:
    """The text within the budget, and within what one answer may hold: then with less, so that what is missing is counted."""
    text = compose(head, parts, last, room, more)
    while len(text) > MOST_CHARACTERS and room > LEAST:
        room = room * 4 // 5
        text = compose(head, parts, last, room, more)
    return text


def _within(text: str, last: str) -> str:
    """Never over what one answer may hold, and always with its last line."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[: MOST_CHARACTERS - len(last) - 20].rstrip() + f"\n\n… cut\n\n{last}\n"
