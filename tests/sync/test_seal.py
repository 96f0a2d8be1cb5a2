"""A segment opens to the lines that went in, and to nothing else."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sync.homes import SPACE, Device

from session_memory.errors import RemoteError
from session_memory.log import line
from session_memory.log.line import FIRST_CHAIN, Line
from session_memory.sync import seal
from session_memory.sync.keys import Keys
from session_memory.sync.remote import MOST_BODY, MOST_CALL, Segment

KEYS = Keys(SPACE)
ORIGIN = "a" * 16
FIRST = FIRST_CHAIN.decode()


def made(count: int, size: int = 20, *, noise: bool = False, origin: str = ORIGIN) -> list[Line]:
    found: list[Line] = []
    chain = FIRST_CHAIN
    for n in range(1, count + 1):
        text = hashlib.shake_256(f"{n}".encode()).hexdigest(size // 2) if noise else "x" * size
        body = line.body_bytes({"text": text}, f"{n:032x}")
        raw = line.build(
            "event",
            f"{n:032x}",
            origin,
            n,
            "2026-11-22T14:20:57.123Z",
            f"1795357257123.{n % 10_000:04d}",
            None,
            body,
            chain,
        )
        each = line.parse(raw)
        assert each is not None
        found.append(each)
        chain = each.chain
    return found


def nulled(each: Line) -> Line:
    found = line.parse(line.nulled(each.raw))
    assert found is not None
    return found


def sealed(lines: list[Line], prev: str = FIRST) -> Segment:
    (cut,) = seal.cuts(lines)
    return seal.seal(KEYS, ORIGIN, prev, cut)


def refused(segment: Segment, keys: Keys = KEYS) -> str:
    with pytest.raises(RemoteError) as told:
        seal.opened(keys, segment)
    return told.value.code


def test_the_lines_come_back_as_they_were() -> None:
    lines = made(40)
    lines[3] = nulled(lines[3])
    segment = sealed(lines)
    assert (segment.lo, segment.hi, segment.prev, segment.chain) == (1, 40, FIRST, lines[-1].chain.decode())
    assert segment.nulls > 0 and [each.raw for each in seal.opened(KEYS, segment)] == [each.raw for each in lines]
    assert "xxxxxxxx" not in base64.b64decode(segment.body).decode("latin-1")


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 60), size=st.sampled_from([10, 300, 20_000]), noise=st.booleans())
def test_cuts_hold_every_line_once_and_in_order(count: int, size: int, noise: bool) -> None:
    lines = made(count, size, noise=noise)
    cuts = list(seal.cuts(lines))
    assert [each.seq for cut in cuts for each in cut.lines] == [each.seq for each in lines]
    for cut in cuts:
        assert zlib.decompress(cut.compressed) == b"".join(map(seal.bare, cut.lines))
        assert len(cut.compressed) <= seal.MOST_SEALED


def test_a_segment_holds_at_most_so_many_lines_and_three_fit_into_a_call() -> None:
    cuts = list(seal.cuts(made(seal.MOST_LINES + 1, 2)))
    assert [len(cut.lines) for cut in cuts] == [seal.MOST_LINES, 1]
    big = list(seal.cuts(made(40, 60_000, noise=True)))
    bodies = [len(seal.seal(KEYS, ORIGIN, FIRST, cut).body) for cut in big]
    assert (
        len(big) > 1 and max(bodies) <= MOST_BODY and 3 * max(bodies) <= MOST_CALL and min(bodies[:-1]) > MOST_CALL / 4
    )


def test_a_line_that_no_remote_takes_is_named() -> None:
    (cut,) = seal.cuts(made(1, 3_000_000, noise=True))
    with pytest.raises(RemoteError, match="more than a remote takes"):
        seal.seal(KEYS, ORIGIN, FIRST, cut)


def test_no_segment_passes_for_another() -> None:
    lines = made(10)
    segment = sealed(lines)
    assert refused(segment, Keys(b"k" * 32)) == "remote-damaged"
    for other in (
        replace(segment, origin="b" * 16), replace(segment, lo=2), replace(segment, hi=9), replace(segment, prev="1" * 64),
        replace(segment, chain="1" * 64), replace(segment, nulls=1), replace(segment, sha="1" * 64), replace(segment, body=segment.body[:-8]),
        replace(segment, body=""),
    ):  # fmt: skip
        assert refused(other) == "remote-damaged"
    assert refused(replace(segment, ver=2)) == "remote-newer"


def forged(lines: list[Line], content: bytes | None = None) -> Segment:
    """Sealed with the right key by somebody who does not keep to the rules."""
    packed = zlib.compress(b"".join(map(seal.bare, lines))) if content is None else content
    body = base64.b64encode(KEYS.seal(packed, f"{ORIGIN}|{lines[0].seq}|{lines[-1].seq}|1")).decode()
    nulls = sum(1 + int(each.chain[:8], 16) for each in lines if each.body is None)
    return Segment(ORIGIN, lines[0].seq, lines[-1].seq, 1, FIRST, lines[-1].chain.decode(), nulls,
                   hashlib.sha256(body.encode()).hexdigest(), body)  # fmt: skip


def changed(each: Line, old: bytes, new: bytes) -> Line:
    found = line.parse(each.raw.replace(old, new))
    assert found is not None and found.raw != each.raw
    return found


def test_what_was_sealed_rightly_and_is_wrong_inside_is_refused_as_well() -> None:
    lines = made(4)
    assert seal.opened(KEYS, forged(lines))
    assert refused(forged([lines[0], changed(lines[1], b"xxx", b"yyy"), *lines[2:]])) == "remote-damaged"  # a body
    assert refused(forged([lines[0], changed(lines[1], b"2026", b"2025"), *lines[2:]])) == "remote-damaged"  # a head
    assert refused(forged([lines[0], lines[2], lines[1], lines[3]])) == "remote-damaged"
    assert refused(forged(made(4, origin="b" * 16))) == "remote-damaged"
    origin = changed(lines[0], b'"kind":"event"', b'"kind":"origin"')
    right = line.parse(line.nulled(line.placed(origin, ORIGIN, 1, FIRST_CHAIN)))
    assert right is not None
    assert refused(forged([right])) == "remote-damaged"
    assert refused(forged(lines, zlib.compress(seal.bare(lines[0])[:-1]))) == "remote-damaged"  # half a line
    assert refused(forged(lines, zlib.compress(b"no line\n" * 4))) == "remote-damaged"
    assert refused(forged(lines, b"not packed")) == "remote-damaged"
    assert refused(forged(lines, zlib.compress(b"".join(map(seal.bare, lines))) + b"more")) == "remote-damaged"


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "MOST_RAW", 10_000)
    assert refused(forged(made(1), zlib.compress(b"0" * 1_000_000))) == "remote-damaged"


def test_sealing_again_without_bodies_keeps_the_place(tmp_path: Path) -> None:
    lines = made(5)
    before = sealed(lines)
    after = seal.reseal(KEYS, before, [nulled(lines[0]), *lines[1:]])
    assert (after.lo, after.hi, after.prev, after.chain) == (before.lo, before.hi, before.prev, before.chain)
    assert after.sha != before.sha and seal.opened(KEYS, after)[0].body is None
    assert sealed(lines).body != before.body  # a nonce is never used twice


def test_lines_of_newer_versions_travel_as_they_are(tmp_path: Path) -> None:
    raw = made(1)[0].raw.replace(b'{"v":1,', b'{"v":3,').replace(b'"key":null', b'"key":null,"lane":7')
    found = line.parse(raw)
    assert found is not None
    newer = line.parse(line.placed(found, ORIGIN, 1, FIRST_CHAIN))
    assert newer is not None and newer.v == 3
    assert seal.opened(KEYS, sealed([newer]))[0].raw == newer.raw
    assert Device(tmp_path / "home").origin() == ""  # nothing was written
