"""The one append: what it acknowledged is there, whatever dies, fills up or is cut."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import ids, paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log import line, reader
from session_memory.log.journal import Journal
from session_memory.log.tail import Tail
from session_memory.log.verify import verify
from session_memory.model.record import EVENT, Draft


def draft(text: str = "x", **more: object) -> Draft:
    return Draft(EVENT, {"session": "s", "project": "p", "data": {"text": text}}, **more)  # type: ignore[arg-type]


def texts(home: paths.Home) -> list[str]:
    """What our own log says, then what other origins' logs say."""
    found = []
    with reader.Logs(home) as logs:
        for place in [place for log in logs for part in log.parts for place in reader.places(part)]:
            assert place.line is not None
            record = reader.record(home, place.line)
            if record.kind == EVENT and record.body is not None:
                found.append(record.body["data"]["text"])
    return found


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def test_what_is_appended_is_read_back_in_order_and_verifies(place: paths.Home) -> None:
    journal = Journal(place)
    records = journal.append([draft("one"), draft("two")]) + journal.append([draft("three")])
    assert texts(place) == ["one", "two", "three"]
    assert [record.seq for record in records] == [2, 3, 4]  # the origin's own line is the first
    report = verify(place)
    assert not report.faults and report.lines == 4


def test_two_journals_on_one_home_go_on_from_each_other(place: paths.Home) -> None:
    first, second = Journal(place), Journal(place)
    for number in range(6):
        (first if number % 2 else second).append([draft(str(number))])
    assert texts(place) == [str(number) for number in range(6)]
    assert not verify(place).faults


@pytest.mark.fault(40)
def test_files_are_private_whatever_the_umask(place: paths.Home) -> None:
    old = os.umask(0)
    try:
        Journal(place).append([draft("x" * 100_000)])
    finally:
        os.umask(old)
    for folder, _folders, names in os.walk(place.root):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        for name in names:
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600


@pytest.mark.fault(60)
def test_a_long_body_becomes_a_blob_and_reads_the_same(place: paths.Home) -> None:
    text = "long " * 40_000
    Journal(place).append([draft(text), draft("short")])
    assert texts(place) == [text, "short"]
    assert all(len(raw) <= line.MAX_LINE for raw in open(place.events, "rb"))
    assert len(os.listdir(place.blobs)) == 1
    assert not verify(place).faults


def test_a_changed_blob_is_refused_not_returned(place: paths.Home) -> None:
    Journal(place).append([draft("long " * 40_000)])
    path = os.path.join(place.blobs, os.listdir(place.blobs)[0])
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(b"!")
    with pytest.raises(LogUnavailable, match="changed on disk"):
        texts(place)


@pytest.mark.fault(60)
def test_a_body_over_ten_megabytes_is_refused_and_leaves_nothing(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("before")])
    size = os.stat(place.events).st_size
    with pytest.raises(InvalidInput, match="too-large"):
        journal.append([draft("y" * (11 * 1024 * 1024))])
    assert os.stat(place.events).st_size == size


@pytest.mark.fault(9)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_log_cut_at_any_byte_opens_and_loses_only_the_unfinished_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = paths.Home(str(tmp_path_factory.mktemp("cut") / "home"))
    Journal(place).append([draft(f"number {n} " + "é" * n) for n in range(8)])
    whole = open(place.events, "rb").read()
    cut = data.draw(st.integers(0, len(whole)))
    kept = whole[:cut].count(b"\n")
    os.truncate(place.events, cut)
    warnings: list[str] = []
    Journal(place, warn=warnings.append).append([draft("after")])
    assert texts(place) == [f"number {n} " + "é" * n for n in range(8)][: max(0, kept - 1)] + ["after"]
    torn = cut - (whole[:cut].rfind(b"\n") + 1)
    assert bool(warnings) == bool(torn)
    if torn:
        assert whole[cut - torn : cut] in open(place.torn, "rb").read()
    assert not verify(place).faults


@pytest.mark.fault(10)
@pytest.mark.parametrize("tail", [b"\0" * 4096, b"garbage", b"garbage\n", b'{"v":1}\n', b"\n", b"\0\n\0\n"])
def test_a_damaged_end_is_set_aside_and_writing_goes_on(place: paths.Home, tail: bytes) -> None:
    Journal(place).append([draft("before")])
    with open(place.events, "ab") as file:
        file.write(tail)
    Journal(place).append([draft("after")])
    assert texts(place) == ["before", "after"]
    assert tail in open(place.torn, "rb").read()


