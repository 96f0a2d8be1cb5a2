"""A server on the loopback that speaks OpenAI's embeddings, and misbehaves when told to."""

from __future__ import annotations

import base64
import json
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-loopback-0123456789abcdefghij"
LETTERS = 26


def letters(text: str, wide: int = LETTERS) -> list[float]:
    """The meaning of a text here: how often each letter occurs."""
    counts = [float(text.lower().count(chr(97 + n))) for n in range(LETTERS)]
    return (counts + [0.0] * wide)[:wide]


class Loopback:
    """`faults`: what the next requests meet instead of vectors, in order; `always`: what all of them do. `requests`: what came."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.always = ""
        self.keys: list[str] = []
        self.release = threading.Event()  # lets hanging answers go
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append({**body, "path": self.path})
                outer.keys.append(self.headers["authorization"])
                fault = outer.always or (outer.faults.pop(0) if outer.faults else "")
                status, headers, answer = outer.answer(fault, body, self.headers["authorization"])
                try:
                    self.send_response(status)
                    for name, value in {"content-type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    return  # the caller has gone

            def log_message(self, *words: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *words: Any) -> None:
                return

        self._server = Server(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def texts(self) -> list[str]:
        """Every text that was sent."""
        return [text for each in self.requests for text in each["input"]]

    def answer(self, fault: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, str], bytes]:
        def error(code: str, message: str = "no") -> bytes:
            return json.dumps({"error": {"message": message, "type": "x", "param": None, "code": code}}).encode()

        name, _colon, number = fault.partition(":")
        if name == "hang":
            self.release.wait(20)
        refusals: dict[str, tuple[int, dict[str, str], bytes]] = {
            "429": (429, {"retry-after": number} if number else {}, error("rate_limit_exceeded")),
            "quota": (429, {}, error("insufficient_quota")),
            "500": (500, {}, b"<html>oops</html>"),
            "404": (404, {}, error("model_not_found", "no such model")),
            "401": (401, {}, error("invalid_api_key", f"Incorrect API key provided: {key}")),
            "garbage": (200, {}, b"\xff\x00 this is no JSON"),
            "html": (200, {"content-type": "text/html"}, b"<html>sign in</html>"),
        }
        if key != f"Bearer {KEY}":
            return refusals["401"]
        if name in refusals:
            return refusals[name]
        texts = body["input"]
        if name == "long" and max(map(len, texts)) > 1000:
            return 400, {}, error("context_length_exceeded")
        wide = int(number) if name == "wide" else body.get("dimensions") or LETTERS
        rows = [letters(text, wide) for text in texts]
        if name == "nan":
            rows[0][0] = float("nan")
        if name == "fewer":
            rows = rows[1:]
        given: list[Any] = list(rows)
        if body.get("encoding_format") == "base64" and name != "lists":
            given = [base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode() for row in rows]
        data = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(given)]
        if name == "shape":
            data = [{"vector": row} for row in given]
        told = {
            "object": "list",
            "model": body["model"],
            "data": data[::-1],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
        return 200, {}, json.dumps(told).encode()

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
