"""How far each log of a home goes, and which of its lines have lost their body: what two homes compare before they exchange lines.

Only what can be proven counts: an extent ends before the first line that is damaged, out of number, or not the one that was
written. What was found of a file may be given back the next time: then only what was added to it is read.
"""

from __future__ import annotations

from session_memory import paths
from session_memory.log import line, reader
from session_memory.log.verify import BLOB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from session_memory.log.line import Line
    from session_memory.log.reader import Log, Part
    from session_memory.paths import Home


NEAR = 256 * 1024  # bytes that are read on from where a line must be


class Extent:
    """One origin's log: its last provable number, that line's chain, the numbers without a body and what long bodies it names."""

    __slots__ = ("blobs", "chain", "damaged", "hi", "nulls", "origin", "own")

    def __init__(self, *, own: bool) -> None:
        self.own = own
        self.origin = ""
        self.hi = 0
        self.chain = line.FIRST_CHAIN
        self.nulls: dict[int, int] = {}  # number -> weight
        self.blobs: dict[int, str] = {}  # number -> name of a long body
        self.damaged = False  # more follows that cannot be proven

    def fits(self, found: Line) -> bool:
        """Whether a line is the next one."""
        return (
            found.seq == self.hi + 1
            and found.origin == (self.origin or found.origin)
            and found.chain_holds(self.chain)
            and found.sum_holds()
        )

    def take(self, found: Line) -> None:
        """Count the next line in."""
        self.origin, self.hi, self.chain = found.origin, found.seq, found.chain
        if found.body is None:
            self.nulls[found.seq] = weight(found.chain)
        elif b'"blob":' in found.body[:80]:
            named = BLOB.match(found.body)
            if named is not None:
                self.blobs[found.seq] = named.group(1).decode("ascii")

    def weighed(self, lo: int, hi: int) -> int:
        """The sum of the weights of the lines without a body from `lo` to `hi`: equal sums, equal lines."""
        return sum(each for seq, each in self.nulls.items() if lo <= seq <= hi)


def weight(chain: bytes) -> int:
    """What a line without a body adds to a sum that tells which lines have none: 1 to 2^32, drawn from its chain."""
    return 1 + int(chain[:8], 16)


def extents(home: Home, known: dict[str, Any]) -> dict[str, Extent]:
    """Every log of a home by origin. `known`: what an earlier call noted, by file; it is brought up to date. Raises OSError."""
    found: dict[str, Extent] = {}
    names: set[str] = set()
    with reader.Logs(home) as logs:
        for log in logs:
            extent = _extent(log, known)
            names |= {part.name for part in log.parts}
            if extent.hi and extent.origin not in found:
                found[extent.origin] = extent
    for name in set(known) - names:
        del known[name]
    return found


def _extent(log: Log, known: dict[str, Any]) -> Extent:
    extent = Extent(own=log.own)
    for part in log.parts:
        if extent.damaged:
            break
        _follow(extent, part, known)
    return extent


def _follow(extent: Extent, part: Part, known: dict[str, Any]) -> None:
    """Go on through one file, from where it was left the last time if it only grew since."""
    noted = known.get(part.name)
    before = (extent.origin, extent.hi, extent.chain.decode("ascii"))
    begins = end = 0
    mark = (set(extent.nulls), set(extent.blobs))
    if noted is not None and list(before) == noted["before"] and _stands(part, noted):
        begins, end = noted["begins"], noted["end"]
        extent.origin, extent.hi, extent.chain = noted["origin"], noted["hi"], noted["chain"].encode("ascii")
        extent.nulls.update({int(seq): each for seq, each in noted["nulls"].items()})
        extent.blobs.update({int(seq): each for seq, each in noted["blobs"].items()})
    for place in reader.places(part, end):
        if place.line is None or not extent.fits(place.line):
            extent.damaged = True
            break
        extent.take(place.line)
        begins, end = place.offset, place.end
    known[part.name] = {
        "before": list(before), "begins": begins, "end": end, "origin": extent.origin, "hi": extent.hi,
        "chain": extent.chain.decode("ascii"),
        "nulls": {str(seq): each for seq, each in extent.nulls.items() if seq not in mark[0]},
        "blobs": {str(seq): each for seq, each in extent.blobs.items() if seq not in mark[1]},
    }  # fmt: skip


def _stands(part: Part, noted: dict[str, Any]) -> bool:
    """Whether the last line that was read still lies where it lay, whole: a body that was taken out moves all behind it."""
    last = next(reader.places(part, noted["begins"]), None) if noted["end"] <= part.size else None
    return (
        last is not None
        and last.line is not None
        and last.end == noted["end"]
        and last.line.chain.decode("ascii") == noted["chain"]
    )


def lines(home: Home, origin: str, after: int = 0) -> Iterator[Line]:
    """The provable lines of an origin behind number `after`, in order. Raises OSError."""
    with reader.Logs(home) as logs:
        log = next((each for each in logs if each.origin == origin), None)
        if log is None:
            return
        extent = Extent(own=log.own)
        for number, part in enumerate(log.parts):
            following = reader.first_line(log, number + 1) if number + 1 < len(log.parts) else None
            if following is not None and following.seq <= after:
                continue
            for place in reader.places(part, _near(part, after)):
                found = place.line
                if found is None:
                    return
                if found.seq < after:
                    continue
                if found.seq == after:
                    extent.origin, extent.hi, extent.chain = found.origin, found.seq, found.chain
                elif extent.fits(found):
                    extent.take(found)
                    yield found
                else:
                    return


def at(home: Home, origin: str, seq: int) -> bytes | None:
    """The chain of an origin's line `seq`; FIRST_CHAIN for 0, None where there is no such line. Raises OSError."""
    if seq == 0:
        return line.FIRST_CHAIN
    with reader.Logs(home) as logs:
        for log in logs:
            if log.origin != origin:
                continue
            for part in reversed(log.parts):
                places = (each.line for each in reader.places(part, _near(part, seq)) if each.line is not None)
                found = next((each for each in places if each.seq >= seq), None)
                if found is not None and found.seq == seq:
                    return found.chain
    return None


def _near(part: Part, seq: int) -> int:
    """The offset of a line not behind line `seq` and not far before it; numbers only grow within a file."""
    low, high = 0, part.size
    while high - low > NEAR:
        middle = (low + high) // 2
        chunk = paths.read_at(part.fd, NEAR, middle)
        begin = chunk.find(b"\n") + 1
        end = chunk.find(b"\n", begin)
        found = line.parse(chunk[begin:end]) if 0 < begin < end else None
        if found is None:
            return low  # a long or a damaged line: read on from here
        if found.seq <= seq:
            low = middle + begin
        else:
            high = middle
    return low
