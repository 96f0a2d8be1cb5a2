"""The index is a view: made again it is the same, and nothing that happens to its file loses an event."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import paths
from session_memory.errors import IndexUnavailable, LogUnavailable
from session_memory.index import agree, catchup
from session_memory.index.catchup import Index
from session_memory.index.database import DAMAGE, Database
from session_memory.index.schema import SCHEMA_VERSION
from session_memory.log import line, reader
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.model.record import CHECKPOINT, EVENT, PROJECT, SESSION, Draft

TABLES = ("project", "session", "session_field", "event", "tag", "checkpoint", "handoff")


def draft(text: str = "x", session: str = "s", **more: Any) -> Draft:
    body = {"session": session, "project": "dir:/p", "category": "finding", "type": "bug", "data": {"text": text}}
    return Draft(EVENT, {**body, **more.pop("body", {})}, **more)


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the index says, without row numbers."""
    events = database.rows(
        "SELECT hex(event.id), at, hlc, session.id, project.key, category, type, stated_by, hex(parent), event.key, data,"
        " more FROM event JOIN session ON session.n = session_n JOIN project ON project.n = event.project_n"
    )
    fields = database.rows("SELECT session.id, name, value, hlc FROM session_field JOIN session ON n = session_n")
    sessions = database.rows(
        "SELECT id, started, first_hlc, project.key FROM session JOIN project ON project.n = project_n"
    )
    tags = database.rows("SELECT tag, hex(event.id) FROM tag JOIN event ON n = event_n")
    words = database.rows(
        "SELECT hex(event.id) FROM event_text JOIN event ON n = event_text.rowid WHERE event_text MATCH 'e'"
    )
    made = database.rows("SELECT id, name, type, at, body FROM checkpoint")
    projects = database.rows("SELECT key, name, named, whole FROM project")
    aliases = database.rows("SELECT key, target, hlc, record FROM project_alias")
    return {name: sorted(rows, key=repr) for name, rows in
            [("events", events), ("fields", fields), ("sessions", sessions), ("tags", tags), ("words", words),
             ("checkpoints", made), ("projects", projects), ("aliases", aliases)]}  # fmt: skip


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


drafts = st.lists(
    st.one_of(
        st.builds(
            lambda text, session, key, tags, at: draft(
                text, session, key=key, at_ms=at, body={"tags": tags} if tags else {}
            ),
            st.sampled_from(["e one", "e two é", "three 日本語"]),
            st.sampled_from(["a", "b"]),
            st.sampled_from([None, None, "tool_call:1", "tool_call:2"]),
            st.lists(st.sampled_from(["t", "u"]), max_size=2, unique=True),
            st.sampled_from([None, 1_700_000_000_000, 1_800_000_000_000]),
        ),
        st.builds(
            lambda session, change, skill: Draft(
                SESSION, {"session": session, "project": "dir:/p", "change": change, "skill": skill, "how": "startup"}
            ),
            st.sampled_from(["a", "b"]), st.sampled_from(["start", "end", "update"]), st.sampled_from(["x", "y"]),
        ),
        st.builds(
            lambda name: Draft(CHECKPOINT, {"session": "a", "project": "dir:/p", "name": name, "type": "manual"}),
            st.sampled_from(["one", "two"]),
        ),
        st.builds(
            lambda alias, to, change: Draft(PROJECT, {"alias": alias, "project": to, "change": change}),
            st.sampled_from(["dir:/p", "dir:/q"]), st.sampled_from(["dir:/p", "dir:/r"]), st.sampled_from(["alias", "unalias"]),
        ),
    ),
    max_size=14,
)  # fmt: skip


def test_it_is_made_again_whatever_order_its_tables_stand_in(place: paths.Home) -> None:
    Journal(place).append(
        [Draft(EVENT, {"session": "s", "project": "p", "category": "finding", "type": "x", "data": {}})]
    )
    index = Index(place)
    index.catch_up()
    index.database().run("VACUUM")  # puts full-text tables behind the tables that they are made of
    index.catch_up(rebuild=True)
    assert index.database().one("SELECT count(*) FROM event") == (1,)
    index.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(drafts, min_size=1, max_size=4))
