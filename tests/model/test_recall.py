"""A prompt is answered with what is remembered only when that is worth it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model.made import DAY, Made

from session_memory.model import recall

NOW = 1_790_000_000_000


def hits() -> list[dict[str, Any]]:
    made = Made("old")
    made.decided("Answer 429 with Retry-After", rationale="clients retry blindly")
    made.decided("Use PostgreSQL for sessions")
    return made.events


def tell(
    prompt: str, session: str = "new", known: frozenset[str] = frozenset(), found: list[dict[str, Any]] | None = None
) -> Any:
    return recall.compose(prompt, found or hits(), session, set(known), NOW + DAY, "0123abcd")


def test_a_prompt_is_reminded_of_what_holds_two_of_its_telling_words() -> None:
    found = tell("Should a 429 answer say when to retry?")
    assert found.text.splitlines()[2].startswith(
        "- decision: Answer 429 with Retry-After Why: clients retry blindly (model, yesterday, "
    )
    assert (
        len(found.lines) == 1 and "429" in found.lines[0]["why"] and found.text.endswith("</session-memory 0123abcd>")
    )
    assert [each["why"] for each in found.left_out] == ["holds 0 of its telling words"]


@pytest.mark.parametrize(
    "prompt", ["Please write something about sessions", "What is the weather like over there?", "429"]
)
def test_one_word_in_common_is_not_enough(prompt: str) -> None:
    assert tell(prompt).text == ""


def test_never_the_same_twice_in_a_session_and_nothing_of_the_session_itself() -> None:
    prompt = "Should a 429 answer say when to retry?"
    assert tell(prompt, known=frozenset([hits()[0]["id"]])).text == ""
    assert tell(prompt, session="old").text == ""


def test_a_mark_is_said_with_it() -> None:
    found = [{**hits()[0], "mark": {"status": "wrong", "note": "", "at": "", "by": ""}}]
    assert "(model, wrong, yesterday, " in tell("Should a 429 answer say when to retry?", found=found).text


@pytest.mark.parametrize(
    ("prompt", "told", "why"),
    [
        ("/compact and go on with limits", [], "a command, not a question"),
        ("go on", [], "too few telling words"),
        ("limits of the billing table", [{"source": "prompt", "at": NOW - 1_000}], "only a moment after the last time"),
        ("limits of the billing table", [{"source": "prompt", "at": 0}] * 12, "often enough in this session"),
        ("limits of the billing table", [{"source": "startup", "at": NOW}], ""),
        ("JWT or TLS?", [], ""),
    ],
)
def test_the_gate(prompt: str, told: list[dict[str, Any]], why: str) -> None:
    assert recall.refused(prompt, told, NOW) == why
