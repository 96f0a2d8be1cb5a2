"""Learnings: state a lesson, find it when it is of use, say how it went, and make one of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from session_memory import ids
from session_memory.actions.meaning import Meaning
from session_memory.actions.opened import Opened
from session_memory.actions.sessions import Sessions
from session_memory.errors import IndexUnavailable, InvalidInput, LogUnavailable, NotFound
from session_memory.index import learnings as rows
from session_memory.index import projects as project_rows
from session_memory.model.confidence import OUTCOMES
from session_memory.model.plain import plain, shortened
from session_memory.model.record import LEARNING, OUTCOME, Draft

CATEGORIES = ("pattern", "decision", "anti-pattern")
GIVEN = 0.5  # confidence where none is stated
LIMIT, MOST = 10, 200
LONGEST_TITLE = 300
TOLD, ROOM = 600, 14_000  # characters of a description that are told; of all that one answer tells
MERGED = "merged"
SHOWN = "shown"


class Learnings:
    """What can be done with learnings."""

    def __init__(self, opened: Opened, sessions: Sessions, meaning: Meaning) -> None:
        self._opened = opened
        self._sessions = sessions
        self._meaning = meaning

    def create(
        self, category: str, title: str, *, description: str = "", confidence: float | None = None,
        metadata: dict[str, Any] | None = None, stated_by: str = "model",
    ) -> dict[str, Any]:  # fmt: skip
        """Keep a lesson; names those that may be the same. `metadata.supersedes`: ids of learnings it takes the place of.

        Raises InvalidInput (bad-argument, paused, feature-off), NotFound (unknown-learning), LogUnavailable.
        """
        self._must_be_on()
        self._opened.must_record()
        if category not in CATEGORIES:
            raise InvalidInput(
                "bad-argument",
                f"{category[:60]!r} is no category of learnings.",
                f"Use one of: {', '.join(CATEGORIES)}.",
            )
        title = title.strip()
        if not title or len(title) > LONGEST_TITLE:
            raise InvalidInput(
                "bad-argument", f"title has {len(title)} characters.", f"Say it in 1 to {LONGEST_TITLE}; the rest is description."
            )  # fmt: skip
        given = GIVEN if confidence is None else _share("confidence", confidence)
        learning, session = ids.new_id(ids.now_ms()), self._sessions.current()
        body: dict[str, Any] = {
            **self._about(session), "learning": learning, "category": category, "title": title, "description": description,
            "confidence": given, "metadata": metadata or None, "supersedes": self._supersedes(metadata), "stated_by": stated_by,
        }  # fmt: skip
        kept = self._opened.keep(
            [Draft(LEARNING, {k: v for k, v in body.items() if v not in (None, "", [])}, id=learning)]
        )
        result: dict[str, Any] = {"learning_id": learning, "confidence": given, "stored": kept.stored}
        similar = self._near(learning, kept.indexed)
        if similar:
            result["similar"] = similar
            result["hint"] = (
                "If one says the same: session-memory learn merge KEEP OTHER makes one of them, with the outcomes of both."
            )
        return result

    def search(
        self, query: str | None = None, context: str | None = None, *, category: str | None = None,
        min_confidence: float | None = None, limit: int = LIMIT, everywhere: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Learnings by words and meaning, best first; where no word matches those near in meaning and the surest, marked so.

        Raises InvalidInput (bad-argument, feature-off), IndexUnavailable.
        """
        self._must_be_on()
        if not 1 <= limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {limit}.", f"Use 1 to {MOST}.")
        if category is not None and category not in CATEGORIES:
            raise InvalidInput(
                "bad-argument",
                f"{category[:60]!r} is no category of learnings.",
                f"Use one of: {', '.join(CATEGORIES)}.",
            )
        least = 0.0 if min_confidence is None else _share("min_confidence", min_confidence)
        database = self._opened.read()
        projects = () if everywhere else self._projects()
        words = ((query or "").strip(), (context or "").strip())
        found = rows.search(
            database, projects, *words, category=category, at_least=least, limit=limit, alike=self._meaning.alike
        )
        matched = "confidence" if not found else "words" if any("near" not in each for each in found) else "meaning"
        if matched != "words":  # no word matches: the surest ones, behind what is near in meaning
            known = {each["id"] for each in found}
            sure = rows.confident(database, projects, limit, at_least=least, category=category)
            found = [*found, *(each for each in sure if each["id"] not in known)][:limit]
        told = _fitted([_told(each) for each in found])
        self.shown([each["learning_id"] for each in told])
        result: dict[str, Any] = {"learnings": told, "matched_by": matched}
        if any(words) and matched != "words" and told:
            those = "those near in meaning, then " if matched == "meaning" else ""
            result["note"] = f"No word of the query matches; these are {those}the learnings with the most confidence."
        if any(words) and projects and matched != "words":
            elsewhere = rows.elsewhere(database, projects, *words)
            result.update({"in_other_projects": elsewhere} if elsewhere else {})
        return result

    def apply(
        self, learning_id: str, *, success: bool | None = None, outcome: str | None = None, notes: str | None = None
    ) -> dict[str, Any]:
        """Say how using a learning went (default: with success); its confidence follows.

        Raises NotFound (unknown-learning), InvalidInput (bad-argument, paused, feature-off), LogUnavailable.
        """
        self._must_be_on()
        self._opened.must_record()
        if outcome is not None and outcome not in OUTCOMES:
            raise InvalidInput("bad-argument", f"outcome is {outcome[:60]!r}.", f"Use one of: {', '.join(OUTCOMES)}.")
        if success is not None and outcome is not None and success is (outcome == "failed"):
            raise InvalidInput("bad-argument", f"success is {success} and outcome is {outcome!r}.", "Give one of them.")
        became = outcome or ("failed" if success is False else "success")
        learning = self._meant(learning_id)
        body = {**self._about(self._sessions.current()), "learning": learning, "outcome": became}
        if notes:
            body["notes"] = notes
        kept = self._opened.keep([Draft(OUTCOME, body)])
        result: dict[str, Any] = {"learning_id": learning, "outcome": became, "stored": kept.stored}
        now = self.get(learning) if kept.indexed else {}
        if now.get("merged_into"):
            result["merged_into"] = now["merged_into"]
            now = self.get(now["merged_into"])
        if not now:
            return {**result, "indexed": False, "reason": kept.reason}
        return {**result, "confidence": now["confidence"], "usage_count": now["used"]}

    def merge(self, keep: str, others: Sequence[str]) -> dict[str, Any]:
        """Let one learning stand for others as well: they are shown no more, their outcomes count for it.

        Raises NotFound (unknown-learning), InvalidInput (bad-argument), LogUnavailable.
        """
        self._must_be_on()
        self._opened.must_record()
        kept, gone = self._meant(keep), list(dict.fromkeys(self._meant(each) for each in others))
        if kept in gone or not gone:
            raise InvalidInput("bad-argument", "A learning cannot be merged into itself.", "Name two different ones.")
        about = self._about(self._sessions.current())
        self._opened.keep(
            [Draft(OUTCOME, {**about, "learning": each, "outcome": MERGED, "into": kept}) for each in gone]
        )
        return {**_told(self.get(kept)), "merged": gone}

    def get(self, learning_id: str) -> dict[str, Any]:
        """One learning with how it stands. Raises NotFound (unknown-learning), IndexUnavailable."""
        found = rows.find(self._opened.read(), learning_id)
        if found is None:
            raise _unknown(learning_id)
        return found

    def shown(self, learning_ids: Sequence[str], session: str | None = None) -> None:
        """Count that a session was shown these, once each. Nothing while recording is paused, or where no session is attached."""
        opened = self._opened
        session = session or opened.session or opened.client_session
        if not learning_ids or session is None or opened.paused():
            return
        known = rows.shown_in(opened.read(), session)
        about = self._about(session)
        drafts = [
            Draft(OUTCOME, {**about, "learning": each, "outcome": SHOWN}, key=SHOWN, key_text=f"{session} {each}")
            for each in learning_ids if each not in known
        ]  # fmt: skip
        try:
            if drafts:
                opened.keep(drafts, stated=False)
        except LogUnavailable as error:
            opened.warn(f"That learnings were shown could not be counted: {error}")  # what was asked for is told

    def _supersedes(self, metadata: dict[str, Any] | None) -> list[str]:
        named = (metadata or {}).get("supersedes")
        if named is None:
            return []
        texts = [named] if isinstance(named, str) else named
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise InvalidInput(
                "bad-argument", "metadata.supersedes is no id and no list of ids.", "Name learnings by their ids."
            )
        return [self._meant(each) for each in texts]

    def _near(self, learning: str, indexed: bool) -> list[dict[str, Any]]:
        """Those that may be the same; none while the index cannot say."""
        if not indexed:
            return []
        try:
            found = self.get(learning)  # as it was kept: redacted
            near = rows.near(
                self._opened.read(), self._projects(), learning, found["title"], str(found.get("description", ""))
            )
        except IndexUnavailable:
            return []
        names = ("learning_id", "title", "confidence")
        return [{**{name: _told(each)[name] for name in names}, "likeness": each["likeness"]} for each in near]

    def _meant(self, learning_id: str) -> str:
        found = rows.meant(self._opened.read(), learning_id.strip())
        if len(found) > 1:
            raise InvalidInput(
                "bad-argument", f"Several ids begin with {learning_id[:60]!r}.", f"Among them: {', '.join(found)}."
            )
        if not found:
            raise _unknown(learning_id)
        return found[0]

    def _about(self, session: str) -> dict[str, Any]:
        known = self._sessions.known(session)
        return {"session": session, "project": str(known["project"]) if known else self._opened.project()[0]}

    def _projects(self) -> tuple[str, ...]:
        database = self._opened.read()
        return project_rows.in_scope(database, self._sessions.project_of(database, self._opened.session))

    def _must_be_on(self) -> None:
        if not self._opened.settings.value("features.learning"):
            raise InvalidInput(
                "feature-off",
                "Learnings are switched off.",
                "To switch them on: features.learning true in config.json.",
            )


def _told(found: dict[str, Any]) -> dict[str, Any]:
    """A learning as tools show it."""
    return {
        "learning_id": found["id"], "category": found["category"], "title": plain(found["title"]),
        "description": shortened(plain(found["description"]), TOLD), "confidence": found["confidence"],
        "outcomes": found["outcomes"], "usage_count": found["used"], "shown": found["shown"],
        "last": ids.at_text(found["last"])[:10], "project": found["project_name"], **({"near": True} if "near" in found else {}),
    }  # fmt: skip


def _fitted(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as one answer can carry, in their order."""
    kept: list[dict[str, Any]] = []
    room = ROOM
    for each in told:
        room -= sum(len(str(value)) for value in each.values()) + 200
        if room < 0 and kept:
            break
        kept.append(each)
    return kept


def _share(name: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise InvalidInput("bad-argument", f"{name} is {value}.", "Use 0.0 to 1.0.")
    return float(value)


def _unknown(learning_id: str) -> NotFound:
    return NotFound("unknown-learning", f"No learning has the id {learning_id[:80]!r}.", "Find it with session_learn.")
