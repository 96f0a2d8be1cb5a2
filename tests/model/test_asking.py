"""What a question asks for is read from its words, and never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.asking import CODE, HASH, NOTHING_ASKED, NUMBER, asked, places, wanted


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("which command runs the type checker?", "command"), ("how do I start the server", "command"),
        ("what failed in the first run", "failure"), ("why is the cache in the database?", "reason"),
        ("are we allowed to push?", "wish"), ("what did I ask for", "wish"), ("where is Session defined?", "place"),
        ("in which file are the settings", "place"), ("last commit of the session", "commit"),
    ],
)  # fmt: skip
def test_the_kind_that_is_asked_for(question: str, kind: str) -> None:
    assert kind in asked(question).kinds


def test_plain_words_ask_for_nothing() -> None:
    assert asked("auth token cache") == NOTHING_ASKED.__class__(frozenset(), main="auth token cache")
    assert not asked("").kinds


def test_first_and_last() -> None:
    assert asked("the last commit").end == 1 and asked("is the epic finished?").end == 1
    assert asked("what was it initially").end == -1 and asked("rate limits").end == 0


def test_the_first_after_and_the_last_before_something_are_what_is_next_to_it() -> None:
    assert asked("the first run after the upgrade").end == 0 and asked("the last run before the upgrade").end == 0
    assert asked("the last run after the upgrade").end == 1 and asked("the first run before the upgrade").end == -1
    assert asked("what came after the first three commits").end == 0  # the first is no end of what is asked for


def test_before_and_after_split_what_from_when() -> None:
    found = asked("how many tests passed before the cache was added?")
    assert (found.side, found.anchor, found.counted) == (-1, "the cache was added", "test")
    assert "cache" not in found.main and "tests" in found.main
    assert asked("what came right after the fix").side == 1
    assert asked("what was open when the context was compacted").compaction


@given(st.text(max_size=80))
def test_no_string_is_an_error(text: str) -> None:
    asked(text)


def test_what_an_answer_must_hold_is_told_from_the_question() -> None:
    for question in ("how long is it valid?", "the number of tests", "which port is used", "test count before that"):
        assert wanted(question) is NUMBER
    assert wanted("last commit of the session") is HASH and wanted("why is it so?") is None
    assert wanted("how do I start the server") is CODE and wanted("how many commands ran") is NUMBER
    assert places(CODE, "so: ```bash\nmake run\n``` and `make`") == [(4, 21)]
    assert places(NUMBER, "v1.2 takes 1,200.5 ms, see a-17 and 8080") == [(11, 18), (36, 40)]
    assert places(HASH, "[main a230dbf] over deadbeef and 05fd186, effaced") == [(6, 13), (33, 40)]
    assert places(None, "1") == []
