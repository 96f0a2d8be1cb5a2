"""Lines that come from other origins: taken in whole or not at all, checked against what is forgotten here.

Two histories under one origin, which only a copy that nobody noticed can make, are told apart: what stands on the remote
keeps the name, and the tail that stands only here moves to an origin of this home's own (ADR 0001, rule 14).
"""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.errors import InvalidInput
from session_memory.log import extent, forgotten, line, reader
from session_memory.log import origin as origins
from session_memory.log.active import ROLL_BYTES, Active, clock
from session_memory.log.lock import Lock
from session_memory.log.tail import Tail, cut, mend
from session_memory.model.record import FORGET, ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.log.forgotten import Bans
    from session_memory.log.line import Line
    from session_memory.paths import Home


class Foreign:
    """What may be done to the logs of a home because of what other devices say. Raises LogUnavailable, OSError throughout."""

    def __init__(
        self,
        home: Home,
        secret: bytes,
        bans: Callable[[], Bans],
        *,
        wait: float,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._home = home
        self.secret = secret
        self._bans = bans
        self.wait = wait
        self._active = Active(home, secret, warn, ROLL_BYTES)

    def take(self, origin: str, seq: int, chain: bytes, found: list[Line]) -> bool:
        """Add lines behind line `seq` of an origin's log, all or none, on disk before this returns.

        False: the log does not end in that line (any more), and nothing was done. What is forgotten here comes in without
        its body; where lines tell of more that is, the sweep is noted as due before they are written.
        """
        with Lock(self._home.store_lock, self.wait), self._active as active:
            own = active.tail.origin == origin
            end = active.tail.copy() if own else self._end(origin)
            if (end.seq, end.chain) != (seq, chain):
                return False
            bans, chunks, gone, due = self._bans(), [], [], False
            highest = ""
            for each in found:
                raw = each.raw
                if _banned(each, bans):
                    raw = line.nulled(raw)
                    gone.append(each)
                due |= raw is not each.raw or each.body is None or each.kind == FORGET
                end.follow(each)
                highest = max(highest, each.hlc if int(each.hlc[:13]) < ids.MAX_MS else "")
                chunks.append(raw + b"\n")
            if due:
                forgotten.note_blobs(self._home, self.secret, gone)
            if own:
                active.put(b"".join(chunks), end, flush=True)
            else:
                origins.note_clock(self._home, highest)
                self._append(origin, b"".join(chunks))
            return True

    def null(self, origin: str, chains: set[bytes]) -> int:
        """Take the bodies out of the lines of these chains, forgotten elsewhere; returns how many. The sweep is due then."""
        count = 0
        with Lock(self._home.store_lock, self.wait), self._active as active:
            own = active.tail.origin == origin
            for path in reader.files(self._home) if own else self._files(origin):
                content, parts, at, gone = _read(path), [], 0, []
                for place in reader.places(path):
                    each = place.line
                    if each is not None and each.body is not None and each.chain in chains and not _exempt(each):
                        parts += [content[at : place.offset], line.nulled(each.raw), b"\n"]
                        at = place.end
                        gone.append(each)
                if gone:
                    forgotten.note_blobs(self._home, self.secret, gone)
                    paths.write_whole(path, b"".join([*parts, content[at:]]))
                    count += len(gone)
            if own:
                active.tail = Tail()
        return count

    def part(self, origin: str, same: int, known: set[str]) -> int:
        """Keep the first `same` lines of a log that goes on otherwise elsewhere; returns how many records moved.

        Of the rest, what is in no other log and not among the ids `known` moves into this home's own log, under a fresh
        origin if it is this very log that is parted. A kill in between leaves it to be done again, and doubles nothing.
        """
        with Lock(self._home.store_lock, self.wait):
            with self._active as active:
                own = active.tail.origin == origin
                elsewhere = known | self._ids_beside(origin)
                rest = list(extent.lines(self._home, origin, same))
                moved = [each for each in rest if each.kind != ORIGIN and each.id not in elsewhere]
                if own:
                    self._write_next(active.tail, origin, same, moved)
                elif moved:
                    self._add(active, moved)
            if own:
                with Active(self._home, self.secret, lambda text: None, ROLL_BYTES):
                    pass  # the change of origin is carried out as one that was cut short is
                self._active = Active(self._home, self.secret, lambda text: None, ROLL_BYTES)
            forgotten.note_blobs(self._home, self.secret, rest)
            self._cut(origin, same)
        return len(moved)

    def _files(self, origin: str) -> list[str]:
        folder = os.path.join(self._home.origins, origin)
        found = [os.path.join(folder, "segments", each) for each in reader.segments(folder)]
        active = os.path.join(folder, reader.ACTIVE)
        return [*found, active] if _size(active) is not None else found

    def _end(self, origin: str) -> Tail:
        """The end of a foreign log, mended."""
        tail, files = Tail(), self._files(origin)
        active = os.path.join(self._home.origins, origin, reader.ACTIVE)
        older = [each for each in files if each != active]
        if not files:
            return tail
        fd = paths.open_file(active if active in files else older[-1], os.O_RDWR)
        try:
            good = tail.refresh(fd, older if active in files else older[:-1])
            if active in files:
                mend(fd, good, self._home.torn)
        finally:
            os.close(fd)
        return tail

    def _append(self, origin: str, chunk: bytes) -> None:
        folder = os.path.join(self._home.origins, origin)
        path = os.path.join(folder, reader.ACTIVE)
        paths.make_dir(self._home.origins)
        paths.make_dir(folder)
        size = _size(path)
        new = size is None
        if size and size + len(chunk) > ROLL_BYTES:
            self._roll(folder, path)
            new = True
        fd = paths.open_file(path, os.O_RDWR | os.O_CREAT)
        size = 0 if new else size or 0
        try:
            os.lseek(fd, size, os.SEEK_SET)
            paths.write_all(fd, chunk)
            paths.sync_file(fd)
        except BaseException:
            os.close(fd)
            cut(path, size)
            raise
        os.close(fd)
        if new:
            paths.sync_dir(folder)

    def _roll(self, folder: str, path: str) -> None:
        paths.make_dir(os.path.join(folder, "segments"))
        names = reader.segments(folder)
        number = int(names[-1][len("events-") : -len(".jsonl")]) + 1 if names else 1
        paths.move(path, os.path.join(folder, "segments", f"events-{number:06d}.jsonl"))

    def _ids_beside(self, origin: str) -> set[str]:
        """The ids in every log but this one."""
        found: set[str] = set()
        with reader.Logs(self._home) as logs:
            for log in logs:
                if log.origin != origin:
                    found.update(p.line.id for part in log.parts for p in reader.places(part) if p.line is not None)
        return found

    def _add(self, active: Active, moved: list[Line]) -> None:
        """Append records, as they are, to the own log."""
        tail, chunks = active.tail.copy(), []
        for each in moved:
            raw = line.placed(each, tail.origin, tail.seq + 1, tail.chain)
            found = line.parse(raw)
            assert found is not None  # only its place is another
            tail.follow(found)
            chunks.append(raw + b"\n")
        active.put(b"".join(chunks), tail, flush=True)

    def _write_next(self, tail: Tail, origin: str, same: int, moved: list[Line]) -> None:
        """The first lines of a fresh origin, whole, beside the log; then the note that it follows this one."""
        new, wall = ids.new_origin(), ids.now_ms()
        body = line.body_bytes({"why": "fork", "from": {"origin": origin, "seq": same}}, ids.new_salt())
        first = line.build(
            ORIGIN, ids.new_id(wall), new, 1, ids.at_text(wall), clock(tail.hlc, wall), None, body, line.FIRST_CHAIN
        )
        raws, found = [first], line.parse(first)
        assert found is not None
        for number, each in enumerate(moved, 2):
            raw = line.placed(each, new, number, found.chain)
            raws.append(raw)
            found = line.parse(raw)
            assert found is not None
        paths.write_whole(self._home.next, b"".join(raw + b"\n" for raw in raws))
        known = origins.read(self._home)
        machine, inode = origins.here(self._home, self.secret)
        machines = known.machines if known is not None else [machine] if machine else []
        origins.write(self._home, origins.Known(new, machines, inode, (origin, tail.seq)))

    def _cut(self, origin: str, same: int) -> None:
        """Cut a foreign log behind line `same`; its later files first, so that a kill leaves no gap."""
        for path in reversed(self._files(origin)):
            begin = next((p.offset for p in reader.places(path) if p.line is not None and p.line.seq > same), None)
            if begin == 0:
                os.unlink(path)
            elif begin is not None:
                cut(path, begin)


def _size(path: str) -> int | None:
    """A file's bytes; None where there is none. A disk that does not answer is no file that is not there."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None


def _exempt(found: Line) -> bool:
    return found.kind in forgotten.EXEMPT


def _banned(found: Line, bans: Bans) -> bool:
    if found.body is None or _exempt(found):
        return False
    if bans.bans(found.id, found.key):
        return True
    if not bans.texts:
        return False
    try:
        return bans.holds(found.parsed())
    except InvalidInput:
        return False  # a newer version's body that this one cannot read: whoever wrote it can


def _read(path: str) -> bytes:
    with open(paths.open_file(path, os.O_RDONLY), "rb") as file:
        return file.read()
