"""One home of the model: files that are byte strings, writers, spool, segments, forget, copies; killed between any two steps."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from typing import Any

from tests.laws import line_model as fmt
from tests.laws.line_index import Index
from tests.laws.line_model import Fields, Line

EVENTS, TORN, NEXT, ORIGIN, FORGOTTEN = "events.jsonl", "events.torn", "next", "origin.json", "forgotten.json"


class Killed(Exception):
    """The process died here."""


class Around:
    """What is shared by all homes: the clock, randomness, the rule to break, the step at which to die."""

    def __init__(self, seed: int, mutant: str = "") -> None:
        self.random = random.Random(seed)
        self.mutant = mutant
        self.wall = 1_795_357_257_123
        self.die_in: int | None = None
        self.cut = 0
        self.kills = 0
        self.forks = 0

    def step(self) -> None:
        if self.die_in is not None:
            self.die_in -= 1
            if self.die_in < 0:
                self.die_in = None
                self.kills += 1
                raise Killed

    def hex(self, bits: int) -> str:
        return f"{self.random.getrandbits(bits):0{bits // 4}x}"


class Home:
    """A device. Everything that outlives a process lies in `files` and `index`."""

    def __init__(self, around: Around, machine: str, secrets: list[bytes], limit: int = fmt.MAX_LINE) -> None:
        self.around, self.machine, self.limit = around, machine, limit
        self.secrets = {fmt.secret_id(secret): secret for secret in secrets}  # the first is its own
        self.files: dict[str, bytes] = {}
        self.index = Index()
        self.version, self.skew, self.cuts = 1, 0, 0

    # files: each call is one step
    def _append(self, path: str, content: bytes) -> None:
        try:
            self.around.step()
        except Killed:
            cut = self.around.cut
            zeros = b"\0" * (cut % 90) + b"\n" * (cut % 2)  # what power loss can leave where a write was meant to be
            part = content[: cut % len(content)] if cut % 4 else zeros
            self.files[path] = self.files.get(path, b"") + part
            raise
        self.files[path] = self.files.get(path, b"") + content

    def replace(self, path: str, content: bytes) -> None:
        self.around.step()
        self.files[path] = content

    def _rename(self, old: str, new: str) -> None:
        self.around.step()
        self.files[new] = self.files.pop(old)

    def _unlink(self, path: str) -> None:
        self.around.step()
        self.files.pop(path, None)

    # reading
    @property
    def origin(self) -> str:
        return str(json.loads(self.files[ORIGIN])["origin"])

    def own_files(self) -> list[str]:
        return sorted(path for path in self.files if path.startswith("segments/")) + [EVENTS] * (EVENTS in self.files)

    def foreign(self) -> list[str]:
        return sorted(path[8:] for path in self.files if path.startswith("origins/"))

    def log_files(self, origin: str) -> list[str]:
        return (
            self.own_files() if origin == self.origin else [f"origins/{origin}"] * (f"origins/{origin}" in self.files)
        )

    def raw(self, origin: str) -> list[bytes]:
        return [raw for path in self.log_files(origin) for raw in fmt.split(self.files[path], self.around.mutant)]

    def log(self, origin: str) -> list[Line]:
        return [line for line in map(fmt.read, self.raw(origin)) if line is not None]

    def lines(self) -> list[Line]:
        return [line for origin in [self.origin, *self.foreign()] for line in self.log(origin)]

    def spooled(self) -> list[Line]:
        found = [fmt.read(raw, True) for path in self.spools() for raw in fmt.split(self.files[path])]
        return [line for line in found if line is not None]

    def spools(self) -> list[str]:
        return sorted(path for path in self.files if path.startswith("spool/"))

    def blob(self, sha: str) -> bytes | None:
        content = self.files.get(f"blobs/{sha}")
        return None if content is None else content[16:]

    def bans(self, more: list[Line] | None = None) -> fmt.Bans:
        return fmt.bans([*self.lines(), *self.spooled(), *(more or [])], self.secrets, self.blob, self.around.mutant)

    def is_banned(self, line: Line, found: fmt.Bans) -> bool:
        return fmt.is_banned(line, found, self.secrets, self.blob, self.around.mutant)

    # opening
    def open(self) -> None:
        """Finish what a killed process began, notice a copy, mend, sweep; then the lock is held."""
        if ORIGIN in self.files:
            self._finish_switch()
            if self.around.mutant != "copy-takes-torn-tail-along":
                self.mend()  # before the old log becomes a foreign one, whose end nobody mends
        if ORIGIN not in self.files:
            self.switch("new", None, [])
        elif json.loads(self.files[ORIGIN])["machine"] != self.machine:
            lines = self.log(self.origin)
            self.switch("restore", {"origin": lines[-1].origin, "seq": lines[-1].seq} if lines else None, [])
        self.mend()
        self.sweep()

    def mend(self) -> None:
        """Set aside what lies behind the last good line of the active file."""
        content = self.files.get(EVENTS, b"")
        good = position = 0
        for raw in fmt.split(content):
            position += len(raw) + 1
            line = fmt.read(raw)
            if line is not None and (line.fields.v <= self.version or self.around.mutant != "unknown-version-cut"):
                good = position
            elif line is not None:
                break
        if good < len(content):
            self._append(TORN, content[good:] + b"\n")
            self.replace(EVENTS, content[:good])

    def switch(self, why: str, source: dict[str, Any] | None, moved: list[Line]) -> None:
        """A fresh origin: `next` whole, then origin.json, then the old log, then `next` in its place."""
        origin, content, chain = self.around.hex(64), b"", fmt.FIRST_CHAIN
        first, body = self.make("origin", {"why": why, "from": source}, version=1)
        for fields, inner in [(first, body), *((self._moved(line.fields), line.body) for line in moved)]:
            raw = fmt.line_bytes(fields, inner, origin, content.count(b"\n") + 1, chain, self.around.mutant)
            line = fmt.read(raw)
            assert line is not None
            content, chain = content + raw + b"\n", line.chain
        self.replace(NEXT, content)
        was = self.origin if ORIGIN in self.files else ""
        self.replace(ORIGIN, json.dumps({"origin": origin, "machine": self.machine, "was": was}).encode())
        self._finish_switch()

    def _moved(self, fields: Fields) -> Fields:
        if self.around.mutant == "moved-line-gets-new-id":
            return fields._replace(id=fields.id[:12] + self.around.hex(80))
        return fields

    def _finish_switch(self) -> None:
        state = json.loads(self.files[ORIGIN])
        if "was" not in state:
            self.files.pop(NEXT, None)  # a switch that never began
            return
        if state["was"]:
            old = [path for path in self.own_files() if self._origin_of(path) == state["was"]]
            if f"origins/{state['was']}" not in self.files:
                self.replace(f"origins/{state['was']}", b"".join(self.files[path] for path in old))
            for path in old:
                self._unlink(path)
        if NEXT in self.files:
            self._rename(NEXT, EVENTS)
        self.replace(ORIGIN, json.dumps({"origin": state["origin"], "machine": state["machine"]}).encode())

    def _origin_of(self, path: str) -> str:
        lines = [line for line in map(fmt.read, fmt.split(self.files[path])) if line is not None]
        return lines[0].origin if lines else str(json.loads(self.files[ORIGIN])["was"])

    # writing
    def wall(self) -> int:
        return self.around.wall + self.skew

    def clocks(self) -> list[str]:
        if ORIGIN not in self.files:
            return []
        own = self.log(self.origin)
        return [line.fields.hlc for line in (own if self.around.mutant == "hlc-not-merged" else self.lines())]

    def live_at(self) -> int:
        """Never before this origin's newest live line, unless that one came from a clock that was wrong."""
        wall = self.wall()
        if self.around.mutant == "raw-wall-clock" or ORIGIN not in self.files:
            return wall
        lines = [line for line in self.log(self.origin) if fmt.is_live(line.fields, self.around.mutant)]
        times = [fmt.at_ms(line.fields.at) for line in lines]
        return max([wall, *(at for at in times if at <= wall + fmt.LIVE_MS)])

    def make(
        self, kind: str, members: dict[str, Any], *, key: str | None = None, at: int | None = None,
        version: int = 0, extras: str = "", clocks: list[str] | None = None,
    ) -> tuple[Fields, bytes]:  # fmt: skip
        """The record but for its place: id, times, salt and sum are made here and never again."""
        mutant, wall = self.around.mutant, self.wall()
        if ORIGIN in self.files and kind not in fmt.EXEMPT and mutant != "no-redaction":
            members = fmt.redacted(fmt.canonical(members), fmt.banned_texts(self.lines()), self.secrets)
        body = fmt.body_bytes(members, self.around.hex(128), mutant)
        if len(body) > self.limit - fmt.HEADER_ROOM:
            salt = b"" if mutant == "blob-unsalted" else self.around.random.randbytes(16)
            sha = hashlib.sha256(salt + body).hexdigest()
            self.replace(f"blobs/{sha}", (salt or b"0" * 16) + body)
            body = fmt.body_bytes({"blob": {"sha": sha, "bytes": len(body)}}, self.around.hex(128), mutant)
        id_ = f"{wall:012x}{self.around.hex(80)}"
        hlc = fmt.next_hlc(self.clocks() if clocks is None else clocks, wall, mutant)
        when = fmt.at_text(self.live_at() if at is None else at)
        return Fields(version or self.version, kind, id_, when, hlc, key, extras, fmt.sum_of(body)), body

    def write(self, made: list[tuple[Fields, bytes | None]], check: bool = True) -> None:
        """Give each its place, and append all with one write; what is banned arrives without its body."""
        lines = self.log(self.origin)
        seq, chain = (lines[-1].seq, lines[-1].chain) if lines else (0, fmt.FIRST_CHAIN)
        fresh = [line for line in (fmt.read(fmt.spool_bytes(f, b), True) for f, b in made) if line is not None]
        found = (
            self.bans(fresh)
            if check and self.around.mutant != "no-ban-check-at-append"
            else fmt.Bans(set(), set(), set())
        )
        content = b""
        banned = {line.fields.id for line in fresh if self.is_banned(line, found)}
        self.note_blobs(line.body for line in fresh if line.fields.id in banned)
        for fields, body in made:
            body = None if fields.id in banned else body
            raw = fmt.line_bytes(fields, body, self.origin, seq + 1, chain, self.around.mutant)
            placed = fmt.read(raw)
            assert placed is not None, raw
            seq, chain, content = seq + 1, placed.chain, content + raw + b"\n"
        self._append(EVENTS, content)
        self.drop_blobs()

    def note_blobs(self, bodies: Iterable[bytes | None]) -> None:
        """Before a body goes, whose line is all that names its blob: so that a kill in between leaves no orphan."""
        before = self.noted()
        shas = before | {fmt.blob_of(body) for body in bodies} - {""}
        if shas != before and self.around.mutant != "blobs-not-noted":
            self.replace(FORGOTTEN, json.dumps(sorted(shas)).encode())

    def drop_blobs(self) -> None:
        for sha in sorted(self.unwanted()) if self.around.mutant != "blobs-kept" else ():
            if f"blobs/{sha}" in self.files:
                self._unlink(f"blobs/{sha}")

    def noted(self) -> set[str]:
        return set(json.loads(self.files.get(FORGOTTEN, b"[]")))

    def unwanted(self) -> set[str]:
        """A second copy of the same id may still live, until the ban of the first reaches it."""
        return self.noted() - {fmt.blob_of(line.body) for line in [*self.lines(), *self.spooled()]}

    def spool(self, name: str, made: tuple[Fields, bytes]) -> None:
        self._append(f"spool/{name}", fmt.spool_bytes(*made) + b"\n")

    def merge(self) -> None:
        """Spooled lines before the holder's own: named by where the log was, so that a second try adds nothing."""
        for path in self.spools():
            here = len(self.log(self.origin))
            name, _, mark = path.partition("@")
            since = mark.rpartition("-")[2]
            if self.around.mutant == "marker-without-origin":
                known = bool(mark)
            else:
                known = mark.startswith(f"{self.origin}-")
            if not known:
                since = str(here)
                self._rename(path, path := f"{name}@{self.origin}-{here}")
            there = {line.fields.id for line in self.log(self.origin) if line.seq > int(since)}
            if self.around.mutant == "merge-without-id-check":
                there = set()
            spooled = [fmt.read(raw, True) for raw in fmt.split(self.files[path])]
            rest = [line for line in spooled if line is not None and line.fields.id not in there]
            if rest:
                self.write([(self._merged(line.fields), line.body) for line in rest])
            self._unlink(path)

    def _merged(self, fields: Fields) -> Fields:
        if self.around.mutant == "spool-restamped":
            return fields._replace(hlc=fmt.next_hlc(self.clocks(), self.wall()))
        return fields

    def roll(self) -> None:
        if self.files.get(EVENTS):
            number = len([path for path in self.files if path.startswith("segments/")]) + 1
            self._rename(EVENTS, f"segments/{number:06d}")

    # forgetting
    def forget(self, ids: list[str], texts: list[str]) -> tuple[Fields, bytes]:
        """The record that says so; durable (and acknowledged) before anything is swept."""
        mutant = self.around.mutant
        keys = sorted({f.key for f in (line.fields for line in self.lines()) if f.id in ids and f.key is not None})
        prints = [fmt.fingerprint(next(iter(self.secrets.values())), text) for text in texts]
        members = {
            "ids": ids,
            "keys": [] if mutant == "forget-without-keys" else keys,
            "texts": [] if mutant == "no-fingerprint" else [list(each) for each in prints if each],
        }
        fields, body = self.make("forget", members, version=2 if mutant == "forget-as-v2" else 1)
        if mutant == "forget-as-v2":
            fields = fields._replace(kind="forgotten")  # what a reader of version 1 sees: a kind it does not know
        self.write([(fields, body)])
        return fields, body

    def sweep(self) -> None:
        """Null every banned line in every file, then its blob. Done again at every open: a kill only delays it."""
        found = self.bans()
        paths = [*self.own_files(), *(f"origins/{each}" for each in self.foreign()), *self.spools()]
        banned: dict[str, set[bytes]] = {path: set() for path in paths}
        gone: list[bytes | None] = []
        for path in paths:
            for raw in fmt.split(self.files[path]):
                line = fmt.read(raw, path.startswith("spool/"))
                if line is not None and line.body is not None and self.is_banned(line, found):
                    banned[path].add(raw)
                    gone.append(line.body)
        self.note_blobs(gone)
        self.rewrite(banned)
        self.drop_blobs()
        forgets = any(line.fields.kind == "forget" or line.body is None for line in self.lines())
        if TORN in self.files and forgets and self.around.mutant != "torn-kept":
            self._unlink(TORN)
        if found.ids & self.index.bodies():
            self.around.step()
            self.index.null(found.ids)

    def rewrite(self, banned: dict[str, set[bytes]]) -> None:
        """Null these lines; every other byte, damaged lines among them, stays as it is."""
        for path, raws in banned.items():
            if raws:
                parts = self.files[path].split(b"\n")
                parts = [fmt.nulled(part) if part in raws else part for part in parts]
                self.replace(path, b"\n".join(parts))

    def catch_up(self) -> None:
        """Bring the index to the logs' ends; one commit."""
        fresh = self.index.caught_up(self)
        self.around.step()
        self.index = fresh
