"""Nothing listens and nothing connects: the default scenario under strace; and what it leaves is for its owner's eyes only."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.capture.test_transcript import every_trap
from tests.mcp_server.raw_client import RawClient, server

from session_memory.actions import scanner
from session_memory.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent
ABOUT = {"session_id": "s1", "prompt_id": "p1"}
HOOKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("context", {"hook_event_name": "SessionStart", "source": "startup"}), ("record", {"hook_event_name": "UserPromptSubmit", "prompt": "do it"}),
    ("record", {"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "ls"}, "tool_response": {"stdout": "a"}}),
    ("record", {"hook_event_name": "PostToolUseFailure", "tool_name": "Bash", "tool_use_id": "t2", "tool_input": {"command": "x"}, "error": "Exit code 3"}),
    ("record", {"hook_event_name": "SubagentStart", "agent_id": "a1", "agent_type": "general"}),
    ("record", {"hook_event_name": "SubagentStop", "agent_id": "a1", "agent_type": "general", "last_assistant_message": "below"}),
    ("record", {"hook_event_name": "PreCompact", "trigger": "auto"}), ("record", {"hook_event_name": "PostCompact", "trigger": "auto", "compact_summary": "so far"}),
    ("context", {"hook_event_name": "SessionStart", "source": "compact"}), ("record", {"hook_event_name": "Stop", "last_assistant_message": "done"}),
    ("record", {"hook_event_name": "SessionEnd", "reason": "other"}),
)  # fmt: skip
TOOLS: dict[str, dict[str, Any]] = {
    "session_init": {"skill_name": "work"}, "session_record": {"category": "decision", "type": "api", "data": {"title": "Answer 429"}},
    "session_checkpoint": {"name": "one"},
}  # fmt: skip
GIVEN: dict[str, list[list[str]]] = {  # what a command is called with; the others take nothing
    "show": [["s1"]], "search": [["429"]], "checkpoint": [["named"]], "import": [["claude-code"]], "backup": [["../backup"]],
    "projects": [[], ["alias", "../elsewhere"]], "forget": [["--text", "Answer 429", "--dry-run"], ["--text", "Answer 429", "--yes"]],
    "install": [["claude-code", "--dry-run"], ["claude-code"], ["claude-desktop"]], "uninstall": [["claude-code"], ["claude-desktop"]],
    "mark": [["0123456789ab", "wrong"]], "answer": [["Q1", "so"]], "graph": [["src"]], "ingest": [["."]],
    "how": [["pytest"]], "fix": [["failed"]], "blame": [["src/a.py"]], "timeline": [["today"]], "eval": [["list"]], "sync": [["status"]],
    "trust": [["."]], "serve": [], "restore": [],
}  # fmt: skip


def traced(folder: Path) -> list[str]:
    """The words that put a command under strace; the test is skipped, saying so, where that cannot be."""
    words = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        "trace=socket,connect,bind,listen",
        "-A",
        "-o",
        str(folder / "calls.txt"),
    ]
    if shutil.which("strace") is None or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not here, or may not trace: whether anything connects is not looked at")
    return words


def test_the_trace_would_show_a_socket(tmp_path: Path) -> None:
    words = traced(tmp_path)
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()"
    subprocess.run([*words, sys.executable, "-c", code], check=True)
    told = (tmp_path / "calls.txt").read_text()
    assert "AF_INET" in told and "listen(" in told


def test_the_default_scenario_opens_no_socket_and_leaves_nothing_for_others_to_read(home: str, tmp_path: Path) -> None:
    words = traced(tmp_path)
    project, elsewhere, user = tmp_path / "project", tmp_path / "elsewhere", Path(os.environ["HOME"])
    for each in (project, elsewhere):
        each.mkdir()
    every_trap().write(user / ".claude" / "projects" / "-gone-shop")
    around = {**os.environ, "SESSION_MEMORY_HOME": home, "CLAUDE_PROJECT_DIR": str(project)}
    open_to_all = ["sh", "-c", 'umask 000; exec "$@"', "sh"]

    def run(*command: str, given: bytes = b"", folder: Path = project) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*words, *open_to_all, *command], input=given, capture_output=True, cwd=folder, env=around,
                              timeout=300, check=False)  # fmt: skip

    for name, payload in HOOKS:
        done = run(sys.executable, "-I", "-S", str(ROOT / "src/session_memory/hooks/run.py"), name,
                   given=json.dumps({**ABOUT, "cwd": str(project), **payload}).encode())  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert not Path(home, "hook.log").exists()
    run(sys.executable, "-I", "-S", str(ROOT / "src/session_memory/hooks/run.py"), "context", folder=elsewhere,
        given=json.dumps({**ABOUT, "session_id": "s2", "cwd": str(elsewhere), "hook_event_name": "SessionStart", "source": "startup"}).encode())  # fmt: skip
    with RawClient([*words, *open_to_all, *server(home)], cwd=str(project), env=around) as client:
        listed = client.request("tools/list")["result"]["tools"]
        for tool in sorted((each["name"] for each in listed), key=lambda name: (name not in TOOLS, name)):
            client.call(tool, **{**TOOLS.get(tool, {}), **needed(listed, tool)})
        for each in client.request("resources/list")["result"]["resources"]:
            client.request("resources/read", {"uri": each["uri"]})
        assert client.close() == 0
    for name in COMMANDS:
        for given in GIVEN.get(name, [[]]):
            done = run(sys.executable, "-m", "session_memory", name, *given)
            assert done.returncode in (0, 1) and b"Traceback" not in done.stderr, (name, done.stderr)
    again, backup = tmp_path / "again", tmp_path / "backup"
    assert run(sys.executable, "-m", "session_memory", "restore", str(backup), "--home", str(again)).returncode == 0
    calls = (tmp_path / "calls.txt").read_text().splitlines()
    assert len(calls) < 10_000
    assert not [each for each in calls if re.search(r"AF_INET|\b(?:listen|bind)\(", each)], calls
    for place in (Path(home), again, backup):
        for path in (place, *place.rglob("*")):
            mode = stat.S_IMODE(os.lstat(path).st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), f"{path} has {mode:o}"


def needed(listed: list[dict[str, Any]], tool: str) -> dict[str, Any]:
    """Something for every required argument that the scenario does not name."""
    schema = next(each["inputSchema"] for each in listed if each["name"] == tool)
    given = {name: "x" for name in schema.get("required", []) if name not in TOOLS.get(tool, {})}
    return {name: schema["properties"][name].get("enum", [value])[0] for name, value in given.items()}


def test_the_scanner_of_the_extra_opens_none_either(tmp_path: Path) -> None:
    if scanner.load() is None:
        pytest.skip("the extra `redact` is not installed")
    code = "from session_memory.actions import scanner; scanner.load()('token = 1')"
    subprocess.run([*traced(tmp_path), sys.executable, "-c", code], check=True, env=os.environ)
    assert "AF_INET" not in (tmp_path / "calls.txt").read_text()
