"""The real Claude Code, run against a model that we script: nothing leaves this machine, nobody's configuration is read."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from session_memory import paths
from session_memory.log import reader

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = "mcp__plugin_session-memory_session-memory__"
QUIET = (
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_TELEMETRY",
    "DISABLE_AUTOUPDATER",
    "DISABLE_ERROR_REPORTING",
)
Turn = dict[str, Any]


def text(said: str, **more: Any) -> Turn:
    """A turn that only says something."""
    return {"text": said, **more}


def use(tool: str, said: str = "", **given: Any) -> Turn:
    """A turn that calls a tool."""
    return {"text": said, "tool": tool, "input": given}


class Model:
    """Answers the Messages API on loopback with the turns it was given; keeps every request."""

    def __init__(self) -> None:
        self.turns: deque[Turn] = deque()
        self.summary = "<summary>Nothing to say.</summary>"
        self.requests: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        model = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_words: object) -> None:
                """Tests are quiet."""

            def do_HEAD(self) -> None:
                self._answer(200, b"")

            def do_GET(self) -> None:
                self._answer(404, b"{}")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                if self.path.split("?")[0].endswith("/count_tokens"):
                    self._answer(200, b'{"input_tokens": 100}')
                    return
                message = model.message(body)
                if not body.get("stream"):
                    self._answer(200, json.dumps(message).encode())
                    return
                self._answer(200, b"".join(model.stream(message)), "text/event-stream")

            def _answer(self, status: int, content: bytes, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_words: None  # type: ignore[method-assign]  # a killed client hangs up
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def message(self, body: dict[str, Any]) -> dict[str, Any]:
        """The next turn as the API's message; a compaction and the client's side questions have answers of their own."""
        self.requests.append(body)
        asked = json.dumps([each for each in body.get("messages", []) if each.get("role") == "user"][-1:])
        if "detailed summary" in asked or "summary of the conversation" in asked:
            turn = text(self.summary)
        elif not body.get("tools") or not self.turns:
            turn = text("ok")
        else:
            turn = self.turns.popleft()
        time.sleep(turn.get("wait", 0))
        content: list[dict[str, Any]] = [{"type": "text", "text": turn["text"]}] if turn.get("text") else []
        if turn.get("tool"):
            used = f"toolu_{next(self._numbers):024d}"
            content.append({"type": "tool_use", "id": used, "name": turn["tool"], "input": turn["input"]})
        usage = {
            "input_tokens": 100,
            "output_tokens": 20,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            **turn.get("usage", {}),
        }
        return {
            "id": f"msg_{next(self._numbers):024d}", "type": "message", "role": "assistant", "model": body.get("model", "m"),
            "content": content, "stop_reason": "tool_use" if turn.get("tool") else "end_turn", "stop_sequence": None, "usage": usage,
        }  # fmt: skip

    def stream(self, message: dict[str, Any]) -> Any:
        """The message as server-sent events."""

        def event(name: str, **more: Any) -> bytes:
            return f"event: {name}\ndata: {json.dumps({'type': name, **more})}\n\n".encode()

        yield event("message_start", message={**message, "content": [], "stop_reason": None})
        for number, block in enumerate(message["content"]):
            tool = block["type"] == "tool_use"
            empty = {**block, "input": {}} if tool else {**block, "text": ""}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])} if tool else {"type": "text_delta", "text": block["text"]}  # fmt: skip
            yield event("content_block_start", index=number, content_block=empty)
            yield event("content_block_delta", index=number, delta=delta)
            yield event("content_block_stop", index=number)
        yield event(
            "message_delta",
            delta={"stop_reason": message["stop_reason"], "stop_sequence": None},
            usage=message["usage"],
        )
        yield event("message_stop")

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class Client:
    """One user's machine: a HOME, a project, the client, and a model to talk to."""

    def __init__(self, folder: Path, binary: str, model: Model) -> None:
        self.user, self.project, self.model = folder / "user", folder / "project", model
        for each in (self.user, self.project):
            each.mkdir()
        self.binary = binary
        self.home = self.user / ".claude" / "session-memory"
        self.plugin: list[str] = ["--plugin-dir", str(ROOT)]

    def around(self, **more: str) -> dict[str, str]:
        """The whole environment of the client: its Python is the one that runs the tests, which has the packages."""
        python = os.path.dirname(sys.executable)
        return {
            "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.user), "LANG": "C.UTF-8", "TERM": "dumb",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.model.port}", "ANTHROPIC_API_KEY": "dummy-key-for-loopback",
            "CLAUDE_CODE_MCP_STARTUP_WAIT_MS": "20000", "SESSION_MEMORY_NO_INSTALL": "1", **dict.fromkeys(QUIET, "1"), **more,
        }  # fmt: skip

    def run(self, *words: str, **around: str) -> str:
        """A command of the client (`plugin install ...`); its output."""
        done = subprocess.run(
            [self.binary, *words], cwd=self.project, env=self.around(**around), capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def say(
        self,
        said: str | list[str],
        *turns: Turn,
        options: tuple[str, ...] = (),
        kill: float | None = None,
        **around: str,
    ) -> str:
        """One run of the client: a prompt, or several in one process; the model answers with the turns. The session's id.

        kill: so many seconds after the model was asked for its last turn the client dies (SIGKILL).
        """
        self.model.turns.extend(turns)
        words = [self.binary, "-p", "--output-format", "stream-json", "--verbose", *self.plugin, "--allowedTools",
                 f"Bash,Write,Read,Agent,{OURS}session_record", *options]  # fmt: skip
        several = isinstance(said, list)
        words += ["--input-format", "stream-json"] if several else ["--", str(said)]
        process = subprocess.Popen(
            words, cwd=self.project, env=self.around(**around), stdin=subprocess.PIPE if several else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        if kill is not None:
            end = time.monotonic() + 60
            while self.model.turns and time.monotonic() < end:
                time.sleep(0.005)
            time.sleep(kill)
            os.killpg(process.pid, signal.SIGKILL)
        told = self._talk(process, said) if isinstance(said, list) else process.communicate(timeout=120)[0]
        found = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        assert kill is not None or process.returncode == 0, told
        return str(next(each["session_id"] for each in reversed(found) if each.get("session_id")))

    def _talk(self, process: subprocess.Popen[str], said: list[str]) -> str:
        assert process.stdin is not None and process.stdout is not None
        lines: list[str] = []
        for each in said:
            process.stdin.write(json.dumps({"type": "user", "message": {"role": "user", "content": each}}) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                lines.append(line)
                if '"type":"result"' in line:
                    break
        return "".join(lines) + process.communicate(timeout=120)[0]

    def records(self) -> list[dict[str, Any]]:
        """Every record of the log: kind, key, and its body's members."""
        place, found = paths.Home(str(self.home)), []
        with reader.Logs(place) as logs:
            for each in (each for log in logs for part in log.parts for each in reader.places(part)):
                assert each.line is not None
                record = reader.record(place, each.line)
                found.append({"kind": record.kind, "key": record.key, "at": record.at, **(record.body or {})})
        return found

    def events(self) -> list[tuple[str, str, str]]:
        """(category, type, what it says) of every event of the log, in its order; a key that was told twice (by a hook and, a
        moment before, by the server's catch-up) is one event."""
        keyed = {
            each["key"] or number: each
            for number, each in reversed(list(enumerate(self.records())))
            if each["kind"] == "event"
        }
        return [
            (each["category"], each["type"], str(each["data"].get("text") or each["data"].get("output") or each["data"].get("title") or ""))
            for each in reversed(keyed.values())
        ]  # fmt: skip

    def trouble(self) -> str:
        """What the hooks complained about."""
        path = self.home / "hook.log"
        return path.read_text() if path.exists() else ""


def binary() -> str:
    """The client's binary; the test is skipped, saying so, where it is not installed."""
    found = os.environ.get("SESSION_MEMORY_CLAUDE", "")
    if not found or not os.path.exists(found):
        pytest.skip("the real Claude Code client is not here (SESSION_MEMORY_CLAUDE names its binary)")
    return found
