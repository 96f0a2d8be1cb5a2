"""Lines of other devices: whole or not at all, whatever call of the system fails or is the last; and two histories told apart."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.log import calls
from tests.sync.homes import SECRET, Device

from session_memory import paths
from session_memory.errors import LogUnavailable
from session_memory.log import extent, foreign, line, origin, reader, secret
from session_memory.log.active import Active
from session_memory.log.foreign import Foreign
from session_memory.log.journal import Journal
from session_memory.log.line import FIRST_CHAIN, Line
from session_memory.log.verify import verify
from session_memory.model.record import EVENT, Draft


def of(device: Device) -> Foreign:
    return Foreign(device.home, SECRET, device.journal.bans, wait=1.0)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Device, Device, list[Line]]:
    """A device, one that writes, and the other's lines."""
    here, there = Device(tmp_path / "here"), Device(tmp_path / "there")
    for n in range(6):
        there.say(f"text {n}", key=f"k:{n}", long="x" * 70_000 if n == 4 else "")
    here.say("mine")
    return here, there, there.lines()[there.origin()]


def faults(device: Device) -> list[str]:
    """But for long bodies, which are fetched after their lines."""
    return [str(each) for each in verify(device.home).faults if not str(each).endswith("is missing")]


Pair = tuple[Device, Device, list[Line]]


def taken(here: Device, name: str, lines: list[Line]) -> bool:
    have = here.lines().get(name, [])
    return of(here).take(name, len(have), have[-1].chain if have else FIRST_CHAIN, lines[len(have) :])


def test_lines_are_taken_behind_the_last_one_and_nowhere_else(pair: Pair) -> None:
    here, there, lines = pair
    name = there.origin()
    assert not of(here).take(name, 1, lines[0].chain, lines[1:])
    assert of(here).take(name, 0, FIRST_CHAIN, lines[:3]) and not of(here).take(name, 0, FIRST_CHAIN, lines[:3])
    assert not of(here).take(name, 3, b"f" * 64, lines[3:]) and taken(here, name, lines)
    assert here.bytes_by_origin()[name] == there.bytes_by_origin()[name]
    assert origin.foreign_clock(here.home) == max(each.hlc for each in lines)
    path = Path(here.home.origins, name, reader.ACTIVE)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_half_a_line_from_a_kill_is_mended_before_more_is_taken(pair: Pair) -> None:
    here, there, lines = pair
    name = there.origin()
    of(here).take(name, 0, FIRST_CHAIN, lines[:3])
    with open(Path(here.home.origins, name, reader.ACTIVE), "ab") as file:
        file.write(lines[3].raw[:50])
    assert taken(here, name, lines) and here.bytes_by_origin()[name] == there.bytes_by_origin()[name]


