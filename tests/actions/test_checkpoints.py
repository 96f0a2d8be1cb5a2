"""Checkpoints: manual ones stay, automatic ones roll and only come when something happened, names are labels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory
from session_memory.model.record import SESSION, Draft


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        opened.sessions.start(session_id="s")
        yield opened


def note(memory: Memory, text: str = "x") -> None:
    memory.events.record("finding", "bug", {"title": text})


def test_an_automatic_one_comes_only_when_something_new_happened(memory: Memory) -> None:
    assert memory.checkpoints.automatic() is None
    note(memory)
    assert memory.checkpoints.automatic() is not None
    assert memory.checkpoints.automatic() is None
    memory.handoffs.write()  # our own records are nothing new
    assert memory.checkpoints.automatic() is None
    note(memory)
    assert memory.checkpoints.automatic() is not None


def test_automatic_ones_roll_files_and_list_alike_and_manual_ones_stay(memory: Memory) -> None:
    memory.checkpoints.create("kept")
    made = []
    for number in range(13):
        note(memory, str(number))
        one = memory.checkpoints.automatic()
        assert one is not None
        made.append(one["checkpoint_id"])
    listed = memory.checkpoints.listed(type_="auto")
    assert [each["checkpoint_id"] for each in listed["checkpoints"]] == made[:2:-1] and listed["total_count"] == 10
    assert len(os.listdir(os.path.join(memory.opened.home.checkpoints, "auto"))) == 10
    assert memory.checkpoints.listed(type_="manual")["total_count"] == 1
    assert "Resume" in memory.handoffs.resume(checkpoint_id=made[0]).text  # what the log holds can be resumed
    memory.opened.keep([Draft(SESSION, {"session": "s", "project": memory.opened.project()[0], "change": "end"})])
    assert memory.checkpoints.listed(type_="auto")["total_count"] == 1


@pytest.mark.fault(43)
def test_the_newest_is_the_one_written_last_even_under_a_wrong_clock(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from session_memory import ids

    real = ids.now_ms
    monkeypatch.setattr(ids, "now_ms", lambda: real() + 3 * 365 * 86_400_000)
    memory.checkpoints.create("from the future")
    monkeypatch.setattr(ids, "now_ms", real)
    last = memory.checkpoints.create("now")
    assert memory.handoffs.resume(latest=True, link=False).ids["checkpoint_id"] == last["checkpoint_id"]


@pytest.mark.fault(66)
def test_a_checkpoint_whose_file_is_gone_resumes_whole(memory: Memory) -> None:
    note(memory, "the important thing")
    made = memory.checkpoints.create("c", "the summary")
    os.unlink(made["file_path"])
    text = memory.handoffs.resume(checkpoint_id=made["checkpoint_id"]).text
    assert "the important thing" in text and "the summary" in text


@pytest.mark.fault(49, 66)
def test_wrong_names_and_limits_say_what_to_do(memory: Memory) -> None:
    with pytest.raises(NotFound, match="session_list_checkpoints"):
        memory.handoffs.resume(name="nope")
    with pytest.raises(NotFound, match="unknown-checkpoint"):
        memory.handoffs.resume(checkpoint_id="f" * 32)
    with pytest.raises(InvalidInput, match="bad-argument"):
        memory.checkpoints.listed(limit=0)
    with pytest.raises(InvalidInput, match="200"):
        memory.checkpoints.create("x" * 201)


def test_a_name_of_two_projects_means_ours_first(memory: Memory, home: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ours = memory.checkpoints.create("same")
    with Memory(home, cwd=str(other)) as elsewhere:
        theirs = elsewhere.checkpoints.create("same")
        assert elsewhere.checkpoints.meant(None, "same")[0]["id"] == theirs["checkpoint_id"]  # type: ignore[index]
    assert memory.checkpoints.meant(None, "same")[0]["id"] == ours["checkpoint_id"]  # type: ignore[index]
