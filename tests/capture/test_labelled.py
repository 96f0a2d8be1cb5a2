"""Labelled lines state decisions, rules and questions without guessing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.capture import labelled
from session_memory.model.record import EVENT, Draft

TEXT = """All is done.
DECISION: answer 429 | WHY: clients retry blindly | NOT: 503
- **CONSTRAINT:** never edit billing
* QUESTION: which table?
REJECTED: sessions in cookies
NEXT: test the webhook
BLOCKER: CI is down
ANSWERED: which table? | ANSWER: limits
"""


def test_every_label_makes_its_event() -> None:
    assert labelled.read(TEXT) == [
        ("decision", "stated", {"title": "answer 429", "rationale": "clients retry blindly", "alternatives": "503"}),
        ("decision", "constraint", {"text": "never edit billing"}),
        ("question", "question_raised", {"question": "which table?"}),
        ("decision", "rejected", {"title": "sessions in cookies"}),
        ("phase", "next_step", {"text": "test the webhook"}),
        ("finding", "blocker", {"title": "CI is down"}),
        ("question", "question_answered", {"question": "which table?", "answer": "limits"}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The DECISION: in the middle of a line", "decision: small letters", "DECISION:", "DECISION: what | WHY: reason",
        "```\nDECISION: in code that is shown\n```", "QUESTION: still open", "TODO: something else here", "DECISION: " + "x" * 700,
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert labelled.read(text) == []


def test_the_lines_the_summary_is_asked_for_are_understood_and_the_request_itself_is_none() -> None:
    assert labelled.read(labelled.ASKED) == []
    for label in ("DECISION", "CONSTRAINT", "QUESTION", "BLOCKER", "NEXT"):
        assert f"{label}: " in labelled.ASKED and labelled.read(f"{label}: something of weight")


def test_said_again_in_a_session_they_are_the_same_and_in_another_session_they_are_not() -> None:
    def made(session: str) -> list[tuple[str | None, str | None]]:
        told = Draft(EVENT, {"session": session, "project": "p", "category": "message", "type": "reply", "data": {}})
        return [(each.key, each.key_text) for each in labelled.drafts(told, TEXT)]

    assert made("a") == made("a") and not set(made("a")) & set(made("b")) and len(set(made("a"))) == 7
    told = Draft(EVENT, {"session": "a", "project": "p", "category": "message", "type": "reply", "data": {}}, at_ms=5)
    first = labelled.drafts(told, TEXT)[0]
    assert first.at_ms == 5 and first.body["stated_by"] == "model" and first.body["project"] == "p"


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert len(labelled.read(text)) <= labelled.MOST