@pytest.mark.fault(11)
def test_damage_with_good_lines_after_it_stays_and_is_named(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("one"), draft("two"), draft("three")])
    content = open(place.events, "rb").read().replace(b'"kind":"event"', b'"kind":"EVENT"', 1)
    with open(place.events, "r+b") as file:
        file.write(content)
    Journal(place).append([draft("four")])
    report = verify(place)
    assert [fault.number for fault in report.faults] == [2, 3]  # the line, and the gap behind it
    assert "no record" in str(report.faults[0])


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("change", "line_number"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"one", b"ONE"), *lines[2:]], 2),
        (lambda lines: [lines[0], lines[2], *lines[3:]], 2),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        (lambda lines: [lines[0], lines[1].replace(b'"at":"2', b'"at":"1', 1), *lines[2:]], 2),
    ],
    ids=["edited body", "deleted line", "swapped lines", "edited header"],
)
def test_verify_names_the_line_of_a_tampered_log(
    place: paths.Home, change: Callable[[list[bytes]], list[bytes]], line_number: int
) -> None:
    Journal(place).append([draft("one"), draft("two"), draft("three")])
    lines = open(place.events, "rb").read().splitlines(keepends=True)
    with open(place.events, "wb") as file:
        file.writelines(change(lines))
    assert verify(place).faults[0].number == line_number


@pytest.mark.fault(14, 15)
def test_a_log_that_was_replaced_or_deleted_is_never_written_to_as_a_ghost(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("old")])
    os.rename(place.events, place.events + ".moved")
    journal.append([draft("new")])
    assert texts(place) == ["new"]
    assert not verify(place).faults
    os.rename(place.events + ".moved", place.events)
    journal.append([draft("newest")])
    assert texts(place) == ["newest", "old"]  # it may be a copy that goes on elsewhere: it is read, not written behind
    assert not verify(place).faults


@pytest.mark.fault(19)
def test_lines_of_a_newer_version_are_chained_on_to_and_never_cut(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("one")])
    last = list(reader.places(place.events))[-1].line
    assert last is not None
    body = line.body_bytes({"new": "meaning"}, ids.new_salt())
    raw = line.build("thought", "a" * 32, last.origin, last.seq + 1, last.at, last.hlc, None, body, last.chain)
    head = line.head_of(raw).replace(b'{"v":1', b'{"v":2', 1)
    newer = head + b',"chain":"' + line.chain_of(last.chain, head) + b'","body":' + body + b"}\n"
    with open(place.events, "ab") as file:
        file.write(newer)
    journal.append([draft("two")])
    report = verify(place)
    assert not report.faults and report.newer == 1 and newer in open(place.events, "rb").read()


