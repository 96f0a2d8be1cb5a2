"""The second half of an exchange: give the remote what it lacks of every log that lies here, and take forgotten bodies from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_memory import paths
from session_memory.errors import RemoteError
from session_memory.log import extent, forgotten, line
from session_memory.log.line import FIRST_CHAIN
from session_memory.log.lock import Lock
from session_memory.log.verify import BLOB
from session_memory.sync import seal
from session_memory.sync.pulling import damaged
from session_memory.sync.remote import MOST_CALL, Head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_memory.log.extent import Extent
    from session_memory.log.line import Line
    from session_memory.paths import Home
    from session_memory.sync.keys import Keys
    from session_memory.sync.pulling import Pull
    from session_memory.sync.remote import Remote, Segment
    from session_memory.sync.report import Progress, Report

WAIT = 10.0  # seconds for the log's lock


class Push:
    """One home, one remote, for one exchange."""

    def __init__(self, home: Home, remote: Remote, keys: Keys, report: Report, pull: Pull, progress: Progress) -> None:
        self._home = home
        self._remote = remote
        self._keys = keys
        self._report = report
        self._pull = pull
        self._progress = progress
        self._lost: set[str] = set()  # origins that another device has written to meanwhile

    def run(self, mine: dict[str, Extent], heads: dict[str, Head]) -> bool:
        """Send; `heads` is brought up to date. False: another device wrote meanwhile, look again."""
        self._lost = set()
        for origin, have in mine.items():
            if have.damaged:
                self._report.stop(origin, damaged(have))
        for origin, have in mine.items():
            head = heads.get(origin)
            if (
                head is not None
                and have.hi >= head.hi
                and have.weighed(1, head.hi) != head.nulls
                and not self._report.stopped(origin)
            ):
                self._forget(have, heads)
        batch: list[Segment] = []
        for segment in self._segments(mine, heads):
            if batch and sum(len(each.body) for each in [*batch, segment]) > MOST_CALL:
                self._append(batch, heads)
                batch = []
            batch.append(segment)
        if batch:
            self._append(batch, heads)
        return not self._lost

    def _segments(self, mine: dict[str, Extent], heads: dict[str, Head]) -> Iterator[Segment]:
        """What each log has beyond the remote's copy of it, sealed; the long bodies are sent before."""
        starts = {origin: heads.get(origin, Head(origin, 0, FIRST_CHAIN.decode(), 0)) for origin in mine}
        total = sum(max(0, have.hi - starts[origin].hi) for origin, have in mine.items())
        done = 0
        for origin, have in mine.items():
            head = starts[origin]
            if have.hi <= head.hi or (self._report.stopped(origin) and not have.damaged):
                continue
            if extent.at(self._home, origin, head.hi) != head.chain.encode("ascii"):
                self._lost.add(origin)  # parted since: the next round sees to it
                continue
            prev = head.chain
            for cut in seal.cuts(self._sendable(origin, have, head.hi)):
                if origin in self._lost:
                    break
                try:
                    segment = seal.seal(self._keys, origin, prev, cut)
                except RemoteError as error:
                    self._report.stop(origin, error)
                    break
                prev = segment.chain
                done += len(cut.lines)
                self._progress("Pushing", done, total)
                self._report.count(each.kind for each in cut.lines)
                yield segment

    def _sendable(self, origin: str, have: Extent, after: int) -> Iterator[Line]:
        """The lines behind number `after`, each after its long body; up to one whose long body is still on another device."""
        for each in extent.lines(self._home, origin, after):
            if each.seq > have.hi:
                return
            named = BLOB.match(each.body) if each.body is not None else None
            if named is not None and not self._put(named.group(1).decode("ascii")) and not have.own:
                return
            yield each

    def _put(self, name: str) -> bool:
        content = self._content(name)
        if content is None:
            return False
        self._remote.put(self._keys.remote_name(name), self._keys.seal_blob(name, content))
        self._report.bodies_sent += 1
        return True

    def _content(self, name: str) -> bytes | None:
        try:
            fd = paths.open_file(os.path.join(self._home.blobs, name), os.O_RDONLY)
        except FileNotFoundError:
            return None
        with open(fd, "rb") as file:
            return file.read()

    def empty(self) -> None:
        """Take long bodies from the remote that went here: also one whose line never got there."""
        for name in sorted(forgotten.gone(self._home)):
            self._remote.put(self._keys.remote_name(name), b"")
            with Lock(self._home.store_lock, WAIT):
                forgotten.note_gone(self._home, forgotten.gone(self._home) - {name})

    def bodies(self, mine: dict[str, Extent]) -> None:
        """Send every long body again that the remote has lost; asks for each one."""
        for have in mine.values():
            for name in have.blobs.values():
                if self._remote.get(self._keys.remote_name(name)) is None:
                    self._put(name)

    def _append(self, batch: list[Segment], heads: dict[str, Head]) -> None:
        for segment, done in zip(batch, self._remote.append(batch)):
            if not done:
                self._lost.add(segment.origin)
                continue
            before = heads.get(segment.origin)
            nulls = segment.nulls + (before.nulls if before is not None else 0)
            heads[segment.origin] = Head(segment.origin, segment.hi, segment.chain, nulls)
            told = self._report.of(segment.origin)
            told.pushed += segment.hi - segment.lo + 1
            told.there = segment.hi
            self._report.rows += 1

    def _forget(self, have: Extent, heads: dict[str, Head]) -> None:
        """Rewrite the segments of an origin that hold bodies which are forgotten here; their long bodies go first."""
        for row in self._remote.index(have.origin):
            if row.hi > have.hi or have.weighed(row.lo, row.hi) == row.nulls:
                continue
            segment = self._pull.one(row, heads)
            try:
                found = seal.opened(self._keys, segment) if segment is not None else []
            except RemoteError as error:
                self._report.stop(have.origin, error)
                return
            gone = {each.seq for each in found if each.body is not None and each.seq in have.nulls}
            if (
                segment is None
                or not gone
                or extent.at(self._home, have.origin, segment.hi) != segment.chain.encode("ascii")
            ):
                self._lost.add(have.origin)
                continue
            live = set(have.blobs.values())
            for each in found:
                named = BLOB.match(each.body) if each.seq in gone and each.body is not None else None
                if named is not None and named.group(1).decode("ascii") not in live:
                    self._remote.put(self._keys.remote_name(named.group(1).decode("ascii")), b"")
            swept = [_without_body(each) if each.seq in gone else each for each in found]
            if self._remote.replace(seal.reseal(self._keys, segment, swept), segment.sha):
                self._report.rewritten += 1
            else:
                self._lost.add(have.origin)


def _without_body(found: Line) -> Line:
    nulled = line.parse(line.nulled(found.raw))
    assert nulled is not None  # only its body is gone
    return nulled
