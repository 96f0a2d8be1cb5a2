"""Forgetting with proof: chosen, shown, gone from every file, and the receipt is right."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.capture.test_transcript import SESSION_ID, Builder

from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.actions.imports import Imported
from session_memory.cli.main import main
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory

WORD = "Bluebird launch on Friday"


def everywhere(home: str, word: str = WORD) -> list[str]:
    """An independent search: the files of the home that hold the bytes."""
    found = []
    for folder, _folders, names in os.walk(home):
        for name in names:
            content = Path(folder, name).read_bytes()
            if any(form in content for form in (word.encode(), json.dumps(word)[1:-1].encode())):
                found.append(name)
    return found


def filled(memory: Memory) -> dict[str, Any]:
    memory.sessions.start(session_id="s1")
    first = memory.events.record("decision", "plan", {"title": WORD, "why": "marketing wants it, they said"})[
        0
    ].records[0]
    memory.events.record("finding", "bug", {"text": "Something else that stays here"})
    memory.checkpoints.create(f"before {WORD}", summary=f"We agreed: {WORD}")
    memory.handoffs.write()
    memory.opened.index.catch_up()
    Path(memory.opened.home.hook_log).write_text(f"trouble with {WORD}\n")
    Path(memory.opened.home.index + ".bad-1").write_text(WORD)
    return {"id": first.id}


@pytest.mark.fault(81)
@pytest.mark.parametrize("way", ["text", "id", "session", "before", "source", "project"])
def test_every_way_of_choosing_leaves_no_byte(home: str, tmp_path: Path, way: str) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        made = filled(memory)
        assert len(everywhere(home)) > 4
        value = {
            "text": WORD,
            "id": made["id"],
            "session": "s1",
            "before": 4_000_000_000_000,
            "source": "model",
            "project": memory.opened.project()[1],
        }[way]
        plan = memory.forgetting.plan(Wanted(**{way: value}))
        assert len(everywhere(home)) > 4 and plan.records  # a plan changes nothing
        receipt = memory.forgetting.carry_out(plan)
        assert receipt.still_in == [] and receipt.lines >= len(plan.records) and receipt.files_searched > 3
        assert everywhere(home) == [] and memory.health.verify().green
        assert memory.events.query(Query(keyword="Bluebird", scope="all")).events == []
        if way in ("text", "id"):
            assert len(memory.events.query(Query(keyword="stays", scope="all")).events) == 1
            assert receipt.also_elsewhere == 0
        memory.events.record("finding", "x", {"text": "life goes on"})
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert memory.health.verify().green and everywhere(home) == []


def test_a_device_can_be_forgotten(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        origin = memory.events.record("finding", "x", {"text": WORD})[0].records[0].origin
        memory.forgetting.carry_out(memory.forgetting.plan(Wanted(origin=origin)))
        assert everywhere(home) == []


def test_words_that_others_say_too_stay_and_are_counted(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        first = memory.events.record("finding", "x", {"text": WORD})[0].records[0]
        memory.events.record("finding", "x", {"text": f"again: {WORD}"})
        receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=first.id[:12])))
        assert (receipt.records, receipt.also_elsewhere, receipt.still_in) == (1, 1, [])
        assert len(memory.events.query(Query(keyword="Bluebird")).events) == 1


@pytest.mark.fault(81)
@pytest.mark.parametrize("way", ["text", "session", "id"])
def test_it_does_not_come_back_by_import_or_catch_up_and_the_transcript_is_named(
    home: str, tmp_path: Path, way: str
) -> None:
    told = Builder()
    told.user(f"We do the {WORD}", promptId="p1")
    told.assistant({"type": "text", "text": "A harmless answer"})
    projects = Path(os.path.expanduser("~")) / ".claude" / "projects" / "-shop"
    path = told.write(projects)
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.imports.claude_code(path)
        event = memory.events.query(Query(keyword="Bluebird", scope="all")).events[0]
        value = {"text": WORD, "session": SESSION_ID, "id": event["id"]}[way]
        receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(**{way: value})))
        assert receipt.transcripts == [path] and everywhere(home) == []
        before = Path(memory.opened.home.events).read_bytes()
        os.utime(path)
        assert memory.imports.claude_code(path).new == 0
        told.assistant({"type": "text", "text": f"I repeat: {WORD}"})  # it was never recorded; a text is left out of it
        told.write(projects)
        list(memory.imports.missed(str(projects), Imported()))
        assert everywhere(home) == ([] if way != "id" else everywhere(home))
        assert Path(memory.opened.home.events).read_bytes().startswith(before)
        assert memory.health.verify().green


def test_backups_and_what_an_older_product_left_are_told_or_gone(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record("finding", "x", {"text": WORD})
        made = memory.backups.make(str(tmp_path))
        folder = Path(memory.opened.home.predecessor)
        folder.mkdir(mode=0o700)
        (folder / "events.jsonl").write_text(json.dumps({"data": WORD}))
        Path(home, "plugins").mkdir(exist_ok=True)
        Path(home, "plugins", "mine.txt").write_text(WORD)
        receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text=WORD)))
        assert receipt.backups == [made.path] and receipt.still_in == [os.path.join("plugins", "mine.txt")]
        assert everywhere(home) == ["mine.txt"]


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(text="a", id="b"), Wanted(text=" "), Wanted(id="xyz"), Wanted(id="12")],
)  # fmt: skip
def test_a_wish_that_is_not_clear_is_refused(home: str, wanted: Wanted) -> None:
    with Memory(home, cwd=home) as memory, pytest.raises(InvalidInput):
        memory.forgetting.plan(wanted)


def test_nothing_that_fits_is_said_but_a_text_can_be_banned_beforehand(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "x", {"text": "something"})
        for wanted in (Wanted(session="unknown"), Wanted(id="0" * 32), Wanted(project="nowhere")):
            with pytest.raises(NotFound, match="nothing-to-forget"):
                memory.forgetting.plan(wanted)
        memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text=WORD)))
        memory.events.record("finding", "x", {"text": f"never write {WORD}"})
        assert everywhere(home) == []


def test_the_command_shows_asks_and_proves(
    home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "x", {"text": WORD})
    words = ["forget", "--text", WORD, "--home", home]
    assert main([*words, "--dry-run"]) == 0 and "1 record would go: 1 event" in capsys.readouterr().out
    assert main(words) == 1 and "Say --yes" in capsys.readouterr().err
    assert everywhere(home)
    assert main([*words, "--yes"]) == 0
    told = capsys.readouterr().out
    assert "Forgotten: 1 record" in told and "byte by byte for 1 text: found in none" in told and everywhere(home) == []
    Path(home, "note.txt").write_text(WORD)
    assert main([*words, "--yes", "--json"]) == 1 and json.loads(capsys.readouterr().out)["still_in"] == ["note.txt"]
    assert main(["forget", "--before", "2020-01-01", "--yes", "--home", home]) == 1
    assert "nothing-to-forget" in capsys.readouterr().err
