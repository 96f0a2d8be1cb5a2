"""A copied home is noticed at open: it begins an origin of its own, and the old lines stay found."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.log.test_journal import draft, texts

from session_memory import paths
from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log import origin, reader, secret, spool
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.log.verify import verify


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def copied(place: paths.Home, tmp_path: Path) -> paths.Home:
    shutil.copytree(place.root, tmp_path / "copy")
    return paths.Home(str(tmp_path / "copy"))


def writers(place: paths.Home) -> list[str]:
    with reader.Logs(place) as logs:
        return [log.origin for log in logs]


def test_a_copy_begins_an_origin_of_its_own_and_the_original_goes_on(place: paths.Home, tmp_path: Path) -> None:
    first = Journal(place)
    old = first.append([draft("before")])[0].origin
    copy = copied(place, tmp_path)
    new = Journal(copy).append([draft("in the copy")])[0].origin
    assert first.append([draft("in the original")])[0].origin == old != new
    assert texts(copy) == ["in the copy", "before"] and writers(copy) == [new, old]
    assert texts(place) == ["before", "in the original"]
    assert not verify(copy).faults and not verify(place).faults
    start = next(reader.places(copy.events)).line
    assert start is not None and start.parsed() == {"why": "clone", "from": {"origin": old, "seq": 2}}
    again = Journal(copy)
    assert again.append([draft("more")])[0].origin == new  # noticed once


def test_what_the_copy_writes_is_later_than_all_it_was_copied_with(place: paths.Home, tmp_path: Path) -> None:
    high = Journal(place, roll_bytes=400).append([draft("a")])[0].hlc
    Journal(place, roll_bytes=400).append([draft("b")])
    copy = copied(place, tmp_path)
    assert Journal(copy).append([draft("c")])[0].hlc > high
    assert reader.segments(os.path.join(copy.origins, os.listdir(copy.origins)[0]))


def test_the_index_of_a_copy_goes_on_without_being_made_again(place: paths.Home, tmp_path: Path) -> None:
    journal, index = Journal(place), Index(place)
    journal.append([draft(f"word{n}") for n in range(5)])
    index.catch_up()
    index.close()
    copy = copied(place, tmp_path)
    Journal(copy).append([draft("new")])
    warnings: list[str] = []
    following = Index(copy, warnings.append)
    assert following.catch_up() == 0 and not warnings
    assert following.database().one("SELECT count(*) FROM event") == (6,)
    assert not agree.differences(following.database(), copy)
    assert following.catch_up(rebuild=True) == 0
    assert not agree.differences(following.database(), copy)
    following.close()


def test_moving_a_home_within_its_disk_changes_nothing(place: paths.Home, tmp_path: Path) -> None:
    old = Journal(place).append([draft("a")])[0].origin
    os.rename(place.root, tmp_path / "moved")
    assert Journal(paths.Home(str(tmp_path / "moved"))).append([draft("b")])[0].origin == old


def test_a_machine_that_was_never_here_makes_a_copy_and_one_that_was_does_not(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def on(name: str) -> str:
        (tmp_path / name).write_text(name)
        monkeypatch.setattr(origin, "MACHINE_FILES", (str(tmp_path / name),))
        return Journal(place).append([draft(name)])[0].origin

    first, second = on("laptop"), on("server")
    assert first != second
    assert on("laptop") == second == on("server")  # a home on a network drive is one home
    assert sorted(texts(place)) == ["laptop", "laptop", "server", "server"] and not verify(place).faults
    content = (Path(place.origin)).read_text()
    assert "laptop" not in content and "server" not in content


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"origin": 1}', '{"origin": "x", "machines": 3, "inode": 1}', "\0" * 50]
)
def test_an_unreadable_origin_file_is_written_anew_and_the_log_is_ours(place: paths.Home, content: str) -> None:
    old = Journal(place).append([draft("a")])[0].origin
    with open(place.origin, "w") as file:
        file.write(content)
    assert Journal(place).append([draft("b")])[0].origin == old
    assert json.load(open(place.origin))["origin"] == old


def test_what_waited_in_the_spool_of_a_copy_is_merged_in_both(place: paths.Home, tmp_path: Path) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with Lock(place.store_lock, 1.0):
        journal.append([draft("waits")])
    copy = copied(place, tmp_path)
    for each in (place, copy):
        Journal(each).merge()
        assert sorted(texts(each)) == ["a", "waits"] and not verify(each).faults and not spool.names(each)


def test_a_torn_end_is_mended_before_the_copy_leaves_the_log_behind(place: paths.Home, tmp_path: Path) -> None:
    Journal(place).append([draft("a")])
    with open(place.events, "ab") as file:
        file.write(b'{"v":1,"kind":"ev')
    copy = copied(place, tmp_path)
    Journal(copy).append([draft("b")])
    assert texts(copy) == ["b", "a"] and not verify(copy).faults and not verify(copy).torn


def test_two_logs_of_one_origin_are_told_and_nothing_is_overwritten(place: paths.Home) -> None:
    warnings: list[str] = []
    old = Journal(place).append([draft("a")])[0].origin
    folder = os.path.join(place.origins, old)
    os.makedirs(folder, mode=0o700)
    os.chmod(place.origins, 0o700)
    shutil.copy(place.events, os.path.join(folder, "events.jsonl"))
    known = origin.read(place)
    assert known is not None
    known.inode += 1
    origin.write(place, known)
    assert Journal(place, warn=warnings.append).append([draft("b")])[0].origin == old
    assert "two logs of origin" in warnings[0] and open(os.path.join(folder, "events.jsonl")).read()


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
for room, name in ((os, "replace"), (os, "mkdir"), (os, "open"), (os, "write"), (os, "fsync")):
    def wrapped(*words, real=getattr(room, name), **more):
        die()
        result = real(*words, **more)
        die()
        return result
    setattr(room, name, wrapped)
print(Journal(home).append([Draft("event", {"data": {"text": "new"}})])[0].seq, flush=True)
"""


@pytest.mark.fault(6)
def test_a_change_of_origin_killed_at_any_step_is_gone_on_with(
    place: paths.Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = Journal(place, roll_bytes=600)
    for text in ("one", "two"):
        journal.append([draft(text)])
    killed = 0
    for step in range(1, 200):
        copy = copied(place, tmp_path_factory.mktemp("copy"))
        done = subprocess.run(
            [sys.executable, "-c", KILLED, copy.root, str(step)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = bool(done.stdout.strip())
        Journal(copy).append([draft("after")])
        found = sorted(texts(copy))
        assert found in (["after", "new", "one", "two"], ["after", "one", "two"]) and ("new" in found or not said)
        assert not verify(copy).faults and len(set(writers(copy))) == len(writers(copy))
        if done.returncode != -signal.SIGKILL:
            break
        killed += 1
    assert killed > 30


def test_here_is_a_keyed_hash(place: paths.Home) -> None:
    Journal(place)
    machine, inode = origin.here(place, secret.load(place))
    assert machine == origin.here(place, secret.load(place))[0] != origin.here(place, b"k" * 32)[0] or not machine
    assert inode == os.stat(place.storage).st_ino


def test_a_machine_without_a_name_is_known_by_its_folder_alone(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("")
    monkeypatch.setattr(origin, "MACHINE_FILES", (str(tmp_path / "none"), str(tmp_path / "empty")))
    first = Journal(place).append([draft("a")])[0].origin
    assert json.load(open(place.origin))["machines"] == []
    assert Journal(place).append([draft("b")])[0].origin == first
    assert Journal(copied(place, tmp_path)).append([draft("c")])[0].origin != first
