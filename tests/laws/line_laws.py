"""The laws of the line format: what must hold at the end of every history of the model, or right now of one home."""

from __future__ import annotations

import json
from collections import Counter

from tests.laws import line_model as fmt
from tests.laws.line_hub import Sync
from tests.laws.line_index import Index
from tests.laws.line_model import Line
from tests.laws.line_world import World, gone


def broken_laws(world: World) -> list[str]:
    """Every law that this finished history broke; empty is green."""
    return [
        *world.broken, *_verify(world), *_converged(world), *_index(world), *_kept(world), *_one_id(world),
        *_forgotten(world), *_unguessable(world), *_quiet(world),
    ]  # fmt: skip


def _verify(world: World) -> list[str]:
    mutant, faults = world.mutant, []
    for n, home in enumerate(world.homes):
        for origin in [home.origin, *home.foreign()]:
            faults += [f"verify: home {n}, {origin}: {fault}" for fault in fmt.verify(home.raw(origin), mutant)]
    for origin, raws in world.wire.hub.logs.items():
        faults += [f"verify: hub, {origin}: {fault}" for fault in fmt.verify(raws, mutant)]
    return faults


def _converged(world: World) -> list[str]:
    hub = {origin: b"".join(raw + b"\n" for raw in raws) for origin, raws in world.wire.hub.logs.items()}
    faults = []
    for n, home in enumerate(world.homes):
        mine = {o: b"".join(home.files[path] for path in home.log_files(o)) for o in [home.origin, *home.foreign()]}
        faults += [f"home {n} and hub differ in {o}" for o in hub.keys() | mine.keys() if hub.get(o) != mine.get(o)]
    return faults


def _index(world: World) -> list[str]:
    faults, first = [], None
    for n, home in enumerate(world.homes):
        try:
            scratch = Index().caught_up(home)
            again = home.index.caught_up(home)
        except AssertionError as error:
            faults.append(f"index of home {n}: {error}")
            continue
        for version in (1, 2):
            if home.index.state(version) != scratch.state(version) or again.rows != home.index.rows:
                faults.append(f"index of home {n} is not the fold of its log (version {version})")
        first = first or scratch.state(2)
        if scratch.state(2) != first:
            faults.append(f"index of home {n} is not that of home 0")
        if home.index.rebuilds > home.cuts + world.unnoticed:
            faults.append(f"index of home {n} was rebuilt {home.index.rebuilds} times for {home.cuts} cuts")
    return faults


def _lines(world: World) -> list[Line]:
    found = [fmt.read(raw) for raws in world.wire.hub.logs.values() for raw in raws]
    return [line for line in found if line is not None]


def _kept(world: World) -> list[str]:
    ids = {line.fields.id for line in _lines(world)}
    lost = world.acknowledged - world.excused - ids
    return [f"acknowledged and lost: {sorted(lost)}"] if lost else []


def _one_id(world: World) -> list[str]:
    faults = []
    for line in _lines(world):
        made = world.made.get(line.fields.id)
        if made is not None and made.fields != line.fields:
            faults.append(f"{line.fields} is not what was made: {made.fields}")
    for origin, raws in world.wire.hub.logs.items():
        ids = Counter(line.fields.id for line in map(fmt.read, raws) if line is not None)
        faults += [f"{id_} {n} times in {origin}" for id_, n in ids.items() if n > 1]
    if world.around.forks and not world.unnoticed:
        faults.append("a fork without an unnoticed copy")
    return faults


def _forgotten(world: World) -> list[str]:
    ids, texts = gone(world, _lines(world))
    words = {world.made[id_].marker for id_ in ids if id_ in world.made} - {""}
    wanted = {word.encode() for word in words} | {word.encode() for word in texts}
    faults = []
    places = {f"home {n}": world.everything(home) for n, home in enumerate(world.homes)}
    hub = world.wire.hub
    places["hub"] = b"\n".join([*(raw for raws in hub.logs.values() for raw in raws), *hub.blobs.values()])
    for place, content in places.items():
        faults += [f"forgotten, yet in {place}: {word!r}" for word in sorted(wanted) if word in content]
    # a text without a fingerprint is found by nobody, but what is banned must carry no body anywhere
    faults += [f"banned with a body: {line.fields.id}" for line in _lines(world) if line.fields.id in ids and line.body]
    return faults


def _unguessable(world: World) -> list[str]:
    """No sum and no blob name confirms a guess: neither is the hash of what was said without its salt."""
    names = {line.fields.sum for line in _lines(world)} | set(world.wire.hub.blobs)
    faults = []
    for id_, made in world.made.items():
        if made.body:
            body = json.loads(made.body)
            for salt in ("", "0" * 32):
                bare = {k: v for k, v in body.items() if k != "salt"}
                text = json.dumps(bare | {}, ensure_ascii=False, separators=(",", ":"))
                guess = ('{"salt":"' + salt + '",' + text[1:]) if salt else text
                if fmt.sum_of(guess.encode()) in names:
                    faults.append(f"the sum of {id_} confirms a guess")
    blobs = [content for home in world.homes for path, content in home.files.items() if path.startswith("blobs/")]
    faults += ["a blob's name is the hash of its content" for each in blobs if fmt.sum_of(each[16:]) in names]
    return faults


def _quiet(world: World) -> list[str]:
    """One more sync by everybody changes no byte."""
    before = world.all_bytes()
    for home in world.homes:
        home.open()
        Sync(home, world.wire).run()
    return [] if world.all_bytes() == before else ["one more sync changed bytes"]
