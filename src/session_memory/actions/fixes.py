"""Fixes: where an error was met before, and what was run or edited next when it did not come back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from session_memory.actions.events import Query
from session_memory.errors import InvalidInput
from session_memory.index import fixes as rows
from session_memory.index import search as event_rows
from session_memory.index.match import match
from session_memory.model import failures
from session_memory.model.deeds import RAN, deeds, steps_of
from session_memory.model.event import role_of
from session_memory.model.invocations import kind, line_of
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.opened import Opened
    from session_memory.actions.projects import Projects
    from session_memory.index.database import Database

    Event = dict[str, Any]

WORD = re.compile(r"[^\W\d_]{2,}")
MOST_NEXT = 8  # deeds after an error that are told
MOST_GUESSED = 5  # where nothing shows how long they have to do with it
MOST_SESSIONS = 100  # the newest, of which is counted what was done next
MOST_VAIN = 10  # meetings of one session, the last, between which is looked
MOST_NEAR = 3  # nearest misses
TOGETHER = 10  # deeds that are counted over all sessions


class Fixes:
    """What helped against errors."""

    def __init__(self, opened: Opened, projects: Projects, events: Events) -> None:
        self._opened = opened
        self._projects = projects
        self._events = events

    def fix(self, text: str, *, everywhere: bool = False, project: str | None = None, limit: int = 5) -> dict[str, Any]:
        """Where an error was met: {error, met, exact, sessions, first, last, next, cases, more_cases, quoted, near, capped}.

        error: the line of `text` that tells. met: how often, exact: of these, letter by letter; the others differ in numbers,
        paths or addresses. cases: the sessions, the newest first: {session_id, times, met: turn, vain, next, passed}.
        vain: what was done between two meetings; next: what was done after the last; each {what, text, id, timestamp, role}.
        passed: the same command run again without the error, with how it `ended`. next (of the newest 100
        sessions together): {what, text, sessions, passed}.
        quoted: events that only show it, as a search does. near: the nearest misses, which are no match.
        Raises InvalidInput (bad-argument), NotFound (unknown-project), IndexUnavailable.
        """
        if limit < 1:
            raise InvalidInput("bad-argument", f"limit is {limit}.", "Use 1 or more.")
        line = failures.telling(text)
        words = match(failures.words(line)) or match(line)
        if words is None:
            raise InvalidInput("bad-argument", "There is no word in that.", "Paste the line of the error that tells.")
        database = self._opened.read()
        projects = self._projects.scope(project, everywhere=everywhere)
        holding, capped = rows.holding(database, words.wholes, line, projects)
        sessions = _by_session([each for each in holding if _meets(each)])
        meetings = sorted((each for session in sessions for each in session), key=lambda each: str(each["timestamp"]))
        sessions.sort(key=lambda some: str(some[-1]["timestamp"]), reverse=True)
        cases = [
            _case(database, line, some, told=n < limit) for n, some in enumerate(sessions[: max(limit, MOST_SESSIONS)])
        ]
        found = {
            "error": line, "met": len(meetings), "exact": sum(each["level"] == "exact" for each in meetings),
            "sessions": len(sessions), "next": _together(cases), "cases": cases[:limit],
            "more_cases": max(0, len(sessions) - limit), "quoted": len(holding) - len(meetings), "capped": capped,
            "near": [],
        }  # fmt: skip
        if meetings:
            found |= {"first": meetings[0]["timestamp"], "last": meetings[-1]["timestamp"]}
        elif not holding:
            found["near"] = self._near(database, line, projects)
        return found

    def _near(self, database: Database, line: str, projects: tuple[str, ...]) -> list[dict[str, Any]]:
        """Where a line holds at least a third of its words: no match."""
        words = _words(failures.words(line))
        wanted = replace(self._events.filter(Query(keyword=" ".join(sorted(words)), scope="all")), projects=projects)
        found = []
        for event, hit in event_rows.recalled(database, wanted, 5 * MOST_NEAR):
            if hit.words and (event["category"] in ("tool_response", "finding") or event["type"] == "user_prompt"):
                lines = [" ".join(each.split()) for each in plain_text(event["data"]).splitlines()]
                best = max(lines, key=lambda each: len(words & _words(each)), default="")
                if 3 * len(words & _words(best)) >= len(words):
                    found.append({**_turn(event), "line": best[:200]})
        return found[:MOST_NEAR]


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.casefold()))


def _meets(event: Event) -> bool:
    """Whether the error happened there; a search or a file that was read only quotes it."""
    category, data = event["category"], event["data"]
    if category == "tool_response":
        return bool(data.get("ok") is False or event["call"] is None or steps_of(event["call"]))
    return bool(category == "finding" or (category == "message" and event["type"] == "user_prompt"))


def _by_session(meetings: list[Event]) -> list[list[Event]]:
    """Meetings session by session; a finding tells of one only where nothing else does: it may be written afterwards."""
    sessions: dict[str, list[Event]] = {}
    for each in meetings:
        sessions.setdefault(each["session_id"], []).append(each)
    return [[each for each in some if each["category"] != "finding"] or some[:1] for some in sessions.values()]


def _case(database: Database, line: str, meetings: list[Event], *, told: bool) -> dict[str, Any]:
    """One session; what was done in vain only where it is `told`."""
    vain: list[dict[str, Any]] = []
    last_ones = meetings[-MOST_VAIN - 1 :] if told else []
    for each, following in zip(last_ones, last_ones[1:]):
        vain += _done(database, line, each, following["place"])[0]
    last = meetings[-1]
    then, passed = _done(database, line, last, None)
    return {
        "session_id": last["session_id"], "times": len(meetings),
        "met": {**_turn(last), "level": last["level"], "line": last["line"], "ran": _ran(last)},
        "vain": vain[-MOST_NEXT:], "next": then, "passed": passed,
    }  # fmt: skip


def _done(
    database: Database, line: str, meeting: Event, until: rows.Place | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Deeds behind a meeting, up to `until` or to where the same command ran without the error; and that run."""
    again = [kind(words) for _typed, words in steps_of(meeting["call"] or {})][-1:]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for event in rows.after(database, meeting["place"], until):
        answer = event["answer"]
        if again and until is None and answer is not None and not failures.met(plain_text(answer), line):
            same = [typed for typed, words in steps_of(event["data"]) if kind(words) in again]
            if same:
                return list(found.values()), {"text": same[-1], "ended": _ended(answer), **_turn(event)}
        for what, name, shown in deeds(event, meeting["project"]):
            if len(found) < MOST_NEXT and not (what == RAN and kind(name.split()) in again):
                found.setdefault((what, name), {"what": what, "name": name, "text": shown, **_turn(event)})
    return list(found.values())[:MOST_GUESSED], None


def _ended(answer: dict[str, Any]) -> str:
    ok = answer.get("ok")
    return "ok" if ok is True else "failed" if ok is False else "unknown"


def _ran(event: Event) -> str:
    """The command whose output the error stood in; "" for none."""
    return " ".join(line_of(event["call"]).split())[:200] if event["call"] else ""


def _together(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was done next in the most sessions, each once a session."""
    counted: dict[tuple[str, str], dict[str, Any]] = {}
    for case in cases:
        for each in case["next"]:
            one = counted.setdefault((each["what"], each["name"]), {**each, "sessions": 0, "passed": 0})
            one["sessions"] += 1
            one["passed"] += case["passed"] is not None
    return sorted(counted.values(), key=lambda each: (-each["passed"], -each["sessions"]))[:TOGETHER]


def _turn(event: Event) -> dict[str, Any]:
    return {
        "id": event["id"],
        "timestamp": event["timestamp"],
        "role": role_of(event),
        "session_id": event["session_id"],
    }