def test_made_again_in_one_go_or_applied_piece_by_piece_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Draft]]
) -> None:
    place = paths.Home(str(tmp_path_factory.mktemp("index") / "home"))
    journal, live = Journal(place), Index(place)
    for batch in batches:
        journal.append(batch)
        assert live.catch_up() == 0
    before = content(live.database())
    assert not agree.differences(live.database(), place)
    live.catch_up(rebuild=True)
    assert content(live.database()) == before
    live.close()
    os.unlink(place.index)
    fresh = Index(place)
    fresh.catch_up()
    assert content(fresh.database()) == before
    fresh.close()


@pytest.mark.fault(26)
@settings(max_examples=40, deadline=None)
@given(st.permutations([0, 1, 2]), st.data())
def test_a_key_recorded_more_than_once_gives_the_same_event_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], data: st.DataObject
) -> None:
    from session_memory.index import events
    from session_memory.index.database import make_index
    from session_memory.model.record import Record

    versions = [{"session": "s", "project": "p", "category": "tool_call", "type": "Bash",
                 "data": dict.fromkeys(data.draw(st.lists(st.sampled_from("abc"), unique=True)), number)}
                for number in range(3)]  # fmt: skip
    records = [
        Record(1, EVENT, f"{number}" * 32, "0" * 16, number + 2, "2026-01-01T00:00:00.000Z", f"179535725712{number}.0000",
               "tool_call:1", versions[number])
        for number in range(3)
    ]  # fmt: skip
    seen = []
    for arrival in ([0, 1, 2], order):
        database = make_index(str(tmp_path_factory.mktemp("twin") / "index.sqlite"))
        for number in [*arrival, *arrival]:
            events.apply(database, records[number])
        seen.append(content(database)["events"])
        database.close()
    assert seen[0] == seen[1] and len(seen[0]) == 1


@pytest.mark.fault(16, 20)
def test_a_deleted_index_is_made_again_and_a_new_one_never_takes_over_stale_sidecars(place: paths.Home) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft(f"e {n}") for n in range(50)])
    index.catch_up()
    other = Index(place)
    other.catch_up()
    os.unlink(place.index)  # the write-ahead log of the old file stays behind
    journal.append([draft("e after")])
    assert index.catch_up() == 0
    assert len(content(index.database())["events"]) == 51
    assert other.catch_up() == 0
    assert not agree.differences(other.database(), place)
    other.close()
    index.close()
    assert Index(place).database().one("PRAGMA integrity_check") == ("ok",)


HOLDER = """
import sys
from session_memory import paths
from session_memory.index.catchup import Index
index = Index(paths.Home(sys.argv[1]))
index.catch_up()
print("ready", flush=True)
sys.stdin.readline()
index.close()
"""


@pytest.mark.fault(16)
def test_a_process_that_still_holds_a_deleted_index_cannot_harm_the_new_one(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft(f"e {n}") for n in range(400)])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, place.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "ready\n"
    os.unlink(place.index)  # its write-ahead log and shared memory stay, in use
    index = Index(place)
    index.catch_up(wait=5)
    inodes = {os.stat(place.index + ending).st_ino for ending in ("-wal", "-shm")}
    holder.communicate("\n", timeout=60)  # closing must not remove, by name, what is the new file's
    assert {os.stat(place.index + ending).st_ino for ending in ("-wal", "-shm")} == inodes
    journal.append([draft("e last")])
    index.catch_up(wait=5)
    other = Index(place)
    other.catch_up(wait=5)
    assert not agree.differences(other.database(), place)
    assert other.database().one("PRAGMA integrity_check") == ("ok",)
    other.close()
    index.close()


@pytest.mark.fault(14)
def test_another_log_of_the_very_same_length_is_noticed(place: paths.Home, tmp_path: Any) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e aaaa")])
    index.catch_up()
    other = paths.Home(str(tmp_path / "other"))
    Journal(other).append([draft("e bbbb")])
    assert os.stat(other.events).st_size == os.stat(place.events).st_size
    shutil.copy(other.events, place.events)
    index.catch_up()
    assert not agree.differences(index.database(), place)
    index.close()


