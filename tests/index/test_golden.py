"""Golden questions in the index: whatever order the records come in, and however often, the last word counts."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from tests.index.test_learnings import records

from session_memory.index import golden
from session_memory.index.database import Database, make_index
from session_memory.model.record import GOLDEN, Draft


def said(id_: str, change: str, question: str = "", *expect: str) -> Draft:
    body: dict[str, Any] = {"project": "dir:/a", "golden": id_, "change": change}
    if question:
        body |= {"data": {"question": question}, "expect": list(expect)}
    return Draft(GOLDEN, body)


def content(database: Database) -> list[tuple[Any, ...]]:
    return sorted(
        database.rows(
            "SELECT golden.id, record, key, question, expect, at, hlc FROM golden JOIN project ON n = project_n"
        )
    )


def test_any_order_and_any_repetition_gives_the_same(tmp_path: Path) -> None:
    made = records([said("a", "add", "one?", "e1"), said("b", "add", "two?", "e2"), said("a", "remove"),
                    said("b", "add", "two again?", "e2", "e3")])  # fmt: skip
    seen = []
    for number, arrival in enumerate(itertools.permutations(made)):
        database = make_index(str(tmp_path / f"{number}.sqlite"))
        for each in (*arrival, *arrival[:2]):
            golden.apply(database, each)
        seen.append((content(database), golden.listed(database, ())))
        database.close()
    assert all(each == seen[0] for each in seen)
    (left,) = seen[0][1]
    assert (left["id"], left["question"], left["expect"], left["project"]) == (
        "b",
        "two again?",
        ["e2", "e3"],
        "dir:/a",
    )


def test_a_body_that_says_nothing_breaks_nothing(tmp_path: Path) -> None:
    database = make_index(str(tmp_path / "index.sqlite"))
    bodies: list[dict[str, Any]] = [{}, {"expect": [1, None]}, {"expect": None, "data": 3}, {"change": "remove"}]
    for each in records([Draft(GOLDEN, body) for body in bodies]):
        golden.apply(database, each)
    assert [each["expect"] for each in golden.listed(database, ())] == [[], [], []]
    database.close()
