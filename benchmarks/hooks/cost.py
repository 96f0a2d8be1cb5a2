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
RULES = ["Never edit anything below billing.", "Always run the tests before you commit.", "Write the import of orders.",
         "Use uv, not pip.", "We keep the old table until Friday."]  # fmt: skip


def payload(folder: str, number: int, event: str = "PostToolUse", **more: object) -> bytes:
    told = {"hook_event_name": event, "session_id": "s", "cwd": folder, "prompt_id": "p", "source": "startup", "tool_name": "Bash",
            "tool_input": {"command": "git status --short && pytest -q"}, "tool_use_id": f"t{number}", "duration_ms": 5,
            "tool_response": {"stdout": "M src/app.py\n" * 40, "stderr": ""}, **more}  # fmt: skip
    return json.dumps(told).encode()


def worked(folder: str, run: list[str], around: dict[str, str]) -> None:
    """A home after a day of work, with its index and brief: rules of the user, edits, failing and passing commands, a plan."""

    def tell(number: int, event: str = "PostToolUse", **more: object) -> None:
        subprocess.run(run, input=payload(folder, number, event, session_id="earlier", **more), env=around, check=True)

    for n, said in enumerate(RULES * 4):
        tell(n, "UserPromptSubmit", prompt=f"{said} (part {n})", prompt_id=f"p{n}")
        path = f"{folder}/src/part{n}.py"
        edit = {"file_path": path, "old_string": "a = 1", "new_string": f"a = {n}"}
        tell(1_000 + n, tool_name="Edit", tool_input=edit, tool_response={"filePath": path})
        command = {"command": f"pytest -q tests/test_part{n % 5}.py"}
        tell(
            2_000 + n,
            "PostToolUseFailure" if n % 3 else "PostToolUse",
            tool_input=command,
            error="Exit code 1\n1 failed",
        )
        tell(3_000 + n, "Stop", last_assistant_message=f"Part {n} stands.\n\nDECISION: part {n} keeps its own table")
    serve(around)


def serve(around: dict[str, str]) -> None:
    """What the server of a session does in between: applies what the log has got, and writes the brief."""
    mine = [sys.executable, "-m", "session_memory", "status"]
    subprocess.run(mine, env=around, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Print ratios; nothing is judged."""
    with tempfile.TemporaryDirectory() as folder:
        around = {**os.environ, "SESSION_MEMORY_HOME": f"{folder}/home", "CLAUDE_PID": "1"}
        around.pop("PYTHONDONTWRITEBYTECODE", None)
        told = {**around, "SESSION_MEMORY_HOME": f"{folder}/worked"}
        python = (
            os.path.realpath(sys.executable)
            if sys.prefix == sys.base_prefix
            else os.path.join(sys.base_prefix, "bin", "python3")
        )
        hook = [python, "-I", "-S", f"{ROOT}/src/session_memory/hooks/run.py"]
        worked(folder, [*hook, "record"], told)
        ways = {
            "bare": ([python, "-I", "-S", "-c", "pass"], around),
            "cat": (["sh", "-c", "cat >/dev/null"], around),
            "record": ([*hook, "record"], around),
            "answer, no index yet": ([*hook, "context"], around),
            "answer, after a day": ([*hook, "context"], told),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        busy: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS):
            for name, (words, place) in ways.items():
                content = payload(folder, number, "SessionStart" if "answer" in name else "PostToolUse")
                began = time.perf_counter()
                with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=place) as process:
                    assert process.stdin is not None
                    process.stdin.write(content)
                    process.stdin.close()
                    _, process.returncode, used = os.wait4(process.pid, 0)
                taken[name].append(time.perf_counter() - began)
                busy[name].append(used.ru_utime + used.ru_stime)
            serve(told)
        middle, work = ({name: statistics.median(each) for name, each in some.items()} for some in (taken, busy))
        for name in ways:
            print(f"{name:21} {middle[name] * 1000:5.1f} ms, {middle[name] / middle['bare']:.2f} of a bare interpreter;"
                  f" of its CPU time {work[name] / work['bare']:.2f}")  # fmt: skip

        def one(number: int) -> float:
            began = time.perf_counter()
            subprocess.run(ways["record"][0], input=payload(folder, 1000 + number), env=around, check=True)
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