@pytest.mark.fault(17)
@pytest.mark.parametrize("damage", ["header", "pages", "truncated", "empty", "garbage"])
def test_a_damaged_index_is_kept_aside_and_made_again(place: paths.Home, damage: str) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft(f"e {n} " + "words " * 40) for n in range(300)])
    index.catch_up()
    expected = content(index.database())
    index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    whole = bytearray(open(place.index, "rb").read())
    chance = random.Random(3)
    if damage == "header":
        whole[:64] = b"x" * 64
    elif damage == "pages":
        for start in range(4096, len(whole), 4096):
            whole[start : start + 400] = chance.randbytes(400)
    elif damage == "truncated":
        whole = whole[: len(whole) // 2]
    elif damage == "empty":
        whole = bytearray()
    else:
        whole = bytearray(chance.randbytes(10_000))
    open(place.index, "wb").write(whole)
    told: list[str] = []
    again = Index(place, told.append)
    journal.append([draft("e last")])
    again.catch_up()
    found = content(again.database())
    assert len(found["events"]) == len(expected["events"]) + 1
    assert not agree.differences(again.database(), place)
    again.close()


@pytest.mark.fault(17)
def test_a_database_of_somebody_else_is_never_overwritten(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("e")])
    foreign = sqlite3.connect(place.index)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.commit()
    foreign.close()
    before = open(place.index, "rb").read()
    index = Index(place)
    for _attempt in range(2):
        with pytest.raises(IndexUnavailable, match="index-foreign"):
            index.catch_up()
        with pytest.raises(IndexUnavailable, match="index-foreign"):
            index.catch_up(rebuild=True)
    assert open(place.index, "rb").read() == before


@pytest.mark.fault(18)
def test_a_newer_index_is_left_alone_and_ours_lies_beside_it(place: paths.Home) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e")])
    index.catch_up()
    index.database().run("PRAGMA user_version = 99")
    index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    before = open(place.index, "rb").read()
    ours = Index(place)
    ours.catch_up()
    assert len(content(ours.database())["events"]) == 1
    ours.close()
    assert open(place.index, "rb").read() == before
    assert os.path.exists(place.index.replace(".sqlite", f"-{SCHEMA_VERSION}.sqlite"))


OTHER_VERSION = """
import sys
from session_memory.index import database, schema
version = int(sys.argv[2])
schema.SCHEMA_VERSION = database.SCHEMA_VERSION = version
from session_memory import paths
from session_memory.index.catchup import Index
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
home, warnings = paths.Home(sys.argv[1]), []
Journal(home).append([Draft("event", {"session": "s", "project": "p", "category": "finding", "type": "t",
                                      "data": {"text": f"by version {version}"}})])
index = Index(home, warnings.append)
made = index._open() is None
index.catch_up()
print(made, index.database().one("SELECT count(*) FROM event")[0], warnings)
"""


@pytest.mark.fault(18)
def test_an_old_and_a_new_version_at_once_each_make_their_index_once(place: paths.Home) -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", OTHER_VERSION, place.root, str(SCHEMA_VERSION + step % 2)],
            capture_output=True, text=True, check=True,
        ).stdout.split(maxsplit=2)
        for step in range(6)
    ]  # fmt: skip
    assert [row[0] for row in told] == [
        "True",
        "True",
        "True",
        "False",
        "False",
        "False",
    ]  # old, new takes the name, old beside
    assert [int(row[1]) for row in told] == [1, 2, 3, 4, 5, 6]
    assert all(row[2].strip() == "[]" for row in told)


