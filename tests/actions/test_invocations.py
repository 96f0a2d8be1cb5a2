"""How a command was run: found among all calls of the project, by whatever tool, newest first, with its turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

START = 1_790_000_000_000


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def keep(
    memory: Memory, *told: dict[str, Any], session: str = "s1", project: str = "", begin: int = START
) -> list[str]:
    """Events a minute apart; a member `answers` names the one before it. Returns their ids."""
    made: list[str] = []
    for number, each in enumerate(told):
        body = {"session": session, "project": project or memory.opened.project()[0], "stated_by": "tool", **each}
        if body.pop("answers", False):
            body["parent"] = made[-1]
        kept = memory.opened.keep([Draft(EVENT, body, at_ms=begin + 60_000 * (number + 1))])
        made.append(kept.records[0].id)
    return made


def ran(line: str, tool: str = "Bash", output: str = "", **outcome: Any) -> list[dict[str, Any]]:
    """A call and what came of it."""
    return [
        {"category": "tool_call", "type": tool, "data": {"input": {"command": line}}},
        {"category": "tool_response", "type": tool, "data": {"ok": True, "output": output, **outcome}, "answers": True},
    ]


def test_runs_are_told_newest_first_with_how_they_ended_and_their_turns(memory: Memory) -> None:
    made = keep(
        memory, *ran("git push origin main", ok=False, exit_code=128), *ran("git push -u origin main"), *ran("git push")
    )
    found = memory.invocations.how("git push")
    assert [each["wording"] for each in found["groups"]] == [
        "git push",
        "git push -u origin main",
        "git push origin main",
    ]
    assert (found["runs"], found["ok"], found["failed"], found["unknown"]) == (3, 2, 1, 0)
    assert found["flags"] == [{"flag": "-u", "runs": 1, "failed": 0}]
    last = found["groups"][-1]["latest"][0]
    assert (last["ended"], last["exit_code"], last["id"]) == ("failed", 128, made[0])
    assert (last["role"], last["session_id"]) == ("tool", "s1") and last["timestamp"] == found["first"]
    assert memory.invocations.how("git push", limit=1)["more_groups"] == 2


def test_no_program_is_left_out_and_any_tool_counts(memory: Memory) -> None:
    keep(
        memory, *ran("zyx --frob", tool="run_command"), {"category": "tool_call", "type": "shell", "data": {"command": "zyx", "exit_code": 3}},
        {"category": "message", "type": "command", "data": {"name": "!", "args": "zyx now"}, "stated_by": "user"},
        {"category": "tool_call", "type": "exec", "data": {"input": {"command": ["bash", "-lc", "cd a && zyx --frob"]}}},
    )  # fmt: skip
    found = memory.invocations.how("zyx")
    assert (found["runs"], found["ok"], found["failed"], found["unknown"]) == (4, 1, 1, 2)
    assert {each["latest"][0]["role"] for each in found["groups"]} == {"tool", "user"}


def test_a_command_that_is_only_talked_about_or_was_rejected_was_not_run(memory: Memory) -> None:
    keep(memory, *ran("echo 'terraform apply'"), *ran("terraform apply", ok=None, rejected=True),
         {"category": "message", "type": "user_prompt", "data": {"text": "run terraform apply"}},
         {"category": "tool_call", "type": "Grep", "data": {"input": {"pattern": "terraform apply"}}})  # fmt: skip
    assert memory.invocations.how("terraform apply")["groups"] == []
    assert memory.invocations.how("terraform")["runs"] == 0


def test_a_tool_that_runs_no_line_is_told_with_its_arguments(memory: Memory) -> None:
    keep(
        memory,
        {"category": "tool_call", "type": "WebFetch", "data": {"input": {"url": "https://a.example", "prompt": "x"}}},
    )
    found = memory.invocations.how("webfetch")
    assert found["groups"][0]["latest"][0]["typed"] == "WebFetch url=https://a.example prompt=x"
    assert [each["flag"] for each in found["flags"]] == ["url", "prompt"]


def test_a_look_stays_in_its_project_unless_told_otherwise(memory: Memory) -> None:
    keep(memory, *ran("make"))
    keep(memory, *ran("make all"), session="s2", project="dir:/srv/other")
    assert [
        memory.invocations.how("make", **where)["runs"]
        for where in ({}, {"project": "dir:/srv/other"}, {"everywhere": True})
    ] == [1, 1, 2]  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        memory.invocations.how("make", project="nosuch")


@pytest.mark.parametrize("asked", ["", "  ", "'", "&&", "--"])
def test_what_is_no_command_is_said_to_be_none(memory: Memory, asked: str) -> None:
    with pytest.raises(InvalidInput):
        memory.invocations.how(asked)


def test_what_was_forgotten_was_never_run(memory: Memory) -> None:
    keep(memory, *ran("deploy --to hunter2host"))
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text="hunter2host")))
    assert memory.invocations.how("deploy")["runs"] == 0