def test_a_large_foreign_log_rolls(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, lines = pair
    monkeypatch.setattr(foreign, "ROLL_BYTES", 1_000)
    name, at = there.origin(), FIRST_CHAIN
    for n, each in enumerate(lines):
        assert of(here).take(name, n, at, [each])
        at = each.chain
    assert len(reader.segments(os.path.join(here.home.origins, name))) > 1 and not faults(here)
    os.unlink(Path(here.home.origins, name, reader.ACTIVE))  # killed between the roll and the next line
    have = here.lines()[name]
    assert of(here).take(name, have[-1].seq, have[-1].chain, lines[have[-1].seq :])
    assert here.bytes_by_origin()[name] == there.bytes_by_origin()[name]


def test_lines_of_the_own_origin_come_back_into_the_own_log(pair: Pair, tmp_path: Path) -> None:
    _here, there, lines = pair
    old = Device(tmp_path / "old")
    shutil.rmtree(old.home.root)
    shutil.copytree(there.home.root, old.home.root)
    Path(old.home.events).write_bytes(b"".join(each.raw + b"\n" for each in lines[:3]))
    known = json.loads(Path(old.home.origin).read_text())
    Path(old.home.origin).write_text(json.dumps({**known, "inode": os.stat(old.home.storage).st_ino}))
    old.open()
    assert of(old).take(there.origin(), 3, lines[2].chain, lines[3:])
    assert old.bytes_by_origin() == there.bytes_by_origin() and not os.path.exists(old.home.clock)
    assert old.say("on").seq == len(lines) + 1


def test_what_is_banned_comes_in_without_body_and_the_sweep_is_due(pair: Pair) -> None:
    here, there, lines = pair
    here.forget(texts=("text 2, and more",))
    assert not here.journal.bans().pending
    more = there.say("text 2, and more of it")
    newer = there.lines()[there.origin()][-1].raw.replace(b"more of it", b'more of \\x"')  # no JSON: a later version's
    assert line.parse(newer) is not None
    here.journal.forget([(lines[1].id, lines[1].key)], [])
    here.journal.finish_forgetting()
    assert taken(here, there.origin(), there.lines()[there.origin()])
    got = here.lines()[there.origin()]
    assert [each.seq for each in got if each.body is None] == [lines[1].seq, more.seq]
    assert here.journal.bans().pending == "log" and here.journal.sweep() is not None and here.journal.sweep() is None


def test_a_body_that_this_version_cannot_read_is_not_taken_for_banned(pair: Pair) -> None:
    here, there, lines = pair
    here.forget(texts=("text 2, and more",))
    body = b'{"salt":"' + b"0" * 32 + b'",text 2, and more}'
    odd = line.parse(
        line.build(EVENT, "f" * 32, there.origin(), 2, lines[1].at, lines[1].hlc, None, body, lines[0].chain)
    )
    assert odd is not None
    assert of(here).take(there.origin(), 0, FIRST_CHAIN, [lines[0], odd])
    assert here.lines()[there.origin()][1].body == body


def test_a_clock_out_of_range_is_not_taken_over(pair: Pair) -> None:
    here, there, lines = pair
    far = line.build(
        EVENT,
        "f" * 32,
        there.origin(),
        2,
        lines[1].at,
        "9999999999999.0000",
        None,
        lines[1].body or b"",
        lines[0].chain,
    )
    found = line.parse(far)
    assert found is not None and of(here).take(there.origin(), 0, FIRST_CHAIN, [lines[0], found])
    assert origin.foreign_clock(here.home) == lines[0].hlc
    for noted in (b"", b"no clock", b"9999999999999.0000", b"\xff" * 18):
        paths.write_whole(here.home.clock, noted)
        assert origin.foreign_clock(here.home) == ""


def test_bodies_go_that_were_forgotten_elsewhere(pair: Pair) -> None:
    here, there, lines = pair
    taken(here, there.origin(), lines)
    chains = {lines[0].chain, lines[2].chain, lines[5].chain, b"f" * 64}  # the first begins the origin: it stays
    assert of(here).null(there.origin(), chains) == 2 and of(here).null(there.origin(), chains) == 0
    assert [each.seq for each in here.lines()[there.origin()] if each.body is None] == [3, 6]
    mine = here.lines()[here.origin()][1]
    assert of(here).null(here.origin(), {mine.chain}) == 1
    assert here.journal.sweep() is not None and not verify(here.home).faults
    assert here.say("goes on").seq == 3


def copy(device: Device, root: Path) -> Device:
    shutil.copytree(device.home.root, root)
    place = root / "storage" / "origin.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "inode": os.stat(root / "storage").st_ino}))
    return Device(root)


def parted(tmp_path: Path, *, own: bool) -> tuple[Device, Device, str]:
    """A device whose log of `there` goes on otherwise than there; and that one."""
    there = Device(tmp_path / "there")
    for n in range(3):
        there.say(f"shared {n}")
    here = copy(there, tmp_path / "here")
    if not own:
        known = json.loads(Path(here.home.origin).read_text())
        here.say("only here", long="y" * 70_000)
        Path(here.home.origin).write_text(
            json.dumps({**known, "inode": 1})
        )  # noticed now: the old log is a foreign one
        here.open()
        here.say("of the new origin")
    else:
        here.say("only here", long="y" * 70_000)
    there.say("only there")
    return here, there, there.origin()


@pytest.mark.parametrize("own", [True, False])
def test_a_parted_log_keeps_what_is_shared_and_moves_the_rest(tmp_path: Path, own: bool) -> None:
    here, there, name = parted(tmp_path, own=own)
    before = here.texts()
    rest = there.lines()[name][4:]
    assert of(here).part(name, 4, {each.id for each in rest}) == 1
    assert here.journal.bans().pending == "log"
    here.open()
    assert taken(here, name, there.lines()[name])
    assert sorted(here.texts()) == sorted([*before, "only there"]) and not verify(here.home).faults
    assert here.bytes_by_origin()[name] == there.bytes_by_origin()[name] and here.origin() != name
    assert of(here).part(name, 4, set()) == 1  # whatever is only there moves; the moved records are known already
    assert not verify(here.home).faults


def test_a_log_parted_in_a_closed_segment_is_cut_there(tmp_path: Path) -> None:
    there = Device(tmp_path / "there", roll_bytes=1_000)
    for n in range(6):
        there.say(f"shared {n}")
    here = copy(there, tmp_path / "here")
    name = there.origin()
    assert len(reader.segments(here.home.storage)) >= 2
    assert of(here).part(name, 2, {each.id for each in there.lines()[name]}) == 0
    assert [each.seq for each in here.lines()[name]] == [1, 2] and here.origin() != name
    assert of(here).part(name, 0, set()) == 1
    assert name not in here.lines()


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_at_every_call_of_parting_loses_and_doubles_nothing(tmp_path: Path, own: bool, before: bool) -> None:
    template, there, name = parted(tmp_path, own=own)
    rest = {each.id for each in there.lines()[name][4:]}
    texts, number, killed = template.texts(), 0, True
    while killed:
        number += 1
        root = tmp_path / "try"
        shutil.rmtree(root, ignore_errors=True)
        device = copy(template, root)

        def run(device: Device = device) -> list[str]:
            with calls.watched(calls.killing(number, before=before)):
                of(device).part(name, 4, rest)
            return []

        _said, killed = calls.in_child(run)
        device = Device(root)
        device.journal.sweep()
        if len(device.lines()[name]) > 4:
            of(device).part(name, 4, rest)
            device.open()
        device.journal.sweep()
        assert device.texts() == texts, number
        assert not verify(device.home).faults and not os.path.exists(device.home.next), number
        assert device.origin() != name
    assert number > 20


def test_a_kill_at_every_call_of_taking_leaves_a_prefix(tmp_path: Path, pair: Pair) -> None:
    here, there, lines = pair
    there.forget(next(iter([there.say("to be forgotten")])))
    lines = there.lines()[there.origin()]
    number, killed = 0, True
    while killed:
        number += 1
        root = tmp_path / "try"
        shutil.rmtree(root, ignore_errors=True)
        device = copy(here, root)

        def run(device: Device = device) -> list[str]:
            with calls.watched(calls.killing(number, before=False)):
                taken(device, there.origin(), lines)
            return []

        _said, killed = calls.in_child(run)
        device = Device(root)
        if there.origin() in device.lines() and device.lines()[there.origin()]:
            assert device.journal.bans().pending != "log"  # opening has swept
        taken(device, there.origin(), lines)
        assert device.bytes_by_origin()[there.origin()] == there.bytes_by_origin()[there.origin()], number
        assert not faults(device)
    assert number > 10


def test_a_disk_that_refuses_leaves_the_log_as_it_was(pair: Pair) -> None:
    here, there, lines = pair
    taken(here, there.origin(), lines[:2])
    before = here.bytes_by_origin()
    number = 0
    while True:
        number += 1
        with calls.watched(calls.failing(number, errno.EIO)) as called:
            try:
                done = taken(here, there.origin(), lines)
            except (OSError, LogUnavailable):
                done = False
        now = here.bytes_by_origin()
        assert now[there.origin()] in (before[there.origin()], there.bytes_by_origin()[there.origin()])
        if done and len(called) < number:
            break
        Path(here.home.origins, there.origin(), reader.ACTIVE).write_bytes(before[there.origin()])


def test_what_is_left_of_a_change_that_never_began_is_removed(tmp_path: Path) -> None:
    device = Device(tmp_path / "home")
    device.say("x")
    Path(device.home.next).write_bytes(b"half")
    with Active(device.home, SECRET, lambda text: None):
        pass
    assert not os.path.exists(device.home.next)
    known = origin.read(device.home)
    assert known is not None
    origin.write(device.home, origin.Known("c" * 16, known.machines, known.inode, (device.origin(), 2)))
    Path(device.home.next).write_bytes(device.lines()[device.origin()][0].raw + b"\n")  # of another change
    was = device.origin()
    device.open()
    device.say("y")
    assert device.origin() == "c" * 16 and was in device.lines() and not os.path.exists(device.home.next)


def test_joining_others_keeps_the_origin_and_what_the_old_secret_banned(tmp_path: Path) -> None:
    device = Device(tmp_path / "home", secrets=(b"o" * 32,))
    old = device.journal.append(
        [Draft(EVENT, {"data": {"text": "typed"}}, key="prompt", key_text="typed", at_ms=1_700_000_000_000)]
    )[0]
    device.forget(old, texts=("Bluebird",))
    was, running = device.origin(), Journal(device.home)
    running.append([Draft(EVENT, {"data": {"text": "running"}})])
    before = running.keyed("x")
    for _twice in range(2):
        origin.rekey(device.home, [SECRET])
    assert secret.load(device.home) == SECRET and running.keyed("x") != before  # noticed by who runs already
    assert running.keyed_by_all("x") == [running.keyed("x"), before]
    again = running.append([Draft(EVENT, {"data": {"text": "typed"}}, key="prompt", key_text="typed")])[0]
    assert again.body is None and running.append([Draft(EVENT, {"data": {"text": "a Bluebird"}})])[0].body == {
        "data": {"text": "a [FORGOTTEN]"}
    }
    device.open()
    assert device.say("z").origin == was
    empty = Device(tmp_path / "empty")
    os.unlink(empty.home.secret)
    assert secret.older(empty.home) == []
    origin.rekey(empty.home, [SECRET])
    assert secret.load(empty.home) == SECRET


def test_a_banned_long_record_leaves_no_file_whichever_way_it_comes(tmp_path: Path) -> None:
    from session_memory.log.lock import Lock

    device = Device(tmp_path / "home")
    device.forget(device.say("first", key="k:1"))
    device.say("again", key="k:1", long="x" * 70_000)
    assert not os.path.exists(device.home.blobs) or not os.listdir(device.home.blobs)
    other = Journal(device.home, deadline=0.0)
    with Lock(device.home.store_lock, 1.0):
        waiting = other.append([Draft(EVENT, {"data": {"text": "x" * 70_000}}, key="k:2")])[0]
        bans = device.journal.bans()
        bans.keys.add("k:2")
        from session_memory.log import forgotten

        forgotten.save(device.home, bans)
    device.open()
    device.journal.sweep()
    line_of = next(each for each in device.lines()[device.origin()] if each.id == waiting.id)
    assert line_of.body is None and not os.listdir(device.home.blobs)


def test_a_long_body_stays_while_a_copy_of_its_record_lives(tmp_path: Path) -> None:
    from session_memory.log import forgotten

    device = Device(tmp_path / "home")
    device.say("long", long="x" * 70_000)
    found = device.lines()[device.origin()][1]
    forgotten.note_blobs(device.home, SECRET, [found])
    swept = device.journal.sweep()
    assert swept is not None and swept.blobs == 0 and len(os.listdir(device.home.blobs)) == 1


def test_halves_of_rewritten_files_go_with_the_sweep(tmp_path: Path) -> None:
    device = Device(tmp_path / "home", roll_bytes=600)
    said = [device.say(f"text {n}") for n in range(4)]
    places = [
        Path(device.home.storage, ".events.jsonl.1.ab.tmp"),
        Path(device.home.segments, ".events-000001.jsonl.1.ab.tmp"),
    ]
    for path in [*places, Path(device.home.storage, ".other.1.ab.tmp")]:
        path.write_bytes(b"text 0")
    device.forget(said[0])
    assert not any(path.exists() for path in places) and Path(device.home.storage, ".other.1.ab.tmp").exists()


def failing_sweep(*_words: Any) -> Any:
    raise OSError(errno.EIO, "no")


def test_a_sweep_that_the_disk_refuses_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from session_memory.log import forgotten

    device = Device(tmp_path / "home")
    device.say("x")
    forgotten.note_blobs(device.home, SECRET, [])
    monkeypatch.setattr(forgotten, "load", failing_sweep)
    with pytest.raises(LogUnavailable):
        device.journal.sweep()
    assert isinstance(extent.weight(b"f" * 64), int) and callable(Callable)


def test_long_bodies_that_went_are_noted_for_the_remote_until_it_has_lost_them(tmp_path: Path) -> None:
    from session_memory.log import forgotten

    device = Device(tmp_path / "home")
    said = [device.say(f"long {n}", long="x" * 70_000) for n in range(2)]
    names = set(os.listdir(device.home.blobs))
    for each in said:
        device.forget(each)
    assert forgotten.gone(device.home) == names
    os.unlink(device.home.sync_key)  # who has no remote need not remember
    forgotten.note_gone(device.home, set())
    device.forget(device.say("long again", long="y" * 70_000))
    assert forgotten.gone(device.home) == set()
