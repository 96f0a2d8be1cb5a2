"""A place between us and Cloudflare where calls go wrong on purpose: lost, repeated, late, cut off, refused."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socketserver
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

FAULTS = (
    "lose request", "lose answer", "repeat", "late", "delay", "cut", "429", "500", "garbage", "half", "took back", "slow",
)  # fmt: skip
KEPT = ("content-type", "etag", "content-encoding", "retry-after")
TOOK_BACK = {"result": None, "success": False, "errors": [{"code": 7500, "message": "D1 DB reset because its code was updated."}], "messages": []}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """An answer made up by a test; nothing is asked of the real place."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Seen:
    """A request that arrived, and what was done to it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    fault: str | Reply | None

    @property
    def statements(self) -> list[dict[str, Any]]:
        return json.loads(self.body).get("batch", []) if self.path.endswith("/raw") else []


class Proxy:
    """plan: what happens to the next requests, one each (a fault, a Reply, or None for nothing). chance: how often a fault is
    drawn once the plan is at its end."""

    def __init__(self, target: str = "", *, seed: int = 8, chance: float = 0.0) -> None:
        self.target = target.partition("://")[2].partition("/")[0]
        self.path = target.partition("://")[2].partition("/")[2]
        self.plan: deque[str | Reply | None] = deque()
        self.chance, self.random = chance, random.Random(seed)
        self.seen: list[Seen] = []
        self.answers: list[bytes] = []
        self.late: list[Seen] = []
        self._lock = threading.Lock()
        proxy = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True  # the client had enough

            def do(self) -> None:
                proxy.answer(self)

            do_GET = do_POST = do_PUT = do_HEAD = do

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Door)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """What stands in for the target's address."""
        return f"{self.origin}/{self.path}".rstrip("/")

    @property
    def faults(self) -> list[str]:
        return [str(each.fault) for each in self.seen if each.fault]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _next(self) -> str | Reply | None:
        if self.plan:
            return self.plan.popleft()
        return self.random.choice(FAULTS) if self.random.random() < self.chance else None

    def _forward(self, seen: Seen) -> Reply:
        line = http.client.HTTPConnection(self.target, timeout=60)
        try:
            line.request(seen.method, seen.path, seen.body, seen.headers)
            answer = line.getresponse()
            body = answer.read()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() in KEPT]
            if seen.method == "HEAD":
                kept.append(("content-length", answer.getheader("content-length") or "0"))
            zipped = answer.getheader("content-encoding") == "gzip"
            self.answers.append(gzip.decompress(body) if zipped else body)
            return Reply(answer.status, body, tuple(kept))
        finally:
            line.close()

    def answer(self, door: BaseHTTPRequestHandler) -> None:
        body = door.rfile.read(int(door.headers.get("content-length") or 0))
        with self._lock:
            fault = self._next()
            seen = Seen(
                door.command, door.path, {name.lower(): value for name, value in door.headers.items()}, body, fault
            )
            self.seen.append(seen)
            late, self.late = self.late, []
        for each in late:
            self._forward(each)
        if isinstance(fault, Reply):
            return self._reply(door, fault)
        if fault == "lose request":
            door.close_connection = True
            return None
        if fault == "429":
            return self._reply(door, Reply(429, b"{}", (("retry-after", "0"),)))
        if fault == "500":
            return self._reply(door, Reply(500, b"<h1>Internal Server Error</h1>"))
        if fault == "garbage":
            return self._reply(door, Reply(200 if "/d1/" in door.path else 502, b"<html>Welcome to the hotel</html>"))
        if fault == "delay":
            time.sleep(0.05)
        reply = self._forward(seen)
        if fault == "repeat":
            self._forward(seen)
        if fault == "late":
            self.late.append(seen)
        if fault == "lose answer":
            door.close_connection = True
            return None
        if fault == "took back" and "/d1/" in door.path:
            return self._reply(door, Reply(500, json.dumps(TOOK_BACK).encode()))
        if fault == "half" and "/d1/" in door.path:
            return self._reply(door, Reply(200, reply.body[: len(reply.body) // 2]))
        return self._reply(door, reply, cut=fault in ("cut", "half"), slow=fault == "slow")

    def _reply(self, door: BaseHTTPRequestHandler, reply: Reply, *, cut: bool = False, slow: bool = False) -> None:
        door.send_response(reply.status)
        for name, value in reply.headers:
            door.send_header(name, value)
        if "content-length" not in dict(reply.headers):
            door.send_header("content-length", str(len(reply.body)))
        door.end_headers()
        body = reply.body if door.command != "HEAD" else b""
        if slow:
            for n in range(0, len(body), len(body) // 4 + 1):
                door.wfile.write(body[n : n + len(body) // 4 + 1])
                door.wfile.flush()
                time.sleep(0.02)
        else:
            door.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            door.close_connection = True
