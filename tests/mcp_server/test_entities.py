"""The tools of graph and documents take whatever their schema allows, and refuse everything else by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mcp_server.raw_client import RawClient
from tests.mcp_server.raw_client import server as started

from session_memory.errors import CODES
from session_memory.mcp_server.server import OpenLater, Server

NAMES = ("entity_create", "entity_link", "entity_query", "session_ingest")
# arguments whose schema says "string" and that must still be a time, a scope of what is there, or a file
NOT_THERE = {
    "bad-time": ("valid_from", "valid_to", "as_of"), "unknown-session": ("session_id",), "unknown-relation": ("supersedes",),
    "no-document": ("file_path",), "not-allowed": ("file_path",), "not-a-document": ("file_path",), "damaged-document": ("file_path",),
    "ambiguous-entity": ("source", "target"),
    "bad-argument": ("source", "target", "name", "entity_type", "qualified_name", "file_path", "relation_types", "limit", "depth",
                     "chunk_size", "overlap", "supersedes", "valid_to"),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("tools")
    (place / "project").mkdir()
    (place / "project" / "a.md").write_text("# A\n\nwords\n")
    later = OpenLater(str(place / "home"))
    from session_memory.memory import Memory

    later._memory = Memory(str(place / "home"), cwd=str(place / "project"), client="test")
    yield Server(later)
    later._memory.close()


def call(server: Server, name: str, arguments: dict[str, Any]) -> tuple[bool, str, Any]:
    async def run() -> Any:
        return await server.call_tool(name, arguments)

    result = anyio.run(run)
    return bool(result.is_error), "".join(block.text for block in result.content), result.structured_content


def schema(server: Server, name: str) -> dict[str, Any]:
    tool = server._tool_manager.get_tool(name)
    assert tool is not None
    return tool.parameters


texts = st.text(max_size=30) | st.sampled_from(
    ["a.md", "handleAuth", "JWT", "src/auth.ts:handleAuth", "../a.md", "2026-01-01", "uses", "*"]
)
anything = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5)  # fmt: skip


def valid(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a property's schema allows."""
    if "enum" in part:
        return st.sampled_from(part["enum"])
    return {
        "string": texts, "integer": st.integers() | st.integers(1, 5) | st.just(100), "boolean": st.booleans(),
        "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "object": st.dictionaries(texts, anything, max_size=3), "array": st.lists(texts, max_size=3),
    }[part["type"]]  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(NAMES), st.data())
def test_what_the_schema_allows_never_fails_inside(server: Server, name: str, data: st.DataObject) -> None:
    wanted = schema(server, name)
    arguments = {}
    for argument, part in wanted["properties"].items():
        if argument in wanted.get("required", []) or data.draw(st.booleans()):
            arguments[argument] = data.draw(valid(part))
    failed, text, structured = call(server, name, arguments)
    if failed:
        code = text.rpartition("[")[2].rstrip("]")
        assert code in CODES and set(NOT_THERE.get(code, ())) & set(arguments), text
    else:
        assert json.loads(text) == structured and len(text) <= 16_000


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        texts
        | st.sampled_from(
            ["source", "target", "relation_type", "name", "metadata", "depth", "limit", "file_path", "entity_type"]
        ),
        anything,
        max_size=5,
    ),
)
def test_what_it_does_not_allow_is_refused_by_name(server: Server, name: str, arguments: dict[str, Any]) -> None:
    failed, text, _structured = call(server, name, arguments)
    if failed:
        assert text.rpartition("[")[2].rstrip("]") in CODES, text
        assert len(text) < 3_000 and "Traceback" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("entity_create", {"name": "x"}, "entity_type"), ("entity_create", {"entity_type": "", "name": "x"}, "entity_type"),
        ("entity_link", {"source": "a", "target": "b", "relation_type": "likes"}, "relation_type"),
        ("entity_link", {"source": "a", "target": "b", "relation_type": "uses", "wieght": 1}, "weight"),
        ("entity_query", {"depth": 9}, "depth"), ("entity_query", {"relation_types": ["likes"]}, "likes"),
        ("entity_query", {"session_id": "nobody"}, "nobody"), ("session_ingest", {}, "file_path"),
        ("session_ingest", {"file_path": "a.md", "chunk_size": "big"}, "chunk_size"),
    ],
)  # fmt: skip
def test_an_error_names_what_is_wrong(server: Server, name: str, arguments: dict[str, Any], says: str) -> None:
    failed, text, _ = call(server, name, arguments)
    assert failed and says in text


def test_a_large_answer_is_cut_and_says_so(server: Server) -> None:
    for n in range(60):
        call(server, "entity_create", {"entity_type": "long", "name": f"n{n}", "metadata": {"text": "words " * 100}})
    call(server, "entity_create", {"entity_type": "long", "name": "a", "metadata": {"text": "w" * 100_000}})
    failed, text, found = call(server, "entity_query", {"entity_type": "long", "limit": 200})
    assert not failed and len(text) <= 16_000
    assert found["total_count"] == 61 and found["left_out"]["entities"] == 61 - len(found["entities"]) > 0
    assert found["entities"][0]["metadata"]["cut"] > 90_000


def test_the_tools_stay_within_their_bytes(server: Server) -> None:
    made = [server._tool_manager.get_tool(name) for name in NAMES]
    size = sum(
        len(json.dumps({"name": each.name, "description": each.description, "inputSchema": each.parameters}, separators=(",", ":")))
        for each in made if each is not None
    )  # fmt: skip
    assert size <= 1_850


def test_a_switched_off_feature_is_neither_listed_nor_served(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.json").write_text('{"features": {"entities": false, "document_ingest": false}}')
    with RawClient(started(str(home))) as client:
        for _time in range(2):  # from the snapshot, and from the server
            listed = {tool["name"] for tool in client.request("tools/list")["result"]["tools"]}
            assert "session_query" in listed and not listed & set(NAMES)
            off = client.call("session_status")["structuredContent"]["health"]["features_off"]
            assert off["switched off in config.json"] == ["features.entities", "features.document_ingest"]
        answer = client.request("tools/call", {"name": "entity_query", "arguments": {}})
        assert "feature-off" in json.dumps(answer)
