"""An answer without a match teaches: which words are known, how the nearest are spelled, and what else would match."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.actions.vocabulary import in_words
from session_memory.index.vocabulary import apart
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        for text in ("telemetry spans of the café", "telemetry is exported", "annotations are kept", "日本語の設定"):
            opened.events.record("finding", "bug", {"text": text})
        body = {"session": "s9", "project": "dir:/srv/other", "category": "finding", "type": "bug", "stated_by": "model",
                "data": {"text": "zebras graze"}}  # fmt: skip
        opened.opened.keep([Draft(EVENT, body)])
        yield opened


def test_known_words_are_counted_and_unknown_ones_get_their_nearest_spelling(memory: Memory) -> None:
    taught = memory.vocabulary.taught(Query(keyword="telemtry spans"))
    assert taught == {"words": {"telemtry": 0, "spans": 1}, "all": 0, "spellings": {"telemtry": {"telemetry": 2}}}
    assert in_words(taught) == [
        "Known here, so many times: spans 1",
        "Nothing holds 'telemtry'; nearest spelling: telemetry 2",
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("anotations", "annotations"), ("expotred", "exported"), ("cafe", ""), ("spanss", "spans"), ("xyzzy", "")],
)
def test_spellings_are_near_ones_only(memory: Memory, wrong: str, right: str) -> None:
    found = memory.vocabulary.taught(Query(keyword=wrong)).get("spellings", {}).get(wrong, {})
    assert list(found) == ([right] if right else [])


def test_words_of_another_project_are_counted_as_elsewhere_and_never_spelled_out(memory: Memory) -> None:
    assert memory.vocabulary.taught(Query(keyword="zebras")) == {"words": {"zebras": 0}, "all": 0, "elsewhere": 1}
    assert "spellings" not in memory.vocabulary.taught(Query(keyword="zebrsa"))
    everywhere = memory.vocabulary.taught(Query(keyword="zebrsa", scope="all"))
    assert everywhere["spellings"] == {"zebrsa": {"zebras": 1}}


def test_filters_that_leave_nothing_are_told_from_words_that_are_not_there(memory: Memory) -> None:
    asked = Query(keyword="telemetry", category="decision")
    assert memory.events.query(asked).total == 0
    assert memory.vocabulary.taught(asked) == {"words": {"telemetry": 2}, "all": 2, "without_filters": 2}


def test_scripts_without_spaces_and_mere_punctuation_are_no_trouble(memory: Memory) -> None:
    assert memory.vocabulary.taught(Query(keyword="日本語"))["words"] == {"日本語": 1}
    assert memory.vocabulary.taught(Query(keyword='"日本 ... ')) == {"words": {"日本": 1}, "all": 1}
    assert memory.vocabulary.taught(Query(keyword="...")) == {} == memory.vocabulary.taught(Query())
    assert memory.vocabulary.taught(Query(keyword="the of")) == {}


def test_words_of_documents_are_known(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Rotation\n\nSigning keys rotate on Mondays.\n")
    memory.documents.ingest(str(tmp_path / "notes.md"))
    assert memory.vocabulary.taught(Query(keyword="mondays signing"))["words"] == {"mondays": 1, "signing": 1}
    assert memory.vocabulary.taught(Query(keyword="mondasy"))["spellings"] == {"mondasy": {"mondays": 1}}


def test_what_was_forgotten_is_no_known_word(memory: Memory) -> None:
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text="annotations are kept")))
    assert memory.vocabulary.taught(Query(keyword="anotations")) == {"words": {"anotations": 0}, "all": 0}


@given(st.text(max_size=12), st.text(max_size=12), st.integers(0, 3))
def test_distance_is_never_more_than_asked_for_and_none_to_itself(one: str, other: str, most: int) -> None:
    assert 0 <= apart(one, other, most) <= most + 1
    assert apart(one, one, most) == 0
