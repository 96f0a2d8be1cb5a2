"""The rehearsal: a short session played through the hooks and the server as a client has them installed, in a sandbox home."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from session_memory import ids, paths
from session_memory.actions.clients import Installed
from session_memory.actions.launcher import OURS
from session_memory.log import reader
from session_memory.model.record import EVENT
from session_memory.settings import child_environment

MOST_LAUNCHER = 64 * 1024  # bytes
SECONDS = 30.0  # a step may take
SAID = "A rehearsal of session-memory doctor"
SESSION = "rehearsal-session"
PLAYED: tuple[tuple[str, dict[str, Any], int], ...] = (  # event, what it tells, how many events it makes
    ("SessionStart", {"source": "startup"}, 0),
    ("UserPromptSubmit", {"prompt": SAID}, 1),
    ("PostToolUse", {"tool_name": "Bash", "tool_input": {"command": "true"}, "tool_response": "", "tool_use_id": "t1"}, 2),
    ("Stop", {"last_assistant_message": "done"}, 1),
    ("SessionEnd", {"reason": "other"}, 0),
)  # fmt: skip


@dataclass
class Step:
    """One step: how long it took, and what was wrong ("" when nothing was)."""

    name: str
    ms: float
    wrong: str = ""


def play(installed: Installed) -> list[Step]:
    """Play it. Nothing of the user's memory is touched: hooks and server work in a temporary home."""
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="session-memory-") as folder:
        home = paths.Home(os.path.join(folder, "home"))
        around = child_environment({
            "SESSION_MEMORY_HOME": home.root, "SESSION_MEMORY_NO_INSTALL": "1", "CLAUDE_PLUGIN_ROOT": installed.root,
            "CLAUDE_PROJECT_DIR": folder,
        })  # fmt: skip
        kept = 0
        for event, more, makes in PLAYED if installed.hooks else ():
            payload = {"hook_event_name": event, "session_id": SESSION, "cwd": folder, "prompt_id": "p1", **more}
            for command in installed.hooks.get(event, []):
                steps.append(_hook(event, command, payload, around, folder))
            if not installed.hooks.get(event):
                steps.append(Step(f"hook {event}", 0.0, "it is not installed"))
            now = _events(home)
            if not steps[-1].wrong and now - kept != makes:
                steps[-1].wrong = f"it ran, but {now - kept} events were recorded instead of {makes}; {_trouble(home)}"
            kept = now
        steps.append(_server(installed.server, around, folder, kept > 0))
    return steps


def _hook(event: str, command: str, payload: dict[str, Any], around: dict[str, str], cwd: str) -> Step:
    began = ids.monotonic()
    try:
        done = subprocess.run(
            command, shell=True, input=json.dumps(payload).encode(), capture_output=True, timeout=SECONDS, cwd=cwd,
            env=around, check=False,
        )  # fmt: skip  # the client hands it to a shell as well
    except subprocess.TimeoutExpired:
        return Step(f"hook {event}", SECONDS * 1000, f"it did not end within {SECONDS:g} s")
    wrong = (
        ""
        if done.returncode == 0
        else f"exit {done.returncode}: {done.stderr.decode('utf-8', 'replace').strip()[-200:]}"
    )
    return Step(f"hook {event}", (ids.monotonic() - began) * 1000, wrong)


def _server(command: list[str], around: dict[str, str], cwd: str, heard: bool) -> Step:
    """Start it, ask for its tools and for what the hooks have just recorded (`heard`: they have), as a client of the older era
    does. A launcher belongs to the home it lies in, so a copy of it is run in the sandbox."""
    if not command:
        return Step("server", 0.0, "it is not installed")
    command = [_in_sandbox(word, around["SESSION_MEMORY_HOME"]) for word in command]
    sought = heard and not any(word.startswith("--home") for word in command)  # one that names a home opens the user's
    began = ids.monotonic()
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "doctor", "version": "1"}}
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    if sought:
        call = {"name": "session_query", "arguments": {"keyword": SAID, "scope": "all"}}
        asked.append({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": call})
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=around
        )
    except OSError as error:
        return Step("server", 0.0, f"{command[0]} cannot be started ({error.strerror})")
    try:
        assert process.stdin is not None and process.stdout is not None
        told = b""
        try:
            process.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in asked))
            process.stdin.flush()
        except OSError:
            told = b""  # it has ended already: stderr says why
        while told.count(b"\n") < (3 if sought else 2) and ids.monotonic() - began < SECONDS:
            if not select.select([process.stdout], [], [], 0.2)[0]:
                continue
            more = os.read(process.stdout.fileno(), 1 << 16)
            if not more:
                break
            told += more
        took = (ids.monotonic() - began) * 1000
    finally:
        process.kill()
        errors = process.communicate()[1].decode("utf-8", "replace").strip()
    wrong = "" if b"session_record" in told else f"no tools: {errors[-200:] or 'no answer'}"
    if not wrong and sought and SESSION.encode() not in told:
        wrong = f"it does not find what the hooks recorded: {errors[-200:] or 'it works in another home'}"
    return Step(f"server, first answer{', tools and a search' if sought else ' and tools'}", took, wrong)


def _in_sandbox(word: str, home: str) -> str:
    """A word of the server's command; for a launcher that we wrote the path of a copy of it in this home."""
    try:
        if os.path.basename(word) != "server.py" or OURS not in (content := _content(word)):
            return word
    except OSError:
        return word  # it is not there: starting it says so
    paths.make_dir(home)
    paths.write_whole(os.path.join(home, "server.py"), content)
    return os.path.join(home, "server.py")


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(MOST_LAUNCHER)


def _events(home: paths.Home) -> int:
    with reader.Logs(home) as logs:
        lines = [place.line for log in logs for part in log.parts for place in reader.places(part)]
    return sum(1 for each in lines if each is not None and each.kind == EVENT)


def _trouble(home: paths.Home) -> str:
    try:
        with open(paths.open_file(home.hook_log, os.O_RDONLY), encoding="utf-8", errors="replace") as file:
            return file.read()[-200:].strip()
    except FileNotFoundError:
        return "hook.log says nothing"
