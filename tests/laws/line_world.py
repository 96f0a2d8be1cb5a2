"""Histories of the model: some homes, one hub, and everything that can happen to them; then the laws that must hold."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any, NamedTuple

from tests.laws import line_model as fmt
from tests.laws.line_homes import ORIGIN, Around, Home, Killed
from tests.laws.line_hub import CallLost, Hub, Sync, Wire
from tests.laws.line_index import Index
from tests.laws.line_model import Fields, Line

DAY = 86_400_000
JUMPS = (-1, 1, -1_000, 1_000, -300_000, 300_000, -540_000, 540_000, 3_600_000, -3_600_000, 116 * DAY, -116 * DAY)
WORDS = ("heliotrope", "ünterwegs\u2028x", "tiny", "quicksilver")
LIMIT = 1_000  # bytes of a line in random histories, so that blobs come up


class Made(NamedTuple):
    """What the world remembers of a record, whatever becomes of its line."""

    fields: Fields
    marker: str  # stands in this body and nowhere else
    body: bytes | None
    live: bool


class World:
    """Runs operations given as numbers, so that hypothesis can draw them and a seed can repeat them."""

    def __init__(self, seed: int, mutant: str = "", homes: int = 2) -> None:
        self.around = Around(seed, mutant)
        shared, lonely = self.around.random.randbytes(32), self.around.random.randbytes(32)
        self.homes = [Home(self.around, f"m{n}", [lonely if n == 2 else shared], LIMIT) for n in range(homes)]
        self.wire = Wire(Hub())
        self.made: dict[str, Made] = {}
        self.acknowledged: set[str] = set()
        self.excused: set[str] = set()
        self.forgets: list[tuple[str, set[str], set[str], list[str]]] = []  # id, ids, keys, texts
        self.unnoticed = 0
        self.saved: dict[int, tuple[dict[str, bytes], Index, int]] = {}
        self.saved_hub: Hub | None = None
        self.stalled: list[tuple[int, tuple[Fields, bytes], str]] = []
        self.count: Counter[str] = Counter()
        self.broken: list[str] = []
        self.wrote = 0

    @property
    def mutant(self) -> str:
        return self.around.mutant

    def do(self, op: str, a: int = 0, b: int = 0) -> None:
        """One operation on one home; a kill or a lost call ends it, as it ends a process."""
        self.around.wall += 1 + a % 40
        self.count["steps"] += 1
        n = a % len(self.homes)
        try:
            getattr(self, f"do_{op}")(n, b)
        except Killed:
            self.count["kills"] += 1
        except CallLost:
            self.count["lost calls"] += 1

    def _open(self, n: int) -> Home:
        home = self.homes[n]
        home.open()
        self._nothing_forgotten_in(home)
        return home

    def _nothing_forgotten_in(self, home: Home) -> None:
        """Not only at the end: whenever a writer has done its work, what it can know as forgotten is in no byte."""
        ids, _ = gone(self, home.lines())
        content = self.everything(home)
        there = [self.made[id_].marker for id_ in ids if id_ in self.made]
        self.broken += [f"forgotten, yet on disk at once: {m}" for m in there if m and m.encode() in content]

    def _body(self, b: int) -> tuple[str, dict[str, Any]]:
        self.wrote += 1
        marker = f"marker-{self.wrote:05d}."
        word = WORDS[b % len(WORDS)]
        members: dict[str, Any] = {"text": f"{marker} {word} \u0085{b % 3}", "deep": [{f"k{b % 3}": word * (b % 2)}]}
        if b % 5 == 4:
            members["long"] = "x" * 700
        return marker, members

    def _note(self, made: tuple[Fields, bytes], marker: str, body: bytes | None, live: bool = True) -> None:
        self.made[made[0].id] = Made(made[0], marker, body, live)

    def _say(self, home: Home, members: dict[str, Any], marker: str, **given: Any) -> None:
        """Make, append, acknowledge; what must hold of clocks is asked here, before they move on."""
        live, newest = given.get("at") is None, self._newest_live(home)
        highest = max(line.order for line in home.lines())
        fields, body = home.make("event", members, **given)
        self._note((fields, body), marker, body, live)
        if live and newest is not None and newest <= home.wall() + fmt.LIVE_MS and fmt.at_ms(fields.at) < newest:
            self.broken.append(f"live at went back by {newest - fmt.at_ms(fields.at)} ms")
        if int(highest[0][:13]) < fmt.MAX_MS and fields.hlc <= highest[0]:
            self.broken.append("written after seeing, ordered before it")
        home.write([(fields, body)])
        self.acknowledged.add(fields.id)
        self._nothing_forgotten_in(home)

    def _newest_live(self, home: Home) -> int | None:
        """By the world's own notes, not by the header."""
        own = [self.made[line.fields.id].fields.at for line in home.log(home.origin) if line.fields.id in self.made
               and self.made[line.fields.id].live]  # fmt: skip
        times = [at for at in map(fmt.at_ms, own) if at <= home.wall() + fmt.LIVE_MS]
        return max(times, default=None)

    # writers
    def do_note(self, n: int, b: int) -> None:
        home = self._open(n)
        home.merge()
        marker, members = self._body(b)
        extras = ',"lane":7' if home.version > 1 and b % 2 else ""
        self._say(home, members, marker, key=f"tool:{b % 6}" if b % 2 else None, extras=extras)

    def do_import(self, n: int, b: int) -> None:
        home = self._open(n)
        home.merge()
        marker, members = self._body(b)
        at = home.wall() - (b % 50) * DAY // 7 - 1
        self._say(home, {"cut": members["text"][:30]}, marker, key=f"tool:{b % 6}", at=at)

    def do_set(self, n: int, b: int) -> None:
        home = self._open(n)
        home.merge()
        marker, _ = self._body(b)
        self._say(home, {"set": f"s{b % 2}", "to": marker}, marker)

    def do_spool(self, n: int, b: int) -> None:
        home = self._open(n)
        marker, members = self._body(b)
        made = home.make("event", members, key=f"tool:{b % 6}")
        self._note(made, marker, made[1])
        home.spool(f"w{self.wrote}", made)
        self.acknowledged.add(made[0].id)

    def do_stall(self, n: int, b: int) -> None:
        """A writer that has made its record and hangs before it is written anywhere."""
        home = self._open(n)
        marker, members = self._body(b)
        made = home.make("event", members)
        self._note(made, marker, made[1])
        self.stalled.append((n, made, f"s{self.wrote}"))

    def do_go_on(self, n: int, b: int) -> None:
        if self.stalled:
            n, made, name = self.stalled.pop(b % len(self.stalled))
            self.homes[n].spool(name, made)
            self.acknowledged.add(made[0].id)

    def do_forget(self, n: int, b: int) -> None:
        home = self._open(n)
        home.merge()
        lines = [line for line in home.lines() if line.fields.kind not in fmt.EXEMPT]
        texts = [WORDS[b % len(WORDS)]] if b % 3 == 0 else []
        ids = [] if texts or not lines else [lines[b % len(lines)].fields.id]
        fields, _ = home.forget(ids, texts)
        keys = {f.key for f in (line.fields for line in lines) if f.id in ids and f.key}
        long = [text for text in texts if len(text.encode()) >= fmt.SHORTEST_FINGERPRINT]
        self.forgets.append((fields.id, set(ids), keys, long))
        self.acknowledged.add(fields.id)
        self._note((fields, b""), "", None, True)
        self.count["forgets"] += 1
        home.sweep()
        self._nothing_forgotten_in(home)

    # homes
    def do_roll(self, n: int, b: int) -> None:
        self._open(n).roll()

    def do_index(self, n: int, b: int) -> None:
        self._open(n).catch_up()

    def do_clock(self, n: int, b: int) -> None:
        self.homes[n].skew += JUMPS[b % len(JUMPS)]
        self.homes[n].skew = max(-300 * DAY, min(600 * DAY, self.homes[n].skew))

    def do_version(self, n: int, b: int) -> None:
        self.homes[n].version = 1 + b % 2

    def do_save(self, n: int, b: int) -> None:
        home = self.homes[n]
        self.saved[n] = (dict(home.files), copy.deepcopy(home.index), self.wrote)

    def do_restore(self, n: int, b: int) -> None:
        """A home comes back as it was; noticed when it lies on another machine now."""
        if n not in self.saved:
            return
        before, home = self.everywhere(), self.homes[n]
        self._take(home, self.saved[n][0], self.saved[n][1], noticed=bool(b % 2))
        self.excused |= before - self.everywhere()
        self.count["restores"] += 1

    def do_clone(self, n: int, b: int) -> None:
        if len(self.homes) < 4 and ORIGIN in self.homes[n].files:
            source = self.homes[n]
            twin = Home(self.around, source.machine, list(source.secrets.values()), LIMIT)
            self._take(twin, source.files, source.index, noticed=bool(b % 2))
            self.homes.append(twin)
            self.count["clones"] += 1

    def _take(self, home: Home, files: dict[str, bytes], index: Index, noticed: bool) -> None:
        home.files, home.index = dict(files), copy.deepcopy(index)
        if ORIGIN in files:  # blobs that no line names yet stay behind: on a copy they are orphans, for seven days
            named = {fmt.blob_of(line.body) for line in [*home.lines(), *home.spooled()]}
            self.orphans_go(home.files, "blobs/", named)
        if noticed:
            home.machine = f"m{self.around.hex(32)}"
        else:
            self.unnoticed += 1
            home.machine = json.loads(files[ORIGIN])["machine"] if ORIGIN in files else home.machine

    # the hub
    def do_sync(self, n: int, b: int) -> None:
        Sync(self._open(n), self.wire).run()

    def do_weather(self, n: int, b: int) -> None:
        self.wire.weather = [0] * (b % 7) + [1 + (b // 7) % 4]

    def do_arrive(self, n: int, b: int) -> None:
        self.wire.arrive()

    def do_hub_save(self, n: int, b: int) -> None:
        self.saved_hub = copy.deepcopy(self.wire.hub)

    def do_hub_restore(self, n: int, b: int) -> None:
        if self.saved_hub is not None:
            self._hub(copy.deepcopy(self.saved_hub))

    def do_hub_wipe(self, n: int, b: int) -> None:
        self._hub(Hub())

    def _hub(self, hub: Hub) -> None:
        before = self.everywhere()
        self.wire.hub.logs, self.wire.hub.blobs = hub.logs, hub.blobs  # late calls reach the hub as it is then
        self.excused |= before - self.everywhere()

    def do_kill(self, n: int, b: int) -> None:
        self.around.die_in, self.around.cut = b % 8, b

    def everywhere(self) -> set[str]:
        found: set[str] = set()
        for home in self.homes:
            found |= {line.fields.id for line in home.spooled()}
            if ORIGIN in home.files:
                found |= {line.fields.id for line in home.lines()}
            lost = [fmt.read(raw) for raw in fmt.split(home.files.get("next", b""))]
            found |= {line.fields.id for line in lost if line is not None}
        for raws in self.wire.hub.logs.values():
            found |= {line.fields.id for line in map(fmt.read, raws) if line is not None}
        return found

    # the end
    def finish(self) -> None:
        """Everybody comes back, nothing goes wrong any more, and all have synced."""
        self.around.die_in, self.wire.weather = None, []
        while self.stalled:
            self.do("go_on")
        self.wire.arrive()
        for home in self.homes:
            home.version = 2
        for _ in range(12):
            before = self.all_bytes()
            for n in range(len(self.homes)):
                Sync(self._open(n), self.wire).run()
            if self.all_bytes() == before:
                break
        else:
            self.broken.append("one more sync changes bytes, for ever")
        self.count["forks"], self.count["faults"] = self.around.forks, self.wire.faults
        for home in self.homes:
            home.catch_up()
            self.orphans_go(home.files, "blobs/", {fmt.blob_of(line.body) for line in home.lines()})
        self.orphans_go(self.wire.hub.blobs, "", {fmt.blob_of(line.body) for line in self.homes[0].lines()})

    def orphans_go(self, blobs: dict[str, bytes], front: str, named: set[str]) -> None:
        """Seven days later."""
        for path in [each for each in blobs if each.startswith(front) and each[len(front) :] not in named]:
            del blobs[path]

    def all_bytes(self) -> list[Any]:
        return [dict(home.files) for home in self.homes] + [
            copy.deepcopy(self.wire.hub.logs),
            dict(self.wire.hub.blobs),
        ]

    def everything(self, home: Home) -> bytes:
        """Every byte of a home, its index included."""
        rows = "".join(row.body or "" for row in home.index.rows.values())
        return b"\n".join(home.files.values()) + b"\n" + rows.encode()


def gone(world: World, lines: list[Line]) -> tuple[set[str], set[str]]:
    """Ids and texts that these lines say are forgotten; by the world's notes, not by the model's own closure."""
    there = {line.fields.id for line in lines}
    ids = {line.fields.id for line in lines if line.body is None}
    keys: set[str] = set()
    texts: set[str] = set()
    for forget, named, grouped, words in world.forgets:
        if forget in there:
            ids, keys, texts = ids | named, keys | grouped, texts | set(words)
    while True:
        more = {
            id_
            for id_, made in world.made.items()
            if id_ in there and made.fields.key in keys and made.body is not None
        }
        more_keys = {world.made[id_].fields.key for id_ in ids | more if id_ in world.made} - {None}
        if more <= ids and more_keys <= keys:
            return ids, texts
        ids, keys = ids | more, keys | {key for key in more_keys if key}


def run(ops: list[tuple[str, int, int]], seed: int, mutant: str = "", homes: int = 2) -> World:
    world = World(seed, mutant, homes)
    for op, a, b in ops:
        world.do(op, a, b)
    world.finish()
    return world


OPS = (
    "note note note import set spool stall go_on forget forget roll index clock version save restore clone"
    " sync sync sync weather arrive hub_save hub_restore hub_wipe kill kill"
).split()