@settings(max_examples=25, deadline=None)
@given(ours=drafts, theirs=drafts, first=st.booleans())
def test_the_order_in_which_origins_arrive_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, ours: list[Draft], theirs: list[Draft], first: bool
) -> None:
    folder = tmp_path_factory.mktemp("origins")
    here, there = paths.Home(str(folder / "here")), paths.Home(str(folder / "there"))
    Journal(here).append([draft("here"), *ours])
    Journal(there).append([draft("there"), *theirs])
    index = Index(here)
    if first:
        index.catch_up()
    origin = next(reader.places(there.events)).line
    assert origin is not None
    target = os.path.join(here.origins, origin.origin)
    os.makedirs(target)
    shutil.copy(there.events, os.path.join(target, "events.jsonl"))
    assert index.catch_up() == 0
    live = content(index.database())
    assert not agree.differences(index.database(), here)
    index.catch_up(rebuild=True)
    assert content(index.database()) == live
    index.close()
    swapped = Index(there)
    mine = next(reader.places(here.events)).line
    assert mine is not None
    os.makedirs(os.path.join(there.origins, mine.origin))
    shutil.copy(here.events, os.path.join(there.origins, mine.origin, "events.jsonl"))
    swapped.catch_up()
    assert content(swapped.database()) == live
    swapped.close()


def test_an_older_schema_is_made_again(place: paths.Home) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e")])
    index.catch_up()
    index.database().run("DROP TABLE tag")
    index.database().run("PRAGMA user_version = 0")
    index.close()
    again = Index(place)
    again.catch_up()
    assert len(content(again.database())["events"]) == 1
    again.close()


@pytest.mark.fault(14)
@pytest.mark.parametrize("change", ["replaced", "cut", "deleted"])
def test_another_log_means_another_index(place: paths.Home, tmp_path: Any, change: str) -> None:
    told: list[str] = []
    journal, index = Journal(place), Index(place, told.append)
    journal.append([draft(f"e {n}") for n in range(10)])
    index.catch_up()
    if change == "replaced":
        other = paths.Home(str(tmp_path / "other"))
        Journal(other).append([draft("e other") for _ in range(10)])
        shutil.copy(other.events, place.events)
    elif change == "cut":
        lines = open(place.events, "rb").read().splitlines(keepends=True)
        open(place.events, "wb").writelines(lines[:5])
    else:
        os.unlink(place.events)
        journal.append([draft("e new")])
    index.catch_up()
    assert not agree.differences(index.database(), place)
    assert any("made again" in text for text in told)
    index.close()


@pytest.mark.fault(21)
def test_a_held_index_lock_means_behind_and_loses_nothing(place: paths.Home) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e one")])
    index.catch_up()
    with Lock(place.index_lock, 1.0):
        journal.append([draft("e two")])
        assert index.catch_up(wait=0.05) > 0
    assert index.catch_up() == 0
    assert len(content(index.database())["events"]) == 2
    index.close()


@pytest.mark.fault(19)
def test_lines_that_mean_nothing_here_are_counted_and_do_not_stop_the_others(place: paths.Home) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e one"), Draft("dream", {"session": "s"}), draft("e two")])
    index.catch_up()
    assert len(content(index.database())["events"]) == 2
    assert dict(index.database().rows("SELECT why, lines FROM skipped")) == {"unknown kind": 1}
    index.close()


@pytest.mark.fault(19)
def test_newer_and_forgotten_lines_are_counted_and_many_lines_are_applied_in_pieces(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "BATCH", 3)
    Journal(place).append([draft(f"e{n}") for n in range(10)])
    lines = open(place.events, "rb").read().split(b"\n")[:-1]
    lines[4] = line.nulled(lines[4])
    last = line.parse(lines[-1])
    assert last is not None
    body = line.body_bytes({"new": "meaning"}, "0" * 32)
    lines.append(
        line.build("event", "f" * 32, last.origin, last.seq + 1, last.at, last.hlc, None, body, last.chain, v=9)
    )
    with open(place.events, "wb") as file:
        file.write(b"\n".join(lines) + b"\n")
    index = Index(place)
    assert index.catch_up() == 0
    assert dict(index.database().rows("SELECT why, lines FROM skipped")) == {"forgotten": 1, "newer version": 1}
    Journal(place).append([draft(f"more{n}") for n in range(10)])
    assert index.catch_up() == 0
    assert index.database().one("SELECT count(*) FROM event") == (19,)
    assert not agree.differences(index.database(), place)
    index.close()


