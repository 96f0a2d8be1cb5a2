"""One exchange with the remote: pull, sweep, push, in this order; what was cut short is gone on with by the next one.

Nothing says what was sent but the logs themselves: how far the remote's copies go is asked, how far ours go is read. So a call
that is lost, repeated or late, a remote that was wiped or put back, and a home that was copied all look the same: as a
difference, which the next exchange makes good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.errors import LogUnavailable
from session_memory.log import secret
from session_memory.log.extent import extents
from session_memory.log.foreign import Foreign
from session_memory.log.forgotten import LOG
from session_memory.log.lock import Lock
from session_memory.sync.pulling import Pull
from session_memory.sync.pushing import Push
from session_memory.sync.report import Counted, Report

if TYPE_CHECKING:
    from session_memory.log.extent import Extent
    from session_memory.log.journal import Journal
    from session_memory.paths import Home
    from session_memory.sync.keys import Keys
    from session_memory.sync.remote import Head, Remote
    from session_memory.sync.report import Progress

ROUNDS = 8  # looks at a remote that other devices write to meanwhile
TURN = 1.0  # seconds that an exchange waits for another one of this home
WAIT = 10.0  # seconds for the log's lock, which is held for one segment at a time


def nothing(_label: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Exchange:
    """One home's exchange with one remote. `known`: what an earlier one noted of the logs (extent.py); it is brought up to date."""

    def __init__(
        self,
        home: Home,
        journal: Journal,
        remote: Remote,
        keys: Keys,
        known: dict[str, Any],
        progress: Progress = nothing,
    ) -> None:
        self.report = Report()
        self._home = home
        self._journal = journal
        self._remote = Counted(remote, self.report)
        self._keys = keys
        self.known = known
        self._clean = False  # whether no view holds anything that was forgotten before
        foreign = Foreign(home, secret.load(home), journal.bans, wait=WAIT)
        self._pull = Pull(home, journal, foreign, self._remote, keys, self.report, progress)
        self._push = Push(home, self._remote, keys, self.report, self._pull, progress)

    def run(self, *, push: bool = True, force: bool = False, dry_run: bool = False) -> Report:
        """Pull and sweep, then push if asked to; `report` holds what was done also where this raises.

        push: False leaves the remote as it is. force: trust nothing that was noted earlier, and send long bodies again that
        the remote lost. dry_run: only say what would go which way.
        Raises RemoteError, LogUnavailable (log-busy while another exchange of this home is at work), OSError.
        """
        with Lock(self._home.sync_lock, TURN):
            return self._run(push, force, dry_run)

    def _run(self, push: bool, force: bool, dry_run: bool) -> Report:  # of `run`, by name
        if force:
            self.known.clear()
        self._journal.settle(WAIT)
        self._clean = not self._journal.bans().pending
        words = self._remote.open({} if dry_run else self._keys.words())
        if words or not dry_run:
            self._keys.check(words)
        heads = {head.origin: head for head in self._remote.heads()}
        if dry_run:
            return self._compared(heads)
        for _round in range(ROUNDS):
            complete = self._pull.lines(extents(self._home, self.known), heads)
            self._pull.nulls(extents(self._home, self.known), heads)
            self._pull.bodies(extents(self._home, self.known))
            self._sweep()
            mine = extents(self._home, self.known)
            if push:
                self._push.empty()
                complete &= self._push.run(mine, heads)
            self._told(mine, heads)
            if complete:
                break
            heads = {head.origin: head for head in self._remote.heads()}
        if push and force:
            self._push.bodies(mine)
        return self.report

    def _sweep(self) -> None:
        """Take out what is forgotten, before anything is sent."""
        swept = self._journal.sweep()
        if swept is not None:
            self.report.nulled += swept.lines
            if self._clean and not self.report.nulled and not swept.blobs:
                self._journal.finish_forgetting()  # nothing that a view may hold has gone
        if self._journal.bans().pending == LOG:
            raise LogUnavailable(
                "log-busy", "What is forgotten could not be taken out yet; nothing was sent.", "Try again."
            )

    def _told(self, mine: dict[str, Extent], heads: dict[str, Head]) -> None:
        """Bring the report's lengths up to date."""
        for origin in {*mine, *heads}:
            told = self.report.of(origin)
            told.own = origin in mine and mine[origin].own
            told.here = mine[origin].hi if origin in mine else 0
            told.there = heads[origin].hi if origin in heads else 0

    def _compared(self, heads: dict[str, Head]) -> Report:
        """What would go which way."""
        mine = extents(self._home, self.known)
        self.report.dry_run = True
        self._told(mine, heads)
        for told in self.report.origins.values():
            told.pushed = max(0, told.here - told.there)
            told.pulled = max(0, told.there - told.here)
        return self.report
