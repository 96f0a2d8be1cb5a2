"""Golden questions are the user's words: kept as records, forgotten like them, asked again, and worse is said to be worse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.actions.test_invocations import keep

from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory
from session_memory.model.record import GOLDEN, Draft


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def told(memory: Memory, *texts: str, session: str = "s1", project: str = "") -> list[str]:
    made: list[dict[str, Any]] = [
        {"category": "finding", "type": "fact", "data": {"text": each}, "stated_by": "model"} for each in texts
    ]
    return keep(memory, *made, session=session, project=project)


def test_a_question_is_kept_asked_and_measured_and_the_next_run_tells_what_changed(memory: Memory) -> None:
    port, bread = told(memory, "the staging port is 8443", "bread needs an oven")
    memory.golden.add("staging  port?", [port[:20]])
    memory.golden.add("what does bread need", [bread, port])
    first = memory.golden.run()
    assert first["figures"] | {"p95_ms": 0} == {
        "questions": 2,
        "hit_at_1": 1.0,
        "hit_at_5": 1.0,
        "mrr": 1.0,
        "p95_ms": 0,
    }
    assert first["before"] is None and first["lower"] is False and first["model"].startswith("minilm")
    assert [each["rank"] for each in memory.golden.listed()] == [1, 1]
    told(memory, *(f"staging port? no, number {n} is not the staging port" for n in range(9)))
    second = memory.golden.run()
    assert second["lower"] and second["difference"]["hit_at_1"] == -0.5
    assert [(each["question"], each["before"]) for each in second["moved"]] == [("staging port?", 1)]
    assert second["before"]["model"] == first["model"]
    third = memory.golden.run()
    assert (
        not third["lower"]
        and third["moved"] == []
        and not any(each for name, each in third["difference"].items() if name != "p95_ms")
    )


def test_a_new_question_is_not_compared_with_what_was_never_asked(memory: Memory) -> None:
    one, two = told(memory, "alpha is first", "beta is second")
    memory.golden.add("alpha", [one])
    memory.golden.run()
    memory.golden.add("where is the gamma", [two])
    found = memory.golden.run()
    assert found["figures"]["questions"] == 2 and found["before"]["questions"] == 1 and not found["lower"]


def test_a_question_is_asked_in_the_project_of_its_answer(memory: Memory) -> None:
    there = told(memory, "the staging port is 9000", session="s2", project="dir:/srv/other")[0]
    told(memory, "the staging port is 8443")
    memory.golden.add("staging port", [there])
    assert memory.golden.run()["figures"] is None and memory.golden.listed() == []
    assert memory.golden.run(everywhere=True)["results"][0]["rank"] == 1
    assert memory.golden.run(project="dir:/srv/other")["figures"]["questions"] == 1


def test_a_question_is_removed_in_whatever_order_the_records_come(memory: Memory) -> None:
    event = told(memory, "alpha")[0]
    kept = memory.golden.add("alpha?", [event])
    memory.golden.run()
    assert memory.golden.remove(kept["id"][:20])["question"] == "alpha?"
    assert memory.golden.listed(everywhere=True) == []
    with pytest.raises(NotFound):
        memory.golden.remove(kept["id"])
    memory.golden.run(everywhere=True)
    assert json.loads(Path(memory.opened.home.golden).read_text())["questions"] == {}
    memory.health.rebuild()
    assert memory.golden.listed(everywhere=True) == [] and memory.health.verify().green
    memory.opened.keep([Draft(GOLDEN, {"project": "dir:", "golden": "f" * 32, "change": "remove"})])
    assert memory.health.verify().green


def test_a_question_whose_answer_was_forgotten_counts_in_no_figure(memory: Memory) -> None:
    gone, left = told(memory, "the hunter2 port", "alpha")
    memory.golden.add("which port", [gone])
    memory.golden.add("alpha", [left])
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=gone)))
    found = memory.golden.run(everywhere=True)
    assert [each["question"] for each in found["gone"]] == ["which port"] and found["figures"]["questions"] == 1


def test_the_words_of_a_question_are_forgotten_with_everything_else(memory: Memory, home: str) -> None:
    event = told(memory, "alpha")[0]
    memory.golden.add("what did Rosalind say of alpha", [event])
    memory.golden.run()
    receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text="Rosalind")))
    assert receipt is not None and memory.golden.listed(everywhere=True) == []
    assert [path for path in Path(home).rglob("*") if path.is_file() and b"Rosalind" in path.read_bytes()] == []


def test_a_secret_in_a_question_is_never_written(memory: Memory, home: str) -> None:
    event = told(memory, "alpha")[0]
    secret = "sk-ant-api03-" + "Ab1" * 30
    assert secret not in memory.golden.add(f"who used {secret} and why", [event])["question"]
    assert [path for path in Path(home).rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == []


def test_another_model_is_noticed(memory: Memory) -> None:
    event = told(memory, "alpha")[0]
    assert memory.golden.other_model() is None
    memory.golden.add("alpha", [event])
    memory.golden.run()
    assert memory.golden.other_model() is None
    file = Path(memory.opened.home.golden)
    file.write_text(file.read_text().replace(str(memory.golden.run()["model"]), "older"))
    assert memory.golden.other_model() == "older"
    assert memory.golden.run()["before"]["model"] == "older" and memory.golden.other_model() is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"questions": [1]}', '{"questions": {"x": {"rank": "a"}, "y": 3}}', "\x00\xff"]
)
def test_a_damaged_file_of_figures_is_only_a_first_run(memory: Memory, content: str) -> None:
    event = told(memory, "alpha")[0]
    memory.golden.add("alpha", [event])
    Path(memory.opened.home.golden).write_text(content)
    assert memory.golden.run()["before"] is None and memory.golden.run()["before"] is not None


@pytest.mark.parametrize(("question", "expect"), [("", ["x"]), ("???", ["x"]), ("x" * 3000, ["x"]), ("alpha", [])])
def test_what_cannot_be_asked_is_said(memory: Memory, question: str, expect: list[str]) -> None:
    event = told(memory, "alpha")[0]
    with pytest.raises(InvalidInput):
        memory.golden.add(question, [event] if expect else [])
    with pytest.raises(NotFound):
        memory.golden.add("alpha", ["ffffffff"])
