"""A home of the product before this one opens whole, and nothing of it is changed or lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests import older_home

from session_memory.actions.events import Query
from session_memory.errors import InvalidInput
from session_memory.log.lock import Lock
from session_memory.memory import Memory

pytestmark = pytest.mark.fault(77)


def counts(memory: Memory) -> dict[str, int]:
    index = memory.health.report()["index"]
    return {name: index.get(name, 0) for name in
            ("events", "sessions", "checkpoints", "learnings", "entities", "relations", "documents")}  # fmt: skip


WHOLE = {"events": 9, "sessions": 1, "checkpoints": 2, "learnings": 1, "entities": 2, "relations": 1, "documents": 1}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return older_home.make(tmp_path / "home")


def test_its_home_opens_at_our_paths_and_everything_is_found(old: Path) -> None:
    bytes_before = (old / "storage" / "events.jsonl").read_bytes()
    with Memory(str(old)) as memory:
        assert counts(memory) == WHOLE
        found = memory.events.query(Query(keyword="SQLite", limit=10)).events
        assert (
            found[0]["data"]["rationale"] == "one file, no server"
            and found[0]["timestamp"] == "2025-03-04T05:00:01.123Z"
        )
        assert found[0]["tags"] == ["storage"] and found[0]["source"]["id"] == older_home.OLD_KEYS[0]
        assert memory.events.query(Query(keyword="café", limit=10)).total == 1
        assert memory.events.query(Query(keyword="retention policy", limit=10)).events[0]["category"] == "custom"
        assert memory.events.get(older_home.OLD_KEYS[0])["type"] == "architecture"
        assert memory.health.verify().green
    assert (old / "storage" / "predecessor" / "events.jsonl").read_bytes() == bytes_before
    kept = sqlite3.connect(old / "storage" / "predecessor" / "index.sqlite")
    assert kept.execute("SELECT count(*) FROM events").fetchone() == (9,)
    kept.close()
    for name in ("predecessor/events.jsonl", "predecessor/index.sqlite", "events.jsonl", "index.sqlite"):
        assert stat.S_IMODE(os.stat(old / "storage" / name).st_mode) == 0o600


def test_its_checkpoints_resume_with_their_state_and_its_open_questions(old: Path) -> None:
    with Memory(str(old)) as memory:
        told = memory.handoffs.resume_any("chk-20250304050030123456").text
        assert "before-refactor" in told and "Half of the plan is done" in told
        assert "Which port should the proxy use?" in told and "Keep Python 3.9?" not in told
        listed = memory.checkpoints.listed(limit=10)
        assert {each["name"] for each in listed["checkpoints"]} == {"before-refactor", "checkpoint-9"}


def test_learnings_entities_and_documents_are_shown_by_their_ids_and_names(old: Path) -> None:
    with Memory(str(old)) as memory:
        learning = memory.health.thing("learn-1")
        assert learning is not None and (learning["confidence"], learning["usage_count"]) == (0.85, 3)
        for name in ("service:proxy", "proxy", "app.proxy"):
            entity = memory.health.thing(name)
            assert entity is not None and entity["metadata"] == {"lang": "py"}
            assert [each["type"] for each in entity["relations"]] == ["depends_on"]
        auth = memory.health.thing("auth")
        assert auth is not None and auth["relations"][0]["target_entity"] == auth["entity"]
        document = memory.health.thing("policy.md")
        assert document is not None and document["words"] == 6


def test_opening_again_adds_nothing_and_a_second_import_adds_nothing(old: Path) -> None:
    with Memory(str(old)):
        pass
    with Memory(str(old)) as memory:
        assert counts(memory) == WHOLE
        assert not [each for each in memory.opened.warnings if "Taken over" in each]
        again = memory.predecessors.take(
            str(old / "storage" / "predecessor"), checkpoints=str(old / "storage" / "checkpoints")
        )
        assert (again.events, again.known, again.sessions, again.checkpoints, again.learnings) == (0, 9, 0, 0, 0)
        assert counts(memory) == WHOLE


def test_a_home_elsewhere_is_imported_and_stays_as_it_is(old: Path, home: str, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    with Memory(str(tmp_path / "ours")) as memory:
        taken = memory.predecessors.take(str(old))
        assert (taken.events, taken.sessions, taken.troubles) == (9, 1, []) and counts(memory) == WHOLE
        assert memory.health.verify().green
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before
    with Memory(str(tmp_path / "ours")) as memory, pytest.raises(InvalidInput, match="bad-home"):
        memory.predecessors.take(str(tmp_path))


def test_lines_that_it_spoilt_are_counted_and_take_no_other_with_them(tmp_path: Path) -> None:
    good = older_home.event(20, "finding", "bug", {"description": "after the torn line"})
    same_id = {**older_home.event(1, "decision", "other", {"title": "the same microsecond"})}
    home = older_home.make(
        tmp_path / "home", extra=['{"id": "evt-2025", "ts": "2025-0' + json.dumps(good), "\0\0", good, same_id]
    )
    with Memory(str(home)) as memory:
        assert counts(memory)["events"] == 11
        assert memory.events.query(Query(keyword="torn", limit=5)).total == 1
        assert memory.events.query(Query(keyword="microsecond", limit=5)).total == 1
    told = json.loads((home / "storage" / "predecessor" / "imported.json").read_text())
    assert told["unreadable"] == 2


def test_a_damaged_index_costs_what_only_it_knew_and_says_so(old: Path) -> None:
    path = old / "storage" / "index.sqlite"
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(bytes(content))
    with Memory(str(old)) as memory:
        assert counts(memory)["events"] == 9
    assert json.loads((old / "storage" / "predecessor" / "imported.json").read_text())["troubles"]


def test_an_index_alone_is_taken_over_as_well(old: Path) -> None:
    os.unlink(old / "storage" / "events.jsonl")
    with Memory(str(old)) as memory:
        assert counts(memory) == {**WHOLE, "events": 0}


def test_what_it_had_not_finished_writing_is_read_from_a_copy(old: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(old / "storage" / "index.sqlite")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(
        "INSERT INTO learnings (id, timestamp, category, title) VALUES ('learn-2', '2025-03-04T06:00:00Z', 'pattern', 'late')"
    )
    connection.commit()
    shutil.copytree(old, tmp_path / "copy")  # as a killed process leaves it
    connection.close()
    with Memory(str(tmp_path / "ours")) as memory:
        memory.predecessors.take(str(tmp_path / "copy"))
        assert counts(memory)["learnings"] == 2


def test_its_settings_plugins_and_server_are_dealt_with(old: Path) -> None:
    with Memory(str(old)) as memory:
        assert memory.opened.settings.value("auto_checkpoint_interval_minutes") == 7
        assert memory.opened.settings.value("features.entities") is False and not memory.opened.settings.problems
        assert list(memory.opened.plugins.failed) == ["mine.py"]
        assert "import SessionPlugin" in memory.opened.plugins.failed["mine.py"]
    assert (old / "server.py.before").read_text() == "print('the old server')\n"
    assert "Written by session-memory" in (old / "server.py").read_text()


def test_a_home_that_became_ours_and_meets_old_files_again_keeps_both(old: Path, tmp_path: Path) -> None:
    with Memory(str(old)):
        pass
    os.unlink(old / "storage" / "origin.json")
    second = older_home.make(tmp_path / "second")
    shutil.move(old / "storage" / "events.jsonl", tmp_path / "ours.jsonl")
    shutil.copy(second / "storage" / "events.jsonl", old / "storage" / "events.jsonl")
    with Memory(str(old)):
        pass
    assert (old / "storage" / "predecessor" / "events.jsonl").exists()
    assert (old / "storage" / "predecessor" / "2" / "events.jsonl").exists()


def test_another_process_that_is_taking_it_over_is_not_disturbed(old: Path) -> None:
    from session_memory.log import predecessor
    from session_memory.paths import Home

    with Memory(str(old)) as memory:
        folder = memory.opened.home.predecessor
        os.unlink(os.path.join(folder, predecessor.DONE))
        with Lock(os.path.join(folder, "import.lock"), 1.0):
            assert memory.predecessors.adopt() == []
        assert len(memory.predecessors.adopt()) == 1
        assert predecessor.unfinished(Home(str(old))) == []


KILLED = """
import os, signal, sys
from session_memory import paths
from session_memory.log import journal
from session_memory.memory import Memory
step, count = int(sys.argv[2]), 0
def die():
    global count
    count += 1
    if count == step:
        os.kill(os.getpid(), signal.SIGKILL)
for room, name in ((os, "replace"), (os, "mkdir"), (paths, "sync_file"), (paths, "write_all")):
    def wrapped(*words, real=getattr(room, name), **more):
        die()
        result = real(*words, **more)
        die()
        return result
    setattr(room, name, wrapped)
Memory(sys.argv[1]).close()
"""


def test_killed_at_any_step_the_next_start_finishes_it(tmp_path: Path) -> None:
    killed = 0
    for step in range(1, 200, 3):
        home = older_home.make(tmp_path / str(step))
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(home), str(step)], capture_output=True, timeout=60, check=False
        )
        with Memory(str(home)) as memory:
            assert counts(memory) == WHOLE, step
            assert memory.health.verify().green, step
            assert memory.events.query(Query(keyword="SQLite", limit=5)).total == 1
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
    assert killed > 10
