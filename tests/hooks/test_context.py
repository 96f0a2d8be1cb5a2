"""The hook that answers at a session's start: recorded, and the user is greeted once."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.hooks.test_record import hook, prompt, trouble

from session_memory.capture import labelled
from session_memory.hooks import context
from session_memory.memory import Memory


def start(tmp_path: Path, session: str = "s1", source: str = "startup") -> dict[str, Any]:
    return {"hook_event_name": "SessionStart", "session_id": session, "cwd": str(tmp_path), "source": source}


def test_the_first_start_says_what_is_recorded_where_and_how_to_stop_it_and_the_second_nothing(
    home: str, tmp_path: Path
) -> None:
    history = tmp_path / "claude" / "projects" / "-shop"
    history.mkdir(parents=True)
    for name in ("old.jsonl", "older.jsonl", "s1.jsonl", "note.txt"):
        (history / name).write_text("")
    first = hook(home, start(tmp_path), "context", CLAUDE_CONFIG_DIR=str(tmp_path / "claude"), CLAUDE_PID="77")
    assert (first.returncode, first.stderr, trouble(home)) == (0, b"", "")
    told = json.loads(first.stdout)["systemMessage"]
    assert (
        home in told
        and "SESSION_MEMORY_OFF=1" in told
        and "session-memory pause" in told
        and "2 earlier sessions" in told
    )
    again = hook(
        home, start(tmp_path, "s2", "clear"), "context", CLAUDE_CONFIG_DIR=str(tmp_path / "claude"), CLAUDE_PID="77"
    )
    assert again.stdout == b""
    with Memory(home, cwd=str(tmp_path)) as memory:
        found = {each["id"]: each for each in memory.sessions.listed(everywhere=True, limit=9)}
    assert found["s1"]["how"] == "startup" and found["s2"]["how"] == "clear" and found["s2"]["parent_session"] == "s1"


def test_nothing_is_said_where_nothing_is_recorded(home: str, tmp_path: Path) -> None:
    assert hook(home, start(tmp_path), "context", SESSION_MEMORY_OFF="1").stdout == b""
    assert hook(home, b"{", "context").stdout == b"" and "JSONDecodeError" in trouble(home)


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_history_that_cannot_be_read_counts_as_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    assert context.old_sessions(str(tmp_path / folder), "s") == 0


def test_a_compaction_is_asked_for_labelled_lines_and_leaves_its_checkpoint(home: str, tmp_path: Path) -> None:
    told = {"hook_event_name": "PreCompact", "session_id": "s1", "cwd": str(tmp_path), "trigger": "auto"}
    assert hook(home, told, "context").stdout.decode().strip() == labelled.ASKED
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert [each["name"] for each in memory.checkpoints.listed()["checkpoints"]] == ["before auto compaction"]


def test_what_was_recorded_before_is_told_and_the_user_gets_a_receipt(home: str, tmp_path: Path) -> None:
    hook(home, start(tmp_path), "context")
    hook(home, prompt("Never edit billing.", tmp_path))
    done = hook(home, start(tmp_path, "s2"), "context")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr, trouble(home)) == (0, b"", "")
    text = answer["hookSpecificOutput"]["additionalContext"]
    assert (
        answer["hookSpecificOutput"]["hookEventName"] == "SessionStart"
        and "- Never edit billing. (user, today, " in text
    )
    assert answer["systemMessage"].startswith("Session Memory: 1 fact from ")
    again = hook(home, start(tmp_path, "s2", "resume"), "context")
    assert again.stdout == b""  # the conversation holds it already


def test_a_brief_that_cannot_be_told_does_not_keep_the_start_from_being_recorded(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(call: object) -> object:
        raise KeyError("spoilt")

    monkeypatch.setattr(context, "begun", broken)
    monkeypatch.setenv("SESSION_MEMORY_HOME", home)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(start(tmp_path)).encode())))
    assert context.main() == 0
    assert "nothing could be told: KeyError" in trouble(home)
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert [each["id"] for each in memory.sessions.listed(everywhere=True, limit=9)] == ["s1"]


def test_what_is_said_while_paused_stays_out_and_nothing_is_told(home: str, tmp_path: Path) -> None:
    hook(home, prompt("Never edit billing.", tmp_path))
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.opened.consent().pause(None, None)
    assert hook(home, start(tmp_path, "s2"), "context").stdout == b""
