"""How fast the server starts and answers: beside a bare interpreter and the plain SDK."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks.side import Server, ours, own_wire, plain_sdk, table, turns


def bare() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    return time.perf_counter() - began


def first(words: list[str], *, call: str | None = None) -> float:
    server = Server(words)
    server.ask("server/discover")
    if call:
        server.call(call)
    took = time.perf_counter() - server.began
    server.close()
    return took


def calls(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        servers = {"SDK's stdio, empty tool": Server(plain_sdk()), "our wire, empty tool": Server(own_wire())}
        mine = Server(ours(f"{folder}/home"))
        for server in servers.values():
            server.call("echo", value=1)
        mine.call("session_init")
        once = {
            name: (lambda server=server: _timed(lambda: server.call("echo", value="x" * 200)))
            for name, server in servers.items()
        }
        once["session_record (with its flush)"] = lambda: _timed(
            lambda: mine.call("session_record", category="finding", type="bug", data={"title": "x" * 200})
        )
        once["session_query, 10 newest"] = lambda: _timed(lambda: mine.call("session_query", limit=10))
        found = {name: [] for name in once}
        for _round in range(rounds):
            for name, function in once.items():
                found[name] += [function() for _call in range(20)]
        table("One call", found, "SDK's stdio, empty tool")
        sdk = servers["SDK's stdio, empty tool"]
        print(f"resident MB: SDK {sdk.memory():.0f}, ours {mine.memory():.0f}")
        for server in (*servers.values(), mine):
            server.close()


def _timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def main(rounds: int = 7) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = f"{folder}/home"
        table("Start to first answer", turns(rounds, {
            "bare interpreter": bare,
            "ours": lambda: first(ours(home)),
            "plain SDK": lambda: first(plain_sdk()),
        }), "bare interpreter")  # fmt: skip
        table("Start to the first tool result", turns(rounds, {
            "plain SDK": lambda: first(plain_sdk(), call="echo"),
            "ours": lambda: first(ours(home), call="session_status"),
        }), "plain SDK")  # fmt: skip
    calls(rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
