"""Golden questions: what the user asks, with the events that answer it; asked again, they tell whether search got worse.

The questions are records, so that they are redacted, carried to other devices and forgotten like everything that the
user wrote. What a run measured lies in a file beside the index and holds nothing but ids and numbers.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from session_memory import ids, paths
from session_memory.actions.meaning import report
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import golden as rows
from session_memory.model.figures import figures
from session_memory.model.record import GOLDEN, Draft

if TYPE_CHECKING:
    from session_memory.actions.events import Events
    from session_memory.actions.meaning import Meaning
    from session_memory.actions.opened import Opened
    from session_memory.actions.projects import Projects
    from session_memory.actions.recall import Recall

DEPTH = 20  # places that are looked at for the answer
SETTLE_SECONDS = 60.0  # of one run that may go into vectors that are missing
MOST_QUESTION = 2_000  # characters
WORSE = 0.0001  # figures are rounded to four places


class Golden:
    """What search is measured by."""

    def __init__(self, opened: Opened, events: Events, recall: Recall, meaning: Meaning, projects: Projects) -> None:
        self._opened = opened
        self._events = events
        self._recall = recall
        self._meaning = meaning
        self._projects = projects

    def add(self, question: str, expect: list[str]) -> dict[str, Any]:
        """Keep a question with the ids of the events that answer it (any of them). Returns {id, question, expect}.

        Raises InvalidInput (bad-argument, paused), NotFound (unknown-event), LogUnavailable, IndexUnavailable.
        """
        self._opened.must_record()
        asked = " ".join(question.split())
        if not any(c.isalnum() for c in asked) or len(asked) > MOST_QUESTION:
            raise InvalidInput(
                "bad-argument",
                f"The question has {len(asked)} characters.",
                f"Use 1 to {MOST_QUESTION:,}, with a word.",
            )
        if not expect:
            raise InvalidInput(
                "bad-argument", "No event is named.", "Give --expect EVENT; session-memory search shows ids."
            )
        found = [self._events.get(each)["id"] for each in expect]
        place = rows.place_of(self._opened.read(), found[0])
        assert place is not None  # `get` has just found it
        for each in rows.listed(self._opened.read(), (place[1],)):
            if each["question"].casefold() == asked.casefold():
                raise InvalidInput(
                    "bad-argument",
                    f"This question is kept already, as {each['id']}.",
                    "To give it another answer, first: session-memory eval remove ID",
                )
        id_ = ids.new_id(ids.now_ms())
        expected = list(dict.fromkeys(found))
        body = {"project": place[1], "golden": id_, "data": {"question": asked}, "expect": expected, "change": "add"}
        kept = self._opened.keep([Draft(GOLDEN, body, id=id_)]).records[0].body or {}
        return {"id": id_, "question": kept.get("data", {}).get("question", ""), "expect": expected}

    def listed(self, *, everywhere: bool = False, project: str | None = None) -> list[dict[str, Any]]:
        """The questions, oldest first: {id, question, expect, timestamp, project, rank}; rank: in the last run, 0 not found.

        Raises NotFound (unknown-project), IndexUnavailable.
        """
        known = self._known()
        found = rows.listed(self._opened.read(), self._projects.scope(project, everywhere=everywhere))
        for each in found:
            each["timestamp"] = ids.at_text(each.pop("at"))
            if each["id"] in known:
                each["rank"] = known[each["id"]]["rank"]
        return found

    def remove(self, id_: str) -> dict[str, Any]:
        """Take a question back, by its id or a beginning of it that is the only one. Returns it.

        Raises NotFound (unknown-question), InvalidInput (paused), LogUnavailable, IndexUnavailable.
        """
        self._opened.must_record()
        meant = [each for each in self.listed(everywhere=True) if id_ and each["id"].startswith(id_.lower())]
        if len(meant) != 1:
            why = f"{len(meant)} golden questions begin so" if meant else "No golden question has this id"
            raise NotFound("unknown-question", f"{why}: {id_[:80]!r}.", "See: session-memory eval list --all")
        body = {"project": meant[0]["project"], "golden": meant[0]["id"], "change": rows.REMOVE}
        self._opened.keep([Draft(GOLDEN, body)])
        return meant[0]

    def run(self, *, everywhere: bool = False, project: str | None = None) -> dict[str, Any]:
        """Ask them all: {model, figures, before, difference, lower, moved, gone, results}.

        figures: {questions, hit_at_1, hit_at_5, mrr, p95_ms}. before: the same of the last run of these questions, with its
        `model`, and difference: what changed since, over the questions that both runs asked; None at the first run. lower:
        whether a hit or the mean rank got worse. moved: questions that stand elsewhere than before, {id, question, rank,
        before}. gone: questions of which no expected event is left; they count in no figure. results: {id, question, rank,
        ms}; rank 0: not among the first 20. Raises NotFound (unknown-project), InvalidInput, IndexUnavailable.
        """
        asked = self.listed(everywhere=everywhere, project=project)
        database = self._opened.read()
        places = {}
        for each in asked:
            place = next(filter(None, (rows.place_of(database, event) for event in each["expect"])), None)
            if place is not None:
                places[each["id"]] = place
        gone = [each for each in asked if each["id"] not in places]
        results, model = [], ""
        for number, each in enumerate(one for one in asked if one["id"] in places):
            session = places[each["id"]][0]
            if not number:
                self._settle(each["question"], session)
            began = ids.monotonic()
            found = self._recall.search(each["question"], session_id=session, scope="project", limit=DEPTH)
            took = 1_000 * (ids.monotonic() - began)
            model = str(found.get("model", "words alone"))
            order = [hit["id"] for hit in found["results"]]
            rank = min((order.index(event) + 1 for event in each["expect"] if event in order), default=0)
            results.append({"id": each["id"], "question": each["question"], "rank": rank, "ms": round(took, 1)})
        told = {"model": model, "gone": gone, "results": results, **_compared(results, self._known())}
        self._note(results, model)
        return told

    def other_model(self) -> str | None:
        """The embedding model that the last run used, where another one is used now; None where nothing changed.

        Raises ImportError, OSError.
        """
        models = {str(each.get("model")) for each in self._known().values()}
        now = report(self._opened).get("model") if models else ""
        return next(iter(sorted(models - {now})), None)

    def _settle(self, question: str, session: str) -> None:
        """Load what the first search would load, and make the vectors that are missing: they belong to no figure."""
        until = ids.monotonic() + SETTLE_SECONDS
        self._recall.search(question, session_id=session, scope="project", limit=1)
        while ids.monotonic() < until and self._meaning.go_on():
            pass

    def _known(self) -> dict[str, dict[str, Any]]:
        """What the last run of each question measured: {rank, ms, model, at}."""
        try:
            with open(paths.open_file(self._opened.home.golden, os.O_RDONLY), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return {}  # not there yet, or no longer whole: the next run writes it again
        kept = found.get("questions") if isinstance(found, dict) else None
        return {
            id_: each for id_, each in (kept.items() if isinstance(kept, dict) else ())
            if isinstance(each, dict) and isinstance(each.get("rank"), int) and isinstance(each.get("ms"), (int, float))
        }  # fmt: skip

    def _note(self, results: list[dict[str, Any]], model: str) -> None:
        now, known = ids.at_text(ids.now_ms()), self._known()
        for each in results:
            known[each["id"]] = {"rank": each["rank"], "ms": each["ms"], "model": model, "at": now}
        left = {each["id"] for each in self.listed(everywhere=True)}
        kept = {id_: each for id_, each in known.items() if id_ in left}
        paths.write_whole(self._opened.home.golden, json.dumps({"questions": kept}, indent=1).encode() + b"\n")


def _compared(results: list[dict[str, Any]], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures, and how they differ from those of the run before."""
    if not results:
        return {"figures": None, "before": None, "difference": None, "lower": False, "moved": []}
    now = figures([each["rank"] for each in results], [each["ms"] for each in results])._asdict()
    both = [each for each in results if each["id"] in known]
    if not both:
        return {"figures": now, "before": None, "difference": None, "lower": False, "moved": []}
    earlier = [known[each["id"]] for each in both]
    mine = figures([each["rank"] for each in both], [each["ms"] for each in both])._asdict()
    before = figures([each["rank"] for each in earlier], [float(each["ms"]) for each in earlier])._asdict()
    difference = {name: round(mine[name] - before[name], 4) for name in before if name != "questions"}
    lower = any(difference[name] < -WORSE for name in ("hit_at_1", "hit_at_5", "mrr"))
    moved = [
        {**_without(each, "ms"), "before": known[each["id"]]["rank"]}
        for each in both
        if each["rank"] != known[each["id"]]["rank"]
    ]
    models = sorted({str(each.get("model")) for each in earlier})
    return {
        "figures": now, "before": {**before, "model": ", ".join(models), "at": max(str(each.get("at")) for each in earlier)},
        "difference": difference, "lower": lower, "moved": moved,
    }  # fmt: skip


def _without(each: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in each.items() if key != name}
