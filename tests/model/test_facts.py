"""Facts: marks and later decisions take them out of force, and nothing vanishes without being told."""

from __future__ import annotations

from typing import Any

import pytest

from session_memory.model.event import TRUST, trust
from session_memory.model.facts import files_named, gather, text_of, touched


def event(number: int, category: str, type_: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": f"{number:032x}", "timestamp": f"2026-11-22T14:{number:02d}:00.000Z", "category": category, "type": type_,
            "session_id": "s", "stated_by": "model", "data": data, **more}  # fmt: skip


def mark(status: str, at: int = 50, **more: str) -> dict[str, Any]:
    return {"status": status, "at": f"2026-11-22T14:{at:02d}:00.000Z", "stated_by": "user", **more}


def aside(*events: dict[str, Any]) -> list[tuple[str, str]]:
    return [(text_of(each), each["mark"]["status"]) for each in gather(events).set_aside]


KINDS = [("decision", "api"), ("decision", "constraint"), ("finding", "bug"), ("finding", "blocker"), ("phase", "next_step"),
         ("assumption", "assumption_recorded"), ("question", "question_raised")]  # fmt: skip


@pytest.mark.parametrize(("category", "type_"), KINDS)
@pytest.mark.parametrize("status", ["rejected", "superseded", "wrong"])
def test_any_fact_that_is_marked_so_leaves_and_is_told_as_set_aside(category: str, type_: str, status: str) -> None:
    def live(marked: bool) -> int:
        facts = gather([event(1, category, type_, {"text": "x"}, **({"mark": mark(status)} if marked else {}))])
        lists = (facts.constraints, facts.decisions, facts.findings, facts.questions, facts.blockers, facts.next_steps,
                 facts.assumptions)  # fmt: skip
        assert len(facts.set_aside) == marked
        return sum(map(len, lists))

    assert (live(marked=False), live(marked=True)) == (1, 0)


def test_marks_are_no_decisions_of_their_own() -> None:
    first = event(1, "decision", "api", {"title": "Answer 429"}, mark=mark("accepted"))
    said = event(2, "decision", "accepted", {"note": "yes"}, parent_id=first["id"])
    facts = gather([first, said])
    assert [text_of(each) for each in facts.decisions] == ["Answer 429"] and facts.set_aside == []


def test_a_decision_that_is_replaced_or_withdrawn_in_its_own_words_is_told_once() -> None:
    old = event(1, "decision", "api", {"id": "D1", "title": "Fixed window"})
    assert aside(old, event(2, "decision", "api", {"title": "Bucket", "supersedes": "D1"})) == [
        ("Fixed window", "superseded")
    ]
    assert aside(old, event(2, "decision", "api", {"title": "Bucket", "supersedes": [old["id"]]})) == [
        ("Fixed window", "superseded")
    ]
    assert aside(old, event(2, "decision", "api", {"id": "D1", "status": "rejected", "reason": "slow"})) == [
        ("Fixed window", "rejected")
    ]
    assert aside(event(2, "decision", "rejected", {"title": "Use Redis"})) == [("Use Redis", "rejected")]
    unknown = event(2, "decision", "api", {"title": "Use Redis", "status": "wrong", "resolves": "nobody"})
    assert aside(unknown) == [("Use Redis", "wrong")]


def test_accepted_again_after_it_was_replaced_it_holds_and_replaced_after_that_it_does_not() -> None:
    new = event(30, "decision", "api", {"title": "Bucket", "supersedes": "D1"})
    for at, live in ((40, ["Fixed window", "Bucket"]), (20, ["Bucket"])):
        old = event(1, "decision", "api", {"id": "D1", "title": "Fixed window"}, mark=mark("accepted", at))
        assert [text_of(each) for each in gather([old, new]).decisions] == live


def test_a_resolved_finding_is_over_whatever_was_said_of_it_before() -> None:
    raised = event(1, "finding", "bug", {"id": "F1", "title": "Leaks"}, mark=mark("accepted"))
    facts = gather([raised, event(2, "finding", "finding_resolved", {"id": "F1"})])
    assert facts.findings == [] and facts.set_aside == []


def test_files_are_those_of_the_project_edited_first() -> None:
    def call(number: int, tool: str, path: str) -> dict[str, Any]:
        return event(number, "tool_call", tool, {"files": [path]})

    events = [
        call(1, "Edit", "/p/a.py"),
        call(2, "Read", "/p/b.py"),
        call(3, "Write", "/else/c.py"),
        call(4, "Edit", "/p/a.py"),
    ]
    inside = touched(events, lambda _event, path: path[3:] if path.startswith("/p/") else None)
    assert inside == [("a.py", 2, 0), ("b.py", 0, 1)]
    assert [path for path, _edits, _reads in touched(events)] == ["/p/a.py", "/else/c.py", "/p/b.py"]


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ({"title": "Limits live in src/limits/keys.py:7, see `docs/a-b.md`."}, ["src/limits/keys.py", "docs/a-b.md"]),
        (
            {"title": "x", "rationale": "as ./lib/a.ex and .github/workflows/ci.yml do"},
            ["./lib/a.ex", ".github/workflows/ci.yml"],
        ),
        ({"title": "x", "file": "a b.py", "files": ["c.py", "", 7], "path": {"no": 1}}, ["a b.py", "c.py", "7"]),
        (
            {
                "title": "https://example.com/a/b.html and example.com/c.html, TCP/IP, and/or, v1/quota, Node.js/React.js"
            },
            [],
        ),
        ({"title": "call api/client.get(x), user@host/dir.d, origin/main, 3/4.5, C:\\a/b.c"}, []),
    ],
)
def test_a_decision_names_files_in_its_data_and_in_its_words(data: dict[str, Any], files: list[str]) -> None:
    assert files_named(event(1, "decision", "api", data)) == files


def test_a_plan_may_speak_of_files_that_are_not_there_yet() -> None:
    assert files_named(event(1, "phase", "next_step", {"text": "Write src/new.py"})) == []
    assert files_named(event(1, "phase", "next_step", {"text": "Mend it", "file": "src/old.py"})) == ["src/old.py"]


def test_trust_has_an_order_and_strangers_come_last() -> None:
    ranked = sorted(["import", "nobody", "tool", "rule", "model", "user"], key=lambda by: trust({"stated_by": by}))
    assert ranked == [*TRUST, "nobody"]
