"""The spool: where a writer that cannot get the lock leaves its records until the next holder merges them.

A spool line is a line of the log without `origin`, `seq` and `chain` (ADR 0001, rules 2 and 3): what is made here is never
made again. A file appears under its name only when it is whole and on disk, so whoever sees it may merge it.
"""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.digest import sha256
from session_memory.log import line
from session_memory.model.pattern import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from session_memory.paths import Home

FRAME = later(
    rb'\{"v":([1-9][0-9]{0,8}),"kind":"([a-z_]{1,32})","id":"([0-9a-f]{32})",'
    rb'"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)",'
    rb'"hlc":"([0-9]{13}\.[0-9]{4})","key":(null|"[!#-\[\]-~]{1,200}")'
    rb'((?:,"[a-z_]+":(?:"[ !#-\[\]-~]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))*)'
    rb',"sum":"([0-9a-f]{64})","body":'
)
NAME = later(r"[0-9]{13}-[0-9]{1,10}-[0-9a-f]{8}\.jsonl(?:@([0-9a-f]{16})-([0-9]{1,18}))?")


class Waiting:
    """One spooled record, its frame read: everything but its place in the log."""

    __slots__ = ("at", "body", "extras", "hlc", "id", "key", "kind", "v")

    def __init__(self, match: re.Match[bytes], body: bytes) -> None:
        v, kind, id_, at, hlc, key, extras, _sum = match.groups()
        self.v = int(v)
        self.kind = kind.decode("ascii")
        self.id = id_.decode("ascii")
        self.at = at.decode("ascii")
        self.hlc = hlc.decode("ascii")
        self.key = None if key == b"null" else key[1:-1].decode("ascii")
        self.extras: bytes = extras
        self.body = body

    def placed(self, origin: str, seq: int, previous: bytes) -> bytes:
        """The line of the log, without its newline; `previous` is the chain before it."""
        return line.build(
            self.kind, self.id, origin, seq, self.at, self.hlc, self.key, self.body, previous, v=self.v, extras=self.extras
        )  # fmt: skip


class Spooled:
    """One file of the spool: its records, what of it is none, and where the log stood when its merge first began."""

    __slots__ = ("marker", "name", "records", "rest")

    def __init__(self, name: str, marker: tuple[str, int] | None, records: list[Waiting], rest: bytes) -> None:
        self.name = name
        self.marker = marker
        self.records = records
        self.rest = rest


def build(kind: str, id: str, at: str, hlc: str, key: str | None, body: bytes) -> bytes:
    """One spool line without its newline."""
    shown = "null" if key is None else f'"{key}"'
    frame = (
        f'{{"v":{line.VERSION},"kind":"{kind}","id":"{id}","at":"{at}","hlc":"{hlc}","key":{shown},'
        f'"sum":"{sha256(body).hexdigest()}","body":'
    )
    return frame.encode("ascii") + body + b"}"


def parse(raw: bytes) -> Waiting | None:
    """The record of a spool line (without newline), or None when the bytes are none or its sum does not hold."""
    match = FRAME.match(raw)
    if match is None or len(raw) >= line.READ_LIMIT or not raw.endswith(b"}"):
        return None
    body = raw[match.end() : -1]
    if sha256(body).hexdigest().encode("ascii") != match.group(8):
        return None
    waiting = Waiting(match, body)
    return waiting if line.parse(waiting.placed("0" * 16, 1, line.FIRST_CHAIN)) is not None else None


def write(home: Home, lines: list[bytes]) -> str:
    """Keep spool lines, whole and on disk before this returns; returns the file's name. Raises OSError, InvalidInput."""
    paths.make_dir(home.spool)
    name = f"{ids.now_ms():013d}-{os.getpid()}-{os.urandom(4).hex()}.jsonl"
    paths.write_whole(os.path.join(home.spool, name), b"".join(each + b"\n" for each in lines))
    return name


def names(home: Home) -> list[str]:
    """The files that wait, oldest first. Names that are not ours are left alone: `doctor` shows them."""
    try:
        found = os.listdir(home.spool)
    except FileNotFoundError:
        return []
    return sorted(each for each in found if NAME.fullmatch(each))


def take(home: Home, name: str) -> Spooled | None:
    """What a file holds, or None when it is gone. Raises OSError."""
    try:
        fd = paths.open_file(os.path.join(home.spool, name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        content = file.read()
    records, rest = [], []
    *whole, torn = content.split(b"\n")
    for raw in whole:
        waiting = parse(raw)
        if waiting is None:
            rest.append(raw)
        else:
            records.append(waiting)
    match = NAME.fullmatch(name)
    marker = (match.group(1), int(match.group(2))) if match and match.group(1) else None
    return Spooled(name, marker, records, b"\n".join([*rest, torn]) if torn else b"\n".join(rest))


def mark(home: Home, spooled: Spooled, origin: str, seq: int) -> None:
    """Note in the file's name after which line of which origin its merge began: a merge that was cut short is then
    gone on with and repeats nothing. On disk (by `marked`) before the first line is appended. Raises OSError."""
    if spooled.marker is not None and spooled.marker[0] == origin:
        return
    name = f"{spooled.name.partition('@')[0]}@{origin}-{seq}"
    os.replace(os.path.join(home.spool, spooled.name), os.path.join(home.spool, name))
    spooled.name, spooled.marker = name, (origin, seq)


def marked(home: Home) -> None:
    """Make the marks survive power loss. Raises OSError."""
    paths.sync_dir(home.spool)


def remove(home: Home, spooled: Spooled) -> None:
    """The records stand in the log, on disk: the file has done its work. Raises OSError."""
    os.unlink(os.path.join(home.spool, spooled.name))
