"""A timeline is small: a line an event, sizes stated, the nearest first to stay, at most 16,000 characters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.actions.test_invocations import START, keep

from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def said(memory: Memory, count: int, session: str = "s1", begin: int = START, size: int = 10) -> list[str]:
    made = [{"category": "message", "type": "reply", "data": {"text": f"{session} {n} " + "x" * size}, "stated_by": "model"}
            for n in range(count)]  # fmt: skip
    return keep(memory, *made, session=session, begin=begin)


def test_an_event_is_told_with_what_stood_beside_it_in_its_session(memory: Memory) -> None:
    ids = said(memory, 20)
    said(memory, 5, "s2", START + 30_000)  # in between, in another session
    found = memory.timeline.around(ids[10][:20], before=2, after=3)
    assert [each["id"] for each in found["events"]] == ids[8:14]
    assert [each.get("here", False) for each in found["events"]] == [False, False, True, False, False, False]
    assert (found["around"], found["earlier"], found["later"]) == (ids[10], 8, 6)
    line = found["events"][0]
    assert set(line) == {"id", "timestamp", "category", "type", "role", "session_id", "size", "text"}
    assert line["size"] == len('{"text":"s1 8 xxxxxxxxxx"}') and line["role"] == "model"
    assert found["size"] == sum(each["size"] for each in found["events"])


def test_a_time_is_told_with_what_happened_in_the_project_then(memory: Memory) -> None:
    ids = said(memory, 4) + said(memory, 4, "s2", START + 30_000)
    found = memory.timeline.around(str(START / 1000 + 150), before=1, after=2)
    assert {each["id"] for each in found["events"]} == {ids[1], ids[2], ids[5]}
    assert found["events"] == sorted(found["events"], key=lambda each: str(each["timestamp"]))
    memory.checkpoints.create("after the move", "")
    assert memory.timeline.around("checkpoint after the move")["earlier"] == 3


def test_the_ends_of_a_session_have_nothing_beside_them(memory: Memory) -> None:
    ids = said(memory, 3)
    assert [each["id"] for each in memory.timeline.around(ids[0])["events"]] == ids
    assert memory.timeline.around(ids[2], before=0, after=0)["events"][0]["id"] == ids[2]
    assert memory.timeline.around("2020-01-01")["earlier"] == 0 and memory.timeline.around("yesterday")["later"] == 0


def test_no_more_than_an_answer_can_carry_is_told(memory: Memory) -> None:
    ids = said(memory, 201, size=5_000)
    found = memory.timeline.around(ids[100], before=100, after=100)
    assert len(json.dumps(found, ensure_ascii=False)) < 16_000
    kept = [ids.index(each["id"]) for each in found["events"]]
    assert kept == list(range(kept[0], kept[-1] + 1)) and abs((100 - kept[0]) - (kept[-1] - 100)) <= 1
    assert found["earlier"] == kept[0] and found["later"] == 200 - kept[-1]


def test_what_is_neither_an_event_nor_a_time_is_said(memory: Memory) -> None:
    with pytest.raises(NotFound):
        memory.timeline.around("abcdef0123")
    for wrong in ("whenever", ""):
        with pytest.raises(InvalidInput):
            memory.timeline.around(wrong)
    with pytest.raises(InvalidInput):
        memory.timeline.around("yesterday", before=101)
