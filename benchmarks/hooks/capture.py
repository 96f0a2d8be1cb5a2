"""How the real client is best listened to: hooks run beside it (async), in its way (plain), or as calls of the server (mcp_tool).

Each way in turn, rounds interleaved, against a home of many events of which some are not yet applied: the time from one
model request to the next with a Read between them, and what of the calls is in the log when the client has ended by
itself or was killed, before and after catch-up. Needs the client's binary (SESSION_MEMORY_CLAUDE).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.stories.client import ROOT, Client, Model, text, use

from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import Draft
from session_memory.paths import Home

WAYS = ("none", "async", "plain", "mcp_tool")
SERVER = '''
import json, os, sys
from mcp.server.mcpserver import MCPServer
sys.path.insert(0, {source!r})
from session_memory.hooks import record
server = MCPServer("capture")
@server.tool()
def capture(session_id: str = "", cwd: str = "", prompt_id: str = "", tool_name: str = "", tool_input: str = "", tool_response: str = "",
            tool_use_id: str = "") -> str:
    """Keep what a hook reports."""
    def read(text):
        try:
            return json.loads(text)
        except ValueError:
            return text
    record.record({{"hook_event_name": "PostToolUse", "session_id": session_id, "cwd": cwd, "prompt_id": prompt_id, "tool_name": tool_name,
                   "tool_input": read(tool_input), "tool_response": read(tool_response), "tool_use_id": tool_use_id}})
    return "ok"
server.run()
'''


def plugin(folder: Path, way: str) -> Path:
    """A plugin that listens to tool calls in one way."""
    root = folder / way
    (root / ".claude-plugin").mkdir(parents=True)
    (root / "hooks").mkdir()
    (root / ".claude-plugin" / "plugin.json").write_text(
        json.dumps({"name": f"capture-{way.replace('_', '-')}", "version": "0.0.1"})
    )
    command = {
        "type": "command",
        "command": f'python3 -I -S "{ROOT}/src/session_memory/hooks/run.py" record',
        "timeout": 10,
    }
    name = "plugin:capture-mcp-tool:capture"
    hook: dict[str, Any] = {
        "async": {**command, "async": True}, "plain": command, "none": None,
        "mcp_tool": {"type": "mcp_tool", "server": name, "tool": "capture",
                     "input": {m: "${" + m + "}" for m in ("session_id", "cwd", "prompt_id", "tool_name", "tool_input", "tool_response", "tool_use_id")}},
    }[way]  # fmt: skip
    hooks = {} if hook is None else {"PostToolUse": [{"matcher": "*", "hooks": [hook]}]}
    (root / "hooks" / "hooks.json").write_text(json.dumps({"hooks": hooks}))
    if way == "mcp_tool":
        (root / "server.py").write_text(SERVER.format(source=str(ROOT / "src")))
        (root / ".mcp.json").write_text(
            json.dumps({"mcpServers": {"capture": {"command": sys.executable, "args": [str(root / "server.py")]}}})
        )
    return root


def home(folder: Path, events: int, behind: int) -> Path:
    """A home with so many events, the last ones not yet applied."""
    root = folder / "home"
    journal = Journal(Home(str(root)), durability="none")

    def some(start: int, count: int) -> None:
        for first in range(start, start + count, 2_000):
            journal.append([Draft("event", {"session": "old", "project": "p", "category": "finding", "type": "t",
                                            "data": {"text": f"an earlier finding, number {n}, of no interest " * 4}})
                            for n in range(first, min(first + 2_000, start + count))])  # fmt: skip

    some(0, events - behind)
    with Memory(str(root), cwd=str(folder)) as memory:
        memory.opened.index.catch_up(wait=60)
    some(events - behind, behind)
    return root


def round_of(
    way: str, folder: Path, made: Path, plugins: dict[str, Path], binary: str, calls: int, kill: bool
) -> dict[str, Any]:
    """One run of the client in a copy of the home: ms between requests, calls in the log before and after catch-up."""
    place = Path(tempfile.mkdtemp(dir=folder))
    model = Model()
    client = Client(place, binary, model)
    root = place / "memory"
    shutil.copytree(made, root)
    client.home, client.plugin = root, ["--plugin-dir", str(plugins[way])]
    (client.project / "file.txt").write_text("some text\n" * 20)
    times: list[float] = []
    message = model.message
    model.message = lambda body: (times.append(time.perf_counter()), message(body))[1]  # type: ignore[method-assign]
    turns = [use("Read", file_path=str(client.project / "file.txt")) for _ in range(calls)]
    session = client.say(
        "go", *turns, text("done", wait=20 if kill else 0), kill=0.0 if kill else None, SESSION_MEMORY_HOME=str(root)
    )
    time.sleep(0.3)
    kept = kept_calls(client, session)
    if way != "none":
        subprocess.run([str(ROOT / "bin" / "session-memory"), "import", "claude-code", str(client.user / ".claude" / "projects"), "--home", str(root)],
                       check=True, stdout=subprocess.DEVNULL, cwd=client.project, env={**os.environ, "HOME": str(client.user), "PATH": client.around()["PATH"]})  # fmt: skip
    after = kept_calls(client, session)
    with Memory(str(root), cwd=str(client.project)) as memory:
        database = memory.opened.read()
        row = database.one("SELECT count(*) FROM event WHERE type = 'Read' AND category = 'tool_response'")
    model.close()
    shutil.rmtree(place)
    gaps = [b - a for a, b in zip(times, times[1:])][1:calls]  # the first call opens files and the last waits
    return {"gaps": gaps, "kept": kept, "after": after, "indexed": row[0] if row else 0}


def kept_calls(client: Client, session: str) -> int:
    """Calls of this session whose response is in the log."""
    found = {
        each["key"]
        for each in client.records()
        if each.get("category") == "tool_response" and each["session"] == session
    }
    return len(found)


def main() -> int:
    """Print a table; nothing is judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--behind", type=int, default=5_000)
    parser.add_argument("--calls", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    binary = os.environ["SESSION_MEMORY_CLAUDE"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = home(folder, given.events, given.behind)
        plugins = {way: plugin(folder / "plugins", way) for way in WAYS}
        seen: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        killed: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(given.rounds):
            for way in random.sample(WAYS, len(WAYS)):
                seen[way].append(round_of(way, folder, made, plugins, binary, given.calls, kill=False))
                killed[way].append(round_of(way, folder, made, plugins, binary, given.calls, kill=True))
        quiet = {
            way: statistics.quantiles([gap for each in seen[way] for gap in each["gaps"]], n=4)[:2] for way in WAYS
        }
        whole = given.calls * given.rounds
        for way in WAYS:
            low, middle = quiet[way]
            more = [(a - b) * 1000 for a, b in zip(quiet[way], quiet["none"])]
            kept, dead = sum(each["kept"] for each in seen[way]), sum(each["kept"] for each in killed[way])
            after = sum(each["after"] for each in [*seen[way], *killed[way]])
            indexed = sum(each["indexed"] for each in [*seen[way], *killed[way]])
            print(f"{way:9} ms between requests: lower quarter {low * 1000:.0f} ({more[0]:+.0f}), median {middle * 1000:.0f} ({more[1]:+.0f}); of {whole} calls in the log:"
                  f" {kept} after the client's own end, {dead} after SIGKILL; of {2 * whole} after catch-up: {after}, indexed {indexed}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
