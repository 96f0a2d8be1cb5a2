"""Events: record one, and find them again."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from session_memory import git, ids
from session_memory.actions import marks
from session_memory.actions.opened import Kept, Opened
from session_memory.actions.sessions import Sessions
from session_memory.capture import predecessor
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import checkpoints as checkpoint_rows
from session_memory.index import projects as project_rows
from session_memory.index import search as event_rows
from session_memory.index.match import match
from session_memory.model.asking import asked as asking
from session_memory.model.event import CATEGORIES
from session_memory.model.record import EVENT, Draft
from session_memory.model.spoken import spoken, within
from session_memory.model.times import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCOPES = ("session", "lineage", "project", "all")
ORDERS = ("newest", "oldest", "relevance")
LIMIT, MOST = 50, 200
CHECKPOINT = re.compile(r"(?:since |until )?(?:the )?checkpoint[: ] *[\"']?(.+?)[\"']?", re.IGNORECASE)
TOLD = 300  # characters of an event's text where it is told in one line


@dataclass(frozen=True)
class Query:
    """What `session_query` is asked, as people write it; `Events.query` checks it."""

    category: str | None = None
    categories: Sequence[str] | None = None
    type: str | None = None
    keyword: str | None = None
    tags: Sequence[str] | None = None
    after: str | float | None = None
    before: str | float | None = None
    session_id: str | None = None
    scope: str | None = None
    limit: int = LIMIT
    offset: int = 0
    cursor: str | None = None
    order: str | None = None
    file: str | None = None
    branch: str | None = None


class Events:
    """What can be done with events."""

    def __init__(self, opened: Opened, sessions: Sessions) -> None:
        self._opened = opened
        self._sessions = sessions

    def categories(self) -> list[str]:
        """The built-in categories and those that plugins declare."""
        return [*CATEGORIES, *(name for name in self._opened.plugins.categories() if name not in CATEGORIES)]

    def record(
        self,
        category: str,
        type: str,
        data: Mapping[str, Any],
        *,
        parent_id: str | None = None,
        tags: Sequence[str] | None = None,
        session_id: str | None = None,
        key: str | None = None,
        stated_by: str = "model",
    ) -> tuple[Kept, str]:
        """Keep one event; returns what became of it and its session. Raises InvalidInput, LogUnavailable.

        A decision of the type accepted, rejected, superseded, wrong or cleared with a `parent_id` marks that event.
        """
        self._opened.must_record()
        self._check_category(category)
        if not type.strip():
            raise InvalidInput("bad-argument", "type is empty.", "Name what happened, for example 'architecture'.")
        meant = marks.meant(self.named, category, type, dict(data), parent_id)
        session = session_id or self._sessions.current()
        body: dict[str, Any] = {
            "session": session,
            "project": self._project(session),
            "category": category,
            "type": meant.type,
            "data": meant.data,
            "stated_by": stated_by,
        }
        if meant.parent:
            body["parent"] = meant.parent
        if tags:
            body["tags"] = list(dict.fromkeys(str(tag) for tag in tags))
        branch, commit = git.head(self._opened.cwd)
        if branch:
            body["branch"] = branch
        if commit:
            body["commit"] = commit
        draft = Draft(
            EVENT, body, key=None if key is None else "caller", key_text=None if key is None else f"{session} {key}"
        )
        return replace(self._opened.keep([draft]), hint=meant.hint), session

    def query(self, asked: Query) -> event_rows.Page:
        """One page of events. Raises InvalidInput, IndexUnavailable."""
        database = self._opened.read()
        order = asked.order or ("relevance" if asked.keyword and asked.keyword.strip() else "newest")
        _one_of("order", order, ORDERS)
        if not 1 <= asked.limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {asked.limit}.", f"Use 1 to {MOST}, and page with cursor.")
        if asked.offset < 0 or asked.offset >= 1 << 53:
            raise InvalidInput("bad-argument", f"offset is {asked.offset}.", "Use 0 or more.")
        wanted = self.filter(asked)
        if wanted.match is None and order == "relevance":
            order = "newest"
        return event_rows.search(
            database, wanted, order=order, limit=asked.limit, offset=asked.offset, cursor=asked.cursor
        )

    def page(
        self, asked: Query, *, include_data: bool, fit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """One page as `session_query` returns it; `fit` says how many events one answer can carry."""
        found = self.query(asked)
        events = found.events
        if not include_data:
            events = [{name: value for name, value in event.items() if name != "data"} for event in events]
        shown = fit(events)
        cursor = found.next_cursor
        if len(shown) < len(events):  # the page ends early: the next one starts behind what was shown
            cursor = self.query(replace(asked, limit=len(shown))).next_cursor
        result: dict[str, Any] = {
            "events": shown,
            "total_count": found.total,
            "returned_count": len(shown),
            "has_more": cursor is not None,
            "next_cursor": cursor,
        }
        if found.capped:
            result["total_capped"] = True
        if self._opened.behind:
            result["behind"] = self._opened.behind
        if self._opened.waiting:
            result["waiting_in_spool"] = self._opened.waiting
        return result

    def by_ids(self, event_ids: list[str]) -> list[dict[str, Any]]:
        """The events of these ids, in this order; missing ones left out. Raises IndexUnavailable."""
        return event_rows.by_ids(self._opened.read(), event_ids)

    def get(self, event_id: str) -> dict[str, Any]:
        """One event by its id or the beginning of it. Raises NotFound (unknown-event)."""
        found = self.named(event_id)
        if found is None:
            raise self.unknown(event_id)
        return found

    def unknown(self, event_id: str) -> NotFound:
        """Why no event is meant by an id: there is none, or several begin so. Raises IndexUnavailable."""
        if event_rows.begin_so(self._opened.read(), event_id) > 1:
            return NotFound(
                "unknown-event",
                f"Several events have ids that begin with {event_id[:32]!r}.",
                "Give more of its digits.",
            )
        return NotFound("unknown-event", f"No event has the id {event_id[:80]!r}.", "Search for it first.")

    def named(self, event_id: str) -> dict[str, Any] | None:
        """The same; None when there is no such event, or several begin so."""
        found = event_rows.by_ids(self._opened.read(), [event_id]) or self._of_older(event_id)
        return found[0] if found else None

    def _of_older(self, event_id: str) -> list[dict[str, Any]]:
        """An event by the id it had in a home of the product before this one."""
        database = self._opened.read()
        key = f"{predecessor.KEY}:{self._opened.journal.keyed(predecessor.event_key(event_id))}"
        row = database.one("SELECT lower(hex(id)) FROM event WHERE key = ?", (key,))
        return event_rows.by_ids(database, [row[0]]) if row else []

    def filter(self, asked: Query) -> event_rows.Filter:
        """The checked filters of a query. Raises InvalidInput."""
        categories = [*(asked.categories or ()), *([asked.category] if asked.category else [])]
        for category in categories:
            self._check_category(category)
        after = self._time(asked.after)
        before = self._time(asked.before, end=True)
        if after is not None and before is not None and after > before:
            after, before = self._time(asked.before), self._time(asked.after, end=True)
        scope = asked.scope or ("session" if asked.session_id else "project")
        _one_of("scope", scope, SCOPES)
        session = (
            self._sessions.meant(asked.session_id) if scope in ("session", "lineage") or asked.session_id else None
        )
        words = match(asked.keyword) if asked.keyword is not None else None
        projects: tuple[str, ...] = ()
        if scope == "project":
            database = self._opened.read()
            project = self._sessions.project_of(database, session or self._opened.session)
            projects = project_rows.in_scope(database, project)
        return event_rows.Filter(
            projects=projects,
            session=(session or "") if scope == "session" else None,
            lineage_of=(session or "") if scope == "lineage" else None,
            categories=tuple(dict.fromkeys(categories)),
            type=asked.type or None,
            tags=tuple(dict.fromkeys(asked.tags or ())),
            after=after,
            before=before,
            file=asked.file or None,
            branch=asked.branch or None,
            match=words,
            asked=asking(asked.keyword or "", within(asked.keyword or "", ids.now_ms())),
            nothing=asked.keyword is not None and words is None,
        )

    def _time(self, value: str | float | None, *, end: bool = False) -> int | None:
        """A time as people write or say it, also `checkpoint NAME`. Raises InvalidInput (bad-time, unknown-checkpoint)."""
        if not isinstance(value, str):
            return None if value is None else read_time(value, end=end)
        said = spoken(value, ids.now_ms())
        if said is not None:
            return said[1] if end else said[0]
        named = CHECKPOINT.fullmatch(value.strip())
        if named is None:
            return read_time(value, end=end)
        found = checkpoint_rows.by_name(self._opened.read(), named.group(1), None)
        if not found:
            what = f"No checkpoint is called {named.group(1)[:80]!r}."
            raise NotFound("unknown-checkpoint", what, "List them with session_list_checkpoints.")
        return int(found[0]["at"])

    def moment(self, text: str) -> int:
        """The first millisecond of a time as people write or say it. Raises InvalidInput (bad-time), NotFound."""
        return int(self._time(text) or 0)

    def _project(self, session: str) -> str:
        opened = self._opened
        if opened.session_project[0] == session:
            return opened.session_project[1]
        found = self._sessions.known(session)
        project = str(found["project"]) if found else opened.project()[0]
        if found:
            opened.session_project = (session, project)
        return project

    def _check_category(self, category: str) -> None:
        known = self.categories()
        if category not in known:
            near = difflib.get_close_matches(category, known, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(
                "unknown-category", f"{category[:60]!r} is no category.", f"{hint}Use one of: {', '.join(known)}."
            )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidInput("bad-argument", f"{name} is {value[:60]!r}.", f"Use one of: {', '.join(allowed)}.")
