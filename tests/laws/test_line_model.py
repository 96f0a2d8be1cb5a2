"""The line format under histories nobody would write by hand: drawn by hypothesis, by a seed, and cut at every step.

SESSION_MEMORY_FUZZ=n runs n long random histories instead of a few.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.laws import line_model as fmt
from tests.laws.line_homes import EVENTS, TORN, Around, Home, Killed
from tests.laws.line_hub import Hub, Sync, Wire
from tests.laws.line_laws import broken_laws
from tests.laws.line_world import OPS, World, run

HISTORIES = int(os.environ.get("SESSION_MEMORY_FUZZ") or 400)
FIRST_SEED = int(os.environ.get("SESSION_MEMORY_FUZZ_SEED") or 1)
ADR = Path(__file__).resolve().parents[2] / "docs" / "adr" / "0001-line-format.md"

ORIGIN = (
    '{"v":1,"kind":"origin","id":"019aaacd0b2f7c01a4d25e8f60b1c3d7","origin":"9f3c1a7be04d2265","seq":1,'
    '"at":"2026-11-22T14:20:57.123Z","hlc":"1795357257123.0000","key":null,'
    '"sum":"d72a0779acc80e1e3e8e8dd5f9958c22e4d6cf496bdfe15764866d1412314c72",'
    '"chain":"c191af0be94d16e36673b1de76549c3d7500d69739713421720990a16f67ba02",'
    '"body":{"salt":"5b0e1c8f3d2a49768899aabbccddeeff","why":"new","from":null}}'
)
EVENT = (
    '{"v":1,"kind":"event","id":"019aaacd0c017c01a4d25e8f60b1c3d8","origin":"9f3c1a7be04d2265","seq":2,'
    '"at":"2026-11-22T14:20:57.333Z","hlc":"1795357257333.0000","key":"tool_result:toolu_01Ab",'
    '"sum":"dcc5e9296906ae4b248f50292e82ea06c4b56189c73ce4ed964fc403b6fbc22e",'
    '"chain":"4a357a5159428634beb6d58319b30eafe34a5d5df14c9d4e0cbd1fba4b0b29fa",'
    '"body":{"salt":"00112233445566778899aabbccddeeff","text":"café"}}'
)
FORGET = (
    '{"v":1,"kind":"forget","id":"019aaacd1e447c01a4d25e8f60b1c3d9","origin":"9f3c1a7be04d2265","seq":3,'
    '"at":"2026-11-22T14:21:02.000Z","hlc":"1795357262000.0000","key":null,'
    '"sum":"594ee77dcd804e32748488a5993682a0cfb02ffc6ef42448d771b7f1e99e1953",'
    '"chain":"abf9292fc88652f24f3655ed12a1456a1097c540f549e522f9fcfd250136be2c",'
    '"body":{"salt":"ffeeddccbbaa99887766554433221100","ids":["019aaacd0c017c01a4d25e8f60b1c3d8"],'
    '"keys":["tool_result:toolu_01Ab"],"texts":[]}}'
)
SALTS = ("5b0e1c8f3d2a49768899aabbccddeeff", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100")
MEMBERS: list[dict[str, object]] = [
    {"why": "new", "from": None},
    {"text": "café"},
    {"ids": ["019aaacd0c017c01a4d25e8f60b1c3d8"], "keys": ["tool_result:toolu_01Ab"], "texts": []},
]

histories = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 999), st.integers(0, 999)), max_size=24)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(0, 1 << 30), st.sampled_from([2, 3]))
def test_every_law_holds_after_any_history(ops: list[tuple[str, int, int]], seed: int, homes: int) -> None:
    assert broken_laws(run(ops, seed, "", homes)) == []


def test_every_law_holds_after_long_random_histories() -> None:
    total: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        draw = random.Random(seed * 7919 + 13)
        ops = [(draw.choice(OPS), draw.randrange(1000), draw.randrange(1000)) for _ in range(35)]
        world = run(ops, seed, "", 2 + seed % 2)
        assert broken_laws(world) == [], f"seed {seed}: {ops}"
        lines = [fmt.read(raw) for raws in world.wire.hub.logs.values() for raw in raws]
        total += world.count + Counter(
            histories=1, lines=len(lines), nulls=sum(not line.body for line in lines if line)
        )
    print(dict(total))
    assert total["kills"] and total["forgets"] and total["lost calls"] and total["nulls"]


SCENES = {
    "append": [("spool", 0, 1), ("note", 0, 4), ("kill", 0, 0), ("note", 0, 9)],
    "merge": [("note", 0, 1), ("spool", 0, 3), ("spool", 0, 9), ("kill", 0, 0), ("set", 0, 4)],
    "forget": [("note", 0, 9), ("spool", 0, 3), ("roll", 0, 0), ("index", 0, 0), ("kill", 0, 0), ("forget", 0, 1)],
    "forget a text": [("note", 0, 4), ("note", 0, 9), ("note", 0, 8), ("index", 0, 0), ("kill", 0, 0), ("forget", 0, 9)],
    "fork": [("note", 0, 9), ("clone", 0, 0), ("note", 0, 4), ("note", 3, 9), ("roll", 3, 0), ("note", 3, 8),
             ("sync", 0, 0), ("kill", 3, 0), ("sync", 3, 0)],
    "restore": [("note", 0, 4), ("save", 0, 0), ("restore", 0, 1), ("kill", 0, 0), ("note", 0, 9), ("kill", 0, 3)],
    "pull": [("note", 0, 9), ("note", 1, 9), ("sync", 0, 0), ("sync", 1, 0), ("note", 0, 4), ("forget", 0, 2),
             ("sync", 0, 0), ("kill", 1, 0), ("sync", 1, 0)],
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_a_kill_at_any_step_only_delays(scene: str) -> None:
    steps = 0
    while True:
        for cut in (1, 4, 5, 7, 50, 333):  # how much of a write got through, or what stands in its place
            world = World(steps, homes=3 if scene == "fork" else 2)
            for op, a, b in SCENES[scene]:
                world.do(op, a, b)
                if op == "kill":
                    world.around.die_in, world.around.cut = steps, cut
            killed = world.around.kills
            world.finish()
            assert broken_laws(world) == [], (steps, cut)
        if not killed:
            break
        steps += 1
    print(scene, steps)
    assert steps > 1


def test_the_examples_come_out_of_the_model() -> None:
    chain = fmt.FIRST_CHAIN
    for seq, (text, salt, members) in enumerate(zip((ORIGIN, EVENT, FORGET), SALTS, MEMBERS, strict=True), 1):
        line = fmt.read(text.encode())
        assert line is not None and line.seq == seq
        body = fmt.body_bytes(members, salt)
        fields = line.fields._replace(sum=fmt.sum_of(body))
        assert fmt.line_bytes(fields, body, line.origin, seq, chain) == text.encode()
        chain = line.chain
    assert fmt.verify([ORIGIN.encode(), fmt.nulled(EVENT.encode()), FORGET.encode()]) == []
    assert fmt.verify([ORIGIN.encode(), EVENT.replace("café", "cafe").encode(), FORGET.encode()]) == ["2: sum"]
    assert fmt.verify([ORIGIN.encode(), EVENT.replace("event", "evens").encode(), FORGET.encode()]) == ["2: chain"]


def test_the_decision_shows_the_same_examples() -> None:
    text = ADR.read_text("utf-8")
    assert all(line in text for line in (ORIGIN, EVENT, fmt.nulled(EVENT.encode()).decode(), FORGET))


def test_a_newer_header_is_kept_and_cannot_move_what_the_chain_covers() -> None:
    line = fmt.read(EVENT.encode())
    assert line is not None

    def with_extras(extras: str, v: int = 2) -> fmt.Line | None:
        return fmt.read(fmt.line_bytes(line.fields._replace(v=v, extras=extras), line.body, line.origin, 2, "0" * 64))

    good = with_extras(',"lane":7,"hue":"red","on":true,"score":-1.5e3')
    assert good is not None and good.fields.extras in good.raw.decode()
    gone = fmt.read(fmt.nulled(good.raw))
    assert gone is not None and gone == good._replace(raw=gone.raw, body=None)
    assert with_extras(',"lane":7', v=1) is None
    for bad in (',"chain":"x"', ',"sum":1', ',"body":null', ',"lane":7,"lane":8', ',"lane":1-2', ',"lane":01',
                ',"lane":"a\\u0041"', ',"lane":"\t"', ',"Lane":1', ',"lane":[]', ',"lane":"\x7f"'):  # fmt: skip
        assert with_extras(bad) is None, bad


def test_an_origin_or_forget_line_of_another_version_or_without_a_body_is_a_fault_but_never_cut() -> None:
    for bad in (fmt.nulled(FORGET.encode()), FORGET.replace('"v":1', '"v":2').encode()):
        line = fmt.read(bad)
        assert line is not None and not fmt.is_forget(line)
        assert "3: forget" in fmt.verify([ORIGIN.encode(), EVENT.encode(), bad])


def test_a_line_at_the_limit_is_a_line_and_one_byte_more_makes_a_blob() -> None:
    room = fmt.MAX_LINE - fmt.HEADER_ROOM
    frame = len(fmt.body_bytes({"text": ""}, "0" * 32))
    for more, blobs in ((0, 0), (1, 1)):
        home = opened()
        fields, body = home.make("k" * 32, {"text": "x" * (room - frame + more)}, key="k" * 200)
        assert sum(path.startswith("blobs/") for path in home.files) == blobs
        longest = fmt.line_bytes(fields, body, "f" * 16, 10**18 - 1, "0" * 64) + b"\n"
        assert len(longest) <= fmt.MAX_LINE and fmt.read(longest[:-1]) is not None
        assert fmt.matches(home.blob(fmt.blob_of(body)) or body, 9, b"s" * 32, fmt.keyed(b"s" * 32, b"x" * 9))


def opened() -> Home:
    home = Home(Around(1), "m", [b"s" * 32])
    home.open()
    return home


def three_said() -> tuple[Home, list[str]]:
    home, ids = opened(), []
    for text in ("first words", "second words", "third words"):
        made = home.make("event", {"text": text})
        home.write([made])
        ids.append(made[0].id)
    return home, ids


def test_a_damaged_line_in_the_middle_is_kept_and_named_and_the_log_goes_on() -> None:
    home, ids = three_said()
    content = home.files[EVENTS]
    place = content.index(b'"id":"' + ids[1].encode())
    home.files[EVENTS] = content[:place] + b"\x00" + content[place + 1 :]
    home.open()
    home.write([home.make("event", {"text": "fourth words"})])
    assert len(fmt.split(home.files[EVENTS])) == 5 and b"second words" in home.files[EVENTS] and TORN not in home.files
    assert [fault[:2] for fault in fmt.verify(home.raw(home.origin))] == ["3:", "4:"]
    home.catch_up()
    assert ids[2] in home.index.rows and ids[1] not in home.index.rows
    wire = Wire(Hub())
    Sync(home, wire).run()
    assert len(wire.hub.logs[home.origin]) == 2  # what lies behind the damage is not sent
    home.forget([ids[1]], [])
    home.sweep()
    assert b"second words" in home.files[EVENTS]  # no rule finds it there: the receipt must say so


def test_a_changed_body_is_seen_by_its_sum_and_not_sent() -> None:
    home, _ = three_said()
    home.files[EVENTS] = home.files[EVENTS].replace(b"second", b"sexond")
    home.open()
    assert fmt.verify(home.raw(home.origin)) == ["3: sum"]
    wire = Wire(Hub())
    Sync(home, wire).run()
    assert len(wire.hub.logs[home.origin]) == 2


@pytest.mark.parametrize(
    "tail", [b"\0" * 40, b"\0" * 40 + b"\n", b'{"v":1,"kind"', b"\n", ORIGIN[:-1].encode() + b"\n"]
)
def test_what_lies_behind_the_last_good_line_is_set_aside(tail: bytes) -> None:
    home, _ = three_said()
    good = home.files[EVENTS]
    home.files[EVENTS] += tail
    home.open()
    assert home.files[EVENTS] == good and home.files[TORN] == tail + b"\n"


def test_a_line_of_a_newer_version_at_the_end_is_never_cut() -> None:
    home, _ = three_said()
    fields, body = home.make("event", {"text": "from the future"}, version=7, extras=',"lane":7')
    home.write([(fields, body)])
    before = dict(home.files)
    home.open()
    assert home.files == before and fmt.verify(home.raw(home.origin)) == []
    home.forget([fields.id], [])
    home.sweep()
    assert b"from the future" not in home.files[EVENTS] and fmt.verify(home.raw(home.origin)) == []


def test_a_roll_makes_no_rebuild() -> None:
    home, _ = three_said()
    home.catch_up()
    home.roll()
    home.write([home.make("event", {"text": "in a new segment"})])
    home.catch_up()
    assert home.index.rebuilds == 0 and len(home.index.rows) == 4 and fmt.verify(home.raw(home.origin)) == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3)), max_leaves=12))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_value_becomes_a_line_that_reads_back(value: object) -> None:
    home = opened()
    fields, body = home.make("event", {"value": value})
    line = fmt.read(fmt.line_bytes(fields, body, "0" * 16, 2, "0" * 64))
    assert line is not None and line.body == body and b"\n" not in line.raw
    assert fmt.body_bytes({"value": fmt.canonical(value)}, "0" * 32) == fmt.body_bytes({"value": value}, "0" * 32)


def test_a_killed_writer_of_the_model_really_dies() -> None:
    home = opened()
    home.around.die_in = 0
    with pytest.raises(Killed):
        home.write([home.make("event", {"text": "never acknowledged"})])
