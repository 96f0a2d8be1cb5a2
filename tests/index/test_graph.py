"""The graph is the same in any order of records and origins, live or rebuilt, and what is forgotten leaves nothing in it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import paths
from session_memory.index import agree, entities, events, graph
from session_memory.index.catchup import Index
from session_memory.index.database import Database, make_index
from session_memory.log.journal import Journal
from session_memory.model.record import ENTITY, EVENT, RELATION, Draft, Record

FILES = ["/p/src/a.py", "/p/src/b.py"]
SESSION = {"session": "s", "project": "dir:/p"}


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the graph says, without row numbers."""
    asked = {
        "entities": "SELECT entity.id, project.key, type, entity.name, qualified_name, record, at, hlc, body FROM entity"
        " LEFT JOIN project ON project.n = project_n",
        "relations": "SELECT relation.id, s.id, t.id, relation.type, relation.record, relation.at, relation.hlc, valid_from,"
        " valid_to, relation.body FROM relation JOIN entity s ON s.n = source_n JOIN entity t ON t.n = target_n",
        "seen": "SELECT entity.id, hex(event.id), how FROM seen JOIN entity ON entity.n = entity_n JOIN event ON event.n = event_n",
        "proof": "SELECT relation.id, hex(event.id) FROM proof JOIN relation ON relation.n = relation_n JOIN event ON event.n = event_n",
        "dangling": "SELECT entity_n FROM seen WHERE entity_n NOT IN (SELECT n FROM entity) UNION ALL SELECT relation_n FROM proof"
        " WHERE relation_n NOT IN (SELECT n FROM relation)",
        "words": "SELECT entity.id FROM entity_text JOIN entity ON entity.n = entity_text.rowid WHERE entity_text MATCH"
        " 'a OR b OR py OR go OR jwt OR token OR fresh'",
    }  # fmt: skip
    return {name: sorted(database.rows(sql), key=repr) for name, sql in asked.items()}


def call(path: str, new: str, key: str | None = None) -> Draft:
    data = {"input": {"file_path": path, "new_string": new}}
    return Draft(EVENT, {**SESSION, "category": "tool_call", "type": "Edit", "data": data}, key=key)


statements = st.one_of(
    st.builds(call, st.sampled_from(FILES), st.sampled_from(["def go():", "import b", ""]), st.sampled_from([None, "tool_call:1", "tool_call:2"])),
    st.builds(lambda text: Draft(EVENT, {**SESSION, "category": "decision", "type": "api", "data": {"title": text}}),
              st.sampled_from(["token", "token in src/a.py"])),
    st.builds(lambda id_, name, about: Draft(ENTITY, {**SESSION, "entity": id_, "type": "t", "name": name, "metadata": {"x": about}}),
              st.sampled_from(["e1", "e2"]), st.sampled_from(["jwt", "token"]), st.sampled_from(["", "fresh"])),
    st.builds(lambda id_, ends, until: Draft(RELATION, {**SESSION, "relation": id_, "source_entity": ends[0], "target_entity": ends[1],
                                                        "type": "uses", **({"valid_to": "2026-01-01T00:00:00.000Z"} if until else {})}),
              st.sampled_from(["r1", "r2"]), st.sampled_from([("e1", "e2"), ("e2", "e3"), ("e1", "e4")]), st.booleans()),
)  # fmt: skip


@pytest.mark.fault(26)
@settings(max_examples=60, deadline=None)
@given(st.lists(statements, min_size=1, max_size=8), st.randoms())
def test_any_order_of_records_gives_the_same_graph(
    tmp_path_factory: pytest.TempPathFactory, drafts: list[Draft], chance: Any
) -> None:
    records = [
        Record(1, draft.kind, f"{n:032x}", "0" * 16, n + 1, "2026-01-01T00:00:00.000Z", f"179535725712{n}.0000", draft.key, draft.body)
        for n, draft in enumerate(drafts)
    ]  # fmt: skip
    seen = []
    for arrival in (records, chance.sample(records * 2, 2 * len(records))):
        database = make_index(str(tmp_path_factory.mktemp("order") / "index.sqlite"))
        for record in arrival:
            with database.writing():
                (events.apply if record.kind == EVENT else entities.apply)(database, record)
        seen.append(content(database))
        database.close()
    assert seen[0] == seen[1] and not seen[0]["dangling"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(statements, min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_made_again_it_is_the_same_and_a_forgotten_record_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Draft]], data: st.DataObject
) -> None:
    place = paths.Home(str(tmp_path_factory.mktemp("home") / "home"))
    journal, index = Journal(place), Index(place)
    kept = [record for batch in batches for record in journal.append(batch) if index.catch_up() == 0]
    live = content(index.database())
    assert not agree.differences(index.database(), place)
    index.catch_up(rebuild=True)
    assert content(index.database()) == live
    gone = data.draw(st.sampled_from(kept))
    journal.forget([(gone.id, gone.key)], [])
    index.remove()
    index.catch_up()
    left = [record for record in kept if record.id != gone.id and (gone.key is None or record.key != gone.key)]
    other = make_index(str(tmp_path_factory.mktemp("left") / "index.sqlite"))
    other.home = place
    for record in left:
        with other.writing():
            (events.apply if record.kind == EVENT else entities.apply)(other, record)
    assert content(index.database()) == content(other)
    other.close()
    index.close()


def test_what_two_versions_of_an_event_mention_is_what_the_merged_one_mentions(tmp_path: Any) -> None:
    versions = [call(FILES[0], "def go():", "tool_call:1").body, {**SESSION, "category": "tool_call", "type": "Edit",
                "data": {"input": {"file_path": FILES[1], "new_string": "def other():"}}}]  # fmt: skip
    records = [
        Record(
            1,
            EVENT,
            f"{n}" * 32,
            "0" * 16,
            n + 1,
            "2026-01-01T00:00:00.000Z",
            f"179535725712{n}.0000",
            "tool_call:1",
            body,
        )
        for n, body in enumerate(versions)
    ]
    graphs = []
    for number, order in enumerate(itertools.permutations(records)):
        database = make_index(str(tmp_path / f"{number}.sqlite"))
        for record in order:
            events.apply(database, record)
        graphs.append(content(database))
        database.close()
    assert graphs[0] == graphs[1]
    assert {row[4] for row in graphs[0]["entities"]} == {"src/a.py", "src/a.py:go"}  # the first counts


def test_a_hub_is_walked_only_so_far_and_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_REACHED", 5)
    database = make_index(str(tmp_path / "index.sqlite"))
    for n in range(9):
        body = {**SESSION, "relation": f"r{n}", "source_entity": "hub", "target_entity": f"leaf{n}", "type": "uses"}
        entities.apply(
            database,
            Record(
                1, RELATION, f"{n}" * 32, "0" * 16, n + 1, "2026-01-01T00:00:00.000Z", "1795357257120.0000", None, body
            ),
        )
    start = database.one("SELECT n FROM entity WHERE id = 'hub'")
    assert start is not None
    reached = graph.walked(database, [start[0]], 3, graph.Walk(at=2_000_000_000_000))
    assert reached.cut and len(reached.distance) == 5
    database.close()
