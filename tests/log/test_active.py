"""The active file: rolled when full without losing or doubling a line, and nothing noticed by those who follow the log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from tests.log.test_journal import draft, texts

from session_memory import paths
from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log import active, reader
from session_memory.log.journal import Journal
from session_memory.log.verify import verify


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def test_a_full_file_becomes_a_segment_and_the_chain_goes_on(place: paths.Home) -> None:
    journal = Journal(place, roll_bytes=3_000)
    for number in range(40):
        journal.append([draft(str(number))])
    names = reader.segments(place.storage)
    assert names == [f"events-{n:06d}.jsonl" for n in range(1, len(names) + 1)] and len(names) > 3
    assert all(os.stat(os.path.join(place.segments, name)).st_size <= 3_000 for name in names)
    assert texts(place) == [str(number) for number in range(40)]
    assert not verify(place).faults
    assert [texts(place)[-1], Journal(place).append([draft("new process")])[0].seq] == ["39", 42]


def test_one_batch_longer_than_a_file_is_kept_whole(place: paths.Home) -> None:
    journal = Journal(place, roll_bytes=2_000)
    journal.append([draft("a")])
    journal.append([draft(str(n)) for n in range(30)])
    journal.append([draft("z")])
    assert texts(place) == ["a", *map(str, range(30)), "z"] and not verify(place).faults


def test_two_writers_roll_one_log(place: paths.Home) -> None:
    first, second = Journal(place, roll_bytes=2_500), Journal(place, roll_bytes=2_500)
    for number in range(60):
        (first if number % 3 else second).append([draft(str(number))])
    assert texts(place) == [str(number) for number in range(60)] and not verify(place).faults


def test_a_roll_makes_no_rebuild_and_hides_nothing(place: paths.Home) -> None:
    warnings: list[str] = []
    journal, index = Journal(place, roll_bytes=4_000), Index(place, warnings.append)
    rebuilds = 0
    for number in range(80):
        journal.append([draft(f"number{number}")])
        if number % 3 == 0:
            index.catch_up()
            made = index.database().one("SELECT count(*) FROM event")
            assert made == (number + 1,)
            rebuilds += bool(warnings)
    index.catch_up()
    assert not warnings and not rebuilds
    assert not agree.differences(index.database(), place)
    with reader.Logs(place) as logs:
        assert len(logs.all[0].parts) > 3
    index.close()


def test_a_follower_whose_hint_was_rolled_away_goes_on_from_the_number(place: paths.Home) -> None:
    warnings: list[str] = []
    journal, index = Journal(place, roll_bytes=100_000), Index(place, warnings.append)
    for number in range(20):
        journal.append([draft(str(number))])
    index.catch_up()
    rolling = Journal(place, roll_bytes=10)
    for number in range(20, 24):
        rolling.append([draft(str(number))])
    assert index.catch_up() == 0 and not warnings
    assert index.database().one("SELECT count(*) FROM event") == (24,)
    index.close()


def test_readers_see_every_line_while_the_log_rolls_under_them(place: paths.Home) -> None:
    journal = Journal(place, roll_bytes=1_500)
    journal.append([draft("0")])
    stop, troubles = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            with reader.Logs(place) as logs:
                seqs = [
                    each.line.seq for log in logs for part in log.parts for each in reader.places(part) if each.line
                ]
            if seqs != list(range(1, len(seqs) + 1)):
                troubles.append(seqs)

    reading = threading.Thread(target=read)
    reading.start()
    for number in range(1, 250):
        journal.append([draft(str(number))], stated=False)
    stop.set()
    reading.join()
    assert not troubles


@pytest.mark.fault(4)
def test_a_disk_that_cannot_begin_a_new_file_goes_on_in_the_old_one(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    journal = Journal(place, roll_bytes=1_000, warn=warnings.append)
    journal.append([draft("a" * 900)])

    def refuse(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(paths, "move", refuse)
        journal.append([draft("b")])
    assert "goes on in the old one" in warnings[0]
    journal.append([draft("c")])
    assert texts(place) == ["a" * 900, "b", "c"] and not verify(place).faults
    assert reader.segments(place.storage)


KILLED = """
import os, signal, sys
from session_memory import paths
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
home, step = paths.Home(sys.argv[1]), int(sys.argv[2])
count = 0
def die():
    global count
    count += 1
    if count == step:
        os.kill(os.getpid(), signal.SIGKILL)
journal = Journal(home, roll_bytes=1_000)
for room, name in ((paths, "make_dir"), (paths, "move"), (paths, "sync_dir"), (paths, "open_file"), (os, "replace"),
                   (paths, "sync_file"), (paths, "write_all")):
    def wrapped(*words, real=getattr(room, name), **more):
        die()
        result = real(*words, **more)
        die()
        return result
    setattr(room, name, wrapped)
print(journal.append([Draft("event", {"data": {"text": "new"}})])[0].seq, flush=True)
"""


@pytest.mark.fault(4, 6)
def test_a_roll_killed_at_any_step_loses_and_doubles_no_segment(tmp_path_factory: pytest.TempPathFactory) -> None:
    killed = 0
    for step in range(1, 60):
        place = paths.Home(str(tmp_path_factory.mktemp("roll") / "home"))
        journal = Journal(place, roll_bytes=1_000)
        for number in range(3):
            journal.append([draft(f"{number}" * 400)])
        done = subprocess.run(
            [sys.executable, "-c", KILLED, place.root, str(step)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        expected = [f"{number}" * 400 for number in range(3)]
        found = texts(place)
        assert found in ([*expected, "new"], expected) and (found[-1] == "new" or not done.stdout)
        Journal(place).append([draft("after")])
        assert texts(place) == [*found, "after"] and not verify(place).faults
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
    assert killed > 15


def test_segments_stand_in_order_behind_the_limit_of_the_product() -> None:
    assert active.ROLL_BYTES == 64 * 1024 * 1024
