"""Learnings in the index: whatever order records come in, from however many devices, they stand the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import paths
from session_memory.index import agree, learnings
from session_memory.index.catchup import Index
from session_memory.index.database import Database, make_index
from session_memory.log import reader
from session_memory.log.journal import Journal
from session_memory.model.confidence import after
from session_memory.model.record import LEARNING, OUTCOME, Draft, Record

ABOUT = {"session": "s", "project": "dir:/p"}
IDS = st.sampled_from(["one", "two", "three"])


def stated(learning: str, confidence: float = 0.5, **more: Any) -> Draft:
    body = {
        **ABOUT,
        "learning": learning,
        "category": "pattern",
        "title": f"Retry {learning}",
        "confidence": confidence,
    }
    return Draft(LEARNING, {**body, **more})


def outcome(learning: str, became: str, session: str = "s", **more: Any) -> Draft:
    draft = Draft(OUTCOME, {**ABOUT, "session": session, "learning": learning, "outcome": became, **more})
    if became == "shown":
        draft.key = f"shown:{session}:{learning}"
    return draft


DRAFTS = st.lists(
    st.one_of(
        st.builds(stated, IDS, st.floats(0, 1), description=st.sampled_from(["backoff", "jitter é"])),
        st.builds(lambda one, other: stated(one, supersedes=[other]), IDS, IDS),
        st.builds(outcome, IDS, st.sampled_from(["success", "partial", "failed", "shown"]), st.sampled_from("ab")),
        st.builds(lambda one, other: outcome(one, "merged", into=other), IDS, IDS),
    ),
    max_size=14,
)


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the index says of learnings, without row numbers."""
    standing = database.rows(
        "SELECT learning.id, record, project.key, category, title, given, confidence, success, partial, failed, used, shown,"
        " last, merged_into, learning.at, learning.hlc, body FROM learning JOIN project ON project.n = project_n"
    )
    words = database.rows(
        "SELECT learning.id, text FROM learning_text JOIN learning ON learning.n = learning_text.rowid"
        " WHERE learning_text MATCH 'retry'"
    )
    outcomes = database.rows("SELECT * FROM outcome")
    merges = database.rows("SELECT * FROM merge")
    return {"learnings": sorted(standing), "words": sorted(words), "outcomes": sorted(outcomes, key=repr),
            "merges": sorted(merges)}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(DRAFTS, min_size=1, max_size=3))
def test_piece_by_piece_or_made_again_they_are_the_same(tmp_path_factory: Any, batches: list[list[Draft]]) -> None:
    place = paths.Home(str(tmp_path_factory.mktemp("learnt") / "home"))
    journal, live = Journal(place), Index(place)
    for batch in batches:
        journal.append(batch)
        live.catch_up()
    before = content(live.database())
    assert not agree.differences(live.database(), place)
    live.catch_up(rebuild=True)
    assert content(live.database()) == before
    live.close()


@settings(max_examples=30, deadline=None)
@given(ours=DRAFTS, theirs=DRAFTS)
def test_the_order_in_which_devices_arrive_changes_nothing(
    tmp_path_factory: Any, ours: list[Draft], theirs: list[Draft]
) -> None:
    folder = tmp_path_factory.mktemp("devices")
    homes = [paths.Home(str(folder / name)) for name in ("here", "there")]
    for home, drafts in zip(homes, (ours, theirs)):
        Journal(home).append([stated("one", 0.7), *drafts])
    seen = []
    for mine, other in (homes, homes[::-1]):
        index = Index(mine)
        index.catch_up()  # its own first
        first = next(reader.places(other.events)).line
        assert first is not None
        target = os.path.join(mine.origins, first.origin)
        os.makedirs(target)
        shutil.copy(other.events, os.path.join(target, "events.jsonl"))
        index.catch_up()
        seen.append(content(index.database()))
        index.close()
    assert seen[0] == seen[1]


