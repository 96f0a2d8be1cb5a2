"""What people read: facts of a believable story, told whole and within budgets, held against golden files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.git import Changes, Commit
from session_memory.model.facts import gather, text_of
from session_memory.model.handoff import Standing, as_object, fitted, legend, sections
from session_memory.model.receipt import Receipt, compare
from session_memory.model.telling import compose, whole
from session_memory.model.tokens import estimate

GOLDEN = Path(__file__).parent / "golden"


def id_of(number: int) -> str:
    return f"019aaacd0c{number:02x}" + "0" * 20


def event(number: int, category: str, type_: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id_of(number), "timestamp": f"2026-11-22T14:{number:02d}:00.000Z", "category": category, "type": type_,
            "session_id": "s", "stated_by": "model", "data": data, **more}  # fmt: skip


def story() -> list[dict[str, Any]]:
    call, failed, passed = id_of(20), id_of(22), id_of(24)
    by_user = {"at": "2026-11-23T09:10:00.000Z", "stated_by": "user"}
    return [
        event(1, "message", "user_prompt", {"text": "Add rate limits.\n# not a heading\nKeep logs clean"}, stated_by="user"),
        event(2, "decision", "constraint", {"text": "Never log request bodies"}, stated_by="user"),
        event(32, "decision", "constraint", {"text": "Headers follow RFC 6585"}),
        event(3, "decision", "architecture", {"title": "Fixed window", "id": "D1"}),
        event(4, "decision", "architecture", {"title": "Token bucket per key", "rationale": "A fixed window doubles at the edge",
                                              "alternatives": ["fixed window", "sliding log"], "supersedes": "D1"}),
        event(5, "decision", "storage", {"title": "Use Redis", "status": "rejected", "reason": "One more thing to run"}),
        event(33, "decision", "api", {"title": "429 names the limit, in src/limits/answer.py"},
              mark={"status": "accepted", **by_user}),
        event(34, "finding", "cause", {"title": "The clock of the proxy is wrong", "severity": "high"},
              mark={"status": "wrong", "note": "It was the time zone of the test machine", **by_user}),
        event(6, "finding", "bug", {"id": "F1", "severity": "low", "title": "Typo in the readme"}),
        event(7, "finding", "bug", {"id": "F2", "severity": "critical", "title": "Keys are compared case-blind",
                                    "file": "src/limits/keys.py", "line": 7, "description": "Two tenants share a bucket"}),
        event(8, "finding", "bug", {"id": "F3", "severity": "high", "title": "Fixed long ago"}),
        event(9, "finding", "finding_resolved", {"id": "F3"}),
        event(10, "question", "question_raised", {"id": "Q1", "question": "Do health checks count?"}),
        event(11, "question", "question_raised", {"id": "Q2", "question": "Keep /v1/quota?"}),
        event(12, "question", "question_answered", {"id": "Q2", "answer": "Until March"}),
        event(13, "finding", "blocker", {"title": "Staging database is down"}),
        event(14, "phase", "next_step", {"text": "Send Retry-After in seconds"}),
        event(15, "phase", "next_step", {"text": "Write the changelog", "status": "done"}),
        event(16, "assumption", "assumption_recorded", {"text": "Clients retry at most twice"}),
        event(17, "tool_call", "Read", {"input": {}, "files": ["src/limits/keys.py"]}),
        event(18, "tool_call", "Edit", {"input": {}, "files": ["src/limits/bucket.py"]}),
        event(20, "tool_call", "Bash", {"input": {"command": "pytest tests/limits"}}),
        event(21, "tool_response", "Bash", {"ok": False, "exit_code": 1, "output": "1 failed: \x1b[31mtest_headers\x1b[0m"}, parent_id=call),
        event(22, "tool_call", "Bash", {"input": {"command": "ruff check"}}),
        event(23, "tool_response", "Bash", {"ok": False, "output": "E501"}, parent_id=failed),
        event(24, "tool_call", "Bash", {"input": {"command": "ruff check"}}),
        event(25, "tool_response", "Bash", {"ok": True, "output": ""}, parent_id=passed),
        event(26, "message", "answer", {"text": "Which store?\n-> SQLite"}, stated_by="user"),
        event(27, "message", "user_prompt", {"text": "Find all callers"}, stated_by="user", session_id="s/agent-1"),
        event(30, "message", "user_prompt", {"text": "Told to a subagent"}),
        event(28, "message", "command", {"name": "/model", "args": ""}, stated_by="user"),
        event(29, "message", "reply", {"text": "The bucket works.\n```\n41 passed\n```"}),
    ]  # fmt: skip


def changes() -> Changes:
    made = Changes()
    ann, ben = Commit("3f9a2cd", "Ann", 0, "bucket leaks"), Commit("77e01ab", "Ben", 0, "drop the old limiter")
    made.commits, made.more_commits = [ann, ben], 0
    made.files = {"src/limits/bucket.py": ("M", ann), "docs/limits.md": ("A", ann), "src/old.py": ("D", ben)}
    made.dirty = {"notes.txt": "??"}
    return made


STANDING = Standing(
    project="quota-service", session="s", skill="feature-work", phase="implement", progress=0.5, branch="limits",
    commit="3f9a2cde81b04417", checkpoint="bucket works (manual, 2026-11-22 14:20 UTC)", summary="41 tests green.\nHeaders wrong.",
    plugin="1 of 2 tasks done", steps=["Send Retry-After in seconds", "Ask support"], last="2026-11-22T14:29:00.000Z",
    now="2026-11-25T16:00:00.000Z", gone={id_of(33): ["src/limits/answer.py"]},
    receipt=compare(changes(), "9c1e77a0", "Since the checkpoint", ["src/limits/bucket.py", "src/limits/keys.py"], lambda _path: True),
)  # fmt: skip


def test_facts_keep_what_holds_and_drop_what_is_over() -> None:
    facts = gather(story())
    told = {
        "constraints": [e["data"]["text"] for e in facts.constraints],
        "decisions": [e["data"]["title"] for e in facts.decisions],
        "findings": [e["data"]["id"] for e in facts.findings],
        "questions": [e["data"]["id"] for e in facts.questions],
        "next": [e["data"]["text"] for e in facts.next_steps],
    }
    assert told == {"constraints": ["Never log request bodies", "Headers follow RFC 6585"],
                    "decisions": ["Token bucket per key", "429 names the limit, in src/limits/answer.py"],
                    "findings": ["F2", "F1"], "questions": ["Q1"], "next": ["Send Retry-After in seconds"]}  # fmt: skip
    assert facts.files == [("src/limits/bucket.py", 1, 0), ("src/limits/keys.py", 0, 1)]
    assert facts.failed is not None and facts.failed["data"]["command"] == "pytest tests/limits"
    assert [e["type"] for e in facts.prompts] == ["answer", "user_prompt"]  # not the subagent's, nor a bare command
    assert facts.reply is not None and facts.reply["id"] == id_of(29)
    aside = {text_of(e): (e["mark"]["status"], e["mark"].get("by")) for e in facts.set_aside}
    assert aside == {"Fixed window": ("superseded", id_of(4)), "Use Redis": ("rejected", None),
                     "The clock of the proxy is wrong": ("wrong", None)}  # fmt: skip


@pytest.mark.parametrize("name", ["whole", "budget-400", "budget-150"])
def test_what_people_read(name: str) -> None:
    budget = 3_000 if name == "whole" else int(name[7:])
    parts, last = sections(gather(story()), STANDING), "session s · file f.md"
    head = ["# Handoff", "", "Notes, not instructions.", *legend(gather(story()), budget)]
    text = whole(head, parts, last) if name == "whole" else compose(head, parts, last, budget, "f.md")
    path = GOLDEN / f"{name}.md"
    if os.environ.get("SESSION_MEMORY_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_sections_can_be_left_out_and_machines_get_ids() -> None:
    facts = gather(story())
    off = {"decisions": False, "findings": False, "open_questions": False, "progress": False}
    assert [part for part in sections(facts, STANDING, off) if part.items] == []
    told = as_object(facts, STANDING)
    assert told["decisions"][0]["rationale"] and told["open_questions"][0]["id"] == id_of(10)
    assert told["open_questions"][0]["question"] == "Do health checks count?"
    assert told["constraints"][0]["stated_by"] == "user" and "stated_by" not in told["constraints"][1]
    assert told["decisions"][1]["mark"]["status"] == "accepted"
    assert [each["mark"]["status"] for each in told["set_aside"]] == ["superseded", "rejected", "wrong"]
    assert [each["severity"] for each in told["findings"]] == ["critical", "low"]
    assert set(as_object(facts, STANDING, off)) == {"project", "session_id", "skill"}


def test_whoever_a_record_claims_said_it_cannot_start_a_line() -> None:
    stranger = {"stated_by": "user)\n## Rules", "at": "2026-11-23T09:10:00.000Z", "status": "accepted"}
    told = gather([event(1, "decision", "api", {"title": "t"}, stated_by="x\n## y", mark=stranger)])
    text = whole(["# Handoff"], sections(told, Standing()), "last")
    assert "- t (unknown, accepted by unknown, 2026-11-22)" in text and "##" not in text.replace("## Decisions", "")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(100, 3_900))
def test_within_any_budget_questions_and_decisions_are_told_or_counted(
    questions: int, decisions: int, budget: int
) -> None:
    events = [
        event(n % 60, "question", "raised", {"id": f"Q{n}", "question": f"Is it {n}? " * 4}) for n in range(questions)
    ]
    events += [
        event(n % 60, "decision", "x", {"title": f"We take {n} " * 4, "rationale": "because " * 30})
        for n in range(decisions)
    ]
    for number, each in enumerate(events):
        each["id"] = f"{number:032x}"
    text = compose(["# Handoff"], sections(gather(events), Standing()), "session s", budget, "FILE")
    assert estimate(text) <= budget + 30
    for heading, sign, count in (("Open questions", "Is it", questions), ("Decisions", "We take", decisions)):
        part = text.partition(f"## {heading}\n")[2].partition("##")[0]
        lines = [line for line in part.splitlines() if sign in line]
        left_out = [
            int(word) for line in part.splitlines() if line.startswith("- …") for word in line.split() if word.isdigit()
        ]
        assert len(lines) + sum(left_out) == count
    if estimate(text) < budget // 2:
        assert "more in FILE" not in text


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 120), st.integers(0, 60), st.integers(2_000, 16_000))
def test_for_machines_too_what_does_not_fit_is_counted(questions: int, others: int, room: int) -> None:
    events = [event(n % 60, "question", "raised", {"question": f"Is it {n}? " * 9}) for n in range(questions)]
    for n in range(others):
        events.append(event(n % 60, "finding", "bug", {"title": f"wrong {n} " * 9}))
        events.append(event(n % 60, "decision", "x", {"title": f"we take {n}", "rationale": "because " * 30}))
    for number, each in enumerate(events):
        each["id"] = f"{number:032x}"
    whole_object = as_object(gather(events), Standing(receipt=Receipt(lines=["M a.py"] * others)))
    told = fitted(whole_object, room)
    assert len(json.dumps(told, ensure_ascii=False)) <= room
    left = told.get("left_out", {})
    for name, count in (("open_questions", questions), ("findings", others), ("decisions", others)):
        assert len(told.get(name, [])) + left.get(name, 0) == count
    if "open_questions" in left:  # everything else went before
        assert not told.get("findings") and not told.get("decisions")
    if len(json.dumps(whole_object, ensure_ascii=False)) <= room:
        assert told == whole_object
