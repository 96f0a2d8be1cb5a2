"""Two pieces of work with a skill, each cut short twice by kill -9: state, lessons and questions are what they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from tests.stories.test_it_remembers import ERAS, _kill, parameters, tool

from session_memory.memory import Memory

Part = Callable[[Client], Coroutine[Any, Any, Any]]


def in_parts(home: str, project: Path, era: str, *parts: Part) -> list[Any]:
    """Every part with a server of its own; between two parts the server is killed."""
    returned: list[Any] = []

    async def story() -> None:
        for number, part in enumerate(parts):
            async with Client(parameters(home, project), mode=era) as client:
                returned.append(await part(client))
                if number + 1 < len(parts):
                    _kill(home)

    anyio.run(story)
    return returned


def standing(status: dict[str, Any]) -> dict[str, Any]:
    return {name: status[name] for name in ("plugin", "progress", "plugin_state", "skill")}


def agreed(home: str, project: Path, session: str, told: dict[str, Any]) -> None:
    """Another process, and an index made again, say the same; and the log proves itself."""
    with Memory(home, cwd=str(project)) as memory:
        assert standing(memory.starts.status(session)) == told
        memory.health.rebuild()
        assert standing(memory.starts.status(session)) == told
        assert memory.health.verify().green


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_an_importer_is_built_by_spec_kit_and_killed_twice(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "ledger"
    project.mkdir()

    async def plan(client: Client) -> None:
        begun = await tool(client, "session_init", skill_name="speckit-generator", session_id="spec")
        assert begun["plugin"] == "speckit"
        for command in ("init", "plan", "clarify", "tasks"):
            await tool(client, "session_record", category="phase", type="command_start", data={"command": command})
            if command == "clarify":
                await tool(client, "session_record", category="phase", type="clarify_session", data={})
        await tool(client, "session_record", category="question", type="clarification",
                   data={"id": "C1", "question": "Semicolons or commas?"})  # fmt: skip
        for number, title in enumerate(["Read the file", "Check the header", "Write the rows", "Undo an import"], 1):
            await tool(client, "session_record", category="phase", type="task_start",
                       data={"task_id": f"T00{number}", "title": title})  # fmt: skip
        await tool(client, "session_record", category="phase", type="task_complete", data={"task_id": "T001"})
        await tool(client, "session_checkpoint", name="planned")

    async def implement(client: Client) -> None:
        text = await tool(client, "session_resume", use_latest=True)
        assert (
            "1 of 4 tasks completed" in text and "Semicolons or commas?" in text and "T002 (Check the header)" in text
        )
        begun = await tool(client, "session_init", session_id="spec")
        assert begun["status"] == "existing" and begun["plugin"] == "speckit"
        await tool(client, "session_record", category="phase", type="command_start", data={"command": "implement"})
        await tool(client, "session_record", category="phase", type="task_complete", data={"task_id": "T002"})
        await tool(client, "session_record", category="phase", type="task_blocked",
                   data={"task_id": "T004", "reason": "the ledger is closed on Sundays"})  # fmt: skip
        await tool(
            client, "session_record", category="phase", type="task_failed", data={"task_id": "T003", "error": "quotes"}
        )
        await tool(client, "session_record", category="finding", type="gap",
                   data={"id": "G1", "severity": "high", "title": "Nothing says what an empty cell means"})  # fmt: skip

    async def finish(client: Client) -> dict[str, Any]:
        await tool(client, "session_init", session_id="spec")
        status = await tool(client, "session_status")
        assert status["progress"] == 0.5 and status["plugin_state"]["phase"] == "implement"
        tasks = status["plugin_state"]["custom_data"]["tasks"]
        assert tasks == {"completed": ["T001", "T002"], "pending": [], "blocked": ["T004"], "failed": ["T003"]}
        handoff = await tool(client, "session_handoff")
        assert "T004 (Undo an import) is blocked: the ledger is closed on Sundays" in handoff.split("## Blockers")[1]
        assert "try T003 (Write the rows): quotes again" in handoff.split("## Next steps")[1]
        assert "empty cell" in handoff and "Semicolons" in handoff.split("## Open questions")[1]
        await tool(
            client, "session_record", category="question", type="question_answered", data={"id": "C1", "answer": ";"}
        )
        for task in ("T003", "T004"):
            await tool(client, "session_record", category="phase", type="task_complete", data={"task_id": task})
        done = await tool(client, "session_status")
        assert done["progress"] == 1.0
        assert "Open questions" not in await tool(client, "session_handoff")
        return standing(done)

    told = in_parts(home, project, era, plan, implement, finish)[-1]
    agreed(home, project, "spec", told)


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_a_specification_is_refined_and_killed_twice(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "payments"
    project.mkdir()

    async def say(client: Client, category: str, type_: str, **data: Any) -> str:
        kept = await tool(client, "session_record", category=category, type=type_, data=data)
        return str(kept["event_id"])

    async def assess(client: Client) -> None:
        begun = await tool(client, "session_init", skill_name="specification-refiner", session_id="refine")
        assert begun["plugin"] == "spec-refiner"
        await say(client, "phase", "phase_start", phase="ASSESS")
        await say(client, "phase", "mode_selected", mode="COMPLEX")
        await say(client, "phase", "phase_start", phase="INGEST")
        await say(client, "phase", "phase_start", phase="ANALYZE")
        await say(
            client, "finding", "finding_raised", id="F1", severity="critical", title="Refunds may exceed payments"
        )
        await say(client, "finding", "gap", id="F2", severity="medium", title="No limit for retries")
        await say(client, "question", "question_raised", id="Q1", question="Who may refund?")
        await say(client, "question", "question_raised", id="Q2", question="Which currencies?")
        await say(client, "assumption", "assumption_recorded", id="A1", text="A payment has one currency")

    async def iterate(client: Client) -> None:
        begun = await tool(client, "session_init", session_id="refine")
        assert "Who may refund?" in begun["resumption_context"] and "phase ANALYZE" in begun["resumption_context"]
        await say(client, "phase", "phase_start", phase="PRESENT")
        await say(client, "question", "question_answered", id="Q1", answer="The support team")
        await say(client, "question", "question_deferred", id="Q2")
        await say(client, "phase", "phase_start", phase="ITERATE")
        await say(client, "phase", "iteration_start")
        await say(client, "finding", "finding_resolved", id="F1")
        await say(client, "assumption", "assumption_validated", id="A1")
        await say(client, "question", "clarification", id="Q3", question="Are partial refunds allowed?")

    async def conclude(client: Client) -> dict[str, Any]:
        await tool(client, "session_init", session_id="refine")
        status = await tool(client, "session_status")
        known = status["plugin_state"]["custom_data"]
        assert (status["plugin_state"]["phase"], known["mode"], known["iterations"]) == ("ITERATE", "COMPLEX", 1)
        assert {key: each["status"] for key, each in known["questions"].items()} == {
            "Q1": "answered", "Q2": "deferred", "Q3": "open",
        }  # fmt: skip
        assert (
            known["findings_by_severity"] == {"medium": ["F2"]} and known["assumptions"]["A1"]["status"] == "validated"
        )
        assert status["progress"] == pytest.approx(4 / 7, abs=0.001)
        handoff = json.loads(json.dumps(await tool(client, "session_handoff", format="json")))
        assert [each["question"] for each in handoff["open_questions"]] == ["Are partial refunds allowed?"]
        assert {"text": "resolve F2: No limit for retries"} in handoff["next_steps"]
        return standing(status)

    told = in_parts(home, project, era, assess, iterate, conclude)[-1]
    agreed(home, project, "refine", told)


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_a_lesson_is_learnt_used_and_known_after_two_kills(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    lesson: dict[str, str] = {}

    async def learn(client: Client) -> None:
        fresh = await tool(client, "session_learn", query="error handling patterns", min_confidence=0.7)
        assert fresh["learnings"] == []
        made = await tool(
            client, "learning_create", category="pattern", title="Retry with exponential backoff",
            description="Only what may be repeated; stop after five", confidence=0.8,
        )  # fmt: skip
        assert made["confidence"] == 0.8
        lesson["id"] = made["learning_id"]
        found = await tool(client, "session_learn", query="error handling patterns", min_confidence=0.7)
        assert [each["learning_id"] for each in found["learnings"]] == [lesson["id"]] and found["matched_by"] == "words"

    async def use(client: Client) -> None:
        await tool(client, "session_init", session_id="second")
        found = await tool(client, "session_learn", query="the upload fails", context="retry or give up")
        assert found["learnings"][0]["learning_id"] == lesson["id"]
        used = await tool(client, "learning_apply", learning_id=lesson["id"], success=True, notes="the upload")
        assert (used["confidence"], used["usage_count"]) == (0.84, 1)
        in_vain = await tool(client, "learning_apply", learning_id=lesson["id"], outcome="failed")
        assert in_vain["confidence"] == pytest.approx(4.2 / 6, abs=0.001)
        same = await tool(client, "learning_create", category="pattern", title="Use exponential backoff for retries")
        assert [each["learning_id"] for each in same["similar"]] == [lesson["id"]]
        better = await tool(
            client, "learning_create", category="pattern", title="Retry with backoff and jitter", confidence=0.9,
            metadata={"supersedes": [lesson["id"], same["learning_id"]]},
        )  # fmt: skip
        lesson["better"] = better["learning_id"]

    async def know(client: Client) -> dict[str, Any]:
        found = await tool(client, "session_learn", query="backoff")
        (only,) = found["learnings"]
        assert only["learning_id"] == lesson["better"] and only["usage_count"] == 2
        assert only["confidence"] == pytest.approx((0.9 * 4 + 1) / 6, abs=0.001) and only["shown"] == 2
        return dict(only)

    told = in_parts(home, project, era, learn, use, know)[-1]
    with Memory(home, cwd=str(project)) as memory:
        memory.health.rebuild()
        again = memory.learnings.search("backoff")["learnings"][0]
        assert {name: again[name] for name in ("confidence", "usage_count", "outcomes")} == {
            name: told[name] for name in ("confidence", "usage_count", "outcomes")
        }
        assert memory.health.verify().green


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_a_question_outlives_its_session_until_it_is_answered_from_outside(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "shop"
    project.mkdir()

    async def ask(client: Client) -> None:
        await tool(client, "session_init", session_id="first")
        for name, text in (("Q1", "Do health checks count?"), ("Q2", "Keep the old endpoint?")):
            await tool(
                client,
                "session_record",
                category="question",
                type="question_raised",
                data={"id": name, "question": text},
            )

    async def other_work(client: Client) -> None:
        await tool(client, "session_init", session_id="second")
        await tool(client, "session_record", category="question", type="question_raised",
                   data={"id": "Q1", "question": "Which colour has the button?"})  # fmt: skip
        await tool(
            client, "session_record", category="question", type="question_answered", data={"id": "Q1", "answer": "Red"}
        )
        handoff = await tool(client, "session_handoff", budget_tokens=100)
        part = handoff.split("## Open questions")[1]
        shown = ("health checks" in part) + ("old endpoint" in part)
        assert shown == 2 or f"{2 - shown} more in" in part
        with Memory(home, cwd=str(project)) as memory:
            memory.questions.answer("Q2", "Until March")

    async def later(client: Client) -> None:
        text = await tool(client, "session_resume", use_latest=True)
        part = text.split("## Open questions")[1].split("##")[0]
        assert "Do health checks count?" in part and "old endpoint" not in part and "colour" not in part
        found = await tool(client, "session_query", keyword="Until March")
        assert [(each["stated_by"], each["session_id"]) for each in found["events"]] == [("user", "first")]

    in_parts(home, project, era, ask, other_work, later)
