"""The line format, held against the examples of its ADR and against arbitrary bodies."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.log import line
from session_memory.model.values import canonical

ORIGIN = (
    b'{"v":1,"kind":"origin","id":"019aaacd0b2f7c01a4d25e8f60b1c3d7","origin":"9f3c1a7be04d2265","seq":1,'
    b'"at":"2026-11-22T14:20:57.123Z","hlc":"1795357257123.0000","key":null,'
    b'"sum":"d72a0779acc80e1e3e8e8dd5f9958c22e4d6cf496bdfe15764866d1412314c72",'
    b'"chain":"c191af0be94d16e36673b1de76549c3d7500d69739713421720990a16f67ba02",'
    b'"body":{"salt":"5b0e1c8f3d2a49768899aabbccddeeff","why":"new","from":null}}'
)
EVENT = (
    '{"v":1,"kind":"event","id":"019aaacd0c017c01a4d25e8f60b1c3d8","origin":"9f3c1a7be04d2265","seq":2,'
    '"at":"2026-11-22T14:20:57.333Z","hlc":"1795357257333.0000","key":"tool_result:toolu_01Ab",'
    '"sum":"dcc5e9296906ae4b248f50292e82ea06c4b56189c73ce4ed964fc403b6fbc22e",'
    '"chain":"4a357a5159428634beb6d58319b30eafe34a5d5df14c9d4e0cbd1fba4b0b29fa",'
    '"body":{"salt":"00112233445566778899aabbccddeeff","text":"café"}}'
).encode()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)


def test_the_frozen_examples_are_what_build_writes() -> None:
    first = line.build(
        "origin", "019aaacd0b2f7c01a4d25e8f60b1c3d7", "9f3c1a7be04d2265", 1, "2026-11-22T14:20:57.123Z",
        "1795357257123.0000", None, line.body_bytes({"why": "new", "from": None}, "5b0e1c8f3d2a49768899aabbccddeeff"),
        line.FIRST_CHAIN,
    )  # fmt: skip
    assert first == ORIGIN
    parsed = line.parse(ORIGIN)
    assert parsed is not None and parsed.chain_holds(line.FIRST_CHAIN) and parsed.sum_holds()
    second = line.build(
        "event", "019aaacd0c017c01a4d25e8f60b1c3d8", "9f3c1a7be04d2265", 2, "2026-11-22T14:20:57.333Z",
        "1795357257333.0000", "tool_result:toolu_01Ab",
        line.body_bytes({"text": "café"}, "00112233445566778899aabbccddeeff"), parsed.chain,
    )  # fmt: skip
    assert second == EVENT


def test_a_forgotten_line_keeps_head_and_chain_and_proves_nothing() -> None:
    gone = line.nulled(EVENT)
    parsed = line.parse(gone)
    assert parsed is not None and parsed.body is None and parsed.parsed() is None and parsed.sum_holds()
    assert line.head_of(gone) == line.head_of(EVENT) and b"caf" not in gone
    assert parsed.chain_holds(line.parse(ORIGIN).chain)  # type: ignore[union-attr]


def test_a_newer_version_may_add_header_members_and_version_one_may_not() -> None:
    added = EVENT.replace(b',"sum"', b',"lang":"fr","n":3,"sum"', 1)
    assert line.parse(added) is None
    for wrong in (b',"chain":"x"', b',"a":1,"a":2', ',"a":"é"'.encode(), b',"a":01'):
        assert line.parse(EVENT.replace(b',"sum"', wrong + b',"sum"', 1).replace(b'{"v":1', b'{"v":2', 1)) is None
    newer = line.parse(added.replace(b'{"v":1', b'{"v":2', 1))
    assert newer is not None and newer.v == 2 and newer.id == "019aaacd0c017c01a4d25e8f60b1c3d8"


def test_bytes_that_are_almost_a_line_are_none() -> None:
    for wrong in (b"", b"{}", EVENT[:-1], EVENT + b" ", b" " + EVENT, EVENT.replace(b'"salt"', b'"salz"'),
                  EVENT.replace(b'"seq":2', b'"seq":02'), EVENT.replace(b"Z", b"+", 1), b"\0" * 400):  # fmt: skip
        assert line.parse(wrong) is None


@pytest.mark.fault(55, 57)
@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(st.characters()), json_values, max_size=5), st.integers(1, 1 << 50))
def test_any_body_comes_back_as_written_and_every_strict_reader_can_read_it(body: dict[str, object], seq: int) -> None:
    clean = {("b" + name if name == "salt" else name): value for name, value in canonical(body).items()}
    text = line.body_bytes(clean, "ab" * 16)
    raw = line.build("event", "0" * 32, "1" * 16, seq, "2026-01-01T00:00:00.000Z", "1795357257123.0000", None, text,
                     b"f" * 64)  # fmt: skip
    assert b"\n" not in raw and b"\r" not in raw
    raw.decode("utf-8")
    parsed = line.parse(raw)
    assert parsed is not None and parsed.seq == seq and parsed.parsed() == clean
    assert parsed.sum_holds() and parsed.chain_holds(b"f" * 64)
    assert hashlib.sha256(text).hexdigest() == parsed.sum

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    json.loads(raw, parse_constant=refuse)


@pytest.mark.fault(11)
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * len(EVENT) - 1))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    changed = bytearray(EVENT)
    changed[bit // 8] ^= 1 << (bit % 8)
    parsed = line.parse(bytes(changed))
    previous = line.parse(ORIGIN).chain  # type: ignore[union-attr]
    assert parsed is None or not (parsed.chain_holds(previous) and parsed.sum_holds())


PART = st.sampled_from(
    [b'{"v":1,', b'"', b",", b":", b"null", b"0", b"a", b'"seq":', b'"key":', b"\\", b"Z", b"\n", b'{"v":2,', b"}"]
)


@given(
    st.integers(0, 400), st.integers(0, 3), PART, st.sampled_from([None, "k:1", "x" * 200]), st.integers(1, 10**18 - 1)
)
def test_the_usual_line_is_read_by_hand_as_the_expression_reads_it(
    place: int, cut: int, part: bytes, key: str | None, seq: int
) -> None:
    whole = line.build("event", "a" * 32, "b" * 16, seq, "2026-11-22T14:20:57.123Z", "1795357257123.0000", key,
                       line.body_bytes({"x": 1}, "c" * 32), line.FIRST_CHAIN)  # fmt: skip
    for raw in (whole, whole[:place] + part + whole[place + cut :], whole[:place]):
        members, end = line._usual(raw)
        match = line.FRAME.match(raw)
        if end:
            assert match is not None and (tuple(members), end) == (match.groups(), match.end())
        else:
            assert match is None or match.group(1) != b"1" or match.group(9)
