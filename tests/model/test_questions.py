"""Open questions: never an answered one, never a missing open one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.questions import ledger, open_questions


def event(number: int, type_: str, parent: str | None = None, **data: Any) -> dict[str, Any]:
    made = {"id": f"e{number}", "timestamp": f"2026-01-01T00:00:00.{number:03d}Z", "category": "question", "type": type_,
            "session_id": "s", "data": data}  # fmt: skip
    return {**made, "parent_id": parent} if parent else made


@pytest.mark.parametrize(
    ("answer", "still"),
    [
        (event(2, "question_answered", id="Q1"), []),
        (event(2, "answered", parent="e1"), []),
        (event(2, "clarification", parent="e1", status="answered"), []),
        (event(2, "question_deferred", id="Q1"), []),
        (event(2, "question_answered", question_id="Q1"), []),
        (event(2, "question_answered", id="Q9"), ["e1"]),
        (event(2, "question_raised", id="Q2"), ["e1", "e2"]),
    ],
)
def test_what_closes_a_question(answer: dict[str, Any], still: list[str]) -> None:
    found = open_questions([answer, event(1, "question_raised", id="Q1", question="?")])
    assert [each["id"] for each in found] == still


def test_a_question_stated_as_answered_is_not_open_and_one_raised_again_is() -> None:
    assert open_questions([event(1, "clarification", status="answered")]) == []
    again = [event(1, "raised", id="Q"), event(2, "answered", id="Q"), event(3, "raised", id="Q", question="still?")]
    assert [each["id"] for each in open_questions(again)] == ["e3"]


def test_the_same_id_in_two_sessions_may_be_two_questions() -> None:
    one, two = event(1, "raised", id="Q1", question="a?"), event(2, "raised", id="Q1", question="b?")
    two["session_id"] = "t"
    assert len(open_questions([one, two])) == 2


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=20), st.randoms())
def test_the_last_word_on_each_id_decides_in_any_order_of_arrival(steps: list[tuple[int, bool]], chance: Any) -> None:
    events = [
        event(n, "question_raised" if opens else "question_answered", id=f"Q{q}", question=f"{q}?")
        for n, (q, opens) in enumerate(steps)
    ]
    last = dict(steps)
    chance.shuffle(events)
    assert {each["data"]["id"] for each in open_questions(events)} == {f"Q{q}" for q, opens in last.items() if opens}


def test_an_answer_by_name_means_the_question_of_its_own_session_else_the_newest() -> None:
    def by(session: str, made: dict[str, Any]) -> dict[str, Any]:
        return {**made, "session_id": session}

    asked = [by(s, event(n, "raised", id="Q1", question=f"{s}?")) for n, s in enumerate("abc")]
    still = [each["session_id"] for each in open_questions([*asked, by("a", event(9, "answered", id="Q1"))])]
    assert still == ["b", "c"]
    still = [each["session_id"] for each in open_questions([*asked, by("z", event(9, "answered", id="Q1"))])]
    assert still == ["a", "b"]
    named = by("z", event(9, "answered", parent="e1", id="Q1"))
    assert [each["session_id"] for each in open_questions([*asked, named])] == ["a", "c"]
    later = [*asked[:1], by("a", event(5, "deferred", id="Q1")), by("b", event(6, "answered", id="Q1", answer="yes"))]
    (only,) = ledger(later)
    assert (only.status, only.closing) == ("answered", later[-1])
    (stated,) = ledger([event(1, "answered", question="Why?", answer="So")])
    assert stated.status == "answered" and ledger([event(1, "answered", id="Q1", answer="So")]) == []
