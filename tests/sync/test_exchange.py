"""One exchange after the other between real homes: what arrives, what is healed, what stops, and how few calls it takes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.sync.homes import SECRET, SPACE, Device

from session_memory.errors import LogUnavailable, RemoteError
from session_memory.log import foreign, line, reader
from session_memory.log.lock import Lock
from session_memory.log.verify import verify
from session_memory.model.record import FORGET, Draft
from session_memory.sync import keys, seal
from session_memory.sync.folder import Folder
from session_memory.sync.remote import Head, Segment


@pytest.fixture
def hub(tmp_path: Path) -> Folder:
    made = Folder(f"file://{tmp_path}/hub")
    made.open({})
    return made


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Device]:
    return lambda name, **more: Device(tmp_path / name, **more)


Make = Callable[..., Device]


class Through:
    """A remote of which single calls are replaced."""

    def __init__(self, hub: Folder, **instead: Callable[..., Any]) -> None:
        self._hub = hub
        self.url = hub.url
        for name in "open heads index page append replace put get".split():
            setattr(self, name, instead.get(name, getattr(hub, name)))


def unnoticed_copy(device: Device, root: Path) -> Device:
    """As an image of a whole disk makes it."""
    shutil.copytree(device.home.root, root)
    place = root / "storage" / "origin.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "inode": os.stat(root / "storage").st_ino}))
    return Device(root, roll_bytes=device.roll_bytes)


def agreed(hub: Folder, *devices: Device) -> bool:
    """All exchange until nothing moves; whether they hold the same bytes then and every log verifies."""
    for _round in range(4):
        for device in devices:
            assert not [told.error for told in device.sync(hub).origins.values() if told.error]
    assert not any(verify(device.home).faults for device in devices)
    return all(device.bytes_by_origin() == devices[0].bytes_by_origin() for device in devices)


def test_two_devices_come_to_hold_the_same_bytes(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    a.say("from a")
    b.say("from b", long="x" * 100_000)
    assert a.sync(hub).rows == 1
    report = b.sync(hub)
    assert (sum(told.pulled for told in report.origins.values()), report.bodies_sent, report.kinds) == (
        2,
        1,
        {"origin": 2, "event": 2},
    )
    assert a.sync(hub).bodies_fetched == 1
    assert agreed(hub, a, b) and a.texts() == b.texts() and sorted(a.texts()) == ["from a", "from b"]
    assert (a.sync(hub).calls, b.sync(hub).calls) == (2, 2)


def test_what_is_written_after_seeing_comes_later_whatever_the_clocks_say(
    make: Make, hub: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from session_memory import ids

    now = ids.now_ms()
    a, b = make("a"), make("b")
    monkeypatch.setattr(ids, "now_ms", lambda: now + 365 * 86_400_000)
    ahead = a.say("a year ahead")
    a.sync(hub)
    monkeypatch.setattr(ids, "now_ms", lambda: now)
    b.sync(hub)
    b.open()
    assert b.say("now").hlc > ahead.hlc
    with Lock(b.home.store_lock, 1.0):
        b.journal._deadline = b.journal._patience = 0.0
        assert b.say("in the spool").hlc > ahead.hlc


def test_a_pull_sends_nothing_and_a_dry_run_moves_nothing(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    a.say("from a")
    b.say("from b")
    a.sync(hub)
    before = b.bytes_by_origin()
    told = b.sync(hub, dry_run=True)
    assert b.bytes_by_origin() == before and len(hub.heads()) == 1 and told.calls == 2
    assert sorted((each.pushed, each.pulled) for each in told.origins.values()) == [(0, 2), (2, 0)]
    b.sync(hub, push=False)
    assert len(hub.heads()) == 1 and "from a" in b.texts()


def test_a_wrong_key_and_a_newer_remote_are_refused_before_anything_is_read(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    a.say("x")
    a.sync(hub)
    from session_memory.sync.exchange import Exchange

    with pytest.raises(RemoteError) as told:
        Exchange(b.home, b.journal, hub, keys.Keys(b"w" * 32), {}).run()
    assert told.value.code == "wrong-sync-key" and b.lines() == {}
    newer = Through(hub, open=lambda words: {**hub.open({}), "reader": "2"})
    with pytest.raises(RemoteError) as told:
        b.sync(newer)
    assert told.value.code == "remote-newer"


def test_one_exchange_at_a_time(make: Make, hub: Folder) -> None:
    a = make("a")
    with Lock(a.home.sync_lock, 1.0), pytest.raises(LogUnavailable, match=r"sync[.]lock"):
        a.sync(hub)


@pytest.mark.parametrize("text", [False, True])
def test_what_is_forgotten_leaves_every_device_and_the_remote(make: Make, hub: Folder, text: bool) -> None:
    a, b = make("a"), make("b")
    gone = a.say("Project Bluebird begins", long="Project Bluebird " * 6_000)
    a.say("stays")
    assert agreed(hub, a, b)
    if text:
        b.forget(texts=("Project Bluebird",))
    else:
        b.forget(gone)
    report = b.sync(hub)
    assert report.rewritten == 1
    assert a.sync(hub).nulled >= 1
    assert agreed(hub, a, b) and a.texts() == ["stays"]
    assert b"Bluebird" not in a.everything() + b.everything()
    rows = [each for head in hub.heads() for each in hub.page({}, 1 << 30) if each.origin == head.origin]
    assert b"Bluebird" not in b"".join(each.raw for row in rows for each in seal.opened(keys.Keys(SPACE), row))
    blobs = [path.read_bytes() for path in Path(hub._root).glob("blobs/*/*")]
    assert blobs == [b""]


def test_other_lines_null_with_an_equal_count_are_noticed(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    first, second = a.say("number one"), a.say("number two")
    assert agreed(hub, a, b)
    a.journal.forget([(first.id, None)], [])
    b.journal.forget([(second.id, None)], [])
    assert agreed(hub, a, b) and a.texts() == []


def test_a_forget_reaches_a_device_that_cannot_check_its_reason(make: Make, hub: Folder) -> None:
    a, b, stranger = make("a"), make("b"), make("c", secrets=(b"q" * 32,))
    stranger.say("Project Bluebird, said by a device of another secret")
    stranger.sync(hub)
    a.sync(hub)
    a.forget(texts=("Project Bluebird",))
    assert agreed(hub, a, b, stranger) and b"Bluebird" not in stranger.everything()


def test_equal_counts_of_other_lines_are_noticed_where_no_reason_can_be_checked(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b", secrets=(b"q" * 32,))
    a.say("Project Bluebird"), a.say("Operation Heliotrope")
    assert agreed(hub, a, b)
    a.forget(texts=("Project Bluebird",))
    b.forget(texts=("Operation Heliotrope",))
    assert agreed(hub, a, b) and a.texts() == []


def test_a_null_without_a_reason_bans_its_whole_key_before_anything_is_sent(make: Make, hub: Folder) -> None:
    a, stranger = make("a"), make("c", secrets=(b"q" * 32,))
    stranger.say("Project Bluebird", key="k:1")
    assert agreed(hub, a, stranger)
    a.forget(texts=("Project Bluebird",))
    a.sync(hub)
    told = stranger.say("the same, told otherwise", key="k:1")
    stranger.sync(hub)
    rows = [each for each in hub.page({}, 1 << 30) if each.origin == stranger.origin()]
    found = [each for row in rows for each in seal.opened(keys.Keys(SPACE), row) if each.id == told.id]
    assert [each.body for each in found] == [None] and agreed(hub, a, stranger)


def test_what_is_banned_arrives_without_its_body_and_never_lies_on_the_disk(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    b.sync(hub)
    b.forget(texts=("Project Bluebird",))
    a.say("about Project Bluebird")
    a.sync(hub)
    b.journal.sweep = lambda: None  # type: ignore[method-assign]
    report_bytes: list[bytes] = []
    with pytest.raises(LogUnavailable, match="nothing was sent"):  # a sweep is due, because a line was nulled
        b.sync(hub)
    report_bytes.append(b.everything())
    assert b"Bluebird" not in report_bytes[0]
    b.open()
    assert agreed(hub, a, b)


def test_a_copy_that_nobody_noticed_goes_on_under_an_origin_of_its_own(make: Make, hub: Folder, tmp_path: Path) -> None:
    a = make("a", roll_bytes=2_000)
    for n in range(6):
        a.say(f"shared {n}")
    a.sync(hub)
    a.say("shared, not pushed yet")
    b = unnoticed_copy(a, tmp_path / "b")
    a.say("only in a")
    long = b.say("only in b", long="x" * 100_000)
    was = b.origin()
    assert a.origin() == was
    a.sync(hub)
    report = b.sync(hub)
    assert report.moved == 1 and b.origin() != was
    assert agreed(hub, a, b)
    assert sorted(a.texts()) == ["only in a", "only in b", *(f"shared {n}" for n in range(6)), "shared, not pushed yet"]
    moved = next(each for each in b.lines()[b.origin()] if each.id == long.id)
    assert (moved.hlc, moved.at) == (long.hlc, long.at)
    first = b.lines()[b.origin()][0].parsed() or {}
    assert first == {"why": "fork", "from": {"origin": was, "seq": 8}}
    b.say("and goes on")
    assert agreed(hub, a, b)


def test_two_copies_with_a_tail_in_common_keep_it_once(make: Make, hub: Folder, tmp_path: Path) -> None:
    a = make("a")
    a.say("shared")
    a.sync(hub)
    a.say("tail in common")
    b, c = unnoticed_copy(a, tmp_path / "b"), unnoticed_copy(a, tmp_path / "c")
    shutil.rmtree(a.home.root)
    wiped = make("a")
    b.say("b"), c.say("c")
    assert agreed(hub, b, c, wiped)
    assert sorted(wiped.texts()) == ["b", "c", "shared", "tail in common"]


def test_a_parted_foreign_log_moves_what_only_we_have(make: Make, hub: Folder, tmp_path: Path) -> None:
    """The hub was put back, and meanwhile its owner, from a backup, went on otherwise."""
    a, b = make("a"), make("b")
    a.say("one")
    agreed(hub, a, b)
    saved = unnoticed_copy(a, tmp_path / "backup")
    shutil.copytree(hub._root, tmp_path / "hub-backup")
    a.say("two, seen by b", long="y" * 100_000)
    agreed(hub, a, b)
    shutil.rmtree(hub._root)
    shutil.copytree(tmp_path / "hub-backup", hub._root)
    saved.say("two, otherwise")
    saved.sync(hub)
    report = b.sync(hub)
    assert report.moved == 1
    assert agreed(hub, saved, b) and sorted(saved.texts()) == ["one", "two, otherwise", "two, seen by b"]


def test_a_restored_home_gets_its_own_lines_back(make: Make, hub: Folder, tmp_path: Path) -> None:
    a, b = make("a"), make("b")
    a.say("before the backup")
    old = unnoticed_copy(a, tmp_path / "old")
    a.say("after the backup")
    agreed(hub, a, b)
    old.sync(hub)
    assert old.texts() == ["before the backup", "after the backup"] and old.origin() == a.origin()
    old.say("goes on")
    assert agreed(hub, old, b)


def test_a_wiped_remote_is_filled_by_whoever_comes_also_for_absent_devices(make: Make, hub: Folder) -> None:
    a, b, c = make("a"), make("b"), make("c")
    a.say("from a, who is gone for ever", long="x" * 100_000)
    b.say("from b")
    agreed(hub, a, b)
    shutil.rmtree(hub._root)
    hub.open({})
    b.sync(hub)
    assert agreed(hub, b, c) and sorted(c.texts()) == ["from a, who is gone for ever", "from b"]


def test_a_long_body_that_came_back_is_emptied_by_whoever_knows_that_it_is_forgotten(make: Make, hub: Folder) -> None:
    a, late = make("a"), make("late")
    gone = a.say("long", long="x" * 100_000)
    assert agreed(hub, a, late)
    a.forget(gone)
    a.sync(hub)
    shutil.rmtree(hub._root)
    hub.open({})
    late.sync(hub)  # it does not know, and fills the remote again
    blobs = list(Path(hub._root).glob("blobs/*/*"))
    assert blobs[0].stat().st_size > 0
    a.sync(hub)
    assert [path.stat().st_size for path in blobs] == [0] and agreed(hub, a, late)


def test_a_long_body_whose_line_never_got_there_is_emptied_once_it_is_forgotten(make: Make, hub: Folder) -> None:
    a = make("a")
    gone = a.say("long", long="x" * 100_000)

    def lost(segments: list[Segment]) -> list[bool]:
        raise RemoteError("remote-offline", "lost on the way")

    with pytest.raises(RemoteError):
        a.sync(Through(hub, append=lost))
    (blob,) = Path(hub._root).glob("blobs/*/*")
    assert blob.stat().st_size > 0
    a.forget(gone)
    a.sync(hub)
    assert blob.stat().st_size == 0 and a.sync(hub).calls == 2


def test_a_long_body_that_lies_elsewhere_is_waited_for(make: Make, hub: Folder) -> None:
    a, b, c = make("a"), make("b"), make("c")
    a.say("before")
    a.say("long", long="x" * 100_000)
    a.sync(hub)
    lost = Through(hub, get=lambda name: None)
    assert b.sync(lost).bodies_missing == 1
    shutil.rmtree(hub._root)
    hub.open({})
    b.sync(hub)
    c.sync(hub)
    assert c.texts() == ["before"]  # b sends no line whose body it cannot send
    assert agreed(hub, a, b, c) and c.texts() == ["before", "long"]


def test_force_sends_long_bodies_again_that_the_remote_lost(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    a.say("long", long="x" * 100_000)
    a.sync(hub)
    shutil.rmtree(f"{hub._root}/blobs")
    assert b.sync(hub).bodies_missing == 1
    assert a.sync(hub).bodies_sent == 0
    assert a.sync(hub, force=True).bodies_sent == 1
    assert b.sync(hub).bodies_fetched == 1 and b.texts() == ["long"]


def altered(hub: Folder, change: Callable[[Segment], Segment]) -> Through:
    return Through(hub, page=lambda after, most=1 << 30: [change(each) for each in hub.page(after, most)])


@pytest.mark.fault(74)
@pytest.mark.parametrize("name", ["../../../evil", "/tmp/evil", "", "x" * 5_000, "A" * 16, "0" * 15 + "\n"])
def test_a_name_that_is_no_origin_writes_nothing(make: Make, hub: Folder, tmp_path: Path, name: str) -> None:
    a, b = make("a"), make("b")
    a.say("from a")
    a.sync(hub)
    b.say("from b")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_dir())
    head = Head(name, 3, "f" * 64, 0)
    evil = Through(
        hub, heads=lambda: [*hub.heads(), head],
        page=lambda after, most=1 << 30: [replace(each, origin=name) for each in hub.page(after, most)],
        index=lambda origin: [replace(each, origin=name) for each in hub.index(origin)],
    )  # fmt: skip
    try:
        b.sync(evil)
    except RemoteError as error:
        assert error.code == "remote-damaged"
    made = [path for path in tmp_path.rglob("*") if path.is_dir() and path not in before]
    assert not [path for path in made if "evil" in str(path)] and b.texts() == ["from b"]
    assert not os.path.lexists("/tmp/evil") and agreed(hub, a, b)


@pytest.mark.fault(74)
def test_a_remote_that_lies_about_our_own_log_changes_no_line_of_it(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    for n in range(3):
        a.say(f"text {n}")
    a.sync(hub)
    kept = Path(a.home.events).read_bytes()
    mine = a.origin()
    for lie in (Head(mine, 2, "f" * 64, 0), Head(mine, 99, "e" * 64, 0), Head(mine, 4, "d" * 64, 2**40)):
        liar = Through(hub, heads=lambda lie=lie: [lie], page=lambda after, most=1 << 30: [])
        try:
            report = a.sync(liar)
            assert report.of(mine).error or report.of(mine).pushed == 0
        except RemoteError as error:
            assert error.code == "remote-damaged"
        assert Path(a.home.events).read_bytes() == kept and a.origin() == mine
    assert agreed(hub, a, b) and a.texts() == b.texts() == ["text 0", "text 1", "text 2"]


@pytest.mark.fault(74)
def test_a_damaged_or_newer_segment_stops_that_log_only(make: Make, hub: Folder) -> None:
    a, b, c = make("a"), make("b"), make("c")
    a.say("from a")
    b.say("from b")
    a.sync(hub)
    b.sync(hub)
    for change, code in (
        (lambda each: replace(each, ver=9), "remote-newer"),
        (lambda each: replace(each, body=each.body[:-4]), "remote-damaged"),
        (lambda each: replace(each, lo=2), "remote-damaged"),
    ):
        bad = altered(hub, lambda each, change=change: change(each) if each.origin == a.origin() else each)  # type: ignore[misc]
        report = c.sync(bad)
        assert code in report.of(a.origin()).error and report.of(b.origin()).error == ""
        assert c.texts() == ["from b"]
    assert agreed(hub, a, b, c)


@pytest.mark.fault(74)
def test_pages_out_of_order_or_with_a_hole_lose_nothing(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    for n in range(4):
        a.say(f"text {n}")
        a.sync(hub)
    assert len(hub.index(a.origin())) == 4

    def holed(after: Any, most: int = 0) -> list[Segment]:
        return [each for each in hub.page(after, 1 << 30) if each.lo != 3]

    report = b.sync(Through(hub, page=holed))
    assert "lacks lines" in report.of(a.origin()).error and b.texts() == ["text 0"]
    report = b.sync(Through(hub, page=lambda after, most=0: hub.page(after, 1 << 30)[::-1]))
    assert report.of(a.origin()).error or b.texts() == [f"text {n}" for n in range(4)]
    assert agreed(hub, a, b)


def test_a_remote_that_loses_its_rows_meanwhile_is_looked_at_again(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    a.say("x")
    a.sync(hub)
    b.say("y")
    report = b.sync(Through(hub, page=lambda after, most=0: []))
    assert report.calls > 4 and b.texts() == ["y"]
    assert agreed(hub, a, b)


def test_a_damaged_line_stops_what_lies_behind_it(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    for n in range(4):
        a.say(f"text {n}")
    content = Path(a.home.events).read_bytes()
    Path(a.home.events).write_bytes(content.replace(b"text 2", b"text X"))
    a.known = {}
    report = a.sync(hub)
    assert "log-damaged" in report.of(a.origin()).error
    b.sync(hub)
    assert b.texts() == ["text 0", "text 1"]
    Path(a.home.events).write_bytes(content)
    assert agreed(hub, a, b)


def test_another_device_between_two_calls_is_no_harm(make: Make, hub: Folder, tmp_path: Path) -> None:
    a, other = make("a"), make("c")
    a.say("shared")
    a.sync(hub)
    b = unnoticed_copy(a, tmp_path / "b")
    a.say("a goes on")
    b.say("b goes on")

    def meanwhile(segments: list[Segment]) -> list[bool]:
        a.sync(hub)
        if not other.texts():
            other.say("c")
        other.sync(hub)
        return hub.append(segments)

    b.sync(Through(hub, append=meanwhile))
    assert agreed(hub, a, b, other) and sorted(b.texts()) == ["a goes on", "b goes on", "c", "shared"]


def test_a_rewrite_races_another(make: Make, hub: Folder) -> None:
    a, b = make("a"), make("b")
    first, second = a.say("number one"), a.say("number two")
    agreed(hub, a, b)
    a.forget(first)
    b.forget(second)

    def meanwhile(segment: Segment, sha: str) -> bool:
        b.sync(hub)
        return hub.replace(segment, sha)

    a.sync(Through(hub, replace=meanwhile))
    assert agreed(hub, a, b) and a.texts() == []


def test_the_home_may_be_written_to_while_its_lines_are_pulled(make: Make, hub: Folder, tmp_path: Path) -> None:
    a = make("a")
    a.say("shared")
    old = unnoticed_copy(a, tmp_path / "old")
    a.say("newer")
    a.sync(hub)

    def meanwhile(after: Any, most: int = 0) -> list[Segment]:
        if len(old.texts()) == 1:
            old.say("in between")
        return hub.page(after)

    old.sync(Through(hub, page=meanwhile))
    assert agreed(hub, a, old) and sorted(a.texts()) == ["in between", "newer", "shared"]


def test_keys_of_the_old_secret_stay_banned_after_joining(make: Make, hub: Folder) -> None:
    from session_memory.log import origin

    b = make("b", secrets=(b"b" * 32,))
    said = b.journal.append([Draft("event", {"data": {"text": "typed words"}}, key="prompt", key_text="typed words")])[
        0
    ]
    b.forget(said, texts=("Project Bluebird",))
    was = b.origin()
    origin.rekey(b.home, [SECRET])
    again = b.journal.append([Draft("event", {"data": {"text": "typed words"}}, key="prompt", key_text="typed words")])[
        0
    ]
    assert again.body is None and again.key != said.key
    assert b.say("about Project Bluebird").body["data"]["text"] == "about [FORGOTTEN]"  # type: ignore[index]
    b.open()
    b.say("x")
    assert b.origin() == was  # the machine is known by its new name


@pytest.mark.fault(74)
def test_no_word_can_be_read_on_the_remote(make: Make, hub: Folder, tmp_path: Path) -> None:
    a = make("a")
    for n in range(50):
        a.say(f"heliotrope quicksilver number{n}", long="Wanderfalke " * 9_000 if n == 7 else "")
    a.sync(hub)
    content = b"".join(path.read_bytes() for path in Path(hub._root).rglob("*") if path.is_file())
    for word in ("heliotrope", "quicksilver", "Wanderfalke", "decision", "session", "number7", "salt"):
        assert word.encode() not in content


def test_a_line_may_stand_in_two_origins_but_an_id_says_one_thing(make: Make, hub: Folder, tmp_path: Path) -> None:
    a = make("a")
    a.say("x")
    b = unnoticed_copy(a, tmp_path / "b")
    a.say("a"), b.say("b")
    agreed(hub, a, b)
    with reader.Logs(b.home) as logs:
        kinds = {
            log.origin: [p.line.kind for part in log.parts for p in reader.places(part) if p.line is not None]
            for log in logs
        }
    assert all(each[0] == "origin" and each.count("origin") == 1 and FORGET not in each for each in kinds.values())
    assert line.parse(b.lines()[b.origin()][-1].raw) is not None


def test_a_foreign_log_that_has_grown_large_lies_in_segments(
    make: Make, hub: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = make("a"), make("b")
    for n in range(12):
        a.say(f"text {n}")
        a.sync(hub)
    monkeypatch.setattr(foreign, "ROLL_BYTES", 3_000)
    b.sync(hub)
    assert agreed(hub, a, b)
    assert reader.segments(os.path.join(b.home.origins, a.origin()))
    again = make("again")
    assert agreed(hub, a, b, again)
