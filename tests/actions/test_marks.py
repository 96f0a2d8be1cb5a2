"""Marking: by a whole id or its beginning, from anywhere, with an answer that says what was met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Any:
    project = tmp_path / "shop"
    project.mkdir()
    with Memory(home, cwd=str(project)) as opened:
        opened.sessions.start(session_id="s1")
        yield opened


def decided(memory: Memory, title: str = "Use Redis", **more: Any) -> str:
    kept, _session = memory.events.record("decision", "storage", {"title": title}, **more)
    return kept.records[0].id


def marked(memory: Memory, event_id: str) -> dict[str, Any] | None:
    return memory.events.get(event_id).get("mark")


def test_the_newest_mark_counts_and_clear_takes_it_back(memory: Memory) -> None:
    first, second = decided(memory), decided(memory, "Use SQLite")
    memory.marks.put(first, "accepted")
    told = memory.marks.put(first[:14], "superseded", note=" locks ", by=second[:14])
    assert told["marked"] == first and told["mark"] == marked(memory, first)
    assert {name: told["mark"][name] for name in ("status", "note", "by", "stated_by")} == {
        "status": "superseded", "note": "locks", "by": second, "stated_by": "user",
    }  # fmt: skip
    assert memory.marks.put(first, "clear")["mark"] is None and marked(memory, first) is None
    assert marked(memory, second) is None


def test_the_tools_way_resolves_beginnings_and_says_what_it_met(memory: Memory) -> None:
    first, second = decided(memory), decided(memory, "Use SQLite")
    kept, _session = memory.events.record(
        "decision", " Superseded", {"note": "n", "superseded_by": second[:14]}, parent_id=first[:14]
    )
    assert kept.hint == f"Marked {first[:12]} (Use Redis) as superseded."
    mark = marked(memory, first)
    assert mark and (mark["by"], mark["stated_by"]) == (second, "model")
    kept, _session = memory.events.record("decision", "clear", {}, parent_id=first)
    assert "taken back" in kept.hint and marked(memory, first) is None


def test_what_marks_nothing_is_kept_and_says_so(memory: Memory) -> None:
    first = decided(memory)
    for parent in ("f" * 32, "019a", "no id", first[:3]):
        kept, _session = memory.events.record("decision", "wrong", {"note": "x"}, parent_id=parent)
        assert "No single event" in kept.hint and kept.records[0].body["parent"] == parent  # type: ignore[index]
    kept, _session = memory.events.record("decision", "wrong", {"note": "x"})
    assert "parent_id" in kept.hint
    kept, _session = memory.events.record("decision", "rejected", {"title": "Use files"})
    assert kept.hint == ""  # an alternative that was not taken: a fact of its own
    assert marked(memory, first) is None
    answer, _session = memory.events.record("question", "question_answered", {"answer": "x"}, parent_id=first[:14])
    assert answer.hint == "" and answer.records[0].body["parent"] == first  # type: ignore[index]


def test_a_mark_stays_with_the_events_session_and_makes_none(memory: Memory, home: str, tmp_path: Path) -> None:
    first = decided(memory)
    with Memory(home, cwd=str(tmp_path), client="cli") as elsewhere:
        made = elsewhere.marks.put(first, "wrong")["event_id"]
        assert elsewhere.events.get(made)["session_id"] == "s1"
        assert [each["id"] for each in elsewhere.sessions.listed(everywhere=True, limit=9)] == ["s1"]
    assert "wrong: Use Redis" in memory.handoffs.write().text


def test_wrong_use_is_refused_in_words(memory: Memory) -> None:
    first = decided(memory)
    made = memory.marks.put(first, "wrong")["event_id"]
    with pytest.raises(InvalidInput, match="itself a mark"):
        memory.marks.put(made, "accepted")
    with pytest.raises(InvalidInput, match="status is 'maybe'"):
        memory.marks.put(first, "maybe")
    for event_id, by in (("f" * 32, ""), (first, "f" * 32)):
        with pytest.raises(NotFound, match="No event"):
            memory.marks.put(event_id, "wrong", by=by)


def test_every_hit_tells_the_mark(memory: Memory) -> None:
    first = decided(memory)
    memory.marks.put(first, "wrong", note="locks\nup")
    hits = memory.events.query(Query(keyword="redis")).events
    assert [each["mark"]["note"] for each in hits if each["id"] == first] == ["locks\nup"]
    assert "Use Redis [wrong: locks up]" in memory.recall.told("redis")
    viewed = memory.starts.view("s1", fit=lambda events: events)["newest_events"]
    assert [each["mark"]["status"] for each in viewed if each["id"] == first] == ["wrong"]
    page = memory.events.page(Query(keyword="redis"), include_data=False, fit=lambda events: events)
    assert page["events"][0]["mark"]["status"] == "wrong"


def test_a_rebuild_and_a_second_device_give_the_same_marks(memory: Memory) -> None:
    first = decided(memory)
    memory.marks.put(first, "wrong")
    before = marked(memory, first)
    memory.opened.index.catch_up(rebuild=True)
    assert before is not None and marked(memory, first) == before


def test_a_forgotten_mark_marks_nothing(memory: Memory) -> None:
    first = decided(memory)
    made = memory.marks.put(first, "wrong", note="needle in the note")["event_id"]
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=made)))
    assert marked(memory, first) is None and memory.events.get(first)["data"] == {"title": "Use Redis"}


def test_a_mark_from_another_session_reaches_what_a_plugin_says(memory: Memory) -> None:
    blocker = memory.events.record("finding", "blocker", {"title": "Staging is down"})[0].records[0].id
    assert "- Staging is down" in memory.handoffs.write(session_id="s1").text
    memory.sessions.start(session_id="s2")
    memory.events.record("decision", "wrong", {"note": "it was the network"}, parent_id=blocker)
    text = memory.handoffs.write(session_id="s1").text
    assert "wrong: Staging is down. Why: it was the network" in text and "- Staging is down" not in text


def test_what_a_mark_names_cannot_move_a_terminal_or_start_a_line(memory: Memory) -> None:
    first = decided(memory)
    memory.events.record("decision", "superseded", {"by": "\x1b[2J\n# x", "note": "\x1b]0;t\x07\n# y"}, parent_id=first)
    for text in (memory.handoffs.write().text, memory.recall.told("redis")):
        assert (
            "superseded" in text
            and "\x1b" not in text
            and "\n#" not in text.partition("Set aside")[2].partition("\n\n")[0]
        )