@pytest.mark.fault(32)
def test_a_full_disk_is_told_and_leaves_the_log_as_it_was(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("before")])
    size = os.stat(place.events).st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        with pytest.raises(LogUnavailable, match="log-full"):
            journal.append([draft("y" * 500)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.stat(place.events).st_size == size
    journal.append([draft("after")])
    assert texts(place) == ["before", "after"]
    assert not verify(place).faults


def test_keys_made_of_text_do_not_stand_in_clear(place: paths.Home) -> None:
    journal = Journal(place)
    clear, typed, odd = journal.append(
        [draft(key="tool_call:toolu_01"), draft(key="caller", key_text="my secret plan"), draft(key='sp ace"quote')]
    )
    assert clear.key == "tool_call:toolu_01"
    assert typed.key is not None and typed.key.startswith("caller:") and len(typed.key) == 7 + 32
    assert odd.key is not None and odd.key.startswith("hashed:")
    content = open(place.events, "rb").read()
    assert b"my secret plan" not in content
    assert journal.append([draft(key="caller", key_text="my secret plan")])[0].key == typed.key


@pytest.mark.fault(43, 44)
def test_ids_are_unique_and_clocks_rise_with_a_frozen_or_backward_clock(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = ids.now_ms()
    monkeypatch.setattr(ids, "now_ms", lambda: now)
    journal = Journal(place)
    records = journal.append([draft(str(n)) for n in range(12_000)], stated=False)
    monkeypatch.setattr(ids, "now_ms", lambda: now - 3_600_000)
    records += Journal(place).append([draft("an hour ago")])
    assert len({record.id for record in records}) == len(records)
    clocks = [record.hlc for record in records]
    assert clocks == sorted(clocks) and len(set(clocks)) == len(clocks)


@pytest.mark.fault(43)
def test_live_times_do_not_step_back_by_a_little_and_do_by_a_lot(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(place)
    now = ids.now_ms()
    told = []
    for step in (0, -5 * 60_000, -60 * 60_000):
        monkeypatch.setattr(ids, "now_ms", lambda step=step: now + step)
        told.append(ids.at_ms(journal.append([draft()])[0].at))
    assert told == [now, now, now - 60 * 60_000]


@pytest.mark.fault(43)
def test_one_line_with_an_impossible_clock_does_not_stop_the_log(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("one")])
    last = list(reader.places(place.events))[-1].line
    assert last is not None
    body = line.body_bytes({"session": "s", "data": {"text": "two"}}, ids.new_salt())
    raw = line.build(EVENT, "a" * 32, last.origin, last.seq + 1, last.at, "9999999999999.0000", None, body, last.chain)
    with open(place.events, "ab") as file:
        file.write(raw + b"\n")
    journal.append([draft("three")])
    assert texts(place) == ["one", "two", "three"] and not verify(place).faults


def test_a_line_with_an_older_clock_does_not_turn_the_clock_back(place: paths.Home) -> None:
    journal = Journal(place)
    high = journal.append([draft("one")])[0].hlc
    last = list(reader.places(place.events))[-1].line
    assert last is not None
    body = line.body_bytes({"session": "s", "data": {"text": "merged late"}}, ids.new_salt())
    old = ids.hlc_text(int(high[:13]) - 60_000, 0)
    raw = line.build(EVENT, "a" * 32, last.origin, last.seq + 1, last.at, old, None, body, last.chain)
    with open(place.events, "ab") as file:
        file.write(raw + b"\n")
    tail = Tail()
    with open(place.events, "rb") as file:
        tail.refresh(file.fileno(), [])
    assert tail.hlc == high


def test_a_log_of_another_program_is_refused_and_left_as_it_is(place: paths.Home) -> None:
    Journal(place)
    content = b'{"id": "evt_1", "timestamp": "2025-01-01T00:00:00", "data": {"title": "theirs"}}\n' * 3
    with open(place.events, "wb") as file:
        file.write(content)
    with pytest.raises(LogUnavailable, match="log-foreign"):
        Journal(place).append([draft("ours")])
    assert open(place.events, "rb").read() == content and not os.path.exists(place.torn)


def test_a_body_cannot_bring_its_own_salt(place: paths.Home) -> None:
    with pytest.raises(InvalidInput, match="salt"):
        Journal(place).append([Draft(EVENT, {"salt": "mine"})])


@pytest.mark.fault(65)
def test_a_link_in_place_of_the_log_is_refused(place: paths.Home, tmp_path: object) -> None:
    journal = Journal(place)
    target = os.path.join(str(tmp_path), "elsewhere")
    open(target, "w").close()
    os.symlink(target, place.events)
    with pytest.raises(LogUnavailable, match="log-unwritable"):
        journal.append([draft()])
    assert os.stat(target).st_size == 0


@pytest.mark.fault(33)
def test_a_failed_flush_is_told_and_the_next_write_is_sound(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(place)
    journal.append([draft("before")])

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(paths, "sync_file", fail)
        with pytest.raises(LogUnavailable, match="Input/output error"):
            journal.append([draft("not durable")])
    journal.append([draft("after")])
    assert not verify(place).faults and texts(place)[-1] == "after"


WRITER = """
import sys
from session_memory import paths
from session_memory.log.journal import Journal
from session_memory.log.tail import Tail
from session_memory.model.record import Draft
home, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
journal = Journal(paths.Home(home), deadline=60)
for n in range(count):
    record = journal.append([Draft("event", {"session": name, "project": "p", "data": {"text": f"{name}/{n}"}})])[0]
    print(f"{name}/{n}", flush=True)
"""


def _writer(home: str, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, home, name, str(count)], stdout=subprocess.PIPE, text=True)


@pytest.mark.fault(1)
def test_kill_nine_never_loses_what_was_acknowledged(place: paths.Home) -> None:
    rounds = int(os.environ.get("SESSION_MEMORY_KILL_ROUNDS", "12"))
    chance = random.Random(7)
    acknowledged: list[str] = []
    for number in range(rounds):
        writers = [_writer(place.root, f"r{number}w{w}", 100_000) for w in range(2)]
        for writer in writers:  # it writes: a slow machine must not kill before there is anything to lose
            assert writer.stdout is not None
            acknowledged.append(writer.stdout.readline().strip())
        time.sleep(chance.random() * 0.08)
        for writer in writers:
            writer.kill()
        for writer in writers:
            output, _ = writer.communicate()
            acknowledged += [each for each in output.split("\n")[:-1] if each]
    Journal(place).append([draft("end")])
    found = texts(place)
    assert len(acknowledged) > rounds
    assert not set(acknowledged) - set(found)
    assert len(found) == len(set(found))
    assert not verify(place).faults


@pytest.mark.fault(24)
def test_many_processes_lose_and_garble_nothing_and_keep_each_writers_order(place: paths.Home) -> None:
    processes, each = 4, 60
    writers = [_writer(place.root, f"w{w}", each) for w in range(processes)]
    for writer in writers:
        output, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0 and len(output.split()) == each
    found = texts(place)
    assert len(found) == processes * each
    for w in range(processes):
        assert [text for text in found if text.startswith(f"w{w}/")] == [f"w{w}/{n}" for n in range(each)]
    assert not verify(place).faults


@pytest.mark.fault(11)
def test_any_flipped_bit_in_the_log_is_located_and_every_other_line_is_served(place: paths.Home) -> None:
    flips = int(os.environ.get("SESSION_MEMORY_FLIPS", "300"))
    Journal(place).append([draft(f"text {n} é") for n in range(40)])
    content = open(place.events, "rb").read()
    starts = [0, *(n + 1 for n, byte in enumerate(content) if byte == 10)]
    chance = random.Random(flips)
    for _ in range(flips):
        bit = chance.randrange(8 * (len(content) - 1))
        spoilt = bytearray(content)
        spoilt[bit // 8] ^= 1 << (bit % 8)
        with open(place.events, "wb") as file:
            file.write(spoilt)
        hit = sum(start <= bit // 8 for start in starts)  # the line, from 1
        report = verify(place)
        numbers = {fault.number for fault in report.faults}
        # a newline that is gone or new moves what follows by one
        assert numbers & {hit, hit + 1} or (report.torn and hit == 41), (
            bit,
            hit,
            [str(each) for each in report.faults],
        )
        served = [each.line.id for each in reader.places(place.events) if each.line is not None]
        assert len(set(served)) >= 39


@pytest.mark.fault(5)
@pytest.mark.parametrize("before", [True, False])
def test_a_file_that_is_replaced_is_whole_whenever_the_process_dies(tmp_path: Path, before: bool) -> None:
    from tests.log import calls

    target = tmp_path / "file"
    for number in range(1, 12):
        target.write_bytes(b"old" * 1_000)

        def run(number: int = number) -> list[str]:
            with calls.watched(calls.killing(number, before=before)):
                paths.write_whole(str(target), b"new" * 1_000)
            return ["done"]

        acknowledged, killed = calls.in_child(run)
        assert target.read_bytes() in (b"old" * 1_000, b"new" * 1_000)
        assert not acknowledged or target.read_bytes() == b"new" * 1_000
        if not killed:
            return
    pytest.fail("the loop is too short")


@pytest.mark.fault(43)
@pytest.mark.parametrize("wall", [0, -5, 999_999_999_999, 1 << 42, 1 << 50])
def test_a_clock_far_out_of_range_is_told_and_nothing_is_written(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch, wall: int
) -> None:
    journal = Journal(place)
    journal.append([draft("before")])
    with monkeypatch.context() as patch:
        patch.setattr(ids, "now_ms", lambda: wall)
        with pytest.raises(LogUnavailable, match="clock-out-of-range"):
            journal.append([draft("no")])
    journal.append([draft("after")])
    assert texts(place) == ["before", "after"]


@pytest.mark.fault(43)
def test_a_log_whose_clock_is_at_its_end_says_so(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(place)
    monkeypatch.setattr(ids, "now_ms", lambda: ids.MAX_MS - 1)
    journal.append([draft("last")])
    last = [each.line for each in reader.places(place.events)][-1]
    assert last is not None
    body = line.body_bytes({"data": {"text": "the very last"}}, ids.new_salt())
    hlc = ids.hlc_text(ids.MAX_MS - 1, 9999)
    raw = line.build(EVENT, "a" * 32, last.origin, last.seq + 1, last.at, hlc, None, body, last.chain)
    with open(place.events, "ab") as file:
        file.write(raw + b"\n")
    with pytest.raises(LogUnavailable, match="clock is at its end"):
        journal.append([draft("no")])


def test_settling_tells_of_trouble_that_is_not_the_locks(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    Journal(place).append([draft("one")])
    journal = Journal(place, warn=warnings.append)
    assert journal.settle() == 0 and not warnings

    errors = [errno.EROFS, errno.EIO]

    def fail(fd: int) -> object:
        error = errors.pop(0)
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        journal.settle()
        journal.settle()
    assert len(warnings) == 1 and "Input/output error" in warnings[0]
    with open(place.events, "w") as file:
        file.write('{"somebody": "else"}\n')
    journal.settle()
    assert "log-foreign" in warnings[1]


def test_flushing_what_is_not_there_is_told(place: paths.Home) -> None:
    with pytest.raises(LogUnavailable, match="log-unwritable"):
        Journal(place).flush()


def test_a_very_long_last_line_is_found_however_far_one_must_look_back(place: paths.Home) -> None:
    journal = Journal(place)
    record = journal.append([draft("one")])[0]
    with open(place.events, "ab") as file:
        file.write(b"x" * 3_000_000 + b"\n")  # damage with nothing good behind it
    assert Journal(place).append([draft("two")])[0].seq == record.seq + 1
    assert texts(place) == ["one", "two"]


def test_a_file_of_plain_words_is_set_aside_like_a_torn_end(place: paths.Home) -> None:
    Journal(place)
    with open(place.events, "w") as file:
        file.write("not json at all\nnor this\n")
    Journal(place).append([draft("ours")])
    assert texts(place) == ["ours"] and "not json at all" in open(place.torn).read()


def test_the_second_maker_of_a_secret_takes_the_first_ones(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from session_memory.log import secret

    place = paths.Home(home)
    paths.make_dir(place.storage)
    real, made = os.link, []

    def late(source: str, target: str) -> None:
        if not made:
            made.append(source)
            secret._make(place.secret)
        real(source, target)

    monkeypatch.setattr(os, "link", late)
    first = secret.load(place)
    assert made and secret.load(place) == first and len(first) == 32
    assert os.listdir(place.storage) == ["secret"]


def test_a_text_can_be_cleaned_as_the_log_would_keep_it(place: paths.Home) -> None:
    cleaned = Journal(place, patterns=("Blue.*",)).clean("ship Bluebird")
    assert cleaned.startswith("ship ") and "bird" not in cleaned


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.sampled_from(["whole", "whole", "old", "far", "damaged", "spoilt"])),
                min_size=1, max_size=12), st.binary(max_size=8))  # fmt: skip
def test_many_lines_are_skimmed_to_the_same_knowledge_as_read_whole(
    lines: list[tuple[int, int, str]], torn: bytes
) -> None:
    """Clocks that differ by their counter alone, imported lines, clocks out of range, damaged lines, a torn end."""
    wall, chunk, previous = 1_795_357_257_123, b"", line.FIRST_CHAIN
    for seq, (ms, counter, how) in enumerate(lines, 1):
        at = ids.at_text(wall + ms - (10**9 if how == "old" else 0))
        hlc = f"{ids.MAX_MS if how == 'far' else wall + ms:013d}.{counter:04d}"
        body = line.body_bytes({"x": seq}, ids.new_salt())
        raw = line.build(EVENT, ids.new_id(wall + ms), "a" * 16, seq, at, hlc, None, body, previous)
        if how == "damaged":
            raw = raw[:-1]
        elif how == "spoilt":
            raw = raw.replace(b'"origin":', b'"0rigin":')
        chunk += raw + b"\n"
    chunk += torn.replace(b"\n", b"")
    skimmed, whole = Tail(), Tail()
    assert skimmed._skim(chunk, 7) == whole._take(chunk, 7)
    assert all(getattr(skimmed, name) == getattr(whole, name) for name in Tail.__slots__)
