"""Power loss at any moment: what was stated is there, the home opens, and the log goes on."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from tests.log import calls, power
from tests.log.test_journal import draft

from session_memory import paths
from session_memory.errors import SessionMemoryError
from session_memory.log import origin, reader
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.log.verify import verify

STATES = int(os.environ.get("SESSION_MEMORY_POWER_STATES", "400"))


def story(root: str) -> power.Recorder:
    """Forty appends: stated and not, short and long, through the spool, over the end of a file."""
    place, recorder = paths.Home(root), power.Recorder(root)

    def keep(journal: Journal, text: str, *, stated: bool = True) -> None:
        for record in journal.append([draft(text)], stated=stated):
            recorder.acknowledged(record.id, stated=stated)

    with calls.watched(recorder, power.CALLS):
        journal = Journal(place, roll_bytes=6_000)
        for number in range(40):
            if number % 9 == 4:
                with Lock(place.store_lock, 1.0):
                    keep(Journal(place, deadline=0.0), f"waits {number}")
                if number % 2:
                    journal.merge()
            elif number % 11 == 7:
                keep(journal, f"long {number} " + "x" * 70_000)
            else:
                keep(journal, f"short {number} " + "y" * (number * 13 % 300), stated=number % 3 != 1)
    return recorder


def at_home(target: str) -> paths.Home:
    """The home on such a disk: the same one after the power came back, not a copy of it."""
    place = paths.Home(target)
    known = origin.read(place)
    if known is not None:
        known.inode = os.stat(place.storage).st_ino
        origin.write(place, known)
    return place


def ids_there(place: paths.Home) -> list[str]:
    found = []
    with reader.Logs(place) as logs:
        for each in (each for log in logs for part in log.parts for each in reader.places(part)):
            if each.line is not None:
                try:
                    reader.record(place, each.line)
                except SessionMemoryError:
                    continue  # its long body is not there
                found.append(each.line.id)
    return found


@pytest.mark.fault(7, 8)
@pytest.mark.parametrize("holes", [False, True], ids=["in order", "in any order"])
def test_every_disk_that_may_be_left_opens_and_holds_what_was_stated(tmp_path: Path, holes: bool) -> None:
    (tmp_path / "live").mkdir()
    root = str(tmp_path / "live" / "home")
    recorder = story(root)
    chance = random.Random(STATES + holes)
    lost = 0
    assert sum(op[0] == "told" for op in recorder.ops) == 40
    for number in range(STATES):
        disk = power.Disk(recorder.ops, chance.randint(0, len(recorder.ops)))
        left = disk.left(chance, holes=holes)
        target = str(tmp_path / str(number))
        power.made(left, root, target)
        place = at_home(target)
        record = Journal(place).append([draft("after the power came back")])[0]
        found = ids_there(place)
        assert disk.stated <= set(found), (number, sorted(disk.stated - set(found)))
        assert record.id in found and len(found) == len(set(found))
        if not holes:
            assert [str(each) for each in verify(place).faults] == [], number
        lost += len(disk.told - set(found))
        shutil.rmtree(target)
    assert lost  # unstated records may be lost: otherwise the disk was not strict
    print(f"\n{STATES} states, {'holes' if holes else 'in order'}: 0 stated lost, {lost} unstated lost")


@pytest.mark.fault(7)
def test_a_disk_that_flushes_nothing_loses_what_was_stated(tmp_path: Path) -> None:
    """The paper disk can tell: without the flushes it does lose something."""
    (tmp_path / "live").mkdir()
    root = str(tmp_path / "live" / "home")
    recorder = story(root)
    ops = [op for op in recorder.ops if op[0] not in ("flush", "flush folder")]
    chance, lost = random.Random(1), 0
    for number in range(30):
        disk = power.Disk(ops, len(ops) - chance.randint(0, 20))
        target = str(tmp_path / str(number))
        power.made(disk.left(chance, holes=False), root, target)
        lost += len(disk.stated - set(ids_there(paths.Home(target))))
    assert lost
