"""Marks in the index: found in one query, the same in whatever order the records arrive."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from session_memory.index import marks, search
from session_memory.index.database import Database
from session_memory.index.events import apply
from session_memory.model.record import EVENT, Record

FACT, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def database(tmp_path: Any) -> Any:
    made = Database(str(tmp_path / "index.sqlite"))
    made.make_tables()
    yield made
    made.close()


def record(id_: str, number: int, type_: str = "api", parent: str | None = None, **data: Any) -> Record:
    body = {
        "session": "s",
        "project": "dir:/p",
        "category": "decision",
        "type": type_,
        "data": data,
        "stated_by": "user",
    }
    at, hlc = f"2026-11-22T14:00:{number:02d}.000Z", f"17638{number:08d}-0000"
    return Record(1, EVENT, id_, "o", number, at, hlc, None, {**body, **({"parent": parent} if parent else {})})


def mark_of(database: Database, event_id: str = FACT) -> dict[str, Any] | None:
    found = search.by_ids(database, [event_id])
    return found[0].get("mark") if found else None


RECORDS = [
    record(FACT, 1, title="Use Redis"),
    record("c" * 32, 3, "wrong", FACT, note="first"),
    record("d" * 32, 5, "accepted", FACT, note="last"),
    record("e" * 32, 4, "cleared", FACT),
    record(OTHER, 2, title="Use SQLite"),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::7])
def test_the_mark_made_last_counts_in_whatever_order_records_arrive(database: Database, order: tuple[int, ...]) -> None:
    for number in order:
        apply(database, RECORDS[number])
        apply(database, RECORDS[number])
    assert mark_of(database) == {
        "status": "accepted",
        "at": "2026-11-22T14:00:05.000Z",
        "stated_by": "user",
        "note": "last",
    }
    assert mark_of(database, OTHER) is None


def test_a_mark_can_be_taken_back_and_set_again(database: Database) -> None:
    for each in (RECORDS[0], RECORDS[1]):
        apply(database, each)
    assert mark_of(database) is not None
    apply(database, RECORDS[3])
    assert mark_of(database) is None
    apply(database, RECORDS[2])
    assert mark_of(database) is not None


def test_every_way_to_find_an_event_shows_its_mark(database: Database) -> None:
    for each in RECORDS[:2]:
        apply(database, each)
    wanted = search.Filter(type="api")
    ways = [search.search(database, wanted, order="newest", limit=5).events, search.every(database, wanted),
            search.by_ids(database, [FACT[:8]])]  # fmt: skip
    assert [events[0]["mark"]["note"] for events in ways] == ["first"] * 3


@pytest.mark.parametrize("more", [0, marks.FEW - 2, marks.FEW])
def test_few_and_many_events_get_the_same_marks(database: Database, more: int) -> None:
    for each in RECORDS[:2]:
        apply(database, each)
    events = [{"id": OTHER}, {"id": FACT}, *({"id": f"{n:032x}"} for n in range(more))]
    found = marks.attach(database, events)
    assert [each["id"] for each in found if "mark" in each] == [FACT] and len(found) == more + 2


def test_marks_are_read_from_their_own_index(database: Database) -> None:
    for where in ("", " AND parent IN (?)"):
        values = [b"x" * 16] if where else []
        plan = " ".join(str(row[-1]) for row in database.rows(f"EXPLAIN QUERY PLAN {marks.MARKS}{where}", values))
        assert "event_mark" in plan, plan


@pytest.mark.parametrize("parent", ["f" * 32, "019aaacd0c01", "task-7/äö", "sixteen-letters!", "ab cd"])
def test_a_parent_keeps_its_id_whoever_made_it(database: Database, parent: str) -> None:
    apply(database, record(FACT, 1, "api", parent))
    assert search.by_ids(database, [FACT])[0]["parent_id"] == parent
