"""The first half of an exchange: take what the remote has and this home lacks, lines and bodies that were forgotten."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from session_memory import paths
from session_memory.errors import LogUnavailable, RemoteError
from session_memory.log import extent, forgotten
from session_memory.log.line import FIRST_CHAIN
from session_memory.log.lock import Lock
from session_memory.log.verify import BLOB
from session_memory.sync import seal

if TYPE_CHECKING:
    from session_memory.log.extent import Extent
    from session_memory.log.foreign import Foreign
    from session_memory.log.journal import Journal
    from session_memory.log.line import Line
    from session_memory.paths import Home
    from session_memory.sync.keys import Keys
    from session_memory.sync.remote import Head, Remote, Segment
    from session_memory.sync.report import Progress, Report

LEFT_OUT = 2**62  # an origin that a page is to pass over
TRIES = 3


class Pull:
    """One home, one remote, for one exchange."""

    def __init__(
        self,
        home: Home,
        journal: Journal,
        foreign: Foreign,
        remote: Remote,
        keys: Keys,
        report: Report,
        progress: Progress,
    ) -> None:
        self._home = home
        self._journal = journal
        self._foreign = foreign
        self._remote = remote
        self._keys = keys
        self._report = report
        self._progress = progress

    def lines(self, mine: dict[str, Extent], heads: dict[str, Head]) -> bool:
        """Take all lines that the remote has and this home lacks; False: something moved meanwhile, look again."""
        ends, parted = {}, []
        for head in heads.values():
            have = mine.get(head.origin)
            end = (have.hi, have.chain) if have is not None else (0, FIRST_CHAIN)
            if have is not None and have.damaged and have.hi < head.hi:
                self._report.stop(head.origin, damaged(have))
            elif end[0] < head.hi:
                ends[head.origin] = end
            elif not self._ends_in(head, end):
                parted.append(head.origin)
        complete = self._pages(ends, heads, parted)
        for origin in parted:
            complete &= self._reconcile(origin, mine[origin].hi, heads)
        return complete

    def _ends_in(self, head: Head, end: tuple[int, bytes]) -> bool:
        """Whether the remote's last line is one of ours."""
        chain = head.chain.encode("ascii")
        return end == (head.hi, chain) or extent.at(self._home, head.origin, head.hi) == chain

    def _pages(self, ends: dict[str, tuple[int, bytes]], heads: dict[str, Head], parted: list[str]) -> bool:
        """Page after page until nothing is wanted; logs that go on otherwise here are added to `parted`."""
        after = dict.fromkeys(heads, LEFT_OUT) | {origin: end[0] for origin, end in ends.items()}
        total = sum(heads[origin].hi - end[0] for origin, end in ends.items())
        wanted, done, complete = set(ends), 0, True
        while wanted:
            page = self._remote.page(after)
            new = [each for each in page if after.get(each.origin, 0) < each.hi]
            if not new:
                return False  # the remote lost what its heads said a moment ago, or gives what nobody asked for
            for segment in new:
                origin = segment.origin
                if after.get(origin) == LEFT_OUT or segment.hi <= after.get(origin, 0):
                    continue
                end = ends.get(origin, (0, FIRST_CHAIN))
                fresh = self._fresh(segment, end)
                if fresh is None or not self._foreign.take(origin, *end, fresh):
                    if fresh is None and not self._report.stopped(origin):
                        parted.append(origin)
                    elif fresh is not None:
                        complete = False  # it grew here meanwhile
                    after[origin] = LEFT_OUT
                    wanted.discard(origin)
                    continue
                ends[origin] = (segment.hi, segment.chain.encode("ascii"))
                after[origin] = segment.hi
                self._took(origin, fresh)
                done += len(fresh)
                self._progress("Pulling", done, max(total, done))
                if origin not in heads or segment.hi >= heads[origin].hi:
                    wanted.discard(origin)
        return complete

    def _took(self, origin: str, fresh: list[Line]) -> None:
        told = self._report.of(origin)
        told.pulled += len(fresh)
        self._report.count(each.kind for each in fresh)

    def _fresh(self, segment: Segment, end: tuple[int, bytes]) -> list[Line] | None:
        """The lines of a segment that follow `end`; None when they do not: the log was stopped, or goes on otherwise here."""
        seq, chain = end
        found = self._opened(segment)
        if found is None:
            return None
        if segment.lo > seq + 1:
            self._report.stop(
                segment.origin,
                RemoteError(
                    "remote-damaged", f"The remote lacks lines {seq + 1} to {segment.lo - 1} of {segment.origin}."
                ),
            )
            return None
        before = found[seq - segment.lo].chain if segment.lo <= seq else segment.prev.encode("ascii")
        return found[seq + 1 - segment.lo :] if before == chain else None

    def _opened(self, segment: Segment) -> list[Line] | None:
        try:
            return seal.opened(self._keys, segment)
        except RemoteError as error:
            self._report.stop(segment.origin, error)
            return None

    def _reconcile(self, origin: str, hi: int, heads: dict[str, Head]) -> bool:
        """Two histories under one origin: keep what both have, part with the rest, take what the remote has."""
        base = 0
        index = self._remote.index(origin)
        for segment in index:
            if segment.hi > hi or extent.at(self._home, origin, segment.hi) != segment.chain.encode("ascii"):
                break
            base = segment.hi
        theirs: list[Line] = []
        after = dict.fromkeys(heads, LEFT_OUT) | {origin: base}
        while index and after[origin] < index[-1].hi:
            page = [each for each in self._remote.page(after) if each.origin == origin and each.hi > after[origin]]
            if not page:
                return False
            for segment in page:
                end = (
                    (theirs[-1].seq, theirs[-1].chain) if theirs else (base, extent.at(self._home, origin, base) or b"")
                )
                fresh = self._fresh(segment, end)
                if fresh is None:
                    return self._report.stopped(origin)
                theirs += fresh
                after[origin] = segment.hi
        same = base
        mine = extent.lines(self._home, origin, base)
        for ours, other in zip(mine, theirs):
            if ours.chain != other.chain:
                break
            same = ours.seq
        rest = theirs[same - base :]
        if rest and same < hi:
            self._report.moved += self._foreign.part(origin, same, {each.id for each in theirs})
        end = (same, extent.at(self._home, origin, same) or b"")
        for start in range(0, len(rest), seal.MOST_LINES):
            some = rest[start : start + seal.MOST_LINES]
            if not self._foreign.take(origin, *end, some):
                return False
            end = (some[-1].seq, some[-1].chain)
            self._took(origin, some)
        return True

    def nulls(self, mine: dict[str, Extent], heads: dict[str, Head]) -> None:
        """Take the bodies out of lines that have lost them on the remote, for whatever reason."""
        for head in heads.values():
            have = mine.get(head.origin)
            if have is None or have.hi < head.hi or self._report.stopped(head.origin):
                continue
            if have.weighed(1, head.hi) == head.nulls:
                continue
            for row in self._remote.index(head.origin):
                if row.hi > have.hi or have.weighed(row.lo, row.hi) == row.nulls:
                    continue
                segment = self.one(row, heads)
                found = self._opened(segment) if segment is not None else None
                if found is None:
                    continue
                chains = {each.chain for each in found if each.body is None and each.seq not in have.nulls}
                if chains:
                    self._report.nulled += self._foreign.null(head.origin, chains)

    def one(self, row: Segment, heads: dict[str, Head]) -> Segment | None:
        """A segment of the index with its body; None when it is not there any more."""
        after = dict.fromkeys(heads, LEFT_OUT) | {row.origin: row.lo - 1}
        for _try in range(TRIES):
            page = self._remote.page(after, 1)
            found = next((each for each in page if (each.origin, each.lo) == (row.origin, row.lo)), None)
            if found is not None or not page:
                return found
            after |= {each.origin: LEFT_OUT for each in page if each.origin != row.origin}  # origins new since then
        return None

    def bodies(self, mine: dict[str, Extent]) -> None:
        """Fetch long bodies that lines name and that do not lie here: after the line, so that it can be found when forgotten."""
        fetched = 0
        for origin, have in mine.items():
            for seq, name in have.blobs.items():
                path = os.path.join(self._home.blobs, name)
                if os.path.exists(path):
                    continue
                content = self._remote.get(self._keys.remote_name(name))
                if not content:
                    self._report.bodies_missing += 1
                    continue
                try:
                    body = self._keys.open_blob(name, content)
                    if hashlib.sha256(body).hexdigest() != name:
                        raise RemoteError(
                            "remote-damaged", f"The long body {name[:12]}… is not the one that was written."
                        )
                except RemoteError as error:
                    self._report.stop(origin, error)
                    continue
                fetched += self._keep(origin, seq, name, body)
        self._report.bodies_fetched += fetched
        if fetched and self._journal.bans().texts:  # a forgotten text may stand in them
            with Lock(self._home.store_lock, self._foreign.wait):
                forgotten.note_blobs(self._home, self._foreign.secret, ())

    def _keep(self, origin: str, seq: int, name: str, body: bytes) -> int:
        """Keep a long body while its line names it: under the lock, so that no sweep passes in between."""
        with Lock(self._home.store_lock, self._foreign.wait):
            now = next(extent.lines(self._home, origin, seq - 1), None)
            named = BLOB.match(now.body) if now is not None and now.body is not None else None
            if named is None or named.group(1).decode("ascii") != name:
                return 0
            paths.make_dir(self._home.blobs)
            paths.write_whole(os.path.join(self._home.blobs, name), body)
        return 1


def damaged(have: Extent) -> LogUnavailable:
    """What to say of a log that cannot be proven to its end."""
    return LogUnavailable(
        "log-damaged", f"Line {have.hi + 1} of {have.origin} is damaged; nothing behind it is exchanged.",
        "See: session-memory verify",
    )  # fmt: skip
