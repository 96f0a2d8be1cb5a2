"""The question ledger: what is open across sessions, answered from outside, and never missing from what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def ask(memory: Memory, session: str, question: str, name: str | None = None) -> str:
    data = {"question": question, **({"id": name} if name else {})}
    kept, _session = memory.events.record("question", "question_raised", data, session_id=session)
    return kept.records[0].id


def open_now(memory: Memory) -> list[str]:
    return [each["question"] for each in memory.questions.listed()]


def test_questions_of_every_session_are_listed_and_answered_in_theirs(memory: Memory) -> None:
    memory.starts.begin(skill="spec-refiner", session_id="one")
    memory.starts.begin(session_id="two")
    ask(memory, "one", "Who may refund?", "Q1")
    event = ask(memory, "two", "Which currency?")
    ask(memory, "two", "Who may see it?", "Q1")  # another question of the same name
    (first, *_rest) = memory.questions.listed()
    assert (first["question_id"], first["asked_by"], first["session_id"], first["status"]) == (
        "Q1",
        "model",
        "one",
        "open",
    )
    assert first["age_days"] >= 0 and open_now(memory) == ["Who may refund?", "Which currency?", "Who may see it?"]
    with pytest.raises(InvalidInput, match="2 questions are called 'Q1'"):
        memory.questions.answer("Q1", "nobody")
    made = memory.questions.answer(first["id"], "The support team")
    assert made["session_id"] == "one" and open_now(memory) == ["Which currency?", "Who may see it?"]
    assert memory.starts.status("one")["plugin_state"]["custom_data"]["questions"]["Q1"]["answer"] == "The support team"
    memory.questions.answer("Q1", "The user", how="deferred")
    assert memory.questions.answer(event[:12], "Euro")["question"] == "Which currency?"
    assert open_now(memory) == []
    told = {each["question"]: (each["status"], each["answer"]) for each in memory.questions.listed(closed=True)}
    assert told == {"Who may refund?": ("answered", "The support team"), "Which currency?": ("answered", "Euro"),
                    "Who may see it?": ("deferred", "The user")}  # fmt: skip
    assert memory.questions.listed(closed=True, session_id="one")[0]["closed_at"]
    memory.questions.answer(memory.questions.listed(closed=True, session_id="two")[1]["id"], "Everybody")
    assert [each["status"] for each in memory.questions.listed(closed=True)] == ["answered"] * 3


@pytest.mark.parametrize(("name", "text", "how", "code"), [
    ("Q9", "x", "answered", "unknown-question"), ("Q1", " ", "answered", "bad-argument"), ("Q1", "x", "solved", "bad-argument"),
])  # fmt: skip
def test_what_cannot_be_answered_is_told(memory: Memory, name: str, text: str, how: str, code: str) -> None:
    ask(memory, memory.sessions.current(), "Why?", "Q1")
    with pytest.raises((InvalidInput, NotFound), match=code):
        memory.questions.answer(name, text, how=how)
    assert open_now(memory) == ["Why?"]


def test_a_question_of_another_project_is_named_by_its_event_and_stays_there(
    memory: Memory, home: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with Memory(home, cwd=str(other)) as theirs:
        event = ask(theirs, theirs.sessions.current(), "Theirs?")
    assert open_now(memory) == [] and len(memory.questions.listed(everywhere=True)) == 1
    memory.questions.answer(event, "Yes")
    assert memory.questions.listed(everywhere=True) == [] and memory.questions.listed(closed=True) == []
    with Memory(home, cwd=str(other)) as theirs:
        assert [each["answer"] for each in theirs.questions.listed(closed=True)] == ["Yes"]


def told_of(text: str) -> int:
    """How many open questions a text tells or counts."""
    part = text.partition("## Open questions\n")[2].partition("\n## ")[0].partition("\n\n")[0]
    lines = [line for line in part.splitlines() if line.startswith("- ")]
    counted = [int(line.split()[2]) for line in lines if line.startswith("- …")]
    return len([line for line in lines if not line.startswith("- …")]) + sum(counted)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions=st.integers(1, 40), others=st.integers(0, 40), budget=st.integers(100, 4_000), wide=st.booleans())
def test_within_any_budget_no_open_question_is_missing(
    tmp_path_factory: pytest.TempPathFactory, questions: int, others: int, budget: int, wide: bool
) -> None:
    folder = tmp_path_factory.mktemp("asked")
    words = "何を使うべきか " * 8 if wide else "Is it so, or may it be the other way round? " * 4
    with Memory(str(folder / "home"), cwd=str(folder)) as memory:
        memory.starts.begin(skill="spec-refiner", session_id="s")
        for number in range(others):
            memory.events.record("decision", "constraint", {"text": f"rule {number} {words}"})
            memory.events.record("finding", "blocker", {"title": f"stop {number} {words}"})
        for number in range(questions):
            ask(memory, f"s{number % 3}", f"{number} {words}")
        handoff = memory.handoffs.write(budget=budget)
        assert told_of(handoff.text) == questions and len(handoff.text) <= 16_000
        if "more in" in handoff.text:
            assert handoff.ids["file"].rsplit("/", 1)[-1] in handoff.text
        with open(handoff.ids["file"], encoding="utf-8") as file:
            assert told_of(file.read()) == questions
        assert told_of(memory.handoffs.resume(budget=budget, link=False).text) == questions
        assert told_of(memory.handoffs.where_we_are("s")) == questions
        assert told_of(memory.handoffs.summary()) == questions
