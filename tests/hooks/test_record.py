"""The recording hook, as the client runs it: a process of a bare Python, a payload on stdin, and never any trouble."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.log.holder import held

from session_memory import paths
from session_memory.actions.events import Query
from session_memory.hooks import record
from session_memory.log import spool
from session_memory.log.verify import verify
from session_memory.memory import Memory

ROOT = Path(__file__).resolve().parent.parent.parent


def hook(home: str, payload: Any, name: str = "record", **around: str) -> subprocess.CompletedProcess[bytes]:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "src" / "session_memory" / "hooks" / "run.py"), name], input=content, capture_output=True, timeout=60,
        check=False, env={**os.environ, "SESSION_MEMORY_HOME": home, **around},
    )  # fmt: skip


def prompt(text: str, tmp_path: Path, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "hook_event_name": "UserPromptSubmit",
        "session_id": "s1",
        "cwd": str(tmp_path),
        "prompt": text,
        "prompt_id": f"p{number}",
        **more,
    }


def texts(home: str) -> list[str]:
    with Memory(home, cwd=home) as memory:
        return [
            each["data"].get("text")
            for each in memory.events.query(Query(scope="all", order="oldest", limit=200)).events
        ]


def trouble(home: str) -> str:
    path = Path(home, "hook.log")
    return path.read_text() if path.exists() else ""


@pytest.mark.fault(2)
def test_a_payload_becomes_a_record_silently_and_privately(home: str, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        done = hook(home, prompt("keep the JWT decision, password=hunter2hunter2", tmp_path))
    finally:
        os.umask(old)
    assert (done.returncode, done.stdout, done.stderr, trouble(home)) == (0, b"", b"", "")
    for path in [Path(home), *Path(home).rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    (text,) = texts(home)
    assert "JWT" in text and "hunter2" not in text


@pytest.mark.fault(70)
@pytest.mark.parametrize(
    "payload", [b"", b"not json", b"[1]", b"\xff\xfe", b'{"hook_event_name": 5}', b'{"session_id": "s", "cwd": 7}', b"[" * 100_000]
)  # fmt: skip
def test_any_input_ends_well(home: str, payload: bytes) -> None:
    done = hook(home, payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not Path(home, "storage", "events.jsonl").exists()


@pytest.mark.fault(70)
def test_a_huge_or_unheard_of_payload_ends_well_too(home: str, tmp_path: Path) -> None:
    assert hook(home, b'{"a":"' + b"x" * record.MOST + b'"}').returncode == 0
    assert "more than" in trouble(home)
    assert hook(home, prompt("x", tmp_path, hook_event_name="SomethingNew")).returncode == 0
    assert hook(home, prompt("x" * 11_000_000, tmp_path)).returncode == 0 and "too-large" in trouble(home)


@pytest.mark.fault(71)
def test_a_home_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = hook(str(tmp_path / "file" / "home"), prompt("x", tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.fault(22, 71)
def test_while_the_lock_is_held_it_spools_and_the_next_reader_merges(home: str, tmp_path: Path) -> None:
    hook(home, prompt("first", tmp_path))
    place = paths.Home(home)
    with held(place.store_lock):
        assert hook(home, prompt("waits", tmp_path, 2)).returncode == 0
        assert len(spool.names(place)) == 1
    assert texts(home) == ["first", "waits"]


@pytest.mark.fault(25)
def test_sixty_four_hooks_at_once_are_all_kept(home: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(64) as pool:
        done = list(pool.map(lambda n: hook(home, prompt(f"text {n}", tmp_path, n)), range(64)))
    assert {each.returncode for each in done} == {0}
    assert sorted(texts(home)) == sorted(f"text {n}" for n in range(64)) and verify(paths.Home(home)).faults == []


def test_twice_is_once(home: str, tmp_path: Path) -> None:
    for _ in range(2):
        hook(home, prompt("said once", tmp_path))
    assert texts(home) == ["said once"]


def test_the_ways_to_keep_something_out(home: str, tmp_path: Path) -> None:
    hook(home, prompt("say <private>not this</private> word", tmp_path))
    hook(home, prompt("switched off", tmp_path, 2, session_id="s2"), SESSION_MEMORY_OFF="1")
    hook(home, prompt("of the same session, later", tmp_path, 3, session_id="s2"))
    (Path(home) / "config.json").write_text(json.dumps({"capture": {"prompts": False}}))
    hook(home, prompt("prompts are not recorded", tmp_path, 4))
    (Path(home) / "config.json").write_text(json.dumps({"redaction": {"patterns": ["("]}}))
    hook(home, prompt("a rule that cannot be followed", tmp_path, 5))
    assert "bad-settings" in trouble(home)
    (Path(home) / "config.json").unlink()
    (Path(home) / "paused.json").write_text("{")
    hook(home, prompt("a pause that cannot be read", tmp_path, 6))
    assert "paused.json" in trouble(home)
    (Path(home) / "paused.json").unlink()
    assert texts(home) == ["say [PRIVATE] word"]
    kept = b"".join(path.read_bytes() for path in Path(home).rglob("*") if path.is_file())
    for word in (
        b"not this",
        b"switched off",
        b"same session",
        b"are not recorded",
        b"cannot be followed",
        b"pause that",
    ):
        assert word not in kept


@pytest.mark.parametrize("name", ["record", "context"])
def test_a_closed_stdout_is_no_trouble(home: str, tmp_path: Path, name: str) -> None:
    command = f'"{sys.executable}" -I -S "{ROOT}/src/session_memory/hooks/run.py" {name} >&-'
    payload = json.dumps({**prompt("said", tmp_path), "hook_event_name": "SessionStart", "source": "startup"})
    done = subprocess.run(command, shell=True, input=payload.encode(), capture_output=True, check=False, env={**os.environ, "SESSION_MEMORY_HOME": home})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_excluded_folders_and_tools_are_excluded_however_they_are_named(home: str, tmp_path: Path) -> None:
    Path(home).mkdir(mode=0o700)
    (Path(home) / "config.json").write_text(json.dumps({"capture": {"exclude": ["/secret/*", "AskUserQuestion"]}}))
    tool = {"hook_event_name": "PostToolUse", "session_id": "s1", "cwd": str(tmp_path), "tool_use_id": "t1"}
    hook(home, {**tool, "tool_name": "Grep", "tool_input": {"path": "/secret/k"}, "tool_response": "hidden one"})
    hook(
        home,
        {**tool, "tool_name": "AskUserQuestion", "tool_input": {}, "tool_response": {"answers": {"a?": "hidden two"}}},
    )
    hook(home, prompt("hidden three", tmp_path, cwd="/secret/p"), CLAUDE_PROJECT_DIR=str(tmp_path))
    hook(home, prompt("<system-reminder>" * 60_000 + " said", tmp_path, 9))
    kept = b"".join(path.read_bytes() for path in Path(home).rglob("*") if path.is_file())
    assert b"hidden" not in kept and b" said" in kept and trouble(home) == ""


def test_what_goes_wrong_is_noted_within_bounds(home: str) -> None:
    for number in range(3_000):
        record.log(home, f"trouble {number} " + "x" * 200)
    told = trouble(home)
    assert len(told) <= record.MOST_LOG + 300 and told.rstrip().splitlines()[-1].split()[2] == "2999"
    assert told.splitlines()[0][:2] == "20"


def test_it_ends_in_time_whatever_holds_it_up(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(__import__("signal"), "SIGALRM"):
        pytest.skip("no alarm here")
    monkeypatch.setenv("SESSION_MEMORY_HOME", home)
    monkeypatch.setattr(record, "SECONDS", 1)

    def stuck() -> None:
        while True:
            pass

    assert record.guarded(stuck) == 0 and "LateError: this call took more than 1 s" in trouble(home)


def test_nothing_but_the_log_s_floor_is_loaded(home: str, tmp_path: Path) -> None:
    program = (
        f"import sys, io; sys.path.insert(0, {str(ROOT / 'src')!r})\n"
        "from session_memory.hooks import record\n"
        f"record.record({prompt('x', tmp_path)!r})\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "SESSION_MEMORY_HOME": home})  # fmt: skip
    loaded = set(done.stdout.split())
    for heavy in (
        "dataclasses",
        "pathlib",
        "typing",
        "datetime",
        "logging",
        "subprocess",
        "argparse",
        "sqlite3",
        "asyncio",
        "difflib",
        "contextlib",
        "fnmatch",
    ):
        assert heavy not in loaded
    assert not [
        each
        for each in loaded
        if each.startswith(("session_memory.index", "session_memory.actions", "session_memory.memory"))
    ]
