"""Forgetting with proof: chosen, shown, gone from every file, and the receipt is right."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.capture.test_transcript import SESSION_ID, Builder
from tests.log.holder import held

from session_memory import ids
from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.actions.imports import Imported
from session_memory.capture.payload import Around, drafts
from session_memory.cli.main import main
from session_memory.errors import InvalidInput, LogUnavailable, NotFound
from session_memory.log.forgotten import VIEWS, save
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
    assert main(["forget", "--text", "never said so far", "--dry-run", "--home", home]) == 0
    assert "left out of everything that is recorded later" in capsys.readouterr().out
    assert main(words) == 1 and "Say --yes" in capsys.readouterr().err
    assert everywhere(home)
    assert main([*words, "--yes"]) == 0
    told = capsys.readouterr().out
    assert "Forgotten: 1 record" in told and "byte by byte for 1 text: found in none" in told and everywhere(home) == []
    Path(home, "note.txt").write_text(WORD)
    assert main([*words, "--yes", "--json"]) == 1 and json.loads(capsys.readouterr().out)["still_in"] == ["note.txt"]
    assert main(["forget", "--before", "2020-01-01", "--yes", "--home", home]) == 1
    assert "nothing-to-forget" in capsys.readouterr().err


def test_an_id_that_is_not_one_record_s_is_refused(home: str, tmp_path: Path) -> None:
    told = Builder()
    for number in range(30):
        told.user(f"Prompt zebra{number} here", promptId=f"p{number}")
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.imports.claude_code(told.write(tmp_path / "projects"))
        found = memory.events.query(Query(keyword="zebra7", scope="all")).events[0]["id"]
        with pytest.raises(InvalidInput, match="Give all 32 digits"):
            memory.forgetting.plan(Wanted(id=found[:8]))
        assert len(memory.forgetting.plan(Wanted(id=found)).records) == 1


def test_a_caller_s_key_is_its_session_s(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        for session in ("s1", "s2"):
            for _twice in range(2):
                memory.events.record("decision", "x", {"text": f"words of {session}"}, session_id=session, key="note-1")
        assert memory.events.query(Query(keyword="words", scope="all")).total == 2
        memory.forgetting.carry_out(memory.forgetting.plan(Wanted(session="s2")))
        assert [each["session_id"] for each in memory.events.query(Query(keyword="words", scope="all")).events] == [
            "s1"
        ]


def test_a_handoff_that_says_what_others_say_as_well_stays(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        for session in ("s1", "s2"):
            memory.sessions.start(session_id=session)
            memory.events.record(
                "decision",
                "x",
                {"title": "Never use run_in_background here", "file": "/src/common.py"},
                session_id=session,
            )
            memory.events.record(
                "custom",
                "x",
                {"run_in_background": True, "text": f"only in {session}, and nowhere else"},
                session_id=session,
            )
        memory.handoffs.write()
        handoffs = os.listdir(memory.opened.home.handoffs)
        receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(session="s1")))
        assert (
            receipt.also_elsewhere >= 2
            and receipt.still_in == []
            and os.listdir(memory.opened.home.handoffs) == handoffs
        )


@pytest.mark.parametrize("word", ["use Kafka", "line one KAFKA\nline two of it", "a  double  blank KAFKA"])
def test_short_and_broken_words_go_from_handoffs_too(home: str, word: str) -> None:
    with Memory(home, cwd=home) as memory:
        memory.sessions.start(session_id="s1")
        kept = memory.events.record("decision", "x", {"title": word})[0].records[0]
        memory.handoffs.write()
        assert memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=kept.id))).still_in == []
    assert everywhere(home, "Kafka") == [] and everywhere(home, "KAFKA") == []


def test_a_forgotten_checkpoint_goes_from_the_handoff_that_quotes_it(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        memory.sessions.start(session_id="s1")
        made = memory.checkpoints.create("cp-one", summary=WORD)
        memory.handoffs.write()
        memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=made["checkpoint_id"])))
    assert everywhere(home) == []


@pytest.mark.parametrize("value", [4915123456789, 'He said "Bluebird" today', "a line\nand Bluebird\u00e9"])
def test_numbers_quotes_and_lines_are_found_in_any_spelling(home: str, value: Any) -> None:
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "x", {"a": {"b": [value]}, "json": json.dumps({"note": value})})
        receipt = memory.forgetting.carry_out(memory.forgetting.plan(Wanted(text=str(value))))
        assert (receipt.records, receipt.still_in) == (1, [])
    assert everywhere(home, "Bluebird") == [] and everywhere(home, "4915123456789") == []


def test_a_text_too_short_to_be_banned_is_said_to_be(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "x", {"text": "Kafka"})
    assert (
        main(["forget", "--text", "Kafka", "--yes", "--home", home]) == 0
        and "too short to be banned" in capsys.readouterr().out
    )


@pytest.mark.fault(81)
@pytest.mark.parametrize("step", ["_views", "_keep_out"])
def test_a_forgetting_cut_short_is_finished_at_the_next_opening(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        filled(memory)
        plan = memory.forgetting.plan(Wanted(session="s1"))

        def dies(*_words: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as cut:
            cut.setattr(memory.forgetting, step, dies)
            with pytest.raises(KeyboardInterrupt):
                memory.forgetting.carry_out(plan)
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert memory.health.verify().green
        if step == "_views":
            os.unlink(memory.opened.home.hook_log)  # not made of records
            assert everywhere(home) == []
        else:
            assert everywhere(home)  # nothing had begun


@pytest.mark.fault(81)
def test_an_opening_that_cannot_sweep_the_log_does_not_call_it_done(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(home, cwd=home) as memory:
        filled(memory)
        journal, plan = memory.opened.journal, memory.forgetting.plan(Wanted(session="s1"))
        journal._deadline = 0.05
        with held(memory.opened.home.store_lock), pytest.raises(LogUnavailable, match="held"):
            memory.forgetting.carry_out(plan)
        with held(memory.opened.home.store_lock), Memory(home, cwd=home):
            assert WORD.encode() in Path(memory.opened.home.events).read_bytes()
    with Memory(home, cwd=home) as memory:
        os.unlink(memory.opened.home.hook_log)
        assert everywhere(home) == [] and memory.health.verify().green and memory.opened.journal.bans().pending == ""


def test_an_opening_leaves_a_forgetting_that_is_under_way_alone(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        memory.checkpoints.create("mine", summary="stays")
        bans = memory.opened.journal.bans()
        bans.pending = VIEWS
        save(memory.opened.home, bans)
        with held(os.path.join(memory.opened.home.storage, "forget.lock")), Memory(home, cwd=home) as other:
            assert os.listdir(Path(memory.opened.home.checkpoints, "manual")) and other.opened.warnings == []
        with Memory(home, cwd=home) as other:
            assert (
                not os.listdir(Path(memory.opened.home.checkpoints, "manual"))
                and other.opened.journal.bans().pending == ""
            )


@pytest.mark.parametrize("told_by", ["hooks", "import"])
def test_a_fork_that_is_read_later_does_not_bring_back_what_its_parent_lost(
    home: str, tmp_path: Path, told_by: str
) -> None:
    parent = Builder()
    parent.user("Bluebird starts on Friday", promptId="p1")
    parent.assistant({"type": "text", "text": "Bluebird it is"})
    parent.user("stays", promptId="p2")
    parent.assistant({"type": "text", "text": "stays, too"})
    parent.user("Summary of Bluebird", isCompactSummary=True)
    for each in parent.records:
        each["timestamp"] = ids.at_text(ids.now_ms())
    fork = Builder()
    for each in parent.records:
        copy = {**each, "sessionId": "fork-session"}
        fork.records.append({**copy, "promptId": "p9"} if each["type"] == "user" else copy)
    fork.user("in the fork", promptId="p9", sessionId="fork-session")
    fork.records[-1]["uuid"] = "u90"
    folder = tmp_path / "projects"
    with Memory(home, cwd=str(tmp_path)) as memory:
        if told_by == "import":
            memory.imports.claude_code(parent.write(folder))
        else:
            around = {"session_id": SESSION_ID, "cwd": "/gone/shop"}
            for event, more in (
                ("UserPromptSubmit", {"prompt_id": "p1", "prompt": "Bluebird starts on Friday"}), ("Stop", {"prompt_id": "p1", "last_assistant_message": "Bluebird it is"}),
                ("UserPromptSubmit", {"prompt_id": "p2", "prompt": "stays"}), ("Stop", {"prompt_id": "p2", "last_assistant_message": "stays, too"}),
                ("PostCompact", {"compact_summary": "Summary of Bluebird"}),
            ):  # fmt: skip
                memory.opened.journal.append(
                    drafts({"hook_event_name": event, **around, **more}, Around("p", "p", "/gone/shop"))
                )
        for each in memory.events.query(Query(scope="all", keyword="Bluebird")).events:
            memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=each["id"])))
        assert everywhere(home, "Bluebird") == []
        (folder / "x").mkdir(parents=True)
        (folder / "x" / "fork-session.jsonl").write_bytes(fork.bytes())
        memory.imports.claude_code(str(folder / "x" / "fork-session.jsonl"))
        said = [each["data"]["text"] for each in memory.events.query(Query(scope="all", category="message")).events]
        assert sorted(said) == ["in the fork", "stays", "stays, too"]
    assert everywhere(home, "Bluebird") == []
