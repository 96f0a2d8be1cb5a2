"""kill -9 in the middle of everything: six writers a round, and real servers in the middle of their calls."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults.laws import go, judge, writer

from session_memory import paths

SOURCE = str(Path(__file__).resolve().parent.parent.parent / "src")


def writers(rounds: int, count: int = 6) -> tuple[str, bool]:
    """Kill `count` writers at once, again and again, on one home whose log rolls meanwhile."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        home = paths.Home(f"{folder}/home")
        acknowledged: list[str] = []
        for number in range(rounds):
            running = [writer(home.root, f"r{number}w{w}", 1_000_000, 2 << 20) for w in range(count)]
            go(running)
            time.sleep(chance.random() * 0.25)
            for each in running:
                each.kill()
            for each in running:
                acknowledged += [text for text in each.communicate()[0].split("\n")[:-1] if text]
        found = judge(home, acknowledged)
        return f"{rounds} rounds, {count} writers: {found}", found.green


def servers(rounds: int, count: int = 3) -> tuple[str, bool]:
    """Kill real MCP servers while calls stand in their pipes; an answer that was read counts as acknowledged."""
    chance = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        home = paths.Home(f"{folder}/home")
        acknowledged: list[str] = []
        for number in range(rounds):
            running = [_server(home.root, f"s{number}-{w}") for w in range(count)]
            time.sleep(1.2 + chance.random() * 0.8)
            for each in running:
                each.kill()
            for each in running:
                acknowledged += _answered(each.communicate()[0])
        found = judge(home, acknowledged)
        return f"{rounds} rounds, {count} servers: {found}", found.green


def _server(home: str, name: str) -> subprocess.Popen[str]:
    serving = subprocess.Popen(
        [sys.executable, "-m", "session_memory", "serve", "--home", home],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=os.path.dirname(home),
        env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip
    assert serving.stdin is not None
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "loop", "version": "1"}}
    lines = [{"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello},
             {"jsonrpc": "2.0", "method": "notifications/initialized"}]  # fmt: skip
    for n in range(300):
        text = f"{name}/{n}"
        words = {"category": "finding", "type": "t", "data": {"text": text}, "session_id": name}
        lines.append({"jsonrpc": "2.0", "id": text, "method": "tools/call",
                      "params": {"name": "session_record", "arguments": words}})  # fmt: skip
    serving.stdin.write("".join(json.dumps(each) + "\n" for each in lines))
    serving.stdin.flush()
    return serving


def _answered(output: str) -> list[str]:
    found = []
    for line in output.split("\n")[:-1]:
        answer = json.loads(line)
        if "/" in str(answer.get("id")) and "result" in answer and not answer["result"].get("isError", False):
            found.append(str(answer["id"]))
    return found
