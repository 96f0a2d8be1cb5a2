"""Where homes of the model meet: a hub that keeps lines as they come, and the sync of one home with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.laws import line_model as fmt
from tests.laws.line_homes import EVENTS, Home

if TYPE_CHECKING:
    from tests.laws.line_model import Line


class CallLost(Exception):
    """The call or its answer did not arrive."""


class Head(NamedTuple):
    """What the hub says of an origin; `nulls` stands for a digest of which lines have no body."""

    hi: int
    chain: str
    nulls: frozenset[int]


class Hub:
    """Dumb: appends where the guard holds, nulls where the chain is the same."""

    def __init__(self) -> None:
        self.logs: dict[str, list[bytes]] = {}
        self.blobs: dict[str, bytes] = {}

    def heads(self) -> dict[str, Head]:
        found = {}
        for origin, raws in self.logs.items():
            lines = [fmt.read(raw) for raw in raws]
            nulls = frozenset(line.seq for line in lines if line is not None and line.body is None)
            last = lines[-1]
            assert last is not None
            found[origin] = Head(last.seq, last.chain, nulls)
        return found

    def page(self, origin: str) -> list[bytes]:
        return list(self.logs.get(origin, []))

    def append(self, origin: str, seq: int, chain: str, raws: list[bytes]) -> bool:
        """Only behind exactly this line."""
        there = self.logs.get(origin, [])
        last = fmt.read(there[-1]) if there else None
        if (last.seq, last.chain) != (seq, chain) if last else seq != 0:
            return False
        self.logs[origin] = there + raws
        return True

    def rewrite(self, origin: str, seq: int, raw: bytes) -> bool:
        """A line may only lose its body."""
        there = self.logs.get(origin, [])
        old, new = (fmt.read(there[seq - 1]) if len(there) >= seq else None), fmt.read(raw)
        if old is None or new is None or old.chain != new.chain or new.body is not None:
            return False
        there[seq - 1] = raw
        return True

    def put(self, sha: str, content: bytes) -> None:
        self.blobs[sha] = content

    def drop(self, sha: str) -> None:
        self.blobs.pop(sha, None)

    def names(self) -> set[str]:
        return set(self.blobs)

    def get(self, sha: str) -> bytes | None:
        return self.blobs.get(sha)


class Wire:
    """The calls of a sync, each of which can go wrong in the way the weather says."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.weather: list[int] = []
        self.late: list[Callable[[], Any]] = []
        self.faults = 0

    def call(self, method: Callable[..., Any], *args: Any) -> Any:
        kind = self.weather.pop(0) if self.weather else 0
        self.faults += kind in (1, 2, 3, 4)
        if kind == 1:
            raise CallLost("before")
        if kind == 2:
            method(*args)
            raise CallLost("after")
        if kind == 3:
            method(*args)
        if kind == 4:
            self.late.append(lambda: method(*args))
            raise CallLost("delayed")
        return method(*args)

    def arrive(self) -> None:
        late, self.late = self.late, []
        for each in late:
            each()


