"""What shaped a file: edits with the prompts they were made for and the commits that followed, and whoever spoke of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.actions.test_fixes import edited
from tests.actions.test_invocations import keep, ran

from session_memory.errors import InvalidInput
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def prompt(text: str) -> dict[str, Any]:
    return {"category": "message", "type": "user_prompt", "data": {"text": text}, "stated_by": "user"}


def stated(category: str, **data: Any) -> dict[str, Any]:
    return {"category": category, "type": "x", "data": data, "stated_by": "model"}


def story(memory: Memory) -> list[str]:
    return keep(
        memory,
        prompt("tokens must expire"),
        *ran("cat src/auth.ts"),
        *edited("src/auth.ts"),
        *edited("src/auth.ts"),
        *edited("src/oauth.ts"),
        *ran("git add -A && git commit -m 'Expire tokens'", output="[main 1a2b3c4] Expire tokens\n"),
        stated("decision", title="Keep tokens short in src/auth.ts", rationale="support asked"),
        stated("finding", text="oauth.ts leaks"),
        prompt("what else uses auth.ts?"),
        *ran("git commit --amend --no-edit"),
    )


def test_a_file_is_told_by_what_was_asked_done_committed_and_said(memory: Memory) -> None:
    made = story(memory)
    found = memory.files.blame("auth.ts", order="oldest")
    assert [(each["what"], each["text"]) for each in found["turns"]] == [
        ("prompt", "tokens must expire"),
        ("edit", "a -> b (+1 -1 lines)"),
        ("edit", "a -> b (+1 -1 lines)"),
        ("commit", "1a2b3c4 Expire tokens"),
        ("decision", "Keep tokens short in src/auth.ts (support asked)"),
        ("prompt", "what else uses auth.ts?"),
    ]
    first = found["turns"][0]
    assert (first["id"], first["role"], first["session_id"], first["before"]) == (made[0], "user", "s1", 2)
    assert found["paths"] == {"src/auth.ts": 2} and found["counts"]["edit"] == 2
    newest = memory.files.blame("src/auth.ts", limit=1)
    assert newest["turns"][0]["text"] == "Keep tokens short in src/auth.ts (support asked)"
    assert newest["total_count"] == 5  # the last prompt says `auth.ts`, which may be another one


def test_files_that_end_alike_are_told_apart(memory: Memory) -> None:
    keep(memory, *edited("a/index.ts"), *edited("b/index.ts"), *edited("b/index.ts"))
    found = memory.files.blame("index.ts")
    assert found["paths"] == {"b/index.ts": 2, "a/index.ts": 1}
    assert memory.files.blame("a/index.ts")["paths"] == {"a/index.ts": 1}


def test_what_another_project_did_is_not_told(memory: Memory) -> None:
    keep(memory, *edited("src/auth.ts"), session="s2", project="dir:/srv/other")
    assert memory.files.blame("auth.ts")["turns"] == []
    assert memory.files.blame("auth.ts", everywhere=True)["total_count"] == 1


def test_a_renamed_file_is_not_guessed(memory: Memory) -> None:
    keep(memory, *edited("src/old.ts"), *ran("git mv src/old.ts src/new.ts"), *edited("src/new.ts"))
    assert [each["what"] for each in memory.files.blame("new.ts")["turns"]] == ["edit", "command"]
    assert [each["what"] for each in memory.files.blame("old.ts")["turns"]] == ["command", "edit"]


@pytest.mark.parametrize(
    "wrong", [{"path": ""}, {"path": "///"}, {"path": "a", "order": "best"}, {"path": "a", "limit": 0}]
)
def test_what_cannot_be_meant_is_said(memory: Memory, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        memory.files.blame(wrong.pop("path"), **wrong)
