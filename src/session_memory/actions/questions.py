"""Questions: the ledger of what was asked in every session, how it stands, and answering from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.actions.events import Events
from session_memory.actions.opened import Opened
from session_memory.actions.sessions import Sessions
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import projects as project_rows
from session_memory.index import search as event_rows
from session_memory.model.handoff import ID
from session_memory.model.questions import Question, ledger, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST = 6  # digits of an event's id that may name it
WAYS = ("answered", "deferred", "dropped")


class Questions:
    """What can be done with questions."""

    def __init__(self, opened: Opened, sessions: Sessions, events: Events) -> None:
        self._opened = opened
        self._sessions = sessions
        self._events = events

    def listed(
        self, *, closed: bool = False, everywhere: bool = False, session_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Questions of the project, open ones first, oldest first; with `closed` those that are over as well.

        Each: id (of the event), question_id (as it was named), question, status, asked_by, session_id, timestamp, age_days,
        and of closed ones answer and closed_at. Raises NotFound (unknown-session), IndexUnavailable.
        """
        session = self._sessions.meant(session_id) if session_id else None
        found = [each for each in self._ledger(everywhere or session is not None) if closed or each.status == "open"]
        wanted = [each for each in found if session is None or each.event["session_id"] == session]
        return [_told(each) for each in sorted(wanted, key=lambda each: each.status != "open")]

    def answer(self, wanted: str, text: str, *, how: str = "answered", stated_by: str = "user") -> dict[str, Any]:
        """Answer (defer, drop) a question by its own id or by the id of its event, in the session that asked it.

        Raises NotFound (unknown-question), InvalidInput (bad-argument, paused), LogUnavailable.
        """
        if not text.strip():
            raise InvalidInput("bad-argument", "The answer is empty.", "Say it in words.")
        if how not in WAYS:
            raise InvalidInput(
                "bad-argument", f"{how[:60]!r} is no way to end a question.", f"Use one of: {', '.join(WAYS)}."
            )
        meant = self._meant(wanted.strip())
        asked = meant.event
        data = {"answer" if how == "answered" else "reason": text}
        if meant.name is not None:
            data["id"] = meant.name
        kept, session = self._events.record(
            "question",
            f"question_{how}",
            data,
            parent_id=asked["id"],
            session_id=asked["session_id"],
            stated_by=stated_by,
        )
        return {
            "event_id": kept.records[0].id, "question": wording(asked), "status": how, "session_id": session,
            "stored": kept.stored,
        }  # fmt: skip

    def _ledger(self, everywhere: bool) -> list[Question]:
        database = self._opened.read()
        projects: Sequence[str] = ()
        if not everywhere:
            projects = project_rows.in_scope(database, self._sessions.project_of(database, self._opened.session))
        return ledger(event_rows.every(database, event_rows.Filter(projects=tuple(projects), categories=("question",))))

    def _meant(self, wanted: str) -> Question:
        for everywhere in (False, True):
            known = [each for each in self._ledger(everywhere) if _is_called(each, wanted)]
            found = [each for each in known if each.status == "open"] or known
            if len(found) > 1:
                several = "; ".join(f"{each.event['id'][:ID]} {wording(each.event)[:60]!r}" for each in found[:5])
                raise InvalidInput(
                    "bad-argument", f"{len(found)} questions are called {wanted[:60]!r}.", f"Name one by its event: {several}."
                )  # fmt: skip
            if found:
                return found[0]
        raise NotFound(
            "unknown-question", f"No question is called {wanted[:60]!r}.", "See: session-memory questions --all"
        )


def _is_called(question: Question, wanted: str) -> bool:
    return question.name == wanted or (len(wanted) >= SHORTEST and str(question.event["id"]).startswith(wanted.lower()))


def _told(question: Question) -> dict[str, Any]:
    event, closing = question.event, question.closing
    asked = ids.at_ms(event["timestamp"])
    found: dict[str, Any] = {
        "id": event["id"], "question_id": question.name, "question": wording(event), "status": question.status,
        "asked_by": event["stated_by"], "session_id": event["session_id"], "timestamp": event["timestamp"],
        "age_days": round(max(0, ids.now_ms() - asked) / 86_400_000, 1),
    }  # fmt: skip
    if closing is not None:
        said = closing["data"]
        found["answer"] = next((str(said[each]) for each in ("answer", "reason", "text") if said.get(each)), "")
        found["closed_at"] = closing["timestamp"]
    return {name: value for name, value in found.items() if value is not None}
