"""The one append: validate, redact, bytes, lock, mend a torn tail, one write, flush by policy, unlock.

Invariants (docs/explanation/storage.md argues them): what `append` returned is in the log and survives the death of
this process; what the user or the model stated also survives power loss; a failed append leaves the log as it was.
"""

from __future__ import annotations

import errno
import os

from session_memory import ids, paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log import blobs, line, reader, secret
from session_memory.log.lock import Lock
from session_memory.log.redact import Redactor
from session_memory.log.tail import LIVE_MS, Tail, foreign, mend
from session_memory.model.record import ORIGIN, Draft, Record
from session_memory.model.values import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from session_memory.paths import Home

MAX_BODY = 10 * 1024 * 1024
HEADER_ROOM = 700  # bytes a header can take beside its key: so much less than MAX_LINE a body may have
SERVER_DEADLINE, HOOK_DEADLINE = 5.0, 1.0  # seconds a writer waits for the lock
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Prepared:
    """A draft made ready before the lock is taken: everything but its place in the log."""

    __slots__ = ("at_ms", "body", "id", "key", "kind", "text")

    def __init__(self, kind: str, id: str, key: str | None, at_ms: int | None, body: dict[str, Any], text: bytes):
        self.kind = kind
        self.id = id
        self.key = key
        self.at_ms = at_ms
        self.body = body
        self.text = text  # the body's bytes, salt included


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
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        paths.make_dir(home.root)
        paths.make_dir(home.storage)
        self._home = home
        self._durability = durability
        self._deadline = deadline
        self._secret = secret.load(home)
        self._redactor = Redactor(self._secret, patterns, known)
        self._warn = warn
        self._tail = Tail()
        self.redacted = 0  # secrets replaced by this process

    def append(self, drafts: Iterable[Draft], *, stated: bool = True) -> list[Record]:
        """Keep the drafts, in order, all or none; returns them as the log holds them.

        stated: what a person or model said (flushed to disk before this returns, unless durability is "none").
        Raises InvalidInput (too-large), LogUnavailable (log-busy, log-full, log-unwritable, clock-out-of-range).
        """
        prepared = [self._prepare(draft) for draft in drafts]
        if not prepared:
            return []
        try:
            with Lock(self._home.store_lock, self._deadline):
                return self._append(prepared, self._durability == "all" or (stated and self._durability == "stated"))
        except OSError as error:
            raise _unwritable(error) from error

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

    def _prepare(self, draft: Draft) -> _Prepared:
        if "salt" in draft.body:
            raise InvalidInput("bad-line", "A body may not have a member named salt: it belongs to the log.")
        body, count = self._redactor.redact(canonical(draft.body))
        self.redacted += count
        text = line.body_bytes(body, ids.new_salt())
        if len(text) > MAX_BODY:
            raise InvalidInput(
                "too-large",
                f"The record has {len(text):,} bytes; the limit is {MAX_BODY:,}.",
                "Record a summary and the path of the file instead.",
            )
        if len(text) > line.MAX_LINE - HEADER_ROOM:
            sha = blobs.write(self._home, line.body_bytes(body, ids.new_salt()))
            text = line.body_bytes({"blob": {"sha": sha, "bytes": len(text)}}, ids.new_salt())
        id_ = draft.id or ids.new_id(ids.now_ms())
        return _Prepared(draft.kind, id_, self._key(draft), draft.at_ms, body, text)

    def _key(self, draft: Draft) -> str | None:
        if draft.key is None:
            return None
        key = draft.key
        if draft.key_text is not None:
            key += ":" + secret.keyed(self._secret, draft.key_text)
        return key if line.KEY.fullmatch(key) else "hashed:" + secret.keyed(self._secret, key)

    def _append(self, prepared: list[_Prepared], flush: bool) -> list[Record]:
        fd, created = self._open()
        try:
            segments = [path for path in reader.files(self._home) if path != self._home.events]
            good = self._tail.refresh(fd, segments)
            if not self._tail.seq and foreign(fd):
                raise LogUnavailable(
                    "log-foreign",
                    f"{os.path.basename(self._home.events)} holds records of another program and was left untouched.",
                    "Choose another home (--home), or move that file away.",
                )
            torn = mend(fd, good, self._home.torn)
            if torn:
                self._warn(f"The log ended in {torn} bytes of an unfinished write; they were moved to events.torn.")
            before = self._tail.size
            chunk, records, after = self._stamp(prepared)
            try:
                os.lseek(fd, before, os.SEEK_SET)
                paths.write_all(fd, chunk)
            except BaseException:
                os.ftruncate(fd, before)
                raise
            if flush:
                paths.sync_file(fd)
            if created:
                paths.sync_dir(self._home.storage)
            after.size = before + len(chunk)
            self._tail = after
            return records
        finally:
            os.close(fd)

    def _open(self) -> tuple[int, bool]:
        # by path at every append: a file that was replaced or removed must never be written to as a ghost
        try:
            return paths.open_file(self._home.events, os.O_RDWR), False
        except FileNotFoundError:
            return paths.open_file(self._home.events, os.O_RDWR | os.O_CREAT | os.O_EXCL), True

    def _stamp(self, prepared: list[_Prepared]) -> tuple[bytes, list[Record], Tail]:
        """Give each its seq, times and chain; returns the bytes, the records and the tail they would make."""
        tail = Tail()
        for name in Tail.__slots__:
            setattr(tail, name, getattr(self._tail, name))
        chunks: list[bytes] = []
        if not tail.seq:
            tail.origin = ids.new_origin()
            body: dict[str, Any] = {"why": "new", "from": None}
            first = _Prepared(ORIGIN, ids.new_id(ids.now_ms()), None, None, body, line.body_bytes(body, ids.new_salt()))
            self._stamp_one(first, tail, chunks)
        records = [self._stamp_one(each, tail, chunks) for each in prepared]
        return b"".join(chunks), records, tail

    def _stamp_one(self, each: _Prepared, tail: Tail, chunks: list[bytes]) -> Record:
        wall = ids.now_ms()
        if not ids.MIN_MS <= wall < ids.MAX_MS:
            raise LogUnavailable(
                "clock-out-of-range", f"The system clock says {wall} ms since 1970.", "Set the clock and try again."
            )
        try:
            hlc = ids.next_hlc(tail.hlc, wall)
        except ValueError as error:
            raise LogUnavailable("clock-out-of-range", f"The log's clock is at its end ({error}).") from error
        at_ms = each.at_ms
        if at_ms is None:
            # live records never go back by a small step of the clock; a large one means the clock was wrong before
            at_ms = tail.live_at if 0 < tail.live_at - wall <= LIVE_MS else wall
        at = ids.at_text(at_ms)
        seq = tail.seq + 1
        raw = line.build(each.kind, each.id, tail.origin, seq, at, hlc, each.key, each.text, tail.chain)
        chunks.append(raw + b"\n")
        tail.seq, tail.chain = seq, line.chain_of(tail.chain, line.head_of(raw))
        tail.note_clock(each.id, hlc, at)
        return Record(line.VERSION, each.kind, each.id, tail.origin, seq, at, hlc, each.key, each.body)


def _unwritable(error: OSError) -> LogUnavailable:
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return LogUnavailable(
            "log-full", f"The log could not be written: {reason}.", "Free some space; nothing was changed."
        )
    return LogUnavailable(
        "log-unwritable", f"The log could not be written: {reason}.", "Check the home folder's owner, mode and disk."
    )
