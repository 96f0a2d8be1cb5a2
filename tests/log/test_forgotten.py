"""What was forgotten is in no byte of the log's files, the chain holds, and it does not come back."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.log import calls
from tests.log.holder import held
from tests.log.test_journal import draft, texts

from session_memory import paths
from session_memory.errors import LogUnavailable, SessionMemoryError
from session_memory.log import forgotten, reader, spool
from session_memory.log.forgotten import Bans, fingerprint, strings
from session_memory.log.journal import Journal
from session_memory.log.verify import verify
from session_memory.model.record import Record

SECRET = b"s" * 32


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def everywhere(place: paths.Home) -> bytes:
    return b"".join(path.read_bytes() for path in Path(place.root).rglob("*") if path.is_file())


def forget(journal: Journal, *records: Record, texts: tuple[str, ...] = ()) -> forgotten.Swept:
    return journal.forget([(each.id, each.key) for each in records], list(texts))


@pytest.mark.fault(81)
def test_a_forgotten_record_leaves_its_place_and_nothing_of_what_it_said(place: paths.Home) -> None:
    journal = Journal(place, roll_bytes=1_500)
    kept = [journal.append([draft(f"word number {n}", key=f"k:{n}")])[0] for n in range(12)]
    swept = forget(journal, kept[2], kept[11])
    assert (swept.lines, swept.files, swept.blobs) == (2, 2, 0) and reader.segments(place.storage)
    content = everywhere(place)
    assert b"word number 2" not in content and b"word number 11" not in content and b"word number 3" in content
    report = verify(place)
    assert report.faults == [] and report.forgotten == 2
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in Path(place.storage).rglob("*") if path.is_file())
    journal.append([draft("goes on")])
    Journal(place).append([draft("and another process")])
    assert texts(place)[-2:] == ["goes on", "and another process"] and verify(place).faults == []


@pytest.mark.fault(81)
def test_it_does_not_come_back_under_its_key_nor_from_the_spool(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.05)
    first = journal.append([draft("forget me", key="tool:1")])[0]
    with held(place.store_lock):
        journal.append([draft("forget me too", key="tool:1")])
    forget(journal, first)
    assert spool.names(place) == [] and b"forget me" not in everywhere(place)
    again = Journal(place).append([draft("forget me again", key="tool:1")])[0]
    assert again.body is None and again.seq and b"forget me" not in everywhere(place) and verify(place).faults == []
    with held(place.store_lock):
        assert Journal(place, deadline=0.05).append([draft("forget me", key="tool:1"), draft("other")])[0].body == {
            **draft("other").body
        }
    assert b"forget me" not in everywhere(place)


@pytest.mark.fault(81)
def test_a_record_that_waits_in_the_spool_when_its_key_is_forgotten_is_merged_empty(place: paths.Home) -> None:
    journal = Journal(place)
    forget(journal, journal.append([draft("forget me", key="tool:1")])[0])
    body = b'{"salt":"' + b"0" * 32 + b'","text":"forget me"}'  # of a writer that has not heard of it yet
    waits = spool.build("event", "0" * 31 + "1", "2026-01-01T00:00:00.000Z", "1795357257123.0000", "tool:1", body)
    spool.write(place, [waits])
    Journal(place).settle()
    assert spool.names(place) == [] and b"forget me" not in everywhere(place) and verify(place).faults == []


@pytest.mark.fault(81)
def test_a_forgotten_text_goes_with_every_record_that_says_it_and_is_left_out_of_what_is_said_later(
    place: paths.Home,
) -> None:
    journal = Journal(place)
    secret = "Größe Bluebird 7"
    journal.append([draft(f"about {secret}.", key="k:1"), draft("harmless"), draft("long " * 30_000 + secret)])
    assert len(os.listdir(place.blobs)) == 1
    Path(place.torn).write_bytes(b"torn " + secret.encode())
    swept = forget(journal, texts=(secret, "short"))
    assert (swept.lines, swept.blobs) == (2, 1)
    assert secret.encode() not in everywhere(place) and not os.path.exists(place.torn) and os.listdir(place.blobs) == []
    later = journal.append([draft(f"they said {secret}, twice: {secret}", key="k:2")])[0]
    assert later.body is not None and later.body["data"]["text"] == "they said [FORGOTTEN], twice: [FORGOTTEN]"
    assert Journal(place).append([draft("x", key="k:1")])[0].body is None  # its key went with it
    assert secret.encode() not in everywhere(place) and verify(place).faults == []


def test_other_origins_are_swept_too_and_origin_lines_stay(place: paths.Home, tmp_path: Path) -> None:
    there = paths.Home(str(tmp_path / "there"))
    theirs = Journal(there).append([draft("forget me")])[0]
    journal = Journal(place)
    journal.append([draft("mine")])
    folder = os.path.join(place.origins, theirs.origin)
    paths.make_dir(folder)
    Path(folder, "events.jsonl").write_bytes(Path(there.events).read_bytes())
    assert forget(journal, theirs).lines == 1
    assert b"forget me" not in everywhere(place) and verify(place).faults == [] and texts(place) == ["mine"]


@pytest.mark.fault(81)
@pytest.mark.parametrize("before", [True, False])
def test_a_sweep_killed_at_any_call_is_gone_on_with_at_the_next_opening(tmp_path: Path, before: bool) -> None:
    number = 0
    while True:
        number += 1
        place = paths.Home(str(tmp_path / f"{number}"))
        journal = Journal(place, roll_bytes=900)
        kept = journal.append([draft("forget me", key="k:1"), draft("forget me " * 9_000), draft("stays")])
        journal.append([draft("after it")])

        def run(journal: Journal = journal, kept: list[Record] = kept, number: int = number) -> list[str]:
            with calls.watched(calls.killing(number, before=before)):
                forget(journal, kept[0], kept[1])
            return ["done"]

        said, killed = calls.in_child(run)
        Journal(place).settle(5.0)
        assert verify(place).faults == [] and {"stays", "after it"} <= set(texts(place))
        if b'"kind":"forget"' in everywhere(place):  # the ban was acknowledged, or is at least on disk
            Journal(place).settle(5.0)
            assert b"forget me" not in everywhere(place)
        if not killed:
            assert said == ["done"] and number > 20
            break


def test_while_the_lock_is_held_the_ban_waits_and_the_sweep_follows(place: paths.Home) -> None:
    journal = Journal(place, deadline=0.05)
    kept = journal.append([draft("forget me")])[0]
    with held(place.store_lock), pytest.raises(LogUnavailable, match="held"):
        forget(journal, kept)
    Journal(place).settle(5.0)
    Journal(place).settle(5.0)
    assert b"forget me" not in everywhere(place) and forgotten.load(place, SECRET).pending  # the views may hold it
    journal.finish_forgetting()
    assert not forgotten.load(place, SECRET).pending


def test_a_home_that_cannot_be_written_says_so_and_keeps_everything(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(place)
    kept = journal.append([draft("forget me")])[0]
    told = set()
    for number in range(1, 90):
        with calls.watched(calls.failing(number, errno.EIO)):
            try:
                forget(journal, kept)
            except SessionMemoryError as error:
                assert error.code.startswith("log-")
                told.add(number)
    assert len(told) > 20
    Journal(place).settle(5.0)
    assert b"forget me" not in everywhere(place) and verify(place).faults == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"ids": 1}', '{"ids":[],"keys":[],"blobs":[],"pending":"","texts":[[1]]}']
)
def test_a_spoilt_view_is_made_again_from_the_forget_records(place: paths.Home, text: str) -> None:
    journal = Journal(place)
    forget(journal, journal.append([draft("forget me", key="k:1")])[0])
    good = json.loads(Path(place.forgotten).read_text())
    Path(place.forgotten).write_text(text)
    Journal(place).settle(5.0)
    assert json.loads(Path(place.forgotten).read_text()) == good


def test_many_ids_make_many_records_and_a_long_body_that_is_gone_stops_nothing(place: paths.Home) -> None:
    journal = Journal(place)
    kept = journal.append([draft(f"number {n}") for n in range(400)])
    long = journal.append([draft("long " * 30_000)])[0]
    os.unlink(os.path.join(place.blobs, os.listdir(place.blobs)[0]))
    assert forget(journal, *kept, long, texts=("something else",)).lines == 401
    bodies = forgotten.records_of([(each.id, each.key) for each in kept], [], SECRET)
    assert [len(each["ids"]) for each in bodies] == [150, 150, 100] and texts(place) == []


def test_a_body_that_cannot_be_read_is_searched_in_vain_and_texts_that_overlap_are_left_out_once(
    place: paths.Home,
) -> None:
    journal = Journal(place)
    journal.append([draft("long " * 30_000)])
    os.unlink(os.path.join(place.blobs, os.listdir(place.blobs)[0]))
    assert forget(journal, texts=("Bluebird seven", "seven and eight")).lines == 0
    kept = journal.append([draft("Bluebird seven and eight")])[0]
    assert kept.body is not None and kept.body["data"]["text"] == "[FORGOTTEN] and eight"
    assert journal.key_of(draft("x", key="k:1")) == "k:1" and journal.key_of(draft("x")) is None


def test_a_fingerprint_of_another_home_is_kept_but_finds_nothing_here() -> None:
    bans = Bans(SECRET)
    mark = fingerprint(b"t" * 32, "Bluebird seven")
    assert mark is not None
    bans.add_text(*mark)
    assert (
        bans.texts
        and not bans.holds("Bluebird seven")
        and bans.clean({"a": ["Bluebird seven", 1]}) == {"a": ["Bluebird seven", 1]}
    )
    assert fingerprint(SECRET, "short") is None


@given(st.text(min_size=3), st.text(), st.text())
def test_a_text_is_found_and_left_out_wherever_it_stands(said: str, before: str, after: str) -> None:
    said = said.encode("utf-8", "replace").decode() + "!padding"
    bans = Bans(SECRET)
    mark = fingerprint(SECRET, said)
    assert mark is not None
    bans.add_text(*mark)
    whole = {"a": [before + said + after, 3, None, True], said: 1.5}
    assert bans.holds({"data": whole}) and not bans.holds({"project": whole})
    clean = bans.clean(whole)
    assert not bans.holds({"data": clean}) or said in before + forgotten.LEFT_OUT + after
    assert clean["a"][1:] == [3, None, True] and any(forgotten.LEFT_OUT in each for each in strings(clean))


@pytest.mark.fault(81)
def test_a_record_made_ready_before_the_ban_is_made_anew_under_the_lock(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, other = Journal(place), Journal(place)
    kept = journal.append([draft("Bluebird seven", key="k:1")])[0]
    placed, once = Journal._placed, [True]

    def late(self: Journal, *words: object) -> object:
        if once.pop() if once else False:
            forgotten.save(place, banned)
        return placed(self, *words)  # type: ignore[arg-type]

    banned = Bans(journal._secret)
    banned.keys.add("k:1")
    mark = fingerprint(journal._secret, "Bluebird seven")
    assert mark is not None
    banned.add_text(*mark)
    monkeypatch.setattr(Journal, "_placed", late)
    said, again = other.append([draft("they say Bluebird seven " * 9_000), draft("x", key="k:1")])
    assert said.body is not None and "Bluebird" not in said.body["data"]["text"] and again.body is None
    forget(journal, kept)
    assert b"Bluebird" not in everywhere(place) and verify(place).faults == []


@pytest.mark.fault(81)
def test_a_text_that_waits_in_the_spool_when_it_is_forgotten_is_merged_empty(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("first")])
    forget(journal, texts=("Bluebird seven",))
    body = b'{"salt":"' + b"0" * 32 + b'","data":{"text":"about Bluebird seven"}}'
    spool.write(
        place, [spool.build("event", "0" * 31 + "1", "2026-01-01T00:00:00.000Z", "1795357257123.0000", None, body)]
    )
    Journal(place).settle(5.0)
    assert b"about Bluebird" not in everywhere(place) and verify(place).faults == []


def test_what_a_record_belongs_to_is_not_rewritten_by_a_forgotten_text(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("first")])
    forget(journal, texts=("category", "finding!", "session-one"))
    said = draft("said category here")
    said.body.update(session="session-one", category="finding")
    kept = journal.append([said])[0]
    assert kept.body is not None and kept.body["session"] == "session-one" and kept.body["category"] == "finding"
    assert kept.body["data"]["text"] == "said [FORGOTTEN] here"


def test_the_end_of_a_forgetting_that_cannot_be_noted_says_so(place: paths.Home) -> None:
    journal = Journal(place)
    forget(journal, journal.append([draft("x")])[0])
    told = set()
    for number in range(1, 14):
        with calls.watched(calls.failing(number, errno.ENOSPC)):
            try:
                journal.finish_forgetting()
            except LogUnavailable as error:
                told.add(error.code)
    assert "log-full" in told
    journal.finish_forgetting()
    assert not journal.bans().pending


def test_what_the_log_has_yet_to_lose_is_not_called_finished(place: paths.Home) -> None:
    journal = Journal(place)
    journal.append([draft("x")])
    bans = journal.bans()
    bans.pending = forgotten.LOG
    forgotten.save(place, bans)
    journal.finish_forgetting()
    assert journal.bans().pending == forgotten.LOG


def test_words_are_known_by_the_hash_that_ends_a_forgotten_key() -> None:
    bans = Bans(b"s" * 32)
    bans.keys |= {"reply:p1:aa11", "tool_call:bb22", "uuid:u1:1"}
    assert [bans.bans_words(each) for each in ("aa11", "bb22", "p1")] == [True, False, False]
