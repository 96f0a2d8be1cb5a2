"""A client of raw lines: what the official one cannot send, and what a server must answer all the same."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import Any

CLIENT = {"name": "raw", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
PATIENCE = 60.0  # seconds: that an answer comes at all, not how fast


class RawClient:
    """One server process. `era` is `modern` (every request carries its version) or `legacy` (initialize first)."""

    def __init__(
        self, words: list[str], *, era: str = "modern", cwd: str | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.era = era
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
            env={**os.environ, **(env or {})}, bufsize=0,
        )  # fmt: skip
        self._number = 0
        self._buffer = b""
        self.seen: list[dict[str, Any]] = []
        if era == "legacy":
            self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT})
            self.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())

    def send(self, line: bytes) -> None:
        assert self.process.stdin is not None
        view = memoryview(line + b"\n")
        while view:
            view = view[self.process.stdin.write(view) :]

    def line(self, method: str, params: dict[str, Any] | None = None, request: Any = None) -> bytes:
        given = dict(params or {})
        if self.era == "modern":
            given["_meta"] = META
        return json.dumps({"jsonrpc": "2.0", "id": request, "method": method, "params": given}).encode()

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send and wait for the answer."""
        self._number += 1
        request = f"r{self._number}"
        self.send(self.line(method, params, request))
        return self.answer(request)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool call."""
        answer = self.request("tools/call", {"name": tool, "arguments": arguments})
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def answer(self, request: Any) -> dict[str, Any]:
        """The answer to a request (None: an error that names no request)."""
        for number, message in enumerate(self.seen):
            if message.get("id") == request:
                return self.seen.pop(number)
        until = time.monotonic() + PATIENCE
        while True:
            message = self._next(until)
            if message.get("id") == request and "method" not in message:
                return message
            self.seen.append(message)

    def _next(self, until: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        while b"\n" not in self._buffer:
            ready, _w, _x = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("the server did not answer")
            chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise EOFError(f"the server ended: {self.stderr()[-2000:]}")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    def stderr(self) -> str:
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        return (self.process.stderr.read() or b"").decode("utf-8", "replace")

    def close(self) -> int:
        """End stdin and wait for the end of the process."""
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self.process.wait()


def server(home: str) -> list[str]:
    """The command line of the real server."""
    return [sys.executable, "-m", "session_memory", "serve", "--home", home]
