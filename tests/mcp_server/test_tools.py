"""Every tool by its own schema: what it allows is answered, what it does not allow is refused by name, and the list is lean."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mcp_server.raw_client import RawClient, server

from session_memory.errors import CODES
from session_memory.mcp_server import stdio
from session_memory.mcp_server.server import OpenLater, Server
from session_memory.mcp_server.switched import tools_off
from session_memory.model.features import SWITCHED

MOST_BYTES = 7_600
CODE = re.compile(r"\[([a-z-]+)\]$")
# what an argument that its schema allows can still be wrong about
ABOUT_VALUES = {
    "bad-argument", "bad-cursor", "bad-time", "no-checkpoint", "too-large", "unknown-category", "unknown-checkpoint",
    "unknown-learning", "unknown-session", "unknown-entity", "ambiguous-entity", "unknown-relation", "no-document", "not-a-document",
    "unknown-event",
    "not-allowed",
}  # fmt: skip
IDS = ("session_id", "learning_id", "checkpoint_id", "checkpoint_name", "resume_from_checkpoint", "parent_id")


@cache
def listed() -> dict[str, dict[str, Any]]:
    snapshot = json.loads(Path(stdio.SNAPSHOT).read_text(encoding="utf-8"))
    table = snapshot["tables"][snapshot["methods"]["2025-11-25"]["tools/list"]]["tools"]
    return {each["name"]: each for each in table}


TOOLS = sorted(listed())


TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", " ", "finding", "decision", "2026-01-01", "C++", '"half a', "café", "\0", "x" * 500]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows. Raises KeyError for a word it does not know: then nothing would be tested."""
    unknown = set(schema) - {
        "type",
        "enum",
        "anyOf",
        "items",
        "properties",
        "required",
        "default",
    }
    if unknown:
        raise KeyError(unknown)
    if "anyOf" in schema:
        return st.one_of([values(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "object":
        if "properties" not in schema:
            return st.dictionaries(TEXTS, ANYTHING, max_size=4)
        required = schema.get("required", [])
        parts = {name: values(part) for name, part in schema["properties"].items()}
        optional = {name: part for name, part in parts.items() if name not in required}
        return st.fixed_dictionaries({name: parts[name] for name in required}, optional=optional)
    return {
        "string": TEXTS, "boolean": st.booleans(), "integer": st.integers() | st.integers(-1, 300),
        "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1),
        "array": st.lists(values(schema["items"]), max_size=4) if "items" in schema else st.lists(ANYTHING, max_size=4),
    }[schema["type"]]  # fmt: skip


class Opened:
    """A server in this process, with something in its memory."""

    def __init__(self, home: str) -> None:
        hub = {"enabled": True, "url": f"file://{home}-hub"}
        Path(home).mkdir(mode=0o700)
        Path(home, "config.json").write_text(json.dumps({"features": {"cloud_sync": hub}}))
        self.later = OpenLater(home)
        self.server = Server(self.later)
        self.loop = asyncio.new_event_loop()
        made = [
            ("session_init", {"session_id": "known", "skill_name": "speckit"}),
            (
                "session_record",
                {"category": "question", "type": "question_raised", "data": {"id": "Q1", "question": "?"}},
            ),
            ("session_checkpoint", {"name": "known"}),
            ("learning_create", {"category": "pattern", "title": "Retry with backoff"}),
            ("sync_push", {}),
        ]
        answers = [self.call(name, arguments).structured_content or {} for name, arguments in made]
        self.known = ["known", answers[1]["event_id"], answers[2]["checkpoint_id"], answers[3]["learning_id"]]

    def call(self, name: str, arguments: dict[str, Any]) -> Any:
        return self.loop.run_until_complete(self.server.call_tool(name, arguments))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("tools")
    patch.chdir(folder)
    patch.delenv("CLAUDE_CODE_SESSION_ID", raising=False)
    patch.delenv("CLAUDE_PROJECT_DIR", raising=False)
    patch.setenv("HOME", str(folder))
    made = Opened(str(folder / "home"))
    yield made
    memory = made.later.opened()
    assert memory is not None
    assert memory.health.verify().green  # whatever was called, log and index agree
    memory.close()
    made.loop.close()
    patch.undo()


def said(result: Any) -> str:
    return "".join(block.text for block in result.content)


@pytest.mark.fault(54)
@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_schema_allows_is_answered(opened: Opened, name: str, data: st.DataObject) -> None:
    arguments = data.draw(values(listed()[name]["inputSchema"]))
    jsonschema.Draft202012Validator(listed()[name]["inputSchema"]).validate(arguments)
    for each in IDS:
        if each in arguments and data.draw(st.booleans()):
            arguments[each] = data.draw(st.sampled_from(opened.known))
    if "limit" in arguments and data.draw(st.booleans()):
        arguments["limit"] = data.draw(st.integers(1, 200))
    result = opened.call(name, arguments)
    text = said(result)
    assert len(text) <= 16_000
    if result.is_error:
        code = CODE.search(text)
        assert code is not None and code.group(1) in ABOUT_VALUES, text
    elif result.structured_content is not None:
        json.dumps(result.structured_content)


WRONG: list[Any] = ["text", ["a", ["b"]], {"a": {"b": 1}}, -1.5, True, [[]], {"after": [1]}]


@pytest.mark.fault(54)
@pytest.mark.parametrize("name", TOOLS)
def test_a_value_of_another_kind_a_missing_and_an_unknown_argument_are_refused_by_name(
    opened: Opened, name: str
) -> None:
    schema = listed()[name]["inputSchema"]
    required = schema.get("required", [])
    right = {"category": "pattern" if name == "learning_create" else "finding", "type": "x", "data": {}, "title": "x",
             "learning_id": opened.known[3], "entity_type": "function", "name": "x", "source": "a", "target": "b", "relation_type": "uses",
             "prompt": "x", "session_id": "known", "query": "x", "file_path": "notes.md"}  # fmt: skip
    Path(opened.later().opened.cwd, "notes.md").write_text("# Notes")
    base = {each: right[each] for each in required}
    opened.call("session_init", {"session_id": "known"})
    assert not opened.call(name, base).is_error
    for each in required:
        text = said(opened.call(name, {key: value for key, value in base.items() if key != each}))
        assert f"needs the argument {each!r}" in text and "[missing-argument]" in text
    text = said(opened.call(name, {**base, "no_such": 1}))
    assert "no_such" in text and "[unknown-argument]" in text
    count = 0
    for each, part in schema["properties"].items():
        for value in WRONG:
            if isinstance(value, bool) and part.get("type") in ("integer", "number"):
                continue  # taken for 0 and 1
            if jsonschema.Draft202012Validator(part).is_valid(value):
                continue
            result = opened.call(name, {**base, each: value})
            assert result.is_error and "[bad-argument]" in said(result) and each in said(result), (
                each,
                value,
                said(result),
            )
            count += 1
    assert count >= len(schema["properties"])


def test_the_list_of_all_tools_stays_within_its_bytes() -> None:
    lean = [{part: each[part] for part in ("name", "description", "inputSchema")} for each in listed().values()]
    assert len(json.dumps(lean, separators=(",", ":"), ensure_ascii=False).encode()) <= MOST_BYTES


def test_every_code_that_a_tool_may_answer_is_documented() -> None:
    assert set(CODES) >= ABOUT_VALUES


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_tools_of_a_feature_that_is_switched_off_are_not_listed_early_or_late_and_a_call_says_why(
    home: str, era: str
) -> None:
    for written, off in (
        ('{"features": {"learning": false}}', True),
        ('{"features": {"learning": {"enabled": true}}}', False),
    ):
        place = Path(home)
        place.mkdir(mode=0o700, exist_ok=True)
        (place / "config.json").write_text(written)
        sync = frozenset(SWITCHED["features.cloud_sync.enabled"])
        assert (tools_off(home) - sync == frozenset(SWITCHED["features.learning"])) is off and sync <= tools_off(home)
        with RawClient(server(home), era=era) as client:
            early = [each["name"] for each in client.request("tools/list")["result"]["tools"]]
            status = client.call("session_status")["structuredContent"]
            late = [each["name"] for each in client.request("tools/list")["result"]["tools"]]
            assert early == late and ("session_learn" in early) is not off and "session_query" in early
            assert ("switched off in config.json" in status["health"]["features_off"]) is off
            answer = client.call("session_learn", query="x")
            assert bool(answer.get("isError")) is off
            if off:
                assert (
                    "features.learning" in answer["content"][0]["text"]
                    and "feature-off" in answer["content"][0]["text"]
                )
