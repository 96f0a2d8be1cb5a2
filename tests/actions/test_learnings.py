"""Learnings as callers use them: kept, found, used, made one of two, counted as shown; and nothing when switched off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from session_memory.errors import IndexUnavailable, InvalidInput, NotFound
from session_memory.index.catchup import Index
from session_memory.log.lock import Lock
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def test_the_calls_of_the_contract_in_their_order_and_the_other_way_round(memory: Memory) -> None:
    first = memory.learnings.search(query="error handling patterns", min_confidence=0.7)
    assert first == {"learnings": [], "matched_by": "confidence"}
    made = memory.learnings.create(
        "pattern", "Retry with exponential backoff", description="Only what is idempotent", confidence=0.8
    )
    assert made["confidence"] == 0.8 and made["stored"] == "log" and "similar" not in made
    found = memory.learnings.search(query="error handling patterns", min_confidence=0.7)
    assert [each["learning_id"] for each in found["learnings"]] == [made["learning_id"]]
    assert found["matched_by"] == "words"  # its category is a word of it
    none = memory.learnings.search(query="zebra crossing")
    assert none["matched_by"] == "confidence" and "No word" in none["note"] and len(none["learnings"]) == 1
    assert memory.learnings.search(category="decision")["learnings"] == []
    used = memory.learnings.apply(made["learning_id"], success=True, notes="the importer")
    assert (used["confidence"], used["usage_count"]) == (0.84, 1)
    assert memory.learnings.apply(made["learning_id"][:8], outcome="partial")["confidence"] < 0.84
    assert memory.learnings.apply(made["learning_id"], success=False)["usage_count"] == 3
    assert memory.learnings.apply(made["learning_id"])["outcome"] == "success"
    assert memory.learnings.get(made["learning_id"])["notes"][0]["notes"] == "the importer"


def test_what_was_shown_is_counted_once_a_session(memory: Memory) -> None:
    made = memory.learnings.create("decision", "SQLite beside the log", confidence=0.9)
    for _again in range(3):
        memory.learnings.search("sqlite")
    assert memory.learnings.get(made["learning_id"])["shown"] == 1
    memory.sessions.start(session_id="other")
    memory.learnings.search("sqlite")
    found = memory.learnings.search("sqlite")["learnings"][0]
    assert (found["shown"], found["usage_count"]) == (2, 0)
    memory.opened.session = None
    memory.learnings.search("sqlite")
    memory.learnings.shown([made["learning_id"]], "third")
    assert memory.learnings.get(made["learning_id"])["shown"] == 3
    assert memory.health.verify().green


def test_one_that_says_the_same_is_named_and_can_be_merged_from_both_sides(memory: Memory) -> None:
    one = memory.learnings.create("pattern", "Retry with exponential backoff", confidence=0.8)["learning_id"]
    made = memory.learnings.create("pattern", "Use exponential backoff for retries", confidence=0.6)
    assert [each["learning_id"] for each in made["similar"]] == [one] and "learn merge" in made["hint"]
    memory.learnings.apply(made["learning_id"], success=True)
    kept = memory.learnings.merge(one, [made["learning_id"]])
    assert kept["learning_id"] == one and kept["confidence"] == 0.84 and kept["usage_count"] == 1
    assert [each["learning_id"] for each in memory.learnings.search("backoff")["learnings"]] == [one]
    again = memory.learnings.apply(made["learning_id"], success=True)  # by its old id
    assert again["merged_into"] == one and again["usage_count"] == 2
    new = memory.learnings.create("pattern", "Backoff with jitter", metadata={"supersedes": one})["learning_id"]
    (left,) = memory.learnings.search("backoff")["learnings"]
    assert left["learning_id"] == new and left["usage_count"] == 2
    for wrong in ([new], []):
        with pytest.raises(InvalidInput, match="itself"):
            memory.learnings.merge(new, wrong)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda m: m.learnings.create("insight", "x"), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "  "), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "x" * 301), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "x", confidence=1.5), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "x", confidence=float("nan")), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "x", metadata={"supersedes": 5}), "bad-argument"),
        (lambda m: m.learnings.create("pattern", "x", metadata={"supersedes": ["nobody"]}), "unknown-learning"),
        (lambda m: m.learnings.search(limit=0), "bad-argument"),
        (lambda m: m.learnings.search(min_confidence=-1), "bad-argument"),
        (lambda m: m.learnings.search(category="insight"), "bad-argument"),
        (lambda m: m.learnings.apply("nobody"), "unknown-learning"),
        (lambda m: m.learnings.apply("x"), "unknown-learning"),
        (lambda m: m.learnings.get("nobody"), "unknown-learning"),
        (lambda m: m.learnings.apply("nobody", outcome="perfect"), "bad-argument"),
        (lambda m: m.learnings.apply("nobody", success=True, outcome="failed"), "bad-argument"),
    ],
)
def test_what_cannot_be_used_is_told(memory: Memory, call: Any, code: str) -> None:
    with pytest.raises((InvalidInput, NotFound), match=code):
        call(memory)


def test_a_beginning_of_an_id_that_fits_several_is_refused(memory: Memory) -> None:
    ids = [memory.learnings.create("pattern", f"lesson {word}")["learning_id"] for word in ("one", "two")]
    shared = ids[0][:6]
    assert ids[1].startswith(shared)
    with pytest.raises(InvalidInput, match="Several"):
        memory.learnings.apply(shared)


def test_learnings_of_another_project_are_counted_and_shown_only_when_asked_for(
    memory: Memory, home: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Memory(home, cwd=str(other)) as theirs:
        theirs.learnings.create("pattern", "Retry with backoff", confidence=0.9)
    mine = memory.learnings.search("backoff")
    assert mine["learnings"] == [] and mine["in_other_projects"] == 1
    assert memory.learnings.search("backoff", everywhere=True)["learnings"][0]["project"] == "other"


def test_secrets_do_not_get_in_and_long_texts_do_not_fill_the_answer(memory: Memory) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    memory.learnings.create("pattern", "Call the api", description=f"with {token}")
    assert token not in str(memory.learnings.search("api"))
    for number in range(40):
        memory.learnings.create("pattern", f"api {number}", description="long words " * 400)
    told = memory.learnings.search("api", limit=200)
    assert len(str(told)) < 16_000 and len(told["learnings"]) > 5


def test_while_paused_nothing_is_kept_and_finding_goes_on(memory: Memory) -> None:
    made = memory.learnings.create("pattern", "Retry with backoff")
    memory.opened.off = True
    for call in (
        lambda: memory.learnings.create("pattern", "x"),
        lambda: memory.learnings.apply(made["learning_id"]),
        lambda: memory.learnings.merge(made["learning_id"], ["x"]),
    ):
        with pytest.raises(InvalidInput, match="paused"):
            call()
    assert len(memory.learnings.search("backoff")["learnings"]) == 1
    memory.opened.off = False
    assert memory.learnings.get(made["learning_id"])["shown"] == 0


def test_switched_off_every_call_says_so(home: str, tmp_path: Path) -> None:
    os.makedirs(home, mode=0o700)
    Path(home, "config.json").write_text('{"features": {"learning": false}}')
    with Memory(home, cwd=str(tmp_path)) as memory:
        for call in (
            lambda: memory.learnings.search("x"),
            lambda: memory.learnings.create("pattern", "x"),
            lambda: memory.learnings.apply("x"),
            lambda: memory.learnings.merge("x", ["y"]),
        ):
            with pytest.raises(InvalidInput, match="feature-off"):
                call()
        assert memory.health.brief()["features_off"]["switched off in config.json"] == ["features.learning"]


def test_an_index_that_is_busy_never_loses_a_lesson(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    first = memory.learnings.create("pattern", "Retry with backoff")["learning_id"]
    with Lock(memory.opened.home.index_lock, 1.0):
        made = memory.learnings.create("pattern", "Retry with a backoff")
        assert made["stored"] == "log" and "similar" not in made
        used = memory.learnings.apply(first, success=True)
        assert used["indexed"] is False and "confidence" not in used
    assert memory.learnings.get(first)["used"] == 1

    def fails(self: Index, **_more: Any) -> int:
        raise IndexUnavailable("index-unavailable", "gone")

    monkeypatch.setattr(Index, "catch_up", fails)
    assert memory.learnings.create("pattern", "Kept all the same")["stored"] == "log"


def test_a_lesson_in_other_words_is_found_and_called_near(memory: Memory) -> None:
    memory.learnings.create("pattern", "Retry with exponential backoff", description="Uploads fail under load")
    memory.learnings.create("pattern", "Keep functions short", confidence=0.9)
    found = memory.learnings.search("overloaded server attempts")
    assert found["matched_by"] == "meaning" and "near in meaning" in found["note"]
    assert [(each["title"], each.get("near", False)) for each in found["learnings"]] == [
        ("Retry with exponential backoff", True), ("Keep functions short", False),
    ]  # fmt: skip
    assert memory.learnings.search("zebra")["matched_by"] == "confidence"
    assert memory.learnings.search("backoff")["matched_by"] == "words"
