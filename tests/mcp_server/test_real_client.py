"""The real Claude Code, against a scripted model: our tools and instructions are in its first request, and calls work."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from session_memory.memory import Memory

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def rig(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The rig that drives the client with a model of its own on loopback."""
    binary = os.environ.get("SESSION_MEMORY_CLAUDE", "")
    if not binary or not os.path.exists(binary):
        pytest.skip("the real Claude Code client is not here (SESSION_MEMORY_CLAUDE names its binary)")
    monkeypatch.syspath_prepend(str(shared / "client-rig"))
    return importlib.import_module("run_scenario"), binary


def test_tools_and_instructions_are_in_the_first_request_and_a_call_is_recorded(
    rig: Any, tmp_path: Path, home: str
) -> None:
    module, binary = rig
    plugin = tmp_path / "plugin"
    (plugin / ".claude-plugin").mkdir(parents=True)
    (plugin / ".claude-plugin" / "plugin.json").write_text(json.dumps({"name": "memory-test", "version": "0.0.1"}))
    server = {"command": sys.executable, "args": ["-m", "session_memory", "serve", "--home", home],
              "env": {"PYTHONPATH": str(ROOT / "src")}}  # fmt: skip
    (plugin / ".mcp.json").write_text(json.dumps({"mcpServers": {"session-memory": server}}))
    tool = "mcp__plugin_memory-test_session-memory__session_record"
    scenario = {
        "script": {"turns": [
            {"tools": [{"name": tool, "input": {"category": "decision", "type": "api", "data": {"title": "Answer 429"}}}]},
            {"text": "done"},
        ]},
        "steps": [{"prompt": "note it"}], "allowed_tools": [tool], "plugin_dirs": [str(plugin)], "probe": False,
    }  # fmt: skip
    driven = module.Rig(scenario, tmp_path / "work", claude=binary)
    told = driven.run()
    first = json.dumps(driven.server.model.requests[0])
    assert "session_record" in first and "Session Memory keeps" in first, told
    assert "Answer 429" in Path(home, "storage", "events.jsonl").read_text()
    with Memory(home) as memory:
        assert [each["client"] for each in memory.sessions.listed(everywhere=True, limit=5)] == ["mcp"]
