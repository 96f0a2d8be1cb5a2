"""Entities: stated, linked, superseded, found again by what people call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from session_memory.actions.entities import Query
from session_memory.actions.events import Query as EventQuery
from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory
from session_memory.model.record import ENTITY, EVERYWHERE, Draft


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    (tmp_path / "project").mkdir()
    with Memory(home, cwd=str(tmp_path / "project")) as opened:
        yield opened


def names(memory: Memory, **asked: Any) -> list[str]:
    return [each["name"] for each in memory.entities.query(Query(**asked))["entities"]]


def edit(memory: Memory, path: str, new: str) -> None:
    full = f"{memory.opened.cwd}/{path}"
    memory.events.record("tool_call", "Edit", {"input": {"file_path": full, "new_string": new}, "files": [full]})


def test_the_calls_of_the_readme_in_order_on_a_fresh_home(memory: Memory) -> None:
    made = memory.entities.create("function", "handleAuth", "src/auth.ts:handleAuth")
    assert made["status"] == "created" and len(made["entity_id"]) == 32
    linked = memory.entities.link("handleAuth", "JWT", "uses")
    assert linked["source"]["id"] == made["entity_id"]
    assert [(each["name"], each["type"]) for each in linked["created_entities"]] == [("JWT", "concept")]
    found = memory.entities.query(Query(entity_type="function", related_to="authentication"))
    assert [(each["id"], each["matched_by"], each["distance"]) for each in found["entities"]] == [
        (made["entity_id"], "text", 0)
    ]
    assert [(each["source"], each["type"], each["target"]) for each in found["relations"]] == [
        ("handleAuth", "uses", "JWT")
    ]
    assert found["total_count"] == 1
    assert names(memory, related_to="authentication") == ["handleAuth", "JWT"]


@pytest.mark.parametrize(
    ("words", "name", "qualified"),
    [
        ("authentication", "handleAuth", None), ("configuration", "ConfLoader", None), ("repository", "repo_sync", None),
        ("sessions", "SessionStore", None), ("token refresh", "refreshToken", None), ("retrying", "retry", None),
        ("auth", "authenticateUser", None), ("payments", "charge", "src/payment/charge.ts:charge"), ("日本", "日本語表", None),
        ("environment", "envOf", None), ("AUTH", "handleAuth", None), ("how does the cache work?", "LRUCache", None),
    ],
)  # fmt: skip
def test_words_find_what_they_mean_and_what_is_short_for_them(
    memory: Memory, words: str, name: str, qualified: str | None
) -> None:
    memory.entities.create("thing", name, qualified)
    memory.entities.create("thing", "Unrelated", "x/y.z")
    found = memory.entities.query(Query(related_to=words))["entities"]
    assert [(each["name"], each["matched_by"]) for each in found] == [(name, "text")]


@pytest.mark.parametrize("words", ["zebra", "", "  ", "()", "the of", "x" * 5_000, '"quoted', "a AND b", "NEAR(", "*"])
def test_words_that_mean_nothing_find_nothing(memory: Memory, words: str) -> None:
    memory.entities.create("thing", "handleAuth")
    assert names(memory, related_to=words) == []


def test_stating_again_merges_metadata_and_what_events_mention_is_the_same_entity(memory: Memory) -> None:
    edit(memory, "src/auth.ts", "export function handleAuth() {}")
    made = memory.entities.create("function", "handleAuth", "src/auth.ts:handleAuth", {"owner": "mira"})
    assert made["status"] == "merged"
    memory.entities.create("function", "handleAuth", "src/auth.ts:handleAuth", {"lines": 12})
    [found] = memory.entities.query(Query(entity_type="function"))["entities"]
    assert found["metadata"] == {"owner": "mira", "lines": 12} and (found["seen"], found["edited"]) == (1, 1)


def test_an_ambiguous_name_lists_the_candidates_and_a_qualified_one_is_none(memory: Memory) -> None:
    ids = [memory.entities.create("function", "load", f"src/{name}.py:load")["entity_id"] for name in "ab"]
    with pytest.raises(InvalidInput) as refused:
        memory.entities.link("load", "disk", "uses")
    assert refused.value.code == "ambiguous-entity"
    assert all(id_ in refused.value.what for id_ in ids) and "src/a.py:load" in refused.value.what
    assert names(memory, name_pattern="disk") == []  # nothing was made on the way
    assert memory.entities.link("src/b.py:load", "disk", "uses")["source"]["id"] == ids[1]
    assert memory.entities.link(ids[0], "disk", "uses")["source"]["id"] == ids[0]


def test_what_is_stated_counts_before_placeholders_and_rules(memory: Memory) -> None:
    memory.entities.link("api", "JWT", "uses")
    real = memory.entities.create("library", "JWT")
    assert memory.entities.link("web", "JWT", "uses")["target"]["id"] == real["entity_id"]
    edit(memory, "src/x.py", "def api():")
    assert memory.entities.link("api", "web", "calls")["source"]["type"] == "concept"


def test_a_relation_that_is_superseded_ends_and_the_past_can_be_asked(memory: Memory) -> None:
    first = memory.entities.link(
        "shop", "MySQL", "uses", valid_from="2024-01-01", weight=0.5, metadata={"why": "known"}
    )
    second = memory.entities.link("shop", "SQLite", "uses", supersedes="MySQL", valid_from="2025-06-01")
    assert second["closed"] == first["relation_id"]
    assert names(memory, related_to="shop") == ["shop", "SQLite"]
    assert names(memory, related_to="shop", as_of="2024-12-01") == ["shop", "MySQL"]
    [then] = memory.entities.query(Query(related_to="shop", as_of="2024-12-01"))["relations"]
    assert (then["valid_from"], then["valid_to"]) == ("2024-01-01T00:00:00.000Z", "2025-06-01T00:00:00.000Z")
    assert (then["weight"], then["metadata"]) == (0.5, {"why": "known"})
    third = memory.entities.link("shop", "DuckDB", "uses", supersedes=second["relation_id"], valid_to="2099-01-01")
    assert names(memory, related_to="shop") == ["shop", "DuckDB"] and third["closed"] == second["relation_id"]
    assert names(memory, related_to="shop", as_of="2099-02-01") == ["shop"]
    memory.health.rebuild()
    assert names(memory, related_to="shop") == ["shop", "DuckDB"]
    assert memory.health.verify().green


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"supersedes": "Oracle"}, "unknown-relation"), ({"valid_from": "2026-01-01", "valid_to": "2025-01-01"}, "bad-argument"),
        ({"valid_from": "soon"}, "bad-time"), ({"type_": "likes"}, "bad-argument"), ({"source": " "}, "bad-argument"),
        ({"target": "x" * 501}, "bad-argument"),
    ],
)  # fmt: skip
def test_a_wrong_link_is_refused_and_nothing_is_kept(memory: Memory, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises((InvalidInput, NotFound)) as refused:
        memory.entities.link(**{"source": "a", "target": "b", "type_": "uses", **arguments})
    assert refused.value.code == code
    assert memory.entities.query(Query())["total_count"] == 0


def test_a_relation_cannot_supersede_itself(memory: Memory) -> None:
    made = memory.entities.link("a", "b", "uses")
    with pytest.raises(InvalidInput, match="itself"):
        memory.entities.link("a", "b", "uses", supersedes=made["relation_id"])
    assert memory.entities.link("a", "b", "uses")["status"] == "merged"


def test_relation_filters_depth_types_patterns_and_sessions(memory: Memory) -> None:
    memory.sessions.start(session_id="one")
    for source, target, type_ in [
        ("a", "b", "calls"),
        ("b", "c", "calls"),
        ("c", "d", "calls"),
        ("a", "x", "owns"),
        ("y", "a", "tests"),
    ]:
        memory.entities.link(source, target, type_)
    assert names(memory, related_to="a") == ["a", "b", "x", "y"]
    assert names(memory, related_to="a", relation_types=["calls"], depth=2) == ["a", "b", "c"]
    assert names(memory, related_to="a", depth=3) == ["a", "b", "x", "y", "c", "d"]
    assert names(memory, related_to="a", limit=2) == ["a", "b"]
    assert memory.entities.query(Query(related_to="a", limit=2))["total_count"] == 4
    assert memory.entities.query(Query(related_to="a", include_relations=False)).get("relations") is None
    memory.sessions.start(session_id="two")
    memory.entities.create("service", "get_user_100%", None)
    edit(memory, "src/q.py", "")
    assert names(memory, session_id="two") == ["get_user_100%", "q.py"]
    assert names(memory, entity_type="service") == names(memory, name_pattern="*USER_100*") == ["get_user_100%"]
    assert names(memory, name_pattern="get*") == ["get_user_100%"]
    assert names(memory, name_pattern="get_user") == ["get_user_100%"] and names(memory, name_pattern="getXuser") == []
    assert names(memory, name_pattern="src/?.py") == ["q.py"]
    for wrong in ({"limit": 0}, {"limit": 201}, {"depth": 0}, {"depth": 6}, {"relation_types": ["likes"]}):
        with pytest.raises(InvalidInput):
            memory.entities.query(Query(**wrong))


def test_events_show_what_they_mention_until_they_are_forgotten_or_it_is_switched_off(memory: Memory) -> None:
    edit(memory, "src/auth.ts", "import x from './jwt'\nfunction login() {}")
    memory.events.record(
        "decision", "api", {"title": "Opaque tokens", "rationale": "JWT cannot be revoked; see src/auth.ts"}
    )
    found = memory.entities.query(Query(related_to="src/auth.ts"))
    assert {(each["source"], each["type"], each["target"]) for each in found["relations"]} == {
        ("auth.ts", "owns", "login"), ("auth.ts", "imports", "src/jwt"), ("auth.ts", "decided_by", "Opaque tokens"),
    }  # fmt: skip
    assert "auth.ts" in names(memory, related_to="revoked", depth=1)  # by the words of a decision that is tied to it
    memory.opened.settings.take("entities.extract", False, "test")
    assert memory.entities.query(Query())["total_count"] == 0 and names(memory, related_to="src/auth.ts") == []
    memory.opened.settings.take("entities.extract", True, "test")
    decision = memory.events.query(EventQuery(category="decision")).events[0]
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=decision["id"])))
    assert names(memory, related_to="revoked") == [] and names(memory, entity_type="decision") == []
    assert names(memory, related_to="src/auth.ts") == ["auth.ts", "login", "src/jwt"]


def test_a_path_is_found_by_its_end_where_the_project_cannot_be_told_from_it(memory: Memory) -> None:
    memory.events.record("tool_call", "Read", {"input": {"file_path": "/elsewhere/lib/deep/tool.py"}})
    assert names(memory, related_to="deep/tool.py") == ["tool.py"]
    assert names(memory, related_to="/tool.py") == ["tool.py"]


def test_other_projects_stay_apart_and_what_knew_no_project_is_found_everywhere(
    memory: Memory, home: str, tmp_path: Path
) -> None:
    memory.entities.create("service", "billing")
    body = {
        "session": "old",
        "project": EVERYWHERE,
        "entity": "old-1",
        "type": "service",
        "name": "ledger",
        "stated_by": "import",
    }
    memory.opened.keep([Draft(ENTITY, body)])
    (tmp_path / "other").mkdir()
    with Memory(home, cwd=str(tmp_path / "other")) as other:
        assert names(other) == ["ledger"]
        assert other.entities.link("ledger", "billing", "uses")["created_entities"][0]["name"] == "billing"
    assert names(memory, related_to="billing") == ["billing"]


def test_the_cli_draws_the_neighbourhood(memory: Memory, home: str) -> None:
    memory.entities.create("function", "handleAuth", "src/auth.ts:handleAuth")
    memory.entities.link("handleAuth", "JWT", "uses")
    memory.entities.link("router", "handleAuth", "calls")
    memory.entities.link("JWT", "RFC 7519 \x1b[31m", "references")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "session_memory", "graph", "--home", home, *words], cwd=memory.opened.cwd, text=True,
            capture_output=True, check=False, env={**os.environ, "COLUMNS": "60"},
        )  # fmt: skip

    drawn = run("handleAuth", "--depth", "2")
    assert drawn.stdout.splitlines() == [
        "src/auth.ts:handleAuth (function)", "├─uses→ JWT (concept)", "│ └─references→ RFC 7519 (concept)", "└←calls─ router (concept)",
    ]  # fmt: skip
    assert drawn.returncode == 0 and max(map(len, drawn.stdout.splitlines())) <= 60
    assert "router" not in run("handleAuth", "--relation", "uses").stdout
    assert json.loads(run("authentication", "--json").stdout)["entities"][0]["matched_by"] == "text"
    missing = run("nothing-like-it")
    assert missing.returncode == 1 and "unknown-entity" in missing.stderr
