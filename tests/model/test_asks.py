"""What of the user's messages is told as asked for."""

from __future__ import annotations

from tests.model.made import Made

from session_memory.model.asks import asked


def told(made: Made) -> list[str]:
    return [text for text, _note in asked(made.notes)]


def test_a_message_that_says_nothing_by_itself_is_told_only_as_the_last_one() -> None:
    made = Made()
    for said in ("add a queue", "ok, go on", "check again"):
        made.said(said)
    assert told(made) == ["check again", "add a queue"]


def test_a_mere_question_is_told_until_there_was_a_reply() -> None:
    made = Made()
    made.said("Can you add a queue?")
    made.said("did you push?")
    assert told(made) == ["did you push?", "Can you add a queue?"]
    made.reply("Yes, everything is pushed.")
    assert told(made) == ["Can you add a queue?"]


def test_rules_are_left_to_their_own_section_and_a_message_of_rules_alone_is_none() -> None:
    made = Made()
    made.said("Add a queue. Never edit billing. No mocks in tests. Then tell me.")
    made.said("Never edit billing.")
    assert told(made) == ["Add a queue. … Then tell me."]


def test_said_twice_it_is_told_once_as_it_was_said_last() -> None:
    made = Made()
    for said in ("Add a queue", "Draw it", "add a queue!"):
        made.said(said)
    assert told(made) == ["add a queue!", "Draw it"]
