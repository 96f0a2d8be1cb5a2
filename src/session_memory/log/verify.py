"""Proof that the log is what was written: every line's frame, number, chain and body, and where the first of them fails."""

from __future__ import annotations

import os

from session_memory.log import line, reader
from session_memory.model.pattern import later
from session_memory.model.record import FORGET, ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.log.line import Line
    from session_memory.log.reader import Log, Part
    from session_memory.paths import Home


BLOB = later(rb'\{"salt":"[0-9a-f]{32}","blob":\{"sha":"([0-9a-f]{64})"')


class Fault:
    """One place where the log is not what was written."""

    __slots__ = ("file", "number", "what")

    def __init__(self, file: str, number: int, what: str) -> None:
        self.file = file  # its name in the storage folder
        self.number = number  # line in the file, from 1
        self.what = what

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}: {self.what}"


class Report:
    """What `verify` counted over all logs. Green when there is no fault; forgotten bodies and repeated keys are none."""

    __slots__ = ("blobs", "bytes", "faults", "forgotten", "lines", "logs", "newer", "repeats", "torn")

    def __init__(self) -> None:
        self.logs = 0  # origins: our own and others'
        self.lines = 0
        self.bytes = 0
        self.forgotten = 0  # lines whose body is null
        self.newer = 0  # lines of a later version: kept and checked, their meaning unknown
        self.repeats = 0  # keys seen before: the index keeps the first
        self.torn = 0  # bytes after the last newline
        self.blobs: set[str] = set()  # long bodies that lines name
        self.faults: list[Fault] = []


class _Origin:
    """One origin's log as far as it has been followed."""

    __slots__ = ("chain", "name", "seq")

    def __init__(self) -> None:
        self.name = ""
        self.seq = 0
        self.chain = line.FIRST_CHAIN


def verify(home: Home) -> Report:
    """Read all logs once. Raises OSError when a file cannot be read."""
    report = Report()
    keys: set[str] = set()
    known: dict[str, tuple[str, int]] = {}  # id -> origin it was seen in, hash of what must be the same elsewhere
    with reader.Logs(home) as logs:
        for log in logs:
            report.logs += bool(log.parts)
            origin = _Origin()
            for part in log.parts:
                _part(report, part, origin, known, keys, last=part is log.parts[-1])
            _named_rightly(report, log, origin)
    for name in sorted(report.blobs):
        if not os.path.exists(os.path.join(home.blobs, name)):
            report.faults.append(Fault("blobs", 0, f"the long body {name[:12]}… is missing"))
    return report


def _part(
    report: Report, part: Part, origin: _Origin, known: dict[str, tuple[str, int]], keys: set[str], *, last: bool
) -> None:
    end = number = 0
    for place in reader.places(part):
        number, end = place.number, place.end
        found = place.line
        if found is None:
            report.faults.append(Fault(part.name, number, "these bytes are no record"))
            continue
        wrong = _wrong(report, origin, found) + _twice(found, known)
        if wrong:
            report.faults.append(Fault(part.name, number, "; ".join(wrong)))
        if found.key is not None:
            report.repeats += found.key in keys
            keys.add(found.key)
    report.bytes += part.size
    if last:
        report.torn += max(0, part.size - end)
    elif part.size != end:
        report.faults.append(Fault(part.name, number + 1, "a closed segment ends in half a line"))


def _twice(found: Line, known: dict[str, tuple[str, int]]) -> list[str]:
    """An id may stand once in each of several origins, and then says the same everywhere."""
    said = hash((found.v, found.kind, found.at, found.hlc, found.key, found.sum))
    before = known.get(found.id)
    known[found.id] = (found.origin, said)
    if before is None:
        return []
    if before[0] == found.origin:
        return ["another line has its id"]
    return [] if before[1] == said else [f"origin {before[0]} has another record of its id"]


def _named_rightly(report: Report, log: Log, origin: _Origin) -> None:
    """A foreign log lies in the folder of its origin."""
    if not log.own and log.parts and origin.name and f"origins/{origin.name}/" not in log.parts[0].name:
        report.faults.append(Fault(log.parts[0].name, 1, f"this folder holds the log of {origin.name}"))


def _wrong(report: Report, origin: _Origin, found: Line) -> list[str]:
    """What is wrong with a line, after the ones counted so far; counts it."""
    wrong = []
    if not origin.seq and found.kind != ORIGIN:
        wrong.append("the first line does not begin an origin")
    if origin.name and found.origin != origin.name:
        wrong.append(f"the origin changes from {origin.name} to {found.origin}")
    if found.seq != origin.seq + 1:
        wrong.append(f"number {found.seq} follows {origin.seq}")
    elif not found.chain_holds(origin.chain):
        wrong.append("the chain does not hold: this line or one before it was changed")
    if found.kind in (ORIGIN, FORGET) and (found.v != line.VERSION or found.body is None):
        wrong.append(f"a line of kind {found.kind} is always of version 1 and keeps its body")
    if not found.sum_holds():
        wrong.append("the body is not the one that was written")
    report.lines += 1
    report.newer += found.v > line.VERSION
    report.forgotten += found.body is None
    name = BLOB.match(found.body) if found.body else None
    if name is not None:
        report.blobs.add(name.group(1).decode("ascii"))
    origin.name = origin.name or found.origin
    origin.seq, origin.chain = found.seq, found.chain
    return wrong
