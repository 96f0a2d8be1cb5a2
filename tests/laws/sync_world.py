"""Histories of real homes and a real folder where they meet: everything that can happen to them, and then the laws that must hold.

The product's own code runs on real files; only the clock, randomness and the flush to disk are the world's. Operations are given
as numbers, so that hypothesis can draw them and a seed can repeat them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.laws.sync_laws import broken_laws
from tests.log import calls
from tests.sync.homes import SECRET, SPACE, Device

from session_memory import ids, paths
from session_memory.errors import LogUnavailable, RemoteError
from session_memory.log import foreign, line
from session_memory.log.lock import Lock
from session_memory.sync import keys, seal
from session_memory.sync.folder import Folder

LONELY = bytes(range(2, 34))
WORDS = ("heliotrope", "quicksilver", "Wanderfalke", "tiny")
SHORT_LINE = 1_700  # bytes of a line here, so that long bodies come up
ROLL = 6_000
JUMPS = (1, -1, 1_000, -300_000, 3_600_000, -86_400_000, 116 * 86_400_000)
OPS = (
    "say say say say say_long spool forget forget forget_text clock save restore clone sync sync sync sync weather weather arrive"
    " hub_save hub_restore hub_wipe kill kill interrupt"
).split()


class Killed(BaseException):
    """The process died here."""


class Wire:
    """A remote whose calls go wrong in the way the weather says, and during whose calls another device may come in between."""

    def __init__(self, hub: Folder) -> None:
        self.hub = hub
        self.url = hub.url
        self.weather: list[int] = []
        self.late: list[Callable[[], Any]] = []
        self.interrupt: list[Callable[[], None]] = []
        self.counted: Counter[str] = Counter()

    def _call(self, name: str, *words: Any) -> Any:
        method = getattr(self.hub, name)
        self.counted["calls"] += 1
        if self.interrupt and self.counted["calls"] % 3 == 0:
            self.interrupt.pop()()
        kind = self.weather.pop(0) if self.weather else 0
        self.counted["faults"] += kind > 0
        if kind == 1:
            raise RemoteError("remote-offline", "lost on the way there")
        if kind == 2:
            method(*words)
            raise RemoteError("remote-offline", "lost on the way back")
        if kind == 3:
            method(*words)
        if kind == 4:
            self.late.append(lambda: method(*words))
            raise RemoteError("remote-offline", "late")
        return method(*words)

    def arrive(self) -> None:
        late, self.late = self.late, []
        for each in late:
            each()

    def open(self, words: Any) -> Any:
        return self._call("open", words)

    def heads(self) -> Any:
        return self._call("heads")

    def index(self, origin: str) -> Any:
        return self._call("index", origin)

    def page(self, after: Any, most: int = 4_000_000) -> Any:
        return self._call("page", dict(after), min(most, 3_000))

    def append(self, segments: Any) -> Any:
        return self._call("append", segments)

    def replace(self, segment: Any, sha: str) -> Any:
        return self._call("replace", segment, sha)

    def put(self, name: str, content: bytes) -> None:
        self._call("put", name, content)

    def get(self, name: str) -> Any:
        return self._call("get", name)


class World:
    """Some devices, one folder."""

    words = WORDS

    def __init__(self, root: Path, seed: int, homes: int = 2) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.wall = 1_795_357_257_123
        self.skew = [0] * 8
        self.now = 0  # whose clock is read
        self.hub = Folder(f"file://{root}/hub")
        self.wire = Wire(self.hub)
        self.devices = [
            Device(root / f"home{n}", secrets=(LONELY if n == 2 else SECRET,), roll_bytes=ROLL) for n in range(homes)
        ]
        self.hub.open({})
        self.markers: dict[str, str] = {}  # record -> what only its body says
        self.acknowledged: set[str] = set()
        self.excused: set[str] = set()
        self.forgotten: list[tuple[str, set[str], str]] = []  # forget record, ids, text
        self.blobs: dict[str, str] = {}  # long body -> record
        self.unnoticed = 0
        self.saved: dict[int, Path] = {}
        self.hub_saved: Path | None = None
        self.die_at: int | None = None
        self.count: Counter[str] = Counter()
        self.broken: list[str] = []
        self.said = 0

    def do(self, op: str, a: int = 0, b: int = 0) -> None:
        """One operation on one device; a kill or a lost call ends it, as it ends a process."""
        self.wall += 1 + a % 40
        self.count["steps"] += 1
        n = a % len(self.devices)
        self.now = n
        try:
            if op in ("say", "say_long", "spool", "forget", "forget_text", "sync") and self.die_at is not None:
                which, self.die_at = self.die_at, None
                with calls.watched(dying(which)):
                    getattr(self, f"do_{op}")(n, b)
            else:
                getattr(self, f"do_{op}")(n, b)
        except Killed:
            self.count["kills"] += 1
            if b % 2:
                self.devices[n].known = {}
        except (RemoteError, LogUnavailable) as error:
            self.count[error.code] += 1
            if error.code not in ("remote-offline", "log-busy", "remote-damaged"):
                self.broken.append(f"{op}: {error}")

    def _open(self, n: int) -> Device:
        device = self.devices[n]
        device.open()
        return device

    def _text(self, b: int) -> tuple[str, str]:
        self.said += 1
        marker = f"marker-{self.said:05d}."
        return marker, f"{marker} {WORDS[b % len(WORDS)]}"

    def do_say(self, n: int, b: int, **more: Any) -> None:
        device = self._open(n)
        marker, text = self._text(b)
        seen = max((each.hlc for lines in device.lines().values() for each in lines), default="")
        record = device.say(text, key=f"tool:{b % 6}" if b % 3 == 0 else None, **more)
        self.markers[record.id] = marker
        if record.seq:
            self.acknowledged.add(record.id)
            if record.hlc <= seen:
                self.broken.append("written after seeing, ordered before it")

    def do_say_long(self, n: int, b: int) -> None:
        self.do_say(n, b, long="x" * 2_500)

    def do_spool(self, n: int, b: int) -> None:
        device = self._open(n)
        marker, text = self._text(b)
        with Lock(device.home.store_lock, 1.0):
            device.journal._deadline = device.journal._patience = 0.0
            record = device.say(text)
        self.markers[record.id] = marker
        self.acknowledged.add(record.id)

    def do_forget(self, n: int, b: int) -> None:
        device = self._open(n)
        lines = [
            each
            for found in device.lines().values()
            for each in found
            if each.kind == "event" and each.body is not None
        ]
        if lines:
            chosen = lines[b % len(lines)]
            keyed = {each.id for each in lines if each.key is not None and each.key == chosen.key}
            before = set(device.ids())
            try:
                device.journal.forget([(chosen.id, chosen.key)], [])
                device.journal.finish_forgetting()
            finally:
                self._note_forget(device, before, {chosen.id, *keyed}, "")

    def do_forget_text(self, n: int, b: int) -> None:
        device = self._open(n)
        text, before = WORDS[b % 3], set(device.ids())
        try:
            device.journal.forget([], [text])
            device.journal.finish_forgetting()
        finally:
            self._note_forget(device, before, set(), text)

    def _note_forget(self, device: Device, before: set[str], ids_: set[str], text: str) -> None:
        for lines in device.lines().values():
            for each in lines:
                if each.kind == "forget" and each.id not in before:
                    self.forgotten.append((each.id, ids_, text))
                    self.acknowledged.add(each.id)
                    self.count["forgets"] += 1

    def do_clock(self, n: int, b: int) -> None:
        self.skew[n] = (
            max(-300, min(600, (self.skew[n] + JUMPS[b % len(JUMPS)]) // 86_400_000)) * 86_400_000 + JUMPS[b % 3]
        )

    def do_save(self, n: int, b: int) -> None:
        self.saved[n] = self._copy(Path(self.devices[n].home.root), f"saved{n}-{self.said}-{self.count['steps']}")

    def do_restore(self, n: int, b: int) -> None:
        """A home comes back as it was; noticed when its folder is another one now."""
        if n not in self.saved:
            return
        before = self.everywhere()
        root = Path(self.devices[n].home.root)
        shutil.rmtree(root)
        shutil.copytree(self.saved[n], root)
        self._settle_copy(root, b)
        self.devices[n] = Device(root, roll_bytes=ROLL)
        self.excused |= before - self.everywhere()
        self.count["restores"] += 1

    def do_clone(self, n: int, b: int) -> None:
        if len(self.devices) < 4:
            root = self._copy(Path(self.devices[n].home.root), f"home{len(self.devices)}")
            self._settle_copy(root, b)
            self.devices.append(Device(root, roll_bytes=ROLL))
            self.count["clones"] += 1

    def _copy(self, source: Path, name: str) -> Path:
        target = self.root / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        return target

    def _settle_copy(self, root: Path, b: int) -> None:
        """Whether the copy is noticed: a copied file system keeps the folder's number."""
        place = root / "storage" / "origin.json"
        if not place.exists():  # its writer died before it had said whose log this is
            self.unnoticed += 1
        elif b % 2:
            self.unnoticed += 1
            known = json.loads(place.read_text())
            place.write_text(json.dumps({**known, "inode": os.stat(root / "storage").st_ino}))

    def do_sync(self, n: int, b: int) -> None:
        device = self._open(n)
        try:
            report = device.sync(self.wire, push=b % 5 > 0)
            self.count["moved"] += report.moved
            for origin, told in report.origins.items():
                if told.error:
                    self.count["stopped"] += 1
                    self.broken.append(f"{origin} was stopped: {told.error}")
        finally:
            self._see_blobs(device)

    def _see_blobs(self, device: Device) -> None:
        for lines in device.lines().values():
            for each in lines:
                if each.body is not None and b'"blob":{"sha":"' in each.body:
                    self.blobs[each.body.partition(b'"sha":"')[2][:64].decode()] = each.id

    def do_weather(self, n: int, b: int) -> None:
        self.wire.weather = [0] * (b % 7) + [1 + (b // 7) % 4]

    def do_arrive(self, n: int, b: int) -> None:
        self.wire.arrive()

    def do_interrupt(self, n: int, b: int) -> None:
        def sync() -> None:
            if len(self.devices) > 1:
                other = self.devices[n]
                with contextlib.suppress(RemoteError, LogUnavailable):
                    other.open()
                    other.sync(self.wire)

        self.wire.interrupt = [sync]

    def do_hub_save(self, n: int, b: int) -> None:
        self.hub_saved = self._copy(self.root / "hub", "hub-saved")

    def do_hub_restore(self, n: int, b: int) -> None:
        if self.hub_saved is not None:
            self._hub_from(self.hub_saved)

    def do_hub_wipe(self, n: int, b: int) -> None:
        self._hub_from(None)

    def _hub_from(self, saved: Path | None) -> None:
        before = self.everywhere()
        shutil.rmtree(self.root / "hub")
        if saved is not None:
            shutil.copytree(saved, self.root / "hub")
        self.hub.open({})
        # a long body that was saved before its line came is an orphan there, sealed, of which nobody knows any more
        space = keys.Keys(SPACE)
        lines = b"".join(each.raw for found in self.hub_lines().values() for each in found)
        named = {space.remote_name(name) for name in self.blobs if name.encode() in lines}
        for path in (self.root / "hub").glob("blobs/*/*"):
            if path.name not in named and path.stat().st_size:
                path.unlink()
        self.excused |= before - self.everywhere()

    def do_kill(self, n: int, b: int) -> None:
        self.die_at = 1 + b % 180

    # looking
    def hub_lines(self) -> dict[str, list[line.Line]]:
        found: dict[str, list[line.Line]] = {}
        for head in self.hub.heads():
            rows = [each for each in self.hub.page({}, 1 << 40) if each.origin == head.origin]
            found[head.origin] = [each for row in rows for each in seal.opened(keys.Keys(SPACE), row)]
        return found

    def everywhere(self) -> set[str]:
        found = {each.id for lines in self.hub_lines().values() for each in lines}
        for device in self.devices:
            found |= set(device.ids())
        return found

    # the end
    def finish(self) -> None:
        """Nothing goes wrong any more, and all sync until nothing changes."""
        self.die_at, self.wire.weather, self.wire.interrupt = None, [], []
        self.wire.arrive()
        for _round in range(12):
            before = self.state()
            for n in range(len(self.devices)):
                self.do("sync", n, 1)
            if self.state() == before:
                break
        else:
            self.broken.append("one more sync changes bytes, for ever")
        for (
            device
        ) in self.devices:  # seven days later: a writer that died before its line left a long body that nobody names
            self._see_blobs(device)
            named = {name for name in self.blobs if name.encode() in b"".join(device.bytes_by_origin().values())}
            for path in [*Path(device.home.blobs).glob("*"), *Path(device.home.spool).glob(".*.tmp")]:
                if path.name not in named:  # (or of a long body that was written by half)
                    self.count["orphans"] += 1
                    path.unlink()

    def state(self) -> list[Any]:
        return [device.bytes_by_origin() for device in self.devices] + [hub_rows(self.root)]


def hub_rows(root: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(root / "hub" / "hub.sqlite")) as hub:
        rows = hub.execute("SELECT origin, lo, hi, nulls, sha FROM segment ORDER BY origin, lo").fetchall()
    return [rows, sorted((p.name, p.stat().st_size) for p in (root / "hub").glob("blobs/*/*"))]


def dying(which: int) -> Callable[..., Any]:
    """From this call of the system on the process does nothing any more; a write in between is done by half."""

    def decide(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
        if number < which or name == "close":  # what a dead process held open is closed
            return real(*words, **more)
        if number == which and name == "write":
            real(words[0], bytes(words[1])[: len(words[1]) // 2])
        raise Killed

    return decide


@contextlib.contextmanager
def around(world: Callable[[], World]) -> Iterator[None]:
    """The world's clock, randomness and short lines; nothing is flushed, which is not what is tested here."""
    real = (ids.now_ms, os.urandom, paths.sync_file, paths.sync_dir, line.MAX_LINE, foreign.ROLL_BYTES)
    chance = random.Random(7)
    ids.now_ms = lambda: world().wall + world().skew[world().now]
    os.urandom = lambda size: chance.randbytes(size)
    paths.sync_file = paths.sync_dir = lambda _what: None  # type: ignore[assignment]
    line.MAX_LINE, foreign.ROLL_BYTES = SHORT_LINE, ROLL
    try:
        yield
    finally:
        ids.now_ms, os.urandom, paths.sync_file, paths.sync_dir, line.MAX_LINE, foreign.ROLL_BYTES = real


def run(root: Path, ops: list[tuple[str, int, int]], seed: int, homes: int = 2) -> World:
    """A whole history, finished."""
    made: list[World] = []
    with around(lambda: made[0] if made else _Before()):  # type: ignore[arg-type, return-value]
        world = World(root, seed, homes)
        made.append(world)
        for op, a, b in ops:
            world.do(op, a, b)
        world.finish()
        world.broken += broken_laws(world)
    return world


class _Before:
    """The clock while the world is being made."""

    wall, skew, now = 1_795_357_257_000, (0,), 0
