"""Proof that the log is what was written: every line's frame, number, chain and body, and where the first of them fails."""

from __future__ import annotations

import os

from session_memory.log import line, reader
from session_memory.model.record import FORGET, ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.log.line import Line
    from session_memory.paths import Home


class Fault:
    """One place where the log is not what was written."""

    __slots__ = ("file", "number", "what")

    def __init__(self, file: str, number: int, what: str) -> None:
        self.file = file  # its name, not its path
        self.number = number  # line in the file, from 1
        self.what = what

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}: {self.what}"


class Report:
    """What `verify` counted. Green when there is no fault; forgotten bodies and repeated keys are no faults."""

    __slots__ = ("bytes", "faults", "forgotten", "last", "lines", "newer", "origin", "repeats", "torn")

    def __init__(self) -> None:
        self.lines = 0
        self.bytes = 0
        self.forgotten = 0  # lines whose body is null
        self.newer = 0  # lines of a later version: kept and checked, their meaning unknown
        self.repeats = 0  # keys seen before: the index keeps the first
        self.torn = 0  # bytes after the last newline
        self.origin = ""
        self.last: tuple[int, bytes] = (0, line.FIRST_CHAIN)  # seq and chain of the last line
        self.faults: list[Fault] = []


def verify(home: Home) -> Report:
    """Read the whole log once. Raises OSError when a file cannot be read."""
    report = Report()
    keys: set[str] = set()
    known: set[str] = set()
    for path in reader.files(home):
        end = number = 0
        for place in reader.places(path):
            number, end = place.number, place.end
            found = place.line
            if found is None:
                report.faults.append(Fault(os.path.basename(path), number, "these bytes are no record"))
                continue
            wrong = _wrong(report, found)
            if found.id in known:
                wrong.append("another line has its id")
            if wrong:
                report.faults.append(Fault(os.path.basename(path), number, "; ".join(wrong)))
            known.add(found.id)
            if found.key is not None:
                report.repeats += found.key in keys
                keys.add(found.key)
        size = os.stat(path).st_size
        report.bytes += size
        if path == home.events:
            report.torn = size - end
        elif size != end:
            report.faults.append(Fault(os.path.basename(path), number + 1, "a closed segment ends in half a line"))
    return report


def _wrong(report: Report, found: Line) -> list[str]:
    """What is wrong with a line, after the ones counted so far; counts it."""
    seq, chain = report.last
    wrong = []
    if not report.lines and found.kind != ORIGIN:
        wrong.append("the first line does not begin an origin")
    if report.origin and found.origin != report.origin:
        wrong.append(f"the origin changes from {report.origin} to {found.origin}")
    if found.seq != seq + 1:
        wrong.append(f"number {found.seq} follows {seq}")
    elif not found.chain_holds(chain):
        wrong.append("the chain does not hold: this line or one before it was changed")
    if found.kind in (ORIGIN, FORGET) and (found.v != line.VERSION or found.body is None):
        wrong.append(f"a line of kind {found.kind} is always of version 1 and keeps its body")
    if not found.sum_holds():
        wrong.append("the body is not the one that was written")
    report.lines += 1
    report.newer += found.v > line.VERSION
    report.forgotten += found.body is None
    report.origin = report.origin or found.origin
    report.last = (found.seq, found.chain)
    return wrong