WRITER = """
import sys
from session_memory import paths
from session_memory.index.catchup import Index
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
home, name, count = paths.Home(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal, index = Journal(home, deadline=60), Index(home)
for n in range(count):
    journal.append([Draft("event", {"session": name, "project": "p", "category": "finding", "type": "t",
                                    "data": {"text": f"e {name} {n}"}})])
    index.catch_up()
print("done")
"""


@pytest.mark.fault(16)
@pytest.mark.parametrize("harm", ["delete", "garbage", "nothing"])
def test_writers_go_on_while_the_index_is_deleted_or_overwritten(place: paths.Home, harm: str) -> None:
    Journal(place).append([draft("e first")])
    Index(place).catch_up()
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, place.root, f"w{n}", "60"], stdout=subprocess.PIPE, text=True)
        for n in range(3)
    ]
    stop = threading.Event()

    def vandal() -> None:
        while not stop.wait(0.05):
            if harm == "delete":
                for ending in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(place.index + ending)
            elif harm == "garbage":
                with open(place.index + ".new", "wb") as file:
                    file.write(b"garbage" * 2000)
                os.replace(place.index + ".new", place.index)

    thread = threading.Thread(target=vandal)
    thread.start()
    try:
        for writer in writers:
            output, _ = writer.communicate(timeout=120)
            assert (writer.returncode, output) == (0, "done\n")
    finally:
        stop.set()
        thread.join()
    index = Index(place)
    for _attempt in range(20):
        if index.catch_up(wait=5) == 0:
            break
        time.sleep(0.05)
    assert len(content(index.database())["events"]) == 181
    assert not agree.differences(index.database(), place)
    assert index.database().one("PRAGMA integrity_check") == ("ok",)
    index.close()


@pytest.mark.fault(3)
def test_killed_while_it_is_made_again_it_is_made_by_the_next(place: paths.Home) -> None:
    Journal(place).append([draft(f"e {n}") for n in range(3_000)], stated=False)
    program = (
        "import sys; from session_memory import paths; from session_memory.index.catchup import Index;"
        " Index(paths.Home(sys.argv[1])).catch_up(rebuild=True)"
    )
    for wait in (0.15, 0.3, 0.45):
        process = subprocess.Popen([sys.executable, "-c", program, place.root])
        time.sleep(wait)
        process.kill()
        process.wait()
    index = Index(place)
    index.catch_up(wait=5)
    assert len(content(index.database())["events"]) == 3_000
    assert not agree.differences(index.database(), place)
    index.close()


@pytest.mark.fault(17)
@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_spoilt_in_the_index_the_answers_are_complete_or_it_says_so(place: paths.Home, seed: int) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft(f"e number {n}") for n in range(300)])
    index.catch_up()
    index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    chance = random.Random(seed)
    with open(place.index, "r+b") as file:
        size = file.seek(0, 2)
        for _ in range(chance.randint(1, 8)):
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(chance.randint(1, 3_000)))
    again = Index(place)
    try:
        again.catch_up()
        list(again.database().rows("SELECT * FROM event"))
        if agree.differences(again.database(), place):
            raise IndexUnavailable("index-unavailable", "differs")
    except (IndexUnavailable, *DAMAGE):
        again.catch_up(rebuild=True)  # what `doctor --fix` and `rebuild` do
    assert not agree.differences(again.database(), place)
    assert journal.append([draft("e after")])[0].seq == 302
    again.close()


