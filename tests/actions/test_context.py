"""What is told by itself can be seen beforehand, afterwards, and explained; compactions are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.hooks.test_record import hook, prompt

from session_memory.actions.context import SOURCES
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


@pytest.fixture
def worked(home: str, tmp_path: Path) -> str:
    """A home in which a session worked and ended; its project is the test's folder."""
    hook(home, prompt("Never edit billing. Which limits hold for clients?", tmp_path))
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record(
            "decision", "api", {"title": "Answer 429 with Retry-After", "rationale": "clients retry"}, session_id="s1"
        )
    return home


def start(home: str, tmp_path: Path, session: str = "s2", source: str = "startup", **more: Any) -> dict[str, Any]:
    told = {"hook_event_name": "SessionStart", "session_id": session, "cwd": str(tmp_path), "source": source, **more}
    return dict(json.loads(hook(home, told, "context").stdout or b"{}"))


def test_a_rehearsal_says_what_the_hook_will_say_and_records_nothing(worked: str, tmp_path: Path) -> None:
    with Memory(worked, cwd=str(tmp_path)) as memory:
        made = memory.contexts.rehearsed("startup")
        with pytest.raises(NotFound, match="no-context"):
            memory.contexts.last()
    told = start(worked, tmp_path)["hookSpecificOutput"]["additionalContext"]
    assert made.text.splitlines()[1:-1] == told.splitlines()[1:-1] and "Never edit billing" in told


def test_the_last_text_is_what_was_printed_byte_by_byte_with_its_reasons(worked: str, tmp_path: Path) -> None:
    told = start(worked, tmp_path)
    with Memory(worked, cwd=str(tmp_path)) as memory:
        last = memory.contexts.last()
    assert last["text"] == told["hookSpecificOutput"]["additionalContext"] and last["session"] == "s2"
    assert {line["why"] for line in last["lines"]} >= {"the user's words", "decision"}
    assert f"{len(last['lines'])} facts" in told["systemMessage"]


def test_injections_are_never_found_as_events(worked: str, tmp_path: Path) -> None:
    start(worked, tmp_path)
    with Memory(worked, cwd=str(tmp_path)) as memory:
        found = memory.recall.told("billing")
        assert found.count("Never edit billing") == 1


@pytest.mark.parametrize("source", SOURCES)
def test_every_way_a_session_begins_can_be_rehearsed(worked: str, tmp_path: Path, source: str) -> None:
    with Memory(worked, cwd=str(tmp_path)) as memory:
        assert memory.contexts.rehearsed(source).text.count("<session-memory ") <= 1


def test_another_way_is_an_error_that_lists_them(worked: str, tmp_path: Path) -> None:
    with (
        Memory(worked, cwd=str(tmp_path)) as memory,
        pytest.raises(InvalidInput, match="startup, resume, clear, compact, fork"),
    ):
        memory.contexts.rehearsed("reboot")


def test_a_budget_of_nothing_switches_it_off(worked: str, tmp_path: Path) -> None:
    Path(worked, "config.json").write_text(json.dumps({"context": {"budget_tokens": 0}}))
    assert "hookSpecificOutput" not in start(worked, tmp_path)
    with Memory(worked, cwd=str(tmp_path)) as memory:
        assert memory.contexts.recalled("limits for 429 Retry-After answers", "s9").text == ""
        with pytest.raises(NotFound):
            memory.contexts.last()


def test_a_prompt_is_reminded_once_and_what_was_told_is_recorded(worked: str, tmp_path: Path) -> None:
    with Memory(worked, cwd=str(tmp_path)) as memory:
        asked = "Should the 429 answer tell clients when to retry?"
        seen = memory.contexts.recalled(asked, "s3", keep=False)
        told = memory.contexts.recalled(asked, "s3")
        assert "Answer 429 with Retry-After" in told.text and seen.lines == [
            {**each, "ids": each["ids"]} for each in told.lines
        ]
        assert memory.contexts.last()["source"] == "prompt" and memory.contexts.last()["text"] == told.text
        assert memory.contexts.recalled(asked, "s3").text == ""
        assert memory.contexts.recalled(asked, "s1").text == ""  # the conversation it comes from holds it
        assert memory.contexts.recalled("hello there", "s4").text == ""


def test_nothing_of_another_project_is_recalled(worked: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Memory(worked, cwd=str(other)) as memory:
        assert memory.contexts.recalled("Should the 429 answer tell clients when to retry?", "x").text == ""


def test_while_paused_a_reminder_is_not_recorded(worked: str, tmp_path: Path) -> None:
    with Memory(worked, cwd=str(tmp_path)) as memory:
        memory.opened.consent().pause(None, None)
        assert memory.contexts.recalled("Should the 429 answer tell clients when to retry?", "s3").text
        with pytest.raises(NotFound):
            memory.contexts.last()


def compacted(home: str, tmp_path: Path, summary: str) -> None:
    around = {"session_id": "s1", "cwd": str(tmp_path), "prompt_id": "p1"}
    for number in range(2):
        run = {
            "hook_event_name": "PostToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": "mix test"},
            "tool_response": "ok",
        }
        hook(home, {**around, **run, "tool_use_id": f"t{number}"})
    hook(home, {**around, "hook_event_name": "PreCompact", "trigger": "manual"}, "context")
    stop = {"hook_event_name": "SubagentStop", "agent_id": "c", "agent_type": "", "last_assistant_message": summary}
    hook(home, {**around, **stop})
    start(home, tmp_path, "s1", "compact")
    hook(home, {**around, "hook_event_name": "PostCompact", "trigger": "manual", "compact_summary": summary})


def test_a_compaction_is_judged_by_what_it_kept_lost_and_was_told_again(worked: str, tmp_path: Path) -> None:
    compacted(
        worked,
        tmp_path,
        "The user wants limits. Ran `mix test`.\nDECISION: answer 429 with Retry-After | WHY: clients retry",
    )
    with Memory(worked, cwd=str(tmp_path)) as memory:
        (found,) = memory.contexts.compactions()
        assert memory.contexts.compactions(everywhere=True) == [found]
    kinds = found["kinds"]
    assert (found["session"], found["stated"]) == ("s1", 1)
    assert (kinds["rules"]["before"], kinds["rules"]["kept"], kinds["rules"]["told_again"]) == (1, 0, 1)
    assert (
        kinds["rules"]["lost"] == ["Never edit billing."]
        and kinds["commands"]["kept"] == 1 == kinds["decisions"]["kept"]
    )
    with Memory(worked, cwd=str(tmp_path)) as memory:
        stated = memory.opened.read().rows("SELECT type FROM event WHERE category = 'decision'")
        assert sorted(each[0] for each in stated) == ["api", "stated"]  # told by two hooks, kept once


def test_forgetting_takes_the_brief_and_the_injections_that_quote_it(worked: str, tmp_path: Path) -> None:
    from session_memory.actions.forgetting import Wanted

    start(worked, tmp_path)
    with Memory(worked, cwd=str(tmp_path)) as memory:
        plan = memory.forgetting.plan(Wanted(text="Never edit billing"))
        assert plan.kinds.get("injection") == 1
        receipt = memory.forgetting.carry_out(plan)
        assert receipt.still_in == []
    for path in Path(worked).rglob("*"):
        assert not path.is_file() or b"edit billing" not in path.read_bytes(), path
    assert "billing" not in start(worked, tmp_path, "s5").get("hookSpecificOutput", {}).get("additionalContext", "")
