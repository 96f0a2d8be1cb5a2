"""Measuring side by side: things take turns in one run, and what counts is their ratio."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
}


def turns(rounds: int, things: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each thing once a round, in turn; seconds."""
    found: dict[str, list[float]] = {name: [] for name in things}
    for number in range(rounds):
        for name in list(things) if number % 2 else list(things)[::-1]:
            found[name].append(things[name]())
    return found


def table(
    title: str, found: dict[str, list[float]], limit: str, unit: float = 1000.0, name: str = "ms"
) -> dict[str, float]:
    """Print median, best and the ratio of medians to the limit; returns the ratios."""
    base = statistics.median(found[limit])
    print(f"\n{title}\n{'':34}{'median ' + name:>12}{'best ' + name:>12}{'ratio':>8}")
    ratios = {}
    for each, times in found.items():
        ratios[each] = statistics.median(times) / base
        print(f"{each:34}{statistics.median(times) * unit:12.2f}{min(times) * unit:12.2f}{ratios[each]:8.2f}")
    return ratios


class Server:
    """A server process spoken to with raw lines of the modern era."""

    def __init__(self, words: list[str], home: str = "") -> None:
        self.began = time.perf_counter()
        env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "SESSION_MEMORY_HOME": home}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
        )
        self._number = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request, wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": {**params, "_meta": META}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
            if answer.get("id") == self._number:
                return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool."""
        return self.ask("tools/call", name=tool, arguments=arguments)

    def memory(self) -> float:
        """Resident megabytes (Linux)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1000
        return 0.0

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def ours(home: str) -> list[str]:
    """The command line of our server."""
    return [sys.executable, "-m", "session_memory", "serve", "--home", home]


def plain_sdk() -> list[str]:
    """An empty tool on `MCPServer` over the SDK's own stdio."""
    return [sys.executable, str(ROOT / "tests" / "mcp_server" / "tiny_server.py"), "sdk"]


def own_wire() -> list[str]:
    """The same empty tool behind our wire, without a snapshot."""
    return [sys.executable, str(ROOT / "tests" / "mcp_server" / "tiny_server.py"), "plain"]
