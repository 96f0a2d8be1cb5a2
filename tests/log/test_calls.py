"""Whatever call of the system fails, or is the last one, nothing acknowledged is lost and nothing is wedged."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.log import calls
from tests.log.test_journal import draft, texts

from session_memory import paths
from session_memory.errors import SessionMemoryError
from session_memory.log import reader
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.log.verify import verify

ERRORS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EACCES)


def _record(place: paths.Home) -> list[str]:
    return [Journal(place).append([draft("new")])[0].id]


def _batch(place: paths.Home) -> list[str]:
    return [record.id for record in Journal(place).append([draft(f"new{n}") for n in range(30)])]


def _long(place: paths.Home) -> list[str]:
    return [Journal(place).append([draft("new " * 30_000)])[0].id]


def _roll(place: paths.Home) -> list[str]:
    return [Journal(place, roll_bytes=900).append([draft("new")])[0].id]


def _spool(place: paths.Home) -> list[str]:
    with Lock(place.store_lock, 1.0):
        return [Journal(place, deadline=0.0).append([draft("new")])[0].id]


def _copy(place: paths.Home) -> list[str]:
    return _record(place)


SCENES: dict[str, Callable[[paths.Home], list[str]]] = {
    "record": _record, "batch": _batch, "long": _long, "roll": _roll, "spool": _spool, "copy": _copy, "merge": _record,
    "torn": _record, "new": _record,
}  # fmt: skip


def template(folder: Path, scene: str) -> Path:
    """A home as the scene needs it. Its origin.json knows no inode, so that copies of it do not count as copies."""
    root = folder / "template"
    if root.exists():
        return root
    place = paths.Home(str(root))
    journal = Journal(place, deadline=0.0)
    if scene == "new":
        return root
    for text in ("one", "two", "three"):
        journal.append([draft(text)])
    if scene == "merge":
        with Lock(place.store_lock, 1.0):
            journal.append([draft("waiting"), draft("waiting too")])
    if scene == "torn":
        with open(place.events, "ab") as file:
            file.write(b'{"v":1,"half')
    known = json.loads(Path(place.origin).read_text())
    known["inode"] = 1 if scene == "copy" else 0
    Path(place.origin).write_text(json.dumps(known))
    return root


def fresh(folder: Path, scene: str, number: object) -> paths.Home:
    target = folder / str(number)
    shutil.copytree(template(folder, scene), target)
    return paths.Home(str(target))


def before(scene: str) -> list[str]:
    return [] if scene == "new" else ["one", "two", "three", *(["waiting", "waiting too"] if scene == "merge" else [])]


def judge(place: paths.Home, scene: str, acknowledged: list[str]) -> None:
    """The laws, once the trouble is over."""
    Journal(place).append([draft("after")])
    found = texts(place)
    assert set(before(scene)) | {"after"} <= set(found) and len(found) == len(set(found)), found
    with reader.Logs(place) as logs:
        ids = [each.line.id for log in logs for part in log.parts for each in reader.places(part) if each.line]
    assert set(acknowledged) <= set(ids) and len(ids) == len(set(ids))
    report = verify(place)
    assert not report.faults and not report.torn, [str(each) for each in report.faults]


def test_a_record_that_stands_keeps_its_long_body_though_closing_fails(tmp_path: Path) -> None:
    place = fresh(tmp_path, "long", "close")
    kept = draft("new " * 30_000)
    with calls.watched(calls.passing) as called:
        Journal(place).append([kept])
    last = len(called)  # the lock's close; the log's is the one before
    assert called[-2:] == ["close", "close"]
    place = fresh(tmp_path, "long", "again")
    with calls.watched(calls.failing(last - 1, errno.EIO)), pytest.raises(SessionMemoryError):
        Journal(place).append([kept])
    assert ("new " * 30_000).strip() in [each.strip() for each in texts(place)]
    place = fresh(tmp_path, "long", "lock")
    with calls.watched(calls.failing(last, errno.EIO)):
        assert Journal(place).append([kept])[0].seq


def count(folder: Path, scene: str) -> int:
    place = fresh(folder, scene, "counted")
    with calls.watched(calls.passing) as called:
        SCENES[scene](place)
    return len(called)


@pytest.mark.fault(33, 36)
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("persistent", [False, True], ids=["once", "from then on"])
def test_the_nth_call_may_fail_for_every_n(tmp_path: Path, scene: str, persistent: bool) -> None:
    total = count(tmp_path, scene)
    assert total > 15
    failed = 0
    for error in ERRORS:
        for number in range(1, total + 1):
            place = fresh(tmp_path, scene, f"{error}-{number}")
            acknowledged: list[str] = []
            with calls.watched(calls.failing(number, error, persistent=persistent)):
                try:
                    acknowledged = SCENES[scene](place)
                except SessionMemoryError as told:
                    failed += 1
                    assert told.code.startswith(("log-", "bad-home")) and str(place.root) not in str(told)
            judge(place, scene, acknowledged)
            shutil.rmtree(place.root)
    assert failed > total // 4


@pytest.mark.fault(1, 6)
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_any_call_may_be_the_last_one(tmp_path: Path, scene: str, first: bool) -> None:
    total = count(tmp_path, scene)
    for number in range(1, total + 1):
        place = fresh(tmp_path, scene, number)

        def run(place: paths.Home = place, number: int = number) -> list[str]:
            with calls.watched(calls.killing(number, before=first)):
                return SCENES[scene](place)

        acknowledged, killed = calls.in_child(run)
        assert killed
        judge(place, scene, acknowledged)
        shutil.rmtree(place.root)


@pytest.mark.fault(35)
@pytest.mark.parametrize("seed", range(12))
def test_a_fifth_of_all_calls_may_fail(home: str, seed: int) -> None:
    place, chance = paths.Home(home), random.Random(seed)
    acknowledged: list[str] = []
    journal: Journal | None = None
    with calls.watched(calls.failing_often(chance, 0.2, (*ERRORS, errno.EDQUOT))):
        for number in range(400):
            try:
                if journal is None or chance.random() < 0.1:
                    journal = Journal(place, roll_bytes=4_000)
                journal.append([draft(f"{number}-{n}") for n in range(chance.randint(1, 3))])
                acknowledged.append(f"{number}-0")
            except (SessionMemoryError, OSError):
                continue  # OSError: a home that could not even be opened; `Memory` makes a sentence of it
    Journal(place).append([draft("after")])
    found = texts(place)
    assert acknowledged and set(acknowledged) <= set(found) and len(found) == len(set(found))
    assert [str(each) for each in verify(place).faults] == []


@pytest.mark.fault(34)
@pytest.mark.parametrize("scene", SCENES)
def test_short_writes_are_completed(tmp_path: Path, scene: str) -> None:
    place = fresh(tmp_path, scene, "short")
    with calls.watched(calls.stuttering):
        acknowledged = SCENES[scene](place)
    assert acknowledged
    judge(place, scene, acknowledged)


@pytest.mark.fault(38)
def test_no_descriptor_leaks_whatever_happens(tmp_path: Path) -> None:
    place = fresh(tmp_path, "record", "fds")
    journal = Journal(place, roll_bytes=5_000)

    def held() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    journal.append([draft("first")])
    start = held()
    for number in range(300):
        journal.append([draft(str(number))], stated=False)
    chance = random.Random(1)
    with calls.watched(calls.failing_often(chance, 0.1, ERRORS)):
        for number in range(200):
            try:
                journal.append([draft(f"maybe {number}")])
            except SessionMemoryError:
                continue
    assert held() == start
