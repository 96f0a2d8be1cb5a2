"""The tool that the client's prompt hook calls: hidden from the model, quick, and never in the way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from session_memory.actions.clients import HOOK_TOOL
from session_memory.mcp_server import stdio, wire
from session_memory.mcp_server.server import OpenLater, Server
from session_memory.memory import Memory


def call(home: str, **arguments: Any) -> dict[str, Any]:
    server = Server(OpenLater(home))
    result = asyncio.run(server.call_tool(HOOK_TOOL, arguments))
    assert not result.is_error and result.structured_content is None
    return dict(json.loads(result.content[0].text))


def test_it_answers_with_what_the_hook_protocol_wants(home: str, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with Memory(home) as memory:
        memory.events.record("decision", "api", {"title": "Answer 429 with Retry-After"}, session_id="s1")
    told = call(home, prompt="Does a 429 answer carry Retry-After?", session_id="s2")
    assert told["hookSpecificOutput"]["hookEventName"] == "UserPromptSubmit"
    assert "Answer 429" in told["hookSpecificOutput"]["additionalContext"] and "1 fact " in told["systemMessage"]
    assert call(home, prompt="hello", session_id="s2") == {}


def test_the_model_is_not_shown_it() -> None:
    snapshot = json.loads(Path(stdio.SNAPSHOT).read_text(encoding="utf-8"))
    tables = [each["tools"] for each in snapshot["tables"] if "tools" in each]
    for tools in tables:
        (tool,) = [each for each in tools if each["name"] == HOOK_TOOL]
        assert tool["_meta"] == {"ui": {"visibility": ["app"]}}


def test_while_the_server_still_starts_a_prompt_is_not_kept_waiting() -> None:
    assert wire.HOOK_TOOL == HOOK_TOOL
    assert json.loads(wire.TOLD_NOTHING["content"][0]["text"]) == {}  # type: ignore[index]
