"""`demo`: a real server records a piece of work, is killed in the middle of a write, and a new one knows everything."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.cli import demo_story as story
from session_memory.errors import LogUnavailable, SessionMemoryError
from session_memory.memory import Memory
from session_memory.model.amounts import plural
from session_memory.settings import child_environment

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory demo"
ANSWER_SECONDS = 60.0
PROTOCOL = "2025-11-25"


def arguments(parser: argparse.ArgumentParser) -> None:
    """--keep and --fast."""
    parser.add_argument("--keep", action="store_true", help="keep the temporary home and say where it is")
    parser.add_argument("--fast", action="store_true", help="without the pauses for reading")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Play it; 0 when nothing acknowledged was lost and verify is green."""
    folder = tempfile.mkdtemp(prefix="session-memory-demo-")
    home, project = os.path.join(folder, "home"), os.path.join(folder, "quota-service")
    os.mkdir(project)
    try:
        lost = _Play(terminal, home, project, pause=0.0 if args.fast or terminal.as_json else 0.12).all()
    finally:
        if args.keep:
            terminal.line(f"Kept: {folder}")
        else:
            shutil.rmtree(folder)
    return 1 if lost else 0


class _Play:
    def __init__(self, terminal: Terminal, home: str, project: str, pause: float) -> None:
        self._terminal = terminal
        self._home = home
        self._project = project
        self._pause = pause
        self._acknowledged: list[str] = []

    def all(self) -> int:
        began = ids.monotonic()
        self._first_server()
        self._second_server()
        lost, green = self._proof()
        seconds = ids.monotonic() - began
        self._terminal.json(
            {"acknowledged": len(self._acknowledged), "lost": lost, "green": green, "seconds": round(seconds, 1)}
        )
        self._line()
        said = f"{plural(len(self._acknowledged), 'acknowledged event')}, {lost} lost, in {seconds:.1f} s."
        self._line(self._terminal.style(said, "bold", "green" if not lost and green else "red"))
        self._line("Now your own history:  session-memory import claude-code")
        return lost + (not green)

    def _first_server(self) -> None:
        self._head("1", "A server starts over stdio, and a session notes its work as it happens")
        server = _Server("session_memory.cli.demo_server", self._home, self._project)
        try:
            server.call("session_init", {"skill_name": story.SKILL})
            for category, type_, data in story.BEFORE:
                self._record(server, category, type_, data)
            name, summary = story.CHECKPOINT
            server.call("session_checkpoint", {"name": name, "summary": summary})
            self._line(f"   {self._terminal.style('checkpoint', 'cyan')}  {name}")
            self._record(server, *story.LAST_WORDS)
            self._head("2", "kill -9, halfway through the bytes of the next event")
            category, type_, data = story.IN_FLIGHT
            died = server.call("session_record", {"category": category, "type": type_, "data": data}) is None
        finally:
            server.end()
        with open(os.path.join(self._home, "storage", "events.jsonl"), "rb") as file:
            torn = len(file.read().rpartition(b"\n")[2])
        dead = "The server is dead" if died else "The server should be dead"
        self._line(
            f"   {dead} (signal {-(server.process.returncode or 0)}); the log ends in {torn} bytes of half a line."
        )

    def _second_server(self) -> None:
        self._head("3", "A new server, a new session: session_resume")
        server = _Server("session_memory", self._home, self._project)
        try:
            self._text(server.call("session_resume", {"use_latest": True}))
            for words in story.SEARCHES[:2]:
                self._head("4", f"Search: {words}")
                found = server.call("session_query", {"keyword": words, "limit": 2}) or {}
                for event in found.get("structuredContent", {}).get("events", []):
                    data = event["data"]
                    self._line(f"   {event['category']}/{event['type']}: {data.get('title') or data.get('text')}")
            self._head("5", "The handoff for whoever goes on")
            self._text(server.call("session_handoff", {"budget_tokens": 900}))
        finally:
            server.end()

    def _proof(self) -> tuple[int, bool]:
        self._head("6", "verify: does the log hold what was acknowledged, and the index what the log holds?")
        with Memory(self._home, cwd=self._project, client="demo") as memory:
            lost = 0
            for event_id in self._acknowledged:
                try:
                    memory.events.get(event_id)
                except SessionMemoryError:
                    lost += 1
            proof = memory.health.verify()
        self._line(
            f"   {plural(proof.log.lines, 'line')}: numbers, chain and bodies hold; the torn bytes were set aside."
        )
        self._line(
            "   "
            + (
                self._terminal.style("green", "green", "bold")
                if proof.green
                else "\n   ".join([*map(str, proof.log.faults), *proof.index])
            )
        )
        return lost, proof.green

    def _record(self, server: _Server, category: str, type_: str, data: dict[str, Any]) -> None:
        answer = server.call("session_record", {"category": category, "type": type_, "data": data})
        if answer is None or answer.get("isError"):
            raise RuntimeError(f"the server did not record: {answer}")
        self._acknowledged.append(answer["structuredContent"]["event_id"])
        told = data.get("title") or data.get("question") or data.get("answer") or data.get("text")
        self._line(f"   {self._terminal.style(category, 'cyan')}  {told}")
        ids.pause(self._pause)

    def _head(self, number: str, text: str) -> None:
        self._line()
        self._line(self._terminal.style(f"{number}  {text}", "bold"))
        ids.pause(4 * self._pause)

    def _text(self, answer: dict[str, Any] | None) -> None:
        text = answer["content"][0]["text"] if answer else "(no answer)"
        for line in text.splitlines():
            self._line(f"   {line}")
        ids.pause(8 * self._pause)

    def _line(self, text: str = "") -> None:
        self._terminal.line(text)


class _Server:
    """A server process and the few lines of protocol the demo needs."""

    def __init__(self, module: str, home: str, project: str) -> None:
        words = [sys.executable, "-m", module, *([] if module.endswith("demo_server") else ["serve"]), "--home", home]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=project,
            env=child_environment({"CLAUDE_PROJECT_DIR": project, "PYTHONPATH": _package_folder()}),
        )  # fmt: skip
        self._number = 0
        client = {"name": "session-memory-demo", "version": "1"}
        if self._ask("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client}) is None:
            raise LogUnavailable(
                "import-failed", f"The demo's server did not start (exit {self.process.wait()}).",
                f"Look at what it says: {' '.join(words[:3])} </dev/null",
            )  # fmt: skip
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """The result of a tool call; None when the server died before it answered."""
        return self._ask("tools/call", {"name": tool, "arguments": arguments})

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self.process.stdout is not None  # it was opened as a pipe
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == self._number and ("result" in message or "error" in message):
                result: dict[str, Any] = message.get("result") or {"isError": True, **message}
                return result
        return None

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # it was opened as a pipe
        with contextlib.suppress(BrokenPipeError):  # it died: reading its answer says so
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Close the pipes as a client does; the server ends by itself."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait(timeout=ANSWER_SECONDS)


def _package_folder() -> str:
    """Where this package was imported from, so that the servers run the same one from any folder."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
