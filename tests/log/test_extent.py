"""How far a log goes: only what can be proven counts, and what was read once is not read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.log.test_journal import draft

from session_memory import paths
from session_memory.log import extent, line, reader
from session_memory.log.extent import Extent
from session_memory.log.journal import Journal
from session_memory.model.record import Draft


@pytest.fixture
def place(home: str) -> paths.Home:
    return paths.Home(home)


def filled(place: paths.Home, count: int = 9, roll_bytes: int = 1_500) -> Journal:
    journal = Journal(place, roll_bytes=roll_bytes)
    for n in range(count):
        journal.append([draft(f"text {n}")])
    return journal


def only(place: paths.Home, known: dict[str, Any] | None = None) -> Extent:
    (found,) = extent.extents(place, {} if known is None else known).values()
    return found


def test_an_extent_names_the_last_line_and_those_without_a_body(place: paths.Home) -> None:
    journal = filled(place)
    last = journal.append([draft("long " * 30_000)])[0]
    found = only(place)
    assert (found.origin, found.hi, found.own, found.damaged, found.nulls) == (last.origin, 11, True, False, {})
    assert list(found.blobs) == [11] and found.blobs[11] in {path.name for path in Path(place.blobs).iterdir()}
    journal.forget([(last.id, None)], [])
    after = only(place)
    assert (after.hi, list(after.nulls), after.blobs) == (12, [11], {}) and after.weighed(1, 10) == 0 < after.weighed(
        11, 12
    )
    assert extent.extents(paths.Home(place.root + "-none"), {}) == {}


def test_what_was_noted_is_taken_up_where_the_file_only_grew(
    place: paths.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, known = filled(place), {}  # type: tuple[Journal, dict[str, Any]]
    only(place, known)
    known = json.loads(json.dumps(known))
    journal.append([draft("one more")])
    read: list[int] = []
    real = line.parse
    monkeypatch.setattr(line, "parse", lambda raw: read.append(len(raw)) or real(raw))
    again = only(place, known)
    assert again.hi == 11 and len(read) <= 3 * len(known) + 1
    monkeypatch.undo()
    whole = only(place)
    assert (again.chain, again.nulls, again.blobs) == (whole.chain, whole.nulls, whole.blobs)


def test_what_was_noted_is_not_trusted_once_a_body_has_gone(place: paths.Home) -> None:
    journal, known = filled(place, 9), {}  # type: tuple[Journal, dict[str, Any]]
    with reader.Logs(place) as logs:
        found = [p.line for part in logs.all[0].parts for p in reader.places(part) if p.line is not None]
    for chosen in (found[2], found[-1]):
        only(place, known)
        journal.forget([(chosen.id, None)], [])
        assert chosen.seq in only(place, known).nulls
    Path(place.events).unlink()
    assert only(place, known).hi < 10 and all("segments" in name for name in known)


def test_a_damaged_line_ends_it(place: paths.Home) -> None:
    filled(place)
    segment = Path(place.segments, reader.segments(place.storage)[1])
    content = segment.read_bytes()
    first = line.parse(content.partition(b"\n")[0])
    assert first is not None
    for broken in (
        content.replace(b'"kind"', b'"Kind"', 1),
        content.replace(b"text", b"TEXT", 1),
        content.replace(b'"at":"2', b'"at":"3', 1),
    ):
        segment.write_bytes(broken)
        found = only(place)
        assert found.damaged and found.hi == first.seq - 1
        assert [each.seq for each in extent.lines(place, found.origin, 2)] == list(range(3, first.seq))
        assert [each.seq for each in extent.lines(place, found.origin, first.seq + 1)][:1] in ([], [first.seq + 2])
    segment.write_bytes(content)


def test_lines_and_chains_are_found_from_any_number_on(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "NEAR", 1_500)
    filled(place, 30, 9_000)
    origin = only(place).origin
    whole = list(extent.lines(place, origin))
    assert [each.seq for each in whole] == list(range(1, 32))
    for seq in range(32):
        assert [each.seq for each in extent.lines(place, origin, seq)] == list(range(seq + 1, 32))
        assert extent.at(place, origin, seq) == (whole[seq - 1].chain if seq else line.FIRST_CHAIN)
    assert extent.at(place, origin, 32) is None and extent.at(place, "f" * 16, 1) is None
    assert list(extent.lines(place, "f" * 16)) == [] and list(extent.lines(place, origin, 40)) == []


def test_a_line_longer_than_the_look_is_passed_over_slowly(place: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = filled(place, 3, 1 << 20)
    journal.append([draft("x" * 5_000)])
    journal.append([draft("last")])
    monkeypatch.setattr(extent, "NEAR", 600)
    assert [each.seq for each in extent.lines(place, only(place).origin, 5)] == [6]


def test_a_body_that_only_looks_like_a_long_one_names_none(place: paths.Home) -> None:
    Journal(place).append([Draft("event", {"blob": {"sha": "no name"}})])
    assert only(place).blobs == {} and only(place).hi == 2