def records(drafts: list[Draft]) -> list[Record]:
    return [
        Record(1, each.kind, f"{n:032x}", "0" * 16, n + 1, f"2026-01-01T00:00:{n:02d}.000Z", f"1795357257{n:03d}.0000", each.key,
               each.body)
        for n, each in enumerate(drafts)
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(DRAFTS, st.randoms())
def test_any_order_and_any_repetition_gives_the_same_and_confidence_follows_the_rule(
    tmp_path_factory: Any, drafts: list[Draft], chance: Any
) -> None:
    made = records(drafts)
    seen = []
    for arrival in (made, chance.sample(made * 2, 2 * len(made))):
        database = make_index(str(tmp_path_factory.mktemp("order") / "index.sqlite"))
        for each in arrival:
            learnings.apply(database, each)
        seen.append(content(database))
        database.close()
    assert seen[0] == seen[1]
    merged = any(each.body.get("into") or each.body.get("supersedes") for each in made)
    for row in seen[0]["learnings"]:
        success, partial, failed = row[7:10]
        assert row[6] == after(row[5], success, partial, failed)
        if not merged:
            mine = [each.body["outcome"] for each in made if each.kind == OUTCOME and each.body["learning"] == row[0]]
            assert [success, partial, failed] == [mine.count(each) for each in ("success", "partial", "failed")]
    standing = [row for row in seen[0]["learnings"] if row[13] is None]
    assert bool(standing) is bool(seen[0]["learnings"])  # merges never hide all of them
    used = sum(len([e for e in made if e.kind == OUTCOME and e.body["learning"] == row[0]
                    and e.body["outcome"] in ("success", "partial", "failed")]) for row in seen[0]["learnings"])  # fmt: skip
    if len(standing) == 1:  # every outcome counts exactly once
        assert sum(standing[0][7:10]) == used


def filled(tmp_path: Path, *drafts: Draft) -> Database:
    database = make_index(str(tmp_path / "index.sqlite"))
    for each in records(list(drafts)):
        learnings.apply(database, each)
    return database


def test_merged_ones_count_together_even_in_a_circle(tmp_path: Path) -> None:
    database = filled(
        tmp_path, stated("one", 0.8), stated("two", 0.6), stated("three", 0.2), outcome("two", "success"),
        outcome("one", "failed"), outcome("two", "shown", "a"), outcome("one", "shown", "a"), outcome("one", "shown", "b"),
        outcome("two", "merged", into="one"), outcome("three", "merged", into="two"), outcome("three", "partial"),
    )  # fmt: skip
    (sure,) = learnings.confident(database, (), 5, at_least=0.0)
    assert sure["id"] == "one" and sure["outcomes"] == {"success": 1, "partial": 1, "failed": 1} and sure["shown"] == 2
    assert sure["confidence"] == round(after(0.8, 1, 1, 1), 3)
    assert (learnings.find(database, "three") or {})["merged_into"] == "one"
    for each in records([Draft(LEARNING, {})] * 12 + [outcome("one", "merged", into="three")])[12:]:
        learnings.apply(database, each)
    (sure,) = learnings.confident(database, (), 5, at_least=0.0)
    assert sure["id"] == "one" and sum(sure["outcomes"].values()) == 3  # the smallest id of the circle
    database.close()


def test_words_lead_confidence_and_age_weigh_and_the_category_is_a_word(tmp_path: Path) -> None:
    database = filled(
        tmp_path,
        stated("weak", 0.1, title="Backoff for retries", description="with jitter"),
        stated("sure", 0.9, title="Backoff for retries", description="with jitter"),
        stated("never", 0.9, category="anti-pattern", title="Mocking the clock", description="freeze it"),
        stated("theirs", 0.95, project="dir:/other", title="Backoff of theirs"),
    )
    ids = lambda *words, **more: [e["id"] for e in learnings.search(database, ("dir:/p",), *words, **more)]  # noqa: E731
    assert ids("backoff", "") == ["sure", "weak"] and ids("backoff", "", at_least=0.5) == ["sure"]
    assert ids("anti-pattern", "")[0] == "never" and ids("", "clocks") == ["never"]
    assert ids("backoff", "clock")[:2] == ["sure", "weak"] and ids("zebra", "") == [] == ids("?", "")
    assert ids("backoff", "", category="anti-pattern") == [] and ids("backoff", "", limit=1) == ["sure"]
    assert {e["id"] for e in learnings.search(database, (), "backoff", "")} == {"weak", "sure", "theirs"}
    assert learnings.elsewhere(database, ("dir:/p",), "backoff", "") == 1
    assert [e["id"] for e in learnings.confident(database, ("dir:/p",), 9)] == ["never", "sure"]
    database.run("UPDATE learning SET last = 0 WHERE id = 'never'")
    assert [e["id"] for e in learnings.confident(database, ("dir:/p",), 9)] == ["sure", "never"]
    sure = learnings.confident(database, (), 1)[0]
    assert {"id", "title", "description", "category", "confidence", "outcomes", "shown", "used"} <= set(sure)
    database.close()


def test_meaning_is_added_to_words_and_what_is_only_near_is_marked(tmp_path: Path) -> None:
    database = filled(
        tmp_path,
        stated("words", 0.5, title="Retry the upload", description="once"),
        stated("both", 0.5, title="Retry uploads with patience", description="wait"),
        stated("near", 0.5, title="Try again later"),
        stated("far", 0.9, title="Mocking the clock"),
    )
    cosines = {
        "Retry the upload": 0.2,
        "Retry uploads with patience": 0.9,
        "Try again later": 0.6,
        "Mocking the clock": 0.1,
    }
    found = learnings.search(
        database,
        ("dir:/p",),
        "retry upload",
        "",
        alike=lambda query, texts: [cosines[each.split("\n")[0]] for each in texts],
    )
    assert [(each["id"], each.get("near", False)) for each in found] == [
        ("both", False),
        ("words", False),
        ("near", True),
    ]
    nothing = learnings.search(database, ("dir:/p",), "zebra", "", alike=lambda query, texts: [0.0] * len(texts))
    assert nothing == [] == learnings.search(database, ("dir:/p",), "zebra", "", alike=lambda query, texts: [])
    database.close()
