"""What is ranked where very many rows match: nothing that does not match, every row with a rare word, and all where few match."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_memory.index import scoring
from session_memory.index.match import Match, match
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

COMMON = ("cache", "route", "token", "queue")
RARE = ("zanzibar", "quokka", "narwhal")
ROWS = 60


def kept(memory: Memory, texts: list[str]) -> None:
    project = memory.opened.project()[0]
    memory.opened.keep([
        Draft(EVENT, {"session": "s", "project": project, "category": "finding", "type": "note", "stated_by": "model",
                      "data": {"text": text}})
        for text in texts
    ])  # fmt: skip


def scores(memory: Memory, keyword: str) -> tuple[dict[int, float], scoring.Scored]:
    """Row -> score (lower is better) of what is ranked."""
    wanted = match(keyword)
    assert wanted is not None
    database = memory.opened.read()
    found = scoring.scored(database, wanted)
    summed: dict[int, float] = {}
    for n, score in database.rows(found.sql, found.values):
        assert found.parted or n not in summed
        summed[n] = summed.get(n, 0.0) + score
    return summed, found


def rows(memory: Memory, expression: str) -> set[int]:
    return {
        row[0]
        for row in memory.opened.read().rows("SELECT rowid FROM event_text WHERE event_text MATCH ?", [expression])
    }


@pytest.fixture
def memory(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    for name, value in (("ENOUGH", 10), ("SAMPLE", 4), ("NEWEST", 6), ("FEW", 4)):
        monkeypatch.setattr(scoring, name, value)
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def text_of(n: int) -> str:
    """Row n of the memory: each common word in about half, a quarter ... of the rows, each rare one in a few."""
    held = [word for bit, word in enumerate(COMMON) if n % (bit + 2) == 0]
    held += [word for at, word in enumerate(RARE) if n in (3 + at, 16 + at)]
    return " ".join(["row", *held, f"number{n}"])


@pytest.fixture
def filled(memory: Memory) -> Memory:
    kept(memory, [text_of(n) for n in range(ROWS)])
    return memory


words = st.lists(st.sampled_from((*COMMON, *RARE, "row", "absent")), min_size=1, max_size=6, unique=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words)
def test_what_is_ranked_matches_and_every_row_with_a_rare_word_is_ranked(filled: Memory, asked: list[str]) -> None:
    found, told = scores(filled, " ".join(asked))
    every = rows(filled, " OR ".join(asked))
    assert set(found) <= every and all(score < 0 for score in found.values())
    if told.whole:
        assert set(found) == every
    for word in set(asked) & set(RARE):
        assert rows(filled, word) <= set(found)
    newest = sorted(every)[-scoring.NEWEST :]
    assert set(newest) <= set(found)


def test_few_matches_are_all_ranked_by_bm25(filled: Memory) -> None:
    found, told = scores(filled, "zanzibar quokka")
    wanted = match("zanzibar quokka")
    assert wanted is not None and told == scoring.every(wanted)
    assert set(found) == rows(filled, "zanzibar OR quokka")


def test_beside_a_rare_word_a_common_one_adds_its_weight_wherever_it_stands(filled: Memory) -> None:
    found, told = scores(filled, "zanzibar cache")
    alone, _told = scores(filled, "zanzibar")
    assert not told.whole and told.parted
    with_both = rows(filled, "zanzibar AND cache")
    assert with_both and all(found[n] < alone[n] for n in with_both)
    without = rows(filled, "zanzibar") - with_both
    assert without and all(found[n] == pytest.approx(alone[n]) for n in without)


def test_two_common_words_that_seldom_stand_together_are_found_however_old(
    filled: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "AT_MOST", 1)
    found, _told = scores(filled, "queue route")
    together = sorted(rows(filled, "queue AND route"))
    assert together[0] in found and min(found.values()) == pytest.approx(found[together[0]])


def test_a_word_that_stands_everywhere_is_looked_for_in_the_newest_rows(filled: Memory) -> None:
    found, told = scores(filled, "row")
    assert sorted(found) == sorted(rows(filled, "row"))[-scoring.NEWEST :] and not told.whole
    assert set(found.values()) == {-scoring.PRESENT * scoring.LEAST}


def test_about_how_many_rows_hold_a_word_is_told_without_counting_them_all(filled: Memory) -> None:
    database = filled.opened.read()
    assert scoring._rows(database, '"cache"', ROWS) in range(ROWS // 2 - 8, ROWS // 2 + 7)
    assert scoring._rows(database, '"row"', ROWS) in range(ROWS - 6, ROWS + 7)
    assert scoring._rows(database, '"zanzibar"', ROWS) == 2 and scoring._rows(database, '"absent"', ROWS) == 0


def test_a_question_of_many_common_words_is_bounded(filled: Memory) -> None:
    many = Match(tuple(f'"{word}"' for word in COMMON * 5), (), ())
    found = scoring.scored(filled.opened.read(), many)
    assert found.sql.count("UNION ALL") < 2 * scoring.COMMON + 1


def test_a_word_that_stands_in_old_rows_only_is_not_taken_for_common(memory: Memory) -> None:
    kept(memory, ["alpha beta" if n < 14 else f"beta {n}" for n in range(200)])
    assert scoring._rows(memory.opened.read(), '"alpha"', 200) < 60
    found, _told = scores(memory, "alpha beta")
    best = sorted(found, key=lambda n: found[n])[:10]
    assert set(best) <= rows(memory, "alpha")
