"""What a summary still holds: by names, or by most words of a statement in one line, with its prohibition."""

from __future__ import annotations

import pytest
from tests.model.made import START

from session_memory import ids
from session_memory.model import brief
from session_memory.model.brief import Fact
from session_memory.model.compaction import Summary

TEXT = """1. Intent: the user wants limits; billing is not to be edited.
2. Files:
 - src/limits/table.py was changed
3. Ran `mix test` and all passed.
4. Decided to answer with status 429 and a Retry-After header."""


def fact(section: str, text: str, about: str = "") -> Fact:
    return Fact(section, text, {"id": "0" * 32, "at": ids.at_text(START), "session": "s"}, "because", about=about)


@pytest.mark.parametrize(
    ("section", "text", "about", "held"),
    [
        (brief.FILES, "/p/src/limits/table.py", "table.py", True),
        (brief.FILES, "/p/src/limits/chair.py", "chair.py", False),
        (brief.COMMANDS, "mix test", "", True),
        (brief.COMMANDS, "mix credo --strict", "", False),
        (brief.RULES, "Billing is not edited", "", True),
        (brief.RULES, "Never cache limits for more than a minute", "", False),
        (brief.DECISIONS, "Answer 429 with a Retry-After header", "", True),
        (brief.TASKS, "The clients must not be told of limits in replies", "", False),
        (brief.QUESTIONS, "??", "", False),
    ],
)
def test_a_fact_is_held_or_lost(section: str, text: str, about: str, held: bool) -> None:
    assert Summary(TEXT).holds(fact(section, text, about)) is held


def test_a_prohibition_is_not_held_by_a_line_that_allows() -> None:
    assert not Summary("The migrations may be edited by hand.").holds(
        fact(brief.RULES, "Never edit migrations by hand")
    )


def test_an_empty_summary_holds_nothing() -> None:
    assert not Summary("").holds(fact(brief.RULES, "Never edit billing"))
