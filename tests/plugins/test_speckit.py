"""Spec Kit: tasks, commands and clarifications from events alone; the last word on a task counts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.test_plugins import event

from session_memory.plugins.fold import fold, told
from session_memory.plugins.speckit import SpecKitPlugin

PLUGIN = SpecKitPlugin()


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "id": f"{n:032x}", "timestamp": f"2026-01-01T00:00:{n:02d}.000Z"} for n, each in enumerate(events)]


def test_a_run_is_told_by_command_tasks_and_what_stops_it() -> None:
    events = numbered([
        event("phase", "command_start", command="/speckit.plan"),
        event("phase", "clarify_session"),
        event("phase", "command_start", command="implement"),
        event("phase", "task_start", task_id="T1", title="Parse the file"),
        event("phase", "task_complete", task_id="T1"),
        event("phase", "task_start", task_id="T2", title="Write the importer"),
        event("phase", "task_blocked", task_id="T3", reason="no sample yet"),
        event("phase", "task_failed", task_id="T4", error="encoding"),
        event("phase", "task_start", task_id="T5"),
        event("question", "clarification", id="C1", question="Which dialect?"),
        event("finding", "gap", severity="critical", title="No spec of dates"),
        event("phase", "next_step", text="call the customer"),
    ])  # fmt: skip
    folded = fold(PLUGIN, events)
    state = folded.object["custom_data"]
    assert folded.error is None and folded.progress == 0.2 and folded.state.phase == "implement"
    assert state["tasks"] == {"completed": ["T1"], "pending": ["T2", "T5"], "blocked": ["T3"], "failed": ["T4"]}
    assert state["commands"] == ["plan", "implement"] and state["clarify_sessions"] == 1
    assert state["questions"]["C1"]["status"] == "open"
    said = told(PLUGIN, events, folded, None)
    assert said.summary.startswith("command implement, 1 of 5 tasks completed (1 blocked, 1 failed)")
    assert list(said.next_steps) == [
        "call the customer", "go on with T5", "do T2 (Write the importer)", "try T4: encoding again",
        "answer C1: Which dialect?",
    ]  # fmt: skip
    assert list(said.blocking_items) == ["T3 is blocked: no sample yet", "critical: No spec of dates"]


def test_without_tasks_the_next_command_is_told_and_progress_is_none() -> None:
    events = numbered([event("phase", "command_start", command="speckit:init"), event("phase", "task_start")])
    folded = fold(PLUGIN, events)
    assert folded.progress == 0.0 and list(told(PLUGIN, events, folded, None).next_steps) == ["next command: plan"]


def test_a_task_ends_once_even_when_it_is_blocked_between() -> None:
    steps = ["task_start", "task_blocked", "task_unblocked", "task_complete", "task_complete"]
    folded = fold(PLUGIN, numbered([event("phase", each, task_id=7) for each in steps]))
    assert folded.progress == 1.0 and folded.object["custom_data"]["tasks"]["completed"] == ["7"]
    assert folded.object["custom_data"]["reasons"] == {} and PLUGIN.get_state_schema()["type"] == "object"


TASKS = st.lists(
    st.tuples(st.sampled_from(["start", "complete", "failed", "blocked", "unblocked"]), st.sampled_from("abc")),
    max_size=15,
)


@given(TASKS)
def test_progress_is_completed_of_seen_by_the_last_word_on_each(steps: list[tuple[str, str]]) -> None:
    events = numbered([event("phase", f"task_{type_}", task_id=task) for type_, task in steps])
    folded = fold(PLUGIN, events)
    last = {task: type_ for type_, task in steps}
    tasks = folded.object["custom_data"]["tasks"]
    assert sorted(each for ids in tasks.values() for each in ids) == sorted(last)
    assert set(tasks["completed"]) == {task for task, type_ in last.items() if type_ == "complete"}
    assert folded.progress == (len(tasks["completed"]) / len(last) if last else 0.0)
    assert fold(PLUGIN, events) == folded
