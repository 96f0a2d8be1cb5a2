"""The same two faults on the reference server of the protocol: several processes at once, and a log that ends in half a line.

Needs it installed: `npm install --prefix DIR @modelcontextprotocol/server-memory`, then PEERS=DIR.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from benchmarks.faults.kills import _answered


def place() -> str:
    """Its program, or "" where it is not installed."""
    program = os.path.join(os.environ.get("PEERS", ""), "node_modules", ".bin", "mcp-server-memory")
    return program if os.path.exists(program) else ""


def _serve(file: str, calls: list[dict[str, object]]) -> subprocess.Popen[str]:
    serving = subprocess.Popen([place()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               env={**os.environ, "MEMORY_FILE_PATH": file})  # fmt: skip
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "loop", "version": "1"}}
    lines = [{"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello},
             {"jsonrpc": "2.0", "method": "notifications/initialized"}, *calls]  # fmt: skip
    assert serving.stdin is not None
    serving.stdin.write("".join(json.dumps(each) + "\n" for each in lines))
    serving.stdin.flush()
    return serving


def _create(name: str) -> dict[str, object]:
    entity = {"name": name, "entityType": "finding", "observations": ["o"]}
    return {"jsonrpc": "2.0", "id": name, "method": "tools/call",
            "params": {"name": "create_entities", "arguments": {"entities": [entity]}}}  # fmt: skip


def crowd(processes: int = 4, count: int = 50) -> str:
    """Several of it on one file, as several windows of a client make them."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/memory.jsonl"
        running = [_serve(file, [_create(f"w{w}/{n}") for n in range(count)]) for w in range(processes)]
        acknowledged = []
        for each in running:
            assert each.stdout is not None
            answers = 0
            lines = []
            while answers < count + 1:
                line = each.stdout.readline()
                if not line:
                    break
                lines.append(line)
                answers += 1
            acknowledged += _answered("".join(lines))
            each.kill()
            each.communicate()
        with open(file, encoding="utf-8") as held:
            there = held.read()
        lost = sum(f'"{name}"' not in there for name in acknowledged)
        return f"{processes} processes x {count}: {len(acknowledged)} acknowledged, {lost} lost"


def torn() -> str:
    """One half line at the end of its file."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/memory.jsonl"
        with open(file, "w", encoding="utf-8") as held:
            held.write('{"type":"entity","name":"a","entityType":"t","observations":[]}\n{"type":"ent')
        serving = _serve(file, [_create("w0/1")])
        assert serving.stdout is not None
        serving.stdout.readline()
        answer = json.loads(serving.stdout.readline())
        serving.kill()
        serving.communicate()
        failed = answer.get("result", {}).get("isError", "error" in answer)
        return "every call fails until the file is mended by hand" if failed else "goes on"
