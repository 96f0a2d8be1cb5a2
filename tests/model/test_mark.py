"""Marks: which events are marks, and what of them travels with the event they speak of."""

from __future__ import annotations

from typing import Any

import pytest

from session_memory.model.mark import CLEARED, NOTE, STATUSES, described, in_words, is_mark

AT = "2026-11-23T09:10:00.000Z"


def event(type_: str, data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"category": "decision", "type": type_, "parent_id": "a" * 32, "data": data or {}, **more}


@pytest.mark.parametrize("status", [*STATUSES, CLEARED])
def test_a_decision_that_says_what_another_event_is_now_is_a_mark(status: str) -> None:
    assert is_mark(event(status)) and is_mark(event(status, {"note": "because"}))
    assert not is_mark(event(status, parent_id=None))  # a rejected alternative of its own
    assert not is_mark(event(status, category="finding"))


def test_an_accepted_proposal_under_a_question_is_a_decision_too() -> None:
    assert not is_mark(event("accepted", {"title": "Use SQLite"}))
    assert is_mark(event("wrong", {"title": "Use SQLite"})) and not is_mark(event("architecture"))


def test_what_travels_is_short_and_says_who_and_when() -> None:
    mark = described("wrong", {"note": "n" * 1_000, "by": "b" * 32}, AT, "user")
    assert mark == {"status": "wrong", "at": AT, "stated_by": "user", "note": "n" * (NOTE - 1) + "…", "by": "b" * 32}
    assert described("rejected", {"reason": " slow ", "superseded_by": "x"}, AT, "model") == {
        "status": "rejected", "at": AT, "stated_by": "model", "note": "slow", "by": "x",
    }  # fmt: skip
    assert described(CLEARED, {"note": "no"}, AT, "user") is None
    assert described("accepted", {"note": ["not", "text"], "by": 7}, AT, "user") == {
        "status": "accepted", "at": AT, "stated_by": "user",
    }  # fmt: skip


def test_a_mark_in_a_line_cannot_break_the_line() -> None:
    assert in_words(None) == ""
    assert in_words(described("wrong", {"note": "# a\n\x1b[2Jb"}, AT, "user")) == " [wrong: \\# a b]"
    assert in_words(described("superseded", {"by": "b" * 32}, AT, "user")) == f" [superseded, see {'b' * 12}]"
