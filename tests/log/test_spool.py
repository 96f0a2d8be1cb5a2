"""A writer that cannot get the lock leaves its records in the spool, and the next holder merges each exactly once."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.log.holder import held
from tests.log.test_journal import draft, texts

from session_memory import ids, paths
from session_memory.errors import LogUnavailable
from session_memory.log import lock, reader, spool
from session_memory.log.journal import Journal
from session_memory.log.verify import verify
from session_memory.model.record import EVENT


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


@pytest.mark.fault(22)
def test_a_held_lock_sends_the_record_to_the_spool_and_the_next_writer_merges_it_first(place: paths.Home) -> None:
    warnings: list[str] = []
    journal = Journal(place, deadline=0.05, warn=warnings.append)
    before = journal.append([draft("before")])[0]
    with held(place.store_lock):
        waiting = journal.append([draft("waits", key="k:1"), draft("waits too")])
        assert [(record.seq, record.origin) for record in waiting] == [(0, ""), (0, "")]
        assert texts(place) == ["before"] and len(spool.names(place)) == 1
        assert "Records wait in the spool" in warnings[0]
        second = journal.append([draft("later")])[0]
    after = journal.append([draft("after")])[0]
    assert texts(place) == ["before", "waits", "waits too", "later", "after"]
    assert spool.names(place) == [] and not verify(place).faults
    clocks = [before.hlc, *(record.hlc for record in waiting), second.hlc, after.hlc]
    assert clocks == sorted(clocks) and len(set(clocks)) == 5
    merged = [place.line for path in reader.files(place) for place in reader.places(path)]
    by_id = {each.id: each for each in merged if each is not None}
    for record in waiting:  # id, times and key are those that were acknowledged
        assert (by_id[record.id].hlc, by_id[record.id].at, by_id[record.id].key) == (record.hlc, record.at, record.key)


@pytest.mark.fault(22)
def test_a_stopped_holder_hangs_nobody_and_loses_nothing(place: paths.Home) -> None:
    Journal(place).append([draft("first")])
    with held(place.store_lock) as holder:
        holder.send_signal(signal.SIGSTOP)
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from session_memory import paths; from session_memory.log.journal import Journal;"
             "from session_memory.model.record import Draft; j = Journal(paths.Home(sys.argv[1]), deadline=0.2);"
             "print([r.seq for n in range(3) for r in j.append([Draft('event', {'data': {'text': str(n)}})])])", place.root],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        assert done.stdout.strip() == "[0, 0, 0]"
        holder.send_signal(signal.SIGCONT)
    assert Journal(place).merge() == 0
    assert texts(place) == ["first", "0", "1", "2"]


def test_readers_merge_too_and_leave_it_while_the_lock_is_held(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.05)
    journal.append([draft("a")])
    with held(place.store_lock):
        journal.append([draft("b")])
        assert journal.merge() == 1
    assert journal.merge() == 0 and texts(place) == ["a", "b"]


def test_after_one_missed_lock_a_writer_is_impatient_until_it_gets_it(place: paths.Home) -> None:
    journal = Journal(place, deadline=5.0)
    journal.append([draft("a")])
    journal._patience = 0.05
    with held(place.store_lock):
        journal.append([draft("b")])
        assert journal._patience == 0.25
    journal.append([draft("c")])
    assert journal._patience == 5.0


@pytest.mark.fault(42)
def test_a_file_system_without_locks_spools_and_says_so(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    journal = Journal(place, warn=warnings.append)
    journal.append([draft("a")])

    def refuse(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as patch:
        patch.setattr(lock.fcntl, "flock", refuse)
        assert journal.append([draft("b")])[0].seq == 0
    assert "cannot lock files (No locks available)" in warnings[0]
    journal.append([draft("c")])
    assert texts(place) == ["a", "b", "c"]


@pytest.mark.fault(23)
@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 700), junk=st.binary(max_size=40))
def test_a_torn_or_poisoned_file_gives_its_whole_records_and_the_rest_is_kept_aside(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    place = paths.Home(str(tmp_path_factory.mktemp("torn") / "home"))
    journal = Journal(place, deadline=0.01)
    journal.append([draft("first")])
    with held_by_us(place):
        journal.append([draft("one"), draft("two")])
    (name,) = spool.names(place)
    path = os.path.join(place.spool, name)
    content = open(path, "rb").read()
    kept = content[:cut] + junk
    with open(path, "wb") as file:
        file.write(kept)
    journal.append([draft("last")])
    whole = [raw for raw in kept.split(b"\n")[:-1] if raw in content.split(b"\n") and raw]
    assert texts(place) == ["first", *["one", "two"][: len(whole)], "last"]
    assert spool.names(place) == [] and not verify(place).faults
    if kept and not kept.endswith(b"\n"):
        assert kept[kept.rfind(b"\n") + 1 :] in open(place.torn, "rb").read()


def held_by_us(place: paths.Home) -> lock.Lock:
    return lock.Lock(place.store_lock, 1.0)


@pytest.mark.fault(23)
def test_names_that_are_not_ours_are_left_alone_and_links_are_not_followed(place: paths.Home, tmp_path: object) -> None:
    warnings: list[str] = []
    journal = Journal(place, warn=warnings.append)
    journal.append([draft("a")])
    paths.make_dir(place.spool)
    strange = ["../x.jsonl".replace("/", "_"), ".hidden.tmp", "1.jsonl", "1700000000000-1-0011aabb.jsonl@zz"]
    for name in strange:
        open(os.path.join(place.spool, name), "w").close()
    secret = os.path.join(str(tmp_path), "secret")
    with open(secret, "w") as file:
        file.write("not ours\n")
    os.symlink(secret, os.path.join(place.spool, "1700000000000-1-0011aabb.jsonl"))
    journal.append([draft("b")])
    assert texts(place) == ["a", "b"]
    assert set(strange) <= set(os.listdir(place.spool)) and open(secret).read() == "not ours\n"
    assert "could not be merged" in warnings[0]


def test_an_origin_line_cannot_be_smuggled_in(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("a")])
    body = b'{"salt":"' + b"0" * 32 + b'","why":"new","from":null}'
    now = ids.now_ms()
    spool.write(place, [spool.build("origin", "a" * 32, ids.at_text(now), ids.hlc_text(now, 0), None, body)])
    journal.append([draft("b")])
    assert not verify(place).faults and texts(place) == ["a", "b"]


KILLED = """
import os, signal, sys
from session_memory import paths
from session_memory.log import active, spool
from session_memory.log.journal import Journal
home, step = paths.Home(sys.argv[1]), int(sys.argv[2])
count = 0
def die(*_):
    global count
    count += 1
    if count == step:
        os.kill(os.getpid(), signal.SIGKILL)