class Sync:
    """One sync of one home: pull, sweep, push, in this order."""

    def __init__(self, home: Home, wire: Wire) -> None:
        self.home, self.wire, self.hub = home, wire, wire.hub

    def run(self) -> None:
        self.home.merge()
        heads: dict[str, Head] = self.wire.call(self.hub.heads)
        for origin, head in sorted(heads.items()):
            self._pull(origin, head)
        self._fetch_blobs()
        self.home.sweep()
        self._push()

    def _good(self, origin: str) -> list[Line]:
        """The lines up to the first that is damaged or not the one that was written: no further is sent."""
        found: list[Line] = []
        for raw in self.home.raw(origin):
            line = fmt.read(raw)
            if line is None or line.seq != len(found) + 1 or not _sum_holds(line):
                break
            found.append(line)
        return found

    def _pull(self, origin: str, head: Head) -> None:
        mine = self._good(origin)
        if len(mine) < head.hi or mine[head.hi - 1].chain != head.chain:
            theirs = [line for line in map(fmt.read, self.wire.call(self.hub.page, origin)) if line is not None]
            assert not fmt.verify([line.raw for line in theirs], self.home.around.mutant), "the hub sent another log"
            same = 0
            while same < min(len(mine), len(theirs)) and mine[same].chain == theirs[same].chain:
                same += 1
            if self.home.around.mutant == "blobs-before-lines":
                self._fetch_blobs(theirs[same:])
            if same == len(mine):
                self._adopt(origin, theirs[same:])
            elif same < len(theirs):
                self._diverged(origin, mine, theirs, same)
        if self.home.around.mutant != "nulls-not-fetched":
            self._fetch_nulls(origin, head)

    def _adopt(self, origin: str, lines: list[Line]) -> None:
        home, path = self.home, EVENTS if origin == self.home.origin else f"origins/{origin}"
        if lines:
            home.replace(path, home.files.get(path, b"") + self._checked(lines))

    def _checked(self, lines: list[Line]) -> bytes:
        """As they came, but what is banned without its body."""
        home = self.home
        if home.around.mutant == "no-ban-check-at-append":
            return b"".join(line.raw + b"\n" for line in lines)
        found = home.bans(lines)
        banned = [line.body is not None and home.is_banned(line, found) for line in lines]
        home.note_blobs(line.body for line, gone in zip(lines, banned, strict=True) if gone)
        return b"".join((fmt.nulled(e.raw) if b else e.raw) + b"\n" for e, b in zip(lines, banned, strict=True))

    def _diverged(self, origin: str, mine: list[Line], theirs: list[Line], same: int) -> None:
        """Two histories under one origin: keep the hub's, move my tail into an origin that is mine alone."""
        home = self.home
        home.around.forks += 1
        home.cuts += 1
        known = {line.fields.id for each in [home.origin, *home.foreign()] if each != origin for line in home.log(each)}
        known |= {line.fields.id for line in theirs}
        tail = [line for line in mine[same:] if line.fields.kind != "origin" and line.fields.id not in known]
        if home.around.mutant == "fork-drops-tail":
            tail = []
        if origin == home.origin:
            home.switch("fork", {"origin": origin, "seq": same}, tail)
        elif tail:
            home.write([(home._moved(line.fields), line.body) for line in tail])
        if home.around.mutant != "cut-tail-leaves-blobs":
            home.note_blobs(line.body for line in mine[same:])
        kept = b"".join(line.raw + b"\n" for line in mine[:same])
        home.replace(f"origins/{origin}", kept + self._checked(theirs[same:]))

    def _fetch_nulls(self, origin: str, head: Head) -> None:
        """Lines whose body others have forgotten, for a reason I may not have or cannot check."""
        home = self.home
        mine = {line.seq: line for line in self._good(origin)}
        nulls = {seq for seq, line in mine.items() if line.body is None}
        if not self._differs(head.nulls - nulls, len(head.nulls), len(nulls)):
            return
        theirs = {line.seq: line for line in map(fmt.read, self.wire.call(self.hub.page, origin)) if line is not None}
        gone = {
            line.raw
            for seq, line in mine.items()
            if line.body is not None and seq in theirs and theirs[seq].body is None and theirs[seq].chain == line.chain
        }
        home.note_blobs(line.body for line in mine.values() if line.raw in gone)
        home.rewrite({path: gone & set(fmt.split(home.files[path])) for path in home.log_files(origin)})

    def _differs(self, missing: frozenset[int] | set[int], there: int, here: int) -> bool:
        return there > here if self.home.around.mutant == "nulls-by-count" else bool(missing)

    def _push(self) -> None:
        home = self.home
        heads: dict[str, Head] = self.wire.call(self.hub.heads)
        self._push_blobs()
        for origin in [home.origin, *home.foreign()]:
            mine, head = self._good(origin), heads.get(origin, Head(0, fmt.FIRST_CHAIN, frozenset()))
            if len(mine) > head.hi and (head.hi == 0 or mine[head.hi - 1].chain == head.chain):
                raws = [line.raw for line in mine[head.hi :]]
                if not self.wire.call(self.hub.append, origin, head.hi, head.chain, raws):
                    continue
            if home.around.mutant == "hub-keeps-bodies":
                continue
            nulls = {line.seq: line for line in mine[: head.hi] if line.body is None}
            if self._differs(set(nulls) - head.nulls, len(nulls), len(head.nulls)):
                for seq in sorted(set(nulls) - head.nulls):
                    self.wire.call(self.hub.rewrite, origin, seq, nulls[seq].raw)

    def _push_blobs(self) -> None:
        """Before the lines that name them; and those of forgotten lines away."""
        home = self.home
        there: set[str] = self.wire.call(self.hub.names)
        for sha in sorted(there & home.unwanted()):
            self.wire.call(self.hub.drop, sha)
        for sha in sorted({fmt.blob_of(line.body) for line in home.lines()} - there):
            if f"blobs/{sha}" in home.files:
                self.wire.call(self.hub.put, sha, home.files[f"blobs/{sha}"])

    def _fetch_blobs(self, more: list[Line] | None = None) -> None:
        """After the lines that name them: a blob without its line could not be found when the line is forgotten."""
        home = self.home
        for sha in sorted({fmt.blob_of(line.body) for line in more or home.lines()} - {""}):
            if f"blobs/{sha}" not in home.files and sha not in home.unwanted():
                content = self.wire.call(self.hub.get, sha)
                if content is not None:
                    home.replace(f"blobs/{sha}", content)


def _sum_holds(line: Line) -> bool:
    return line.body is None or fmt.sum_of(line.body) == line.fields.sum
