"""Aliases of projects in the index: any order of records gives the same view, and rows keep the key they were recorded with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import ids
from session_memory.index import events, projects, sessions
from session_memory.index.database import Database, make_index
from session_memory.model.record import EVENT, PROJECT, SESSION, Record

KEYS = ["git:h/a", "dir:/a", "root:1", "any:"]
START = 1_700_000_000_000


def record(number: int, kind: str, body: dict[str, Any]) -> Record:
    at = START + number
    return Record(1, kind, f"{number:032x}", "o", number, ids.at_text(at), ids.hlc_text(at, 0), None, body)


def says(number: int, alias: str, to: str, change: str = "alias", **more: str) -> Record:
    return record(number, PROJECT, {"alias": alias, "project": to, "change": change, **more})


def session(number: int, key: str) -> Record:
    return record(number, SESSION, {"session": f"in {key}", "project": key, "project_name": f"{key} {number}"})


def event(number: int, key: str) -> Record:
    body = {"session": f"in {key}", "project": key, "category": "finding", "type": "x", "data": {"n": number}}
    return record(number, EVENT, body)


def view(folder: Path, records: list[Record]) -> Any:
    database = make_index(str(folder / f"{ids.new_id(ids.now_ms())}.sqlite"))
    with database.writing():
        for each in records:
            {SESSION: sessions.apply, EVENT: events.apply, PROJECT: projects.apply}[each.kind](database, each)
    rows = sorted(database.rows("SELECT key, name, named, whole FROM project"))
    under = sorted(
        database.rows("SELECT project.key, count(*) FROM event JOIN project ON project.n = project_n GROUP BY 1")
    )
    found = rows, under, projects.listed(database), [projects.in_scope(database, key) for key in KEYS]
    database.close()
    return found


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_order_of_records_gives_the_same_view(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    key = st.sampled_from(KEYS)
    made = data.draw(
        st.lists(
            st.one_of(
                st.builds(lambda k: (session, (k,)), key),
                st.builds(lambda k: (event, (k,)), key),
                st.builds(
                    lambda a, b, c: (says, (a, b, c)), key, key, st.sampled_from(["alias", "alias", "unalias", "new"])
                ),
            ),
            max_size=8,
        )
    )
    records = [make(number, *given_) for number, (make, given_) in enumerate(made)]
    folder = tmp_path_factory.mktemp("view")
    expected = view(folder, records)
    assert view(folder, data.draw(st.permutations(records))) == expected
    assert view(folder, [*records, *records]) == expected


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return make_index(str(tmp_path / "index.sqlite"))


def test_both_keys_are_one_project_until_it_is_taken_back(database: Database) -> None:
    for each in (session(1, "dir:/a"), event(2, "dir:/a"), session(3, "git:h/a"), event(4, "git:h/a")):
        {SESSION: sessions.apply, EVENT: events.apply}[each.kind](database, each)
    assert projects.in_scope(database, "dir:/a") == ("dir:/a",)
    projects.apply(database, says(5, "dir:/a", "git:h/a"))
    for key in ("dir:/a", "git:h/a"):
        assert projects.in_scope(database, key) == ("git:h/a", "dir:/a")
        assert {each["id"] for each in sessions.listed(database, key, 9)} == {"in dir:/a", "in git:h/a"}
    (only,) = projects.listed(database)
    assert (only["key"], only["sessions"], only["events"], only["aliases"]) == ("git:h/a", 2, 2, ["dir:/a"])
    found = sessions.find(database, "in dir:/a")
    assert found and found["project"] == "dir:/a" and found["project_name"] == "git:h/a 3"
    projects.apply(database, says(6, "dir:/a", "git:h/a", "unalias"))
    assert len(projects.listed(database)) == 2 and projects.in_scope(database, "dir:/a") == ("dir:/a",)


def test_a_target_that_nothing_was_recorded_under_is_named_by_the_alias(database: Database) -> None:
    sessions.apply(database, session(1, "dir:/a"))
    projects.apply(database, says(2, "dir:/a", "git:h/new", project_name="new"))
    assert [(each["key"], each["name"]) for each in projects.listed(database)] == [("git:h/new", "new")]
    sessions.apply(database, session(3, "git:h/late"))
    projects.apply(database, says(4, "git:h/new", "git:h/late"))
    (only,) = projects.listed(database)
    assert only["key"] == "git:h/late" and only["aliases"] == ["dir:/a", "git:h/new"]


def test_what_belongs_to_every_project_is_the_alias_of_none(database: Database) -> None:
    sessions.apply(database, session(1, "any:"))
    for alias, to in (("any:", "dir:/a"), ("dir:/a", "any:"), ("", "dir:/a"), ("dir:/a", "")):
        projects.apply(database, says(2, alias, to))
    projects.apply(database, record(3, PROJECT, {"alias": ["x"], "project": "dir:/a", "change": "alias"}))
    assert list(database.rows("SELECT key FROM project_alias")) == []
    assert projects.in_scope(database, "dir:/b") == ("dir:/b", "any:") and projects.in_scope(database, "any:") == (
        "any:",
    )