for room, name in ((spool, "mark"), (spool, "marked"), (active.Active, "put"), (spool, "remove")):
    def wrapped(*words, real=getattr(room, name), **more):
        die()
        result = real(*words, **more)
        die()
        return result
    setattr(room, name, wrapped)
Journal(home).merge()
"""


@pytest.mark.fault(2, 6, 23)
@pytest.mark.parametrize("step", range(1, 9))
def test_a_merge_killed_at_any_step_is_gone_on_with_and_doubles_nothing(place: paths.Home, step: int) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b"), draft("c")])
    done = subprocess.run([sys.executable, "-c", KILLED, place.root, str(step)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    Journal(place).append([draft("d")])
    assert texts(place) == ["a", "b", "c", "d"]
    assert not verify(place).faults and spool.names(place) == []


def test_a_mark_of_another_origin_is_made_anew(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b")])
    (name,) = spool.names(place)
    os.rename(os.path.join(place.spool, name), os.path.join(place.spool, f"{name}@{'0' * 16}-99"))
    journal.append([draft("c")])
    assert texts(place) == ["a", "b", "c"]


def test_a_record_of_a_newer_version_passes_through_the_spool_unchanged(place: paths.Home) -> None:
    Journal(place).append([draft("a")])
    now = ids.now_ms()
    body = b'{"salt":"' + b"0" * 32 + b'","new":"meaning"}'
    raw = spool.build("thought", "b" * 32, ids.at_text(now), ids.hlc_text(now, 0), None, body)
    newer = raw.replace(b'{"v":1', b'{"v":7').replace(b',"sum":', b',"mood":"good","sum":')
    spool.write(place, [newer])
    Journal(place).append([draft("c")])
    report = verify(place)
    assert not report.faults and report.newer == 1
    assert b'"key":null,"mood":"good","sum":' in open(place.events, "rb").read()


def test_files_of_the_spool_are_private_and_appear_only_when_they_are_whole(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b" * 200_000)])
    (name,) = os.listdir(place.spool)
    assert spool.NAME.fullmatch(name)
    assert stat.S_IMODE(os.stat(os.path.join(place.spool, name)).st_mode) == 0o600
    journal.append([draft("c")])
    assert texts(place) == ["a", "b" * 200_000, "c"]


def test_a_spool_that_cannot_be_written_is_an_error_and_nothing_is_acknowledged(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    open(place.spool, "w").close()  # a file where the folder should be
    with held_by_us(place), pytest.raises(LogUnavailable, match="log-unwritable"):
        journal.append([draft("b")])
    assert texts(place) == ["a"]


@pytest.mark.fault(25)
def test_many_writers_at_once_on_a_held_lock_are_all_spooled_and_merged_once(place: paths.Home) -> None:
    journals = [Journal(place, deadline=0.01) for _ in range(16)]
    journals[0].append([draft("a")])
    with held_by_us(place):
        for number, journal in enumerate(journals):
            journal.append([draft(str(number), id=f"{number:032x}")])
    for journal in journals:
        journal.merge()
    assert sorted(texts(place)[1:], key=int) == [str(n) for n in range(16)]
    found = [p.line for path in reader.files(place) for p in reader.places(path) if p.line and p.line.kind == EVENT]
    assert len({each.id for each in found if each is not None}) == 17


def test_a_file_that_somebody_else_has_just_merged_is_passed_over(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(place)
    journal.append([draft("a")])
    monkeypatch.setattr(spool, "names", lambda home: ["1700000000000-1-0011aabb.jsonl"])
    assert spool.take(place, "1700000000000-1-0011aabb.jsonl") is None
    journal.append([draft("b")])
    assert texts(place) == ["a", "b"]


def test_a_body_that_is_not_the_one_that_was_spooled_is_kept_aside(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b")])
    (name,) = spool.names(place)
    path = os.path.join(place.spool, name)
    content = open(path, "rb").read().replace(b'"b"', b'"B"')
    with open(path, "wb") as file:
        file.write(content)
    journal.append([draft("c")])
    assert texts(place) == ["a", "c"] and b'"B"' in open(place.torn, "rb").read()


def test_a_merge_that_was_cut_short_before_the_log_rolled_is_still_known(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b")])
    (name,) = spool.names(place)
    content = open(os.path.join(place.spool, name), "rb").read()
    origin = journal.append([draft("c")])[0].origin
    rolling = Journal(place, roll_bytes=300)
    for text in ("d", "e"):
        rolling.append([draft(text)])
    with open(os.open(os.path.join(place.spool, f"{name}@{origin}-2"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)  # as if its removal had not reached the disk
    Journal(place).append([draft("f")])
    assert texts(place) == ["a", "b", "c", "d", "e", "f"] and not verify(place).faults


def test_a_merge_that_began_before_the_first_line_looks_at_the_whole_log(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    origin = journal.append([draft("a")])[0].origin
    with held_by_us(place):
        journal.append([draft("b")])
    (name,) = spool.names(place)
    os.rename(os.path.join(place.spool, name), os.path.join(place.spool, f"{name}@{origin}-0"))
    journal.append([draft("c")])
    assert texts(place) == ["a", "b", "c"]


def test_whole_lines_that_are_no_records_are_kept_aside(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.01)
    journal.append([draft("a")])
    with held_by_us(place):
        journal.append([draft("b")])
    (name,) = spool.names(place)
    with open(os.path.join(place.spool, name), "ab") as file:
        file.write(b"garbage\n{}\n")
    journal.append([draft("c")])
    assert texts(place) == ["a", "b", "c"] and b"garbage\n{}" in open(place.torn, "rb").read()
