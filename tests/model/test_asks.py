"""What was asked for: without rules, mere talk, and what a reply has answered."""

from __future__ import annotations

from tests.model.made import Made

from session_memory.model.asks import asked


def told(made: Made) -> list[str]:
    return [text for text, _note in asked(made.notes)]


def test_rules_are_told_as_such_and_not_again() -> None:
    made = Made()
    made.said("Never edit billing. Add limits to the API.")
    made.said("Never touch the migrations.")
    assert told(made) == ["… Add limits to the API."]


def test_mere_talk_counts_only_as_the_newest_word() -> None:
    made = Made()
    made.said("Add limits to the API.")
    made.said("go on")
    assert told(made) == ["go on", "Add limits to the API."]
    made.said("Now the webhook.")
    assert told(made) == ["Now the webhook.", "Add limits to the API."]


def test_a_question_that_a_reply_has_answered_is_done() -> None:
    made = Made()
    made.said("Did you push?")
    assert told(made) == ["Did you push?"]
    made.reply("Yes.")
    assert told(made) == []


def test_the_same_words_are_told_once() -> None:
    made = Made()
    made.said("Add limits.")
    made.said("add limits")
    assert told(made) == ["add limits"]
