"""What every remote must do, whatever it is made of: a fixture for each, the same tests for all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from session_memory.errors import RemoteError
from session_memory.sync.folder import Folder
from session_memory.sync.remote import Head, Remote, Segment

A, B, C = "a" * 16, "b" * 16, "c" * 16
FIRST = "0" * 64
LEFT_OUT = 2**62


@pytest.fixture
def folder_remote(tmp_path: Path) -> Remote:
    return Folder(f"file://{tmp_path / 'hub'}")


# a remote is added by a fixture that gives an empty one and its name here
REMOTES = ["folder_remote", "cloud_remote"]


@pytest.fixture(params=REMOTES)
def remote(request: pytest.FixtureRequest) -> Remote:
    made: Remote = request.getfixturevalue(request.param)
    made.open({"format": "1"})
    return made


def chain(origin: str, seq: int) -> str:
    return FIRST if seq == 0 else hashlib.sha256(f"{origin}{seq}".encode()).hexdigest()


def segment(origin: str, lo: int, hi: int, *, nulls: int = 0, body: str = "", prev: str = "") -> Segment:
    text = body or f"{origin}{lo}{hi}" * 3
    sha = hashlib.sha256(text.encode()).hexdigest()
    return Segment(origin, lo, hi, 1, prev or chain(origin, lo - 1), chain(origin, hi), nulls, sha, text)


def without_body(each: Segment) -> Segment:
    return Segment(*(getattr(each, name) for name in "origin lo hi ver prev chain nulls sha".split()), "")


def test_the_first_word_counts(remote: Remote) -> None:
    assert remote.open({"format": "2", "canary": "yellow"}) == {"format": "1", "canary": "yellow"}
    assert remote.open({}) == {"format": "1", "canary": "yellow"}


def test_an_empty_one_says_so(remote: Remote) -> None:
    assert remote.heads() == [] and remote.index(A) == [] and remote.page({}) == [] and remote.get("0" * 64) is None


def test_what_was_appended_comes_back_in_order(remote: Remote) -> None:
    first, second, other = segment(A, 1, 3), segment(A, 4, 4, nulls=7), segment(B, 1, 2, nulls=5)
    assert remote.append([first, second, other]) == [True, True, True]
    assert remote.heads() == [Head(A, 4, chain(A, 4), 7), Head(B, 2, chain(B, 2), 5)]
    assert remote.index(A) == [without_body(first), without_body(second)]
    assert remote.page({}) == [first, second, other]


def test_nothing_is_appended_but_behind_the_last_line(remote: Remote) -> None:
    remote.append([segment(A, 1, 3)])
    wrong = [
        segment(A, 1, 3),  # again
        segment(A, 3, 5),  # overlapping
        segment(A, 5, 6),  # with a gap
        segment(A, 4, 5, prev="f" * 64),  # behind another line
        segment(A, 5, 6, prev=chain(A, 3)),  # behind the last line, with another number
        segment(B, 2, 3),  # not from the beginning
        segment(C, 1, 2, prev="f" * 64),
    ]
    assert remote.append(wrong) == [False] * 7
    assert remote.heads() == [Head(A, 3, chain(A, 3), 0)]
    assert remote.append([segment(A, 4, 5, body="mine"), segment(A, 4, 5, body="late")]) == [True, False]
    assert [each.body for each in remote.page({A: 3})] == ["mine"]


def test_a_page_holds_what_is_not_had_and_passes_over_what_is_left_out(remote: Remote) -> None:
    remote.append([segment(A, 1, 3), segment(A, 4, 6), segment(B, 1, 2), segment(C, 1, 9)])
    got = [(each.origin, each.lo) for each in remote.page({A: 3, B: LEFT_OUT})]
    assert got == [(A, 4), (C, 1)]
    assert [(each.origin, each.lo) for each in remote.page({A: 4, B: 2, C: 9})] == [
        (A, 4)
    ]  # a segment that is had in part


def test_a_page_ends_early_but_never_empty(remote: Remote) -> None:
    remote.append([segment(A, n, n, body=str(n) * 1_000) for n in range(1, 8)])
    assert [each.lo for each in remote.page({}, 1)] == [1]
    some = remote.page({A: 1}, 3_000)
    assert 1 <= len(some) <= 4 and some[0].lo == 2


def test_a_segment_is_replaced_only_while_it_is_the_one_that_is_meant(remote: Remote) -> None:
    old = segment(A, 1, 3, body="with everything")
    remote.append([old, segment(A, 4, 5)])
    new = segment(A, 1, 3, body="without", nulls=11)
    assert not remote.replace(new, "0" * 64)
    assert remote.replace(new, old.sha)
    assert not remote.replace(segment(A, 1, 3, body="late", nulls=9), old.sha)
    assert remote.page({})[0] == new and remote.heads() == [Head(A, 5, chain(A, 5), 11)]
    assert not remote.replace(segment(B, 1, 3), old.sha)


def test_sums_of_nulls_are_exact(remote: Remote) -> None:
    remote.append([segment(A, 1, 1, nulls=2**52), segment(A, 2, 2, nulls=2**32 + 1)])
    assert remote.heads()[0].nulls == 2**52 + 2**32 + 1


def test_a_blob_is_kept_once_and_emptied_for_ever(remote: Remote) -> None:
    name, content = "0f" * 32, bytes(range(256)) * 50
    remote.put(name, content)
    remote.put(name, b"sealed again")
    assert remote.get(name) == content
    remote.put(name, b"")
    remote.put(name, content)  # a late call
    assert remote.get(name) == b"" and remote.get("ff" * 32) is None


def test_a_large_segment_passes_whole(remote: Remote) -> None:
    large = segment(A, 1, 5_000, body="x" * 999_999)
    assert remote.append([large, segment(A, 5_001, 5_002, body="y" * 999_999)]) == [True, True]
    assert remote.page({}, 1) == [large]


# the folder alone


def test_a_folder_is_closed_to_everybody_else(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    remote = Folder(f"file://{tmp_path}/a b/hub")
    remote.open({})
    remote.put("ab" * 32, b"x")
    for path in [tmp_path / "a b" / "hub", *(tmp_path / "a b" / "hub").rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("url", ["file://", "file://relative/path", "folder:///x", "file:///x\0y"])
def test_an_address_that_is_no_folder_is_refused(url: str) -> None:
    with pytest.raises(RemoteError) as told:
        Folder(url)
    assert told.value.code == "no-remote"


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RemoteError) as told:
        act()
    return told.value.code


def test_each_trouble_of_a_folder_has_its_code(tmp_path: Path) -> None:
    assert refused(Folder(f"file://{tmp_path}/none").heads) == "remote-not-there"
    (tmp_path / "file").write_text("")
    assert refused(lambda: Folder(f"file://{tmp_path}/file/below").open({})) == "remote-offline"
    remote = Folder(f"file://{tmp_path}/hub")
    remote.open({})
    (tmp_path / "hub" / "hub.sqlite").write_bytes(b"no database" * 500)
    assert refused(remote.heads) == "remote-damaged"
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "empty").mkdir(mode=0o700)
    (tmp_path / "empty" / "hub.sqlite").write_bytes(b"")
    assert refused(Folder(f"file://{tmp_path}/empty").heads) == "remote-failed"  # it has no tables
    (tmp_path / "open").chmod(0o777)
    assert refused(lambda: Folder(f"file://{tmp_path}/open").open({})) == "remote-refused"
