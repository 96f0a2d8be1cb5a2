"""Spec Refiner: seven phases, and what is asked, found and assumed in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.test_plugins import event
from tests.plugins.test_speckit import numbered

from session_memory.model.questions import open_questions
from session_memory.plugins.fold import fold, told
from session_memory.plugins.generic import GenericPlugin
from session_memory.plugins.spec_refiner import PHASES, SpecRefinerPlugin
from session_memory.plugins.speckit import SpecKitPlugin

PLUGIN = SpecRefinerPlugin()


def test_a_refinement_is_told_by_phase_mode_and_what_is_open() -> None:
    events = numbered([
        event("phase", "phase_start", phase="assess"),
        event("phase", "mode_selected", mode="complex"),
        event("phase", "phase_start", phase="ANALYZE"),
        event("question", "question_raised", id="Q1", question="Which ledger?"),
        event("question", "question_raised", id="Q2", question="Which currency?"),
        event("question", "question_raised", id="Q3", question="Refunds?"),
        event("question", "question_answered", id="Q2", answer="Euro"),
        event("question", "question_deferred", id="Q3"),
        event("finding", "finding_raised", id="F1", severity="high", title="No limits"),
        event("finding", "finding_raised", id="F2", severity="low", title="Typo"),
        event("finding", "finding_resolved", id="F2"),
        event("finding", "blocker", title="The ledger is closed"),
        event("assumption", "assumption_recorded", id="A1", text="One currency"),
        event("assumption", "assumption_recorded", id="A2", text="No refunds"),
        event("assumption", "assumption_validated", id="A1"),
        event("phase", "iteration_start"),
    ])  # fmt: skip
    folded = fold(PLUGIN, events)
    state = folded.object["custom_data"]
    assert folded.error is None and folded.state.phase == "ANALYZE" and folded.progress == pytest.approx(2 / 7)
    assert {key: each["status"] for key, each in state["questions"].items()} == {
        "Q1": "open", "Q2": "answered", "Q3": "deferred",
    }  # fmt: skip
    assert state["questions"]["Q2"]["answer"] == "Euro" and state["mode"] == "COMPLEX" and state["iterations"] == 1
    assert {severity: len(ids) for severity, ids in state["findings_by_severity"].items()} == {"high": 1, "medium": 1}
    assert {key: each["status"] for key, each in state["assumptions"].items()} == {"A1": "validated", "A2": "open"}
    said = told(PLUGIN, events, folded, None)
    assert said.summary == (
        "phase ANALYZE; mode COMPLEX; 1 iteration; questions: 1 open, 1 answered, 1 deferred; open findings: 1 high,"
        " 1 medium; 1 assumption to validate"
    )
    assert list(said.next_steps) == [
        "answer Q1: Which ledger?", "resolve F1: No limits", "resolve The ledger is closed", "validate A2: No refunds",
        "next phase: PRESENT",
    ]  # fmt: skip
    assert list(said.blocking_items) == ["The ledger is closed"]


def test_progress_goes_by_the_phase_back_and_forth_and_ends_at_one() -> None:
    seen = []
    events: list[dict[str, Any]] = []
    for phase in (*PHASES, "ANALYZE", "OUTPUT"):
        events.append(event("phase", "phase_start", phase=phase))
        seen.append(fold(PLUGIN, numbered(events)).progress)
    assert seen == [n / 7 for n in (*range(7), 2, 6)]
    events.append(event("phase", "phase_complete", phase="OUTPUT"))
    folded = fold(PLUGIN, numbered(events))
    assert folded.progress == 1.0 and list(told(PLUGIN, numbered(events), folded, None).next_steps) == []
    events.append(event("phase", "phase_start", phase="rest"))
    assert fold(PLUGIN, numbered(events)).progress == 0.0 and PLUGIN.get_state_schema()["type"] == "object"


def test_an_answer_that_names_only_the_event_it_answers_ends_that_question() -> None:
    events = numbered([event("question", "clarification", text="Why?"), event("question", "answered", answer="So.")])
    events[1]["parent_id"] = events[0]["id"]
    (entry,) = fold(PLUGIN, events).object["custom_data"]["questions"].values()
    assert entry == {"event": events[0]["id"], "status": "answered", "text": "Why?", "answer": "So."}
    assert open_questions(events) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
TYPES = (
    "command_start task_start task_complete task_failed task_blocked clarify_session phase_start phase_complete"
    " mode_selected iteration_start question_raised question_answered question_deferred clarification finding_raised"
    " finding_resolved gap blocker assumption_recorded assumption_validated next_step done"
).split()
EVENTS = st.lists(
    st.builds(
        lambda category, type_, data: event(category, type_, **data),
        st.sampled_from(["phase", "question", "finding", "assumption", "decision", "custom"]),
        st.sampled_from(TYPES),
        st.dictionaries(
            st.sampled_from("id task_id command phase mode severity status title question answer reason text".split()),
            ANYTHING, max_size=5,
        ),
    ),
    max_size=12,
)  # fmt: skip


@given(EVENTS)
@pytest.mark.parametrize("plugin", [GenericPlugin(), SpecKitPlugin(), PLUGIN], ids=lambda plugin: plugin.name)
def test_whatever_events_hold_the_state_is_one_and_folding_again_gives_the_same(
    plugin: Any, events: list[dict[str, Any]]
) -> None:
    given_events = numbered(events)
    folded = fold(plugin, given_events)
    assert folded.error is None and 0.0 <= folded.progress <= 1.0
    again = fold(type(plugin)(), given_events)
    assert again.object == folded.object and again.progress == folded.progress
    assert told(plugin, given_events, folded, None) == told(plugin, given_events, again, None)
    assert folded.error is None


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["raised", "answered", "deferred"])), max_size=15))
def test_the_plugin_and_the_ledger_agree_on_what_is_open(steps: list[tuple[int, str]]) -> None:
    events = numbered([event("question", f"question_{how}", id=f"Q{n}", question=f"{n}?") for n, how in steps])
    questions = fold(PLUGIN, events).object["custom_data"]["questions"]
    open_ids = {key for key, each in questions.items() if each["status"] == "open"}
    assert open_ids == {each["data"]["id"] for each in open_questions(events)}