def test_an_index_that_another_process_is_making_is_waited_for_and_then_told(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(place).append([draft("e")])
    monkeypatch.setattr(catchup, "REBUILD_SECONDS", 0.01)
    index = Index(place)
    with Lock(place.index_lock, 1.0), pytest.raises(IndexUnavailable, match="index-busy"):
        index.database()
    assert index.database().path == place.index
    index.close()


@pytest.mark.fault(33, 38)
def test_trouble_with_files_and_with_sqlite_are_sentences(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(place)
    journal.append([draft("e")])
    index = Index(place)

    def fail(home: paths.Home) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(
            catchup,
            "make_index",
            lambda path: (_ for _ in ()).throw(catchup.apsw.FullError("database or disk is full")),
        )
        with pytest.raises(IndexUnavailable, match="disk is full"):
            index.catch_up()
    with monkeypatch.context() as patch:
        patch.setattr(catchup.reader, "Logs", fail)
        with pytest.raises(IndexUnavailable, match="Too many open files"):
            index.catch_up()
    os.mkdir(place.index_lock + ".d")
    if os.path.exists(place.index_lock):
        os.unlink(place.index_lock)
    os.rename(place.index_lock + ".d", place.index_lock)
    with pytest.raises(LogUnavailable, match="log-unwritable"):
        index.catch_up()
    os.rmdir(place.index_lock)
    assert index.catch_up() == 0
    index.close()


def test_a_segment_that_vanished_from_under_the_index_is_noticed(place: paths.Home) -> None:
    warnings: list[str] = []
    journal, index = Journal(place, roll_bytes=10), Index(place, warnings.append)
    for number in range(3):
        journal.append([draft(f"e{number}")])
    index.catch_up()
    assert index._same("segments/events-000099.jsonl", 0, "") is False
    shutil.rmtree(place.segments)
    assert index.catch_up() == 0
    index.close()


def test_another_history_of_the_same_origin_is_not_taken_for_ours(place: paths.Home) -> None:
    warnings: list[str] = []
    journal, index = Journal(place), Index(place, warnings.append)
    journal.append([draft("e one")])
    before = open(place.events, "rb").read()
    journal.append([draft("e two")])
    index.catch_up()
    with open(place.events, "wb") as file:
        file.write(before)
    Journal(place).append([draft("e other")])
    assert index.catch_up() == 0 and "does not belong to this log" in warnings[0]
    assert not agree.differences(index.database(), place)
    index.close()


def test_a_log_of_nothing_but_damage_is_read_to_its_end(place: paths.Home) -> None:
    warnings: list[str] = []
    journal, index = Journal(place), Index(place, warnings.append)
    journal.append([draft("e")])
    index.catch_up()
    with open(place.events, "wb") as file:
        file.write(b"junk\n" * 5)
    assert index.catch_up() == 0 and warnings
    assert index.database().one("SELECT lines FROM skipped WHERE why = 'damaged'") == (5,)
    index.close()


def test_progress_is_told_every_few_lines(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catchup, "SHOWN_EVERY", 5)
    Journal(place).append([draft(f"e{n}") for n in range(20)])
    told: list[tuple[int, int]] = []
    index = Index(place)
    index.catch_up(progress=lambda done, total: told.append((done, total)))
    assert len(told) == 4 and told == sorted(told) and told[-1][1] == os.path.getsize(place.events)
    index.close()


def test_a_body_that_cannot_be_read_is_counted_and_told(place: paths.Home) -> None:
    warnings: list[str] = []
    Journal(place).append([draft("long " * 30_000), draft("e")])
    shutil.rmtree(place.blobs)
    index = Index(place, warnings.append)
    index.catch_up()
    assert index.database().one("SELECT lines FROM skipped WHERE why = 'unreadable body'") == (1,)
    assert "could not be indexed" in warnings[0]
    index.close()


@pytest.mark.fault(17)
@pytest.mark.parametrize("sound", [True, False])
def test_damage_met_while_catching_up_is_confirmed_under_the_lock(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch, sound: bool
) -> None:
    warnings: list[str] = []
    journal, index = Journal(place), Index(place, warnings.append)
    journal.append([draft("e")])
    index.catch_up()
    journal.append([draft("e two")])
    real, met = Index._apply, []

    def damaged(self: Index, *words: Any, **more: Any) -> None:
        if not met:
            met.append(1)
            raise catchup.apsw.CorruptError("database disk image is malformed")
        real(self, *words, **more)

    monkeypatch.setattr(Index, "_apply", damaged)
    if not sound:
        monkeypatch.setattr(catchup, "_sound", lambda path: False)
    assert index.catch_up() == 0
    assert bool([each for each in warnings if "was damaged" in each]) is not sound
    assert index.database().one("SELECT count(*) FROM event") == (2,)
    index.close()


@pytest.mark.fault(17)
def test_a_damaged_index_while_its_lock_is_held_means_behind(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft("e")])
    index.catch_up()
    monkeypatch.setattr(catchup, "REBUILD_SECONDS", 0.01)
    error = catchup.apsw.CorruptError("x")
    with Lock(place.index_lock, 1.0):
        assert index._replace(error, 0.01, None) >= 1
    os.unlink(place.index_lock)
    os.mkdir(place.index_lock)
    with pytest.raises(LogUnavailable, match="log-unwritable"):
        index._replace(error, 0.01, None)
    index.close()


def test_soundness_is_asked_of_sqlite(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft(f"e{n}") for n in range(200)])
    index.catch_up()
    index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
    index.close()
    assert catchup._sound(place.index)

    def refuse(self: Database, sql: str, values: Any = ()) -> Any:
        raise catchup.apsw.CorruptError("malformed")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "one", refuse)
        assert not catchup._sound(place.index)
    with open(place.index, "r+b") as file:
        file.write(b"\xff" * 4096)
    assert not catchup._sound(place.index)


