"""What a hook costs beside a bare interpreter and `cat`, interleaved in one run; and 64 of them at once."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from session_memory.log import reader
from session_memory.paths import Home

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS, BURST = 41, 64


def payload(folder: str, number: int, event: str = "PostToolUse") -> bytes:
    told = {"hook_event_name": event, "session_id": "s", "cwd": folder, "prompt_id": "p", "source": "startup", "tool_name": "Bash",
            "tool_input": {"command": "git status --short && pytest -q"}, "tool_use_id": f"t{number}", "duration_ms": 5,
            "tool_response": {"stdout": "M src/app.py\n" * 40, "stderr": ""}}  # fmt: skip
    return json.dumps(told).encode()


def main() -> int:
    """Print ratios; nothing is judged."""
    with tempfile.TemporaryDirectory() as folder:
        around = {**os.environ, "SESSION_MEMORY_HOME": f"{folder}/home", "CLAUDE_PID": "1"}
        around.pop("PYTHONDONTWRITEBYTECODE", None)
        python = (
            os.path.realpath(sys.executable)
            if sys.prefix == sys.base_prefix
            else os.path.join(sys.base_prefix, "bin", "python3")
        )
        ways = {
            "bare": [python, "-I", "-S", "-c", "pass"],
            "cat": ["sh", "-c", "cat >/dev/null"],
            "record": [python, "-I", "-S", f"{ROOT}/src/session_memory/hooks/run.py", "record"],
            "answer": [python, "-I", "-S", f"{ROOT}/src/session_memory/hooks/run.py", "context"],
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS):
            for name, words in ways.items():
                content = payload(folder, number, "SessionStart" if name == "answer" else "PostToolUse")
                began = time.perf_counter()
                subprocess.run(words, input=content, env=around, stdout=subprocess.DEVNULL, check=True)
                taken[name].append(time.perf_counter() - began)
        middle = {name: statistics.median(each) for name, each in taken.items()}
        for name in ways:
            print(f"{name:7} {middle[name] * 1000:5.1f} ms, {middle[name] / middle['bare']:.2f} of a bare interpreter")

        def one(number: int) -> float:
            began = time.perf_counter()
            subprocess.run(ways["record"], input=payload(folder, 1000 + number), env=around, check=True)
            return time.perf_counter() - began

        with ThreadPoolExecutor(BURST) as pool:
            burst = list(pool.map(one, range(BURST)))
        place = Home(f"{folder}/home")
        with reader.Logs(place) as logs:
            lines = [each.line for log in logs for part in log.parts for each in reader.places(part)]
        kept = {each.key for each in lines if each is not None and each.key}
        there = sum(f"tool_response:t{1000 + n}" in kept for n in range(BURST))
        waits = len(os.listdir(place.spool)) if os.path.isdir(place.spool) else 0
        print(f"{BURST} at once: {there} in the log, {waits} files in the spool; the slowest {max(burst):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
