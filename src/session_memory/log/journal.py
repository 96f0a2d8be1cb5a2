"""The one append: validate, redact, bytes, lock, mend a torn tail, merge the spool, one write, flush by policy, unlock.

Invariants (docs/explanation/storage.md argues them): what `append` returned is in the log or in the spool and survives
the death of this process; what the user or the model stated also survives power loss; a failed append leaves the log as
it was.
"""

from __future__ import annotations

import errno
import os

from session_memory import ids, paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log import active, entry, forgotten, line, origin, reader, secret, spool
from session_memory.log.lock import Lock
from session_memory.log.redact import Redactor
from session_memory.log.tail import LIVE_MS, Tail, keep_aside
from session_memory.model.record import FORGET, ORIGIN, Draft, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from session_memory.log.entry import Entry
    from session_memory.log.line import Line
    from session_memory.log.redact import Scanner
    from session_memory.log.spool import Spooled
    from session_memory.paths import Home

SERVER_DEADLINE, HOOK_DEADLINE = 5.0, 1.0  # seconds a writer waits for the lock
IMPATIENT = 0.25  # seconds it waits after it has missed the lock once, until it gets it again
SPOOLED = ("log-busy", "log-unlockable")  # troubles with the lock only: the record then waits in the spool
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Journal:
    """The log of one home, as one process writes it. Not for several threads at once."""

    def __init__(
        self,
        home: Home,
        *,
        durability: str = "stated",
        deadline: float = SERVER_DEADLINE,
        patterns: Sequence[str] = (),
        known: Sequence[str] = (),
        scanner: Scanner | None = None,
        warn: Callable[[str], None] = lambda text: None,
        roll_bytes: int = active.ROLL_BYTES,
    ) -> None:
        """Raises InvalidInput (bad-home), LogUnavailable (log-unwritable)."""
        self._home = home
        try:
            paths.make_dir(home.root)
            paths.make_dir(home.storage)
            self._secret = secret.load(home)
        except OSError as error:
            raise _unwritable(error) from error
        self._durability = durability
        self._deadline = deadline
        self._patience = deadline
        self._redactor = Redactor(self._secret, patterns, known, scanner)
        self._warn = warn
        self._active = active.Active(home, self._secret, warn, roll_bytes)
        self._bans: forgotten.Bans | None = None
        self._made_with: forgotten.Bans | None = None  # what was banned when the entries of this append were made
        self._bans_stamp = ((-1, -1), (-1, -1))
        self._spooled_clock = ""  # the last clock this process gave to a spooled record
        self.redacted = 0  # secrets replaced by this process

    def clean(self, text: str) -> str:
        """`text` with every secret replaced, as the log would hold it."""
        return self._redactor.redact_text(text)[0]

    def append(self, drafts: Iterable[Draft], *, stated: bool = True) -> list[Record]:
        """Keep the drafts, in order, all or none; returns them as the log holds them.

        Where the lock cannot be had in time they wait in the spool, on disk, and come back with seq 0 and no origin.
        stated: what a person or model said (flushed to disk before this returns, unless durability is "none").
        Raises InvalidInput (too-large), LogUnavailable (log-full, log-unwritable, clock-out-of-range).
        """
        wanted, entries = list(drafts), []  # type: tuple[list[Draft], list[Entry]]
        try:
            self._made_with = self.bans()
            for draft in wanted:
                made, count = entry.make(self._home, self._secret, self._redactor, draft, self._made_with)
                entries.append(made)
                self.redacted += count
            return self._kept(entries, self._durability == "all" or (stated and self._durability == "stated"))
        except OSError as error:
            entry.drop(self._home, entries)
            raise _unwritable(error) from error
        except _StaleError:  # something was forgotten while these were made ready
            entry.drop(self._home, entries)
            return self.append(wanted, stated=stated)
        except (InvalidInput, LogUnavailable):
            entry.drop(self._home, entries)
            raise

    def keyed(self, text: str) -> str:
        """`text` hashed with the home's secret: for ids and keys made of what people wrote. Raises OSError."""
        self.bans()  # another process may have taken over the secret of other devices
        return secret.keyed(self._secret, text)

    def keyed_by_all(self, text: str) -> list[str]:
        """`text` hashed with the home's secret and with those it had before: what it may have been called. Raises OSError."""
        older = self.bans().older
        return [secret.keyed(each, text) for each in (self._secret, *older)]

    def bans(self) -> forgotten.Bans:
        """What is forgotten in this home, as it stands now: another process may have forgotten more. Raises OSError."""
        stamp = (_stamp(self._home.forgotten), _stamp(self._home.secret))
        if self._bans is None or stamp != self._bans_stamp:
            self._secret = secret.load(self._home)
            self._bans, self._bans_stamp = forgotten.load(self._home, self._secret), stamp
        return self._bans

    def forget(self, ids: Sequence[tuple[str, str | None]], texts: Sequence[str]) -> forgotten.Swept:
        """Ban records by id and key, and texts, for ever, and take them out of every file of the log.

        Once this returns or raises log-busy the ban stands; the sweep is gone on with at the next opening if it could
        not be done now. Raises LogUnavailable.
        """
        try:
            bodies = forgotten.records_of(ids, texts, self._secret)
            bans = forgotten.load(self._home, self._secret)
            bans.pending = forgotten.LOG
            for body in bodies:  # known to every writer before the log is swept
                bans.ids |= set(body["ids"])
                bans.keys |= set(body["keys"])
                for size, mark, digest in body["texts"]:
                    bans.add_text(size, mark, digest)
            forgotten.save(self._home, bans)
        except OSError as error:
            raise _unwritable(error) from error
        self.append([Draft(FORGET, body) for body in bodies])
        return self._swept(self._deadline)

    def finish_forgetting(self) -> None:
        """The views are clean as well: nothing is pending any more. Raises LogUnavailable."""
        try:
            with Lock(self._home.store_lock, self._deadline):
                forgotten.finished(self._home, self._secret)
        except OSError as error:
            raise _unwritable(error) from error

    def sweep(self) -> forgotten.Swept | None:
        """The sweep, if one is due; None when none is. Raises LogUnavailable."""
        try:
            return self._swept(self._deadline) if self.bans().pending == forgotten.LOG else None
        except OSError as error:
            raise _unwritable(error) from error

    def _swept(self, wait: float) -> forgotten.Swept:
        try:
            with Lock(self._home.store_lock, wait), self._active:
                self._merge()
                swept = forgotten.sweep(self._home, self._secret)
                self._active.tail = Tail()  # the files are others now
                return swept
        except OSError as error:
            raise _unwritable(error) from error

    def key_of(self, draft: Draft) -> str | None:
        """The key a draft will have in the log, to be asked of the index before."""
        return entry.key_of(self._secret, draft)

    def settle(self, wait: float = IMPATIENT) -> int:
        """Mend the log's end, move an older product's files aside, notice a copied home, merge the spool.

        For opening and for readers. Returns how many files of the spool still wait: what cannot be done now (the lock
        is held, the disk is read-only) is left for the next writer, who reports it.
        """
        home = self._home
        if not any(os.path.lexists(path) for path in (home.events, home.index, home.spool)):
            return 0
        try:
            if self.bans().pending == forgotten.LOG:
                self._swept(wait)
            with Lock(home.store_lock, wait), self._active:
                self._merge()
        except LogUnavailable as error:
            if error.code not in (*SPOOLED, "log-unwritable"):
                self._warn(str(error))
        except OSError as error:
            if error.errno != errno.EROFS:
                self._warn(str(_unwritable(error)))
        return len(self._waiting())

    def merge(self) -> int:
        """Merge the spool if anything waits there; returns how many files still wait."""
        return self.settle() if self._waiting() else 0

    def _waiting(self) -> list[str]:
        try:
            return spool.names(self._home)
        except OSError as error:
            self._warn(f"The spool could not be read ({error.strerror}); what waits there cannot be seen until it can.")
            return []

    def flush(self) -> None:
        """Make everything appended so far survive power loss (a batch of imports calls this once). Raises LogUnavailable."""
        try:
            fd = paths.open_file(self._home.events, os.O_RDWR)
            try:
                paths.sync_file(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise _unwritable(error) from error

    def _kept(self, entries: list[Entry], flush: bool) -> list[Record]:
        if not entries:
            return []
        try:
            with Lock(self._home.store_lock, self._patience):
                self._patience = self._deadline
                with self._active:
                    self._merge()
                    return self._placed(entries, flush)
        except LogUnavailable as error:
            if error.code not in SPOOLED:
                raise
            self._patience = min(self._deadline, IMPATIENT)
            self._warn(f"{error.what} Records wait in the spool until it is free again.")
            return self._spool(entries)

    def _placed(self, entries: list[Entry], flush: bool) -> list[Record]:
        if self.bans() is not self._made_with:
            raise _StaleError
        chunk, records, after = self._stamped(entries)
        before = self._active.tail.seq
        try:
            self._active.put(chunk, after, flush=flush)
        finally:
            for each in entries:
                each.stands = self._active.tail.seq != before
        return records

    def _stamped(self, entries: list[Entry]) -> tuple[bytes, list[Record], Tail]:
        """Give each its seq, times and chain; returns the bytes, the records and the end they make."""
        tail = self._active.tail.copy()
        chunks: list[bytes] = []
        records = []
        for each in entries:
            wall = ids.now_ms()
            hlc = active.clock(tail.hlc, wall)
            at = ids.at_text(_at_ms(each, tail, wall))
            seq = tail.seq + 1
            raw = line.build(each.kind, each.id, tail.origin, seq, at, hlc, each.key, each.text, tail.chain)
            if each.banned:
                raw, each.body = line.nulled(raw), None
            chunks.append(raw + b"\n")
            tail.seq, tail.chain = seq, line.chain_of(tail.chain, line.head_of(raw))
            tail.note_clock(each.id, hlc, at)
            records.append(Record(line.VERSION, each.kind, each.id, tail.origin, seq, at, hlc, each.key, each.body))
        return b"".join(chunks), records, tail

    def _spool(self, entries: list[Entry]) -> list[Record]:
        """Leave the entries in a spool file of their own: whole and on disk, however the durability is set."""
        tail = self._glance()
        highest = max(tail.hlc, self._spooled_clock)
        lines, records = [], []
        entries = [each for each in entries if not each.banned]  # the ban is known: nothing is to be merged
        for each in entries:
            wall = ids.now_ms()
            highest = active.clock(highest, wall)
            at = ids.at_text(_at_ms(each, tail, wall))
            tail.note_clock(each.id, highest, at)
            lines.append(spool.build(each.kind, each.id, at, highest, each.key, each.text))
            records.append(Record(line.VERSION, each.kind, each.id, "", 0, at, highest, each.key, each.body))
        for each in entries:
            each.stands = True  # from here on a merger may see them, even if this process is told that writing failed
        spool.write(self._home, lines)
        self._spooled_clock = highest
        return records

    def _glance(self) -> Tail:
        """The log's end as it looks without the lock: good enough for clocks, never to be written behind."""
        tail = Tail()
        tail.hlc = origin.foreign_clock(self._home)
        try:
            fd = paths.open_file(self._home.events, os.O_RDONLY)
        except OSError:
            return tail
        try:
            tail.refresh(fd, [path for path in reader.files(self._home) if path != self._home.events])
        finally:
            os.close(fd)
        tail.hlc = max(tail.hlc, origin.foreign_clock(self._home))
        return tail

    def _merge(self) -> None:
        """Append what waits in the spool, before the holder's own lines. Its trouble is not the trouble of a new record."""
        for name in self._waiting():
            try:
                self._merge_one(name)
            except (OSError, LogUnavailable) as error:
                if not self._active.tail.seq:
                    raise  # the write could not be taken back either: nothing may be written behind it unseen
                self._warn(f"A file of the spool could not be merged ({error}); it stays until it can.")

    def _merge_one(self, name: str) -> None:
        taken = spool.take(self._home, name)
        if taken is None:
            return
        tail = self._active.tail.copy()
        spool.mark(self._home, taken, tail.origin, tail.seq)
        spool.marked(self._home)
        there = self._ids_after(taken)
        chunks: list[bytes] = []
        gone: list[Line] = []
        for waiting in taken.records:
            if waiting.id in there or waiting.kind == ORIGIN:
                continue
            there.add(waiting.id)
            raw = waiting.placed(tail.origin, tail.seq + 1, tail.chain)
            found = line.parse(raw)
            assert found is not None  # spool.parse has seen to it
            if self.bans().bans(waiting.id, waiting.key) or self.bans().holds(found.parsed()):
                raw = line.nulled(raw)
                gone.append(found)
            tail.follow(found)
            chunks.append(raw + b"\n")
        if gone:
            forgotten.note_blobs(self._home, self._secret, gone)
        if chunks:
            self._active.put(b"".join(chunks), tail, flush=True)
        if taken.rest:
            keep_aside(self._home.torn, taken.rest)
            self._warn(f"{len(taken.rest)} bytes of the spool were no record; they were moved to events.torn.")
        spool.remove(self._home, taken)

    def _ids_after(self, taken: Spooled) -> set[str]:
        """The ids of the lines that came after a merge of this file first began: those it has brought already."""
        assert taken.marker is not None
        seq = taken.marker[1]
        found: set[str] = set()
        if seq < self._active.tail.seq:
            for path in reversed(reader.files(self._home)):
                seqs = [place.line for place in reader.places(path) if place.line is not None]
                found.update(each.id for each in seqs if each.seq > seq)
                if seqs and seqs[0].seq <= seq:
                    break
        return found


class _StaleError(Exception):
    """Entries were made ready before something was forgotten that they may hold."""


def _stamp(path: str) -> tuple[int, int]:
    """What changes whenever a file is written anew; zeros where there is none."""
    try:
        state = os.stat(path)
    except FileNotFoundError:
        return (0, 0)
    return (state.st_mtime_ns, state.st_ino)


def _at_ms(each: Entry, tail: Tail, wall: int) -> int:
    """When it happened. Live records never go back by a small step of the clock; a large one means it was wrong before."""
    if each.at_ms is not None:
        return each.at_ms
    return tail.live_at if 0 < tail.live_at - wall <= LIVE_MS else wall


def _unwritable(error: OSError) -> LogUnavailable:
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return LogUnavailable(
            "log-full", f"The log could not be written: {reason}.", "Free some space; nothing was changed."
        )
    return LogUnavailable(
        "log-unwritable", f"The log could not be written: {reason}.", "Check the home folder's owner, mode and disk."
    )
