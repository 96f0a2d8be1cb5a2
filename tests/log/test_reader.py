"""Reading without a lock: files held open, changing listings, lines that are no records."""

from __future__ import annotations

import os
import shutil

import pytest
from tests.log.test_journal import draft, texts

from session_memory import ids, paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log import blobs, line, reader
from session_memory.log.journal import Journal
from session_memory.log.verify import verify


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def test_a_listing_that_changed_while_files_were_opened_is_made_again(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(place, roll_bytes=500)
    journal.append([draft("one")])
    real, looks = reader.segments, []

    def rolling(folder: str) -> list[str]:
        found = real(folder)
        looks.append(found)
        if len(looks) == 1:
            journal.append([draft("two")])  # rolls after the first look
        return found

    monkeypatch.setattr(reader, "segments", rolling)
    assert texts(place) == ["one", "two"]


def test_a_file_that_vanishes_between_looking_and_opening_is_looked_for_again(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    Journal(place).append([draft("one")])
    opened: list[str] = []

    class Vanishing(reader.Part):
        def __init__(self, path: str, name: str) -> None:
            opened.append(name)
            if len(opened) in gone:
                raise FileNotFoundError(path)
            super().__init__(path, name)

    gone = {1}
    monkeypatch.setattr(reader, "Part", Vanishing)
    assert texts(place) == ["one"] and len(opened) == 2
    gone = set(range(1_000))
    with pytest.raises(LogUnavailable, match="kept changing"), reader.Logs(place):
        pass


def test_no_descriptor_is_left_when_a_file_cannot_be_opened(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(place, roll_bytes=500)
    for text in ("one", "two"):
        journal.append([draft(text)])
    os.makedirs(os.path.join(place.origins, "0" * 16), mode=0o700)
    shutil.copy(place.events, os.path.join(place.origins, "0" * 16, "events.jsonl"))
    opened: list[str] = []
    refused = [2]

    class Refusing(reader.Part):
        def __init__(self, path: str, name: str) -> None:
            opened.append(name)
            if len(opened) in refused:
                raise PermissionError(13, "Permission denied")
            super().__init__(path, name)

    monkeypatch.setattr(reader, "Part", Refusing)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for refused[0] in (2, 4):  # of our own log, of a foreign one
        opened.clear()
        with pytest.raises(PermissionError), reader.Logs(place):
            pass
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


def test_a_log_without_a_good_line_has_no_origin(place: paths.Home) -> None:
    paths.make_dir(place.storage)
    with open(place.events, "wb") as file:
        file.write(b"junk\n" * 3)
    with reader.Logs(place) as logs:
        assert [log.origin for log in logs] == [""]
        assert reader.first_line(logs.all[0], 1) is None


def test_empty_and_missing_foreign_logs_have_no_end(place: paths.Home) -> None:
    Journal(place).append([draft("one")])
    for name in ("a" * 16, "b" * 16, "not-an-origin"):
        os.makedirs(os.path.join(place.origins, name), mode=0o700)
    open(os.path.join(place.origins, "a" * 16, "events.jsonl"), "w").close()
    assert reader.origins(place) == ["a" * 16, "b" * 16] and list(reader.ends(place)) == ["events.jsonl"]


def test_a_body_that_is_no_json_is_named(place: paths.Home) -> None:
    body = b'{"salt":"' + b"0" * 32 + b'",broken}}'
    raw = line.build(
        "event", "a" * 32, "b" * 16, 1, ids.at_text(0), ids.hlc_text(ids.now_ms(), 0), None, body, line.FIRST_CHAIN
    )
    found = line.parse(raw)
    assert found is not None
    with pytest.raises(InvalidInput, match=f"record {'a' * 32} is no JSON"):
        found.parsed()
    name = blobs.write(place, b"no json")
    body = line.body_bytes({"blob": {"sha": name, "bytes": 7}}, ids.new_salt())
    raw = line.build(
        "event", "a" * 32, "b" * 16, 1, ids.at_text(0), ids.hlc_text(ids.now_ms(), 0), None, body, line.FIRST_CHAIN
    )
    found = line.parse(raw)
    assert found is not None
    with pytest.raises(InvalidInput, match="long body"):
        reader.record(place, found)
    with pytest.raises(InvalidInput, match="cannot be forgotten one by one"):
        line.nulled(b"junk")


def test_blobs_nobody_names_are_told_once_they_are_old(place: paths.Home) -> None:
    assert blobs.unnamed(place, set(), ids.now_ms()) == []
    named, orphan = blobs.write(place, b"a"), blobs.write(place, b"b")
    open(os.path.join(place.blobs, "other.tmp"), "w").close()
    later = ids.now_ms() + 60_000
    assert blobs.unnamed(place, {named}, later) == [os.path.join(place.blobs, orphan)]
    assert blobs.unnamed(place, {named}, 0) == []


def test_verify_names_a_foreign_log_in_the_wrong_folder_and_a_segment_that_ends_in_half_a_line(
    place: paths.Home,
) -> None:
    journal = Journal(place, roll_bytes=500)
    for text in ("one", "two", "three"):
        journal.append([draft(text)])
    assert not verify(place).faults
    segment = os.path.join(place.segments, reader.segments(place.storage)[0])
    with open(segment, "ab") as file:
        file.write(b"half")
    os.makedirs(os.path.join(place.origins, "0" * 16), mode=0o700)
    shutil.copy(segment, os.path.join(place.origins, "0" * 16, "events.jsonl"))
    told = [str(fault) for fault in verify(place).faults]
    assert any("segments/events-000001.jsonl, line 2: a closed segment ends in half a line" in each for each in told)
    assert any("this folder holds the log of" in each for each in told)


def test_verify_accepts_an_id_in_two_origins_only_if_it_says_the_same(place: paths.Home, home: str) -> None:
    mine, same, other = "a" * 32, "b" * 32, "c" * 32
    journal = Journal(place)
    records = journal.append([draft("one", id=mine), draft("two", id=same), draft("three", id=other)])
    start = next(reader.places(place.events)).line
    assert start is not None
    lines = [each.line for each in reader.places(place.events) if each.line is not None]
    foreign, previous, content = "0" * 16, line.FIRST_CHAIN, b""
    body = line.body_bytes({"why": "new", "from": None}, ids.new_salt())
    raw = line.build("origin", "d" * 32, foreign, 1, start.at, start.hlc, None, body, previous)
    content, previous = raw + b"\n", line.chain_of(previous, line.head_of(raw))
    for seq, each in enumerate((lines[2], lines[3]), 2):
        text = each.body if each.id == same else line.body_bytes({"other": "text"}, ids.new_salt())
        assert text is not None
        raw = line.build(each.kind, each.id, foreign, seq, each.at, each.hlc, each.key, text, previous)
        content, previous = content + raw + b"\n", line.chain_of(previous, line.head_of(raw))
    os.makedirs(os.path.join(place.origins, foreign), mode=0o700)
    with open(os.path.join(place.origins, foreign, "events.jsonl"), "wb") as file:
        file.write(content)
    told = [str(fault) for fault in verify(place).faults]
    assert len(told) == 1 and f"origin {records[0].origin} has another record of its id" in told[0]
    Journal(place).append([draft("again", id=mine)])
    assert any("another line has its id" in str(fault) for fault in verify(place).faults)


def test_verify_names_reserved_kinds_that_break_their_rules(place: paths.Home) -> None:
    Journal(place).append([draft("one")])
    last = [each.line for each in reader.places(place.events)][-1]
    assert last is not None
    body = line.body_bytes({"ids": []}, ids.new_salt())
    raw = line.build("forget", "e" * 32, last.origin, last.seq + 1, last.at, last.hlc, None, body, last.chain)
    with open(place.events, "ab") as file:
        file.write(line.nulled(raw) + b"\n")
    assert "always of version 1 and keeps its body" in str(verify(place).faults[0])


def test_verify_names_a_long_body_that_is_missing(place: paths.Home) -> None:
    Journal(place).append([draft("long " * 30_000)])
    assert not verify(place).faults
    (name,) = os.listdir(place.blobs)
    os.unlink(os.path.join(place.blobs, name))
    assert [str(fault) for fault in verify(place).faults] == [f"blobs, line 0: the long body {name[:12]}… is missing"]