@pytest.mark.fault(16)
@pytest.mark.parametrize("times", [2, 9])
def test_an_index_that_vanishes_while_it_is_opened_is_looked_at_again(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    Journal(place).append([draft("e")])
    index, met = Index(place), []
    real = catchup.make_index

    def vanishing(path: str) -> Database:
        met.append(path)
        if len(met) <= times:
            raise catchup.apsw.IOError("disk I/O error")
        return real(path)

    monkeypatch.setattr(catchup, "make_index", vanishing)
    if times == 2:
        assert index.catch_up() == 0
    else:
        with pytest.raises(IndexUnavailable, match="disk I/O error"):
            index.catch_up()
    assert len(met) == (3 if times == 2 else catchup.TRIES)
    index.close()


@pytest.mark.fault(33)
def test_an_index_that_cannot_be_looked_at_is_a_sentence(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(place).append([draft("e")])
    Index(place).catch_up()
    index = Index(place)

    def failing(*words: Any, **more: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "read", failing)
        with pytest.raises(IndexUnavailable, match="Input/output error"):
            index.database()
    with monkeypatch.context() as broken:
        stat = os.stat
        broken.setattr(os, "stat", lambda path, **more: failing() if path == place.index else stat(path, **more))
        assert index.database().one("SELECT count(*) FROM event") == (1,)


def test_a_rollback_that_fails_too_does_not_hide_what_failed_first(place: paths.Home) -> None:
    Journal(place).append([draft("e")])
    index = Index(place)
    index.catch_up()
    database = index.database()
    with pytest.raises(apsw.IOError, match="first"), database.writing():
        raise_after_rollback(database)
    with pytest.raises(apsw.SQLError, match="no such table"), database.writing():
        database.run("SELECT * FROM missing")


def raise_after_rollback(database: Any) -> None:
    """What SQLite does when the disk fails in the middle: it rolls back itself, and the one who asks again is told off."""
    database.run("ROLLBACK")
    raise apsw.IOError("first")


@pytest.mark.fault(20)
def test_an_index_whose_tables_went_with_its_write_ahead_log_is_made_again(place: paths.Home) -> None:
    Journal(place).append([draft("e")])
    Index(place).catch_up()
    index = Index(place)
    database = index.database()
    database.run("DROP TABLE position")
    database.run("DROP TABLE skipped")
    index.close()
    fresh = Index(place)
    assert fresh.catch_up(wait=20) == 0 and agree.differences(fresh.database(), place) == []


def test_a_removed_index_leaves_nothing_and_is_made_again(place: paths.Home) -> None:
    Journal(place).append([draft("e")])
    index = Index(place)
    index.catch_up()
    index.remove()
    assert not [name for name in os.listdir(place.storage) if name.startswith("index.sqlite")]
    assert index.catch_up() == 0 and index.database().one("SELECT count(*) FROM event") == (1,)
