"""The laws of sync: what must hold at the end of every history of real homes that met in a real folder."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.sync.homes import SPACE

from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log.verify import verify
from session_memory.sync import keys

if TYPE_CHECKING:
    from tests.laws.sync_world import World


def broken_laws(world: World) -> list[str]:
    """Every law that this finished history broke; empty is green."""
    return [*_verified(world), *_converged(world), *_kept(world), *_one_id(world), *_forgotten(world), *_secret(world),
            *_quiet(world), *_indexed(world)]  # fmt: skip


def _verified(world: World) -> list[str]:
    faults = [f"home {n}: {fault}" for n, device in enumerate(world.devices) for fault in verify(device.home).faults]
    waiting = [f"home {n} has a spool" for n, device in enumerate(world.devices) if device.journal._waiting()]
    forks = ["a fork without an unnoticed copy"] if world.count["moved"] and not world.unnoticed else []
    return faults + waiting + forks


def _converged(world: World) -> list[str]:
    hub = {origin: b"".join(each.raw + b"\n" for each in lines) for origin, lines in world.hub_lines().items()}
    return [f"home {n} and the hub differ" for n, device in enumerate(world.devices) if device.bytes_by_origin() != hub]


def _kept(world: World) -> list[str]:
    lost = world.acknowledged - world.excused - {each.id for lines in world.hub_lines().values() for each in lines}
    return [f"acknowledged and lost: {sorted(lost)}"] if lost else []


def _one_id(world: World) -> list[str]:
    said: dict[str, Any] = {}
    faults = []
    for origin, lines in world.hub_lines().items():
        twice = [id_ for id_, n in Counter(each.id for each in lines).items() if n > 1]
        faults += [f"{id_} twice in {origin}" for id_ in twice]
        for each in lines:
            what = (each.v, each.kind, each.at, each.hlc, each.key, each.sum)
            if said.setdefault(each.id, what) != what:
                faults.append(f"{each.id} says two things")
    return faults


def _gone(world: World) -> tuple[set[str], set[str]]:
    """Records and texts that are forgotten, by the world's own notes."""
    lines = [each for found in world.hub_lines().values() for each in found]
    there = {each.id for each in lines}
    known = [each for each in world.forgotten if each[0] in there]
    gone = {each.id for each in lines if each.body is None}.union(*(ids_ for _id, ids_, _text in known))
    return gone & set(world.markers), {text for _id, _ids, text in known if text}


def _forgotten(world: World) -> list[str]:
    gone, texts = _gone(world)
    words = {world.markers[id_].encode() for id_ in gone} | {text.encode() for text in texts}
    faults = []
    for n, device in enumerate(world.devices):
        content = device.everything()
        faults += [f"forgotten, yet in home {n}: {word!r}" for word in words if word in content]
    hub = b"\n".join(each.raw for lines in world.hub_lines().values() for each in lines)
    faults += [f"forgotten, yet on the hub: {word!r}" for word in words if word in hub]
    space = keys.Keys(SPACE)
    for name, id_ in world.blobs.items():
        content = world.hub.get(space.remote_name(name))
        if id_ in gone and content:
            faults.append(f"the long body of {id_} is on the hub still")
    return faults


def _secret(world: World) -> list[str]:
    content = b"".join(path.read_bytes() for path in sorted((world.root / "hub").rglob("*")) if path.is_file())
    words = [word for word in (*world.words, "marker-", "decision", "session") if len(word) >= 6]
    return [f"the hub can be read: {word}" for word in words if word.encode() in content]


def _indexed(world: World) -> list[str]:
    faults = []
    for n, device in enumerate(world.devices):
        index = Index(device.home)
        index.catch_up()
        faults += [f"index of home {n}: {each}" for each in agree.differences(index.database(), device.home)]
        index.close()
    return faults


def _quiet(world: World) -> list[str]:
    before, faults = world.state(), []
    for n, device in enumerate(world.devices):
        device.open()
        report = device.sync(world.wire)
        if report.calls > 2:
            faults.append(f"one more sync of home {n} makes {report.calls} calls")
    return faults + ([] if world.state() == before else ["one more sync changes bytes"])
