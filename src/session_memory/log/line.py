"""The line format `v: 1`, byte by byte: pure functions between fields and the bytes of one line.

Frozen by docs/adr/0001-line-format.md. Nothing here is ever re-serialised: sums and chains are taken from the
bytes as they lie, so number spelling, key order and Unicode form of a body need no canonical form.
"""

from __future__ import annotations

import hashlib
import json
import re

from session_memory.errors import InvalidInput
from session_memory.model.pattern import later
from session_memory.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
MAX_LINE = 65_536  # a writer's line with its newline; larger bodies become blobs
READ_LIMIT = 16 * 1024 * 1024  # what a reader accepts: a newer version may write longer lines
FIRST_CHAIN = b"0" * 64

FRAME = re.compile(
    rb'\{"v":([1-9][0-9]{0,8}),"kind":"([a-z_]{1,32})","id":"([0-9a-f]{32})","origin":"([0-9a-f]{16})",'
    rb'"seq":([1-9][0-9]{0,17}),"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)",'
    rb'"hlc":"([0-9]{13}\.[0-9]{4})","key":(null|"[!#-\[\]-~]{1,200}")'
    rb'((?:,"[a-z_]+":(?:"[ !#-\[\]-~]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))*)'
    rb',"sum":"([0-9a-f]{64})","chain":"([0-9a-f]{64})","body":'
)
EXTRA = later(rb',"([a-z_]+)":')
FRAME_NAMES = frozenset(b"v kind id origin seq at hlc key sum chain body".split())
KEY = later(r"[!#-\[\]-~]{1,200}")
SALTED = re.compile(rb'\{"salt":"[0-9a-f]{32}"')


class Line:
    """One whole line, its header read, its body still bytes (None once forgotten)."""

    __slots__ = ("at", "body", "chain", "hlc", "id", "key", "kind", "origin", "raw", "seq", "sum", "v")

    def __init__(self, raw: bytes, match: re.Match[bytes]) -> None:
        v, kind, id_, origin, seq, at, hlc, key, _extras, sum_, chain = match.groups()
        body = raw[match.end() : -1]
        self.raw = raw
        self.v = int(v)
        self.kind = kind.decode("ascii")
        self.id = id_.decode("ascii")
        self.origin = origin.decode("ascii")
        self.seq = int(seq)
        self.at = at.decode("ascii")
        self.hlc = hlc.decode("ascii")
        self.key = None if key == b"null" else key[1:-1].decode("ascii")
        self.sum = sum_.decode("ascii")
        self.chain: bytes = chain
        self.body = None if body == b"null" else body

    def chain_holds(self, previous: bytes) -> bool:
        """Whether `chain` follows from the previous line's (64 ASCII hex digits)."""
        return chain_of(previous, head_of(self.raw)) == self.chain

    def sum_holds(self) -> bool:
        """Whether the body is the one that was written; a forgotten body proves nothing and counts as held."""
        return self.body is None or hashlib.sha256(self.body).hexdigest() == self.sum

    def parsed(self) -> dict[str, Any] | None:
        """The body as JSON without its salt; None once forgotten. Raises InvalidInput (bad-line)."""
        if self.body is None:
            return None
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("bad-line", f"The body of record {self.id} is no JSON ({error}).") from error
        del body["salt"]
        return body  # type: ignore[no-any-return]  # SALTED has checked that it is an object

    def record(self, body: dict[str, Any] | None) -> Record:
        """The record of this line with `body` (what `parsed` gave, or what a blob held)."""
        return Record(self.v, self.kind, self.id, self.origin, self.seq, self.at, self.hlc, self.key, body)


def parse(raw: bytes) -> Line | None:
    """The line of these bytes (without the newline), or None when they are not one."""
    match = FRAME.match(raw)
    if match is None or len(raw) >= READ_LIMIT:
        return None
    end = match.end()
    if not (SALTED.match(raw, end) and raw.endswith(b"}}")) and raw[end:] != b"null}":
        return None
    if match.group(9) and not _extras_fit(match):
        return None
    return Line(raw, match)


def _extras_fit(match: re.Match[bytes]) -> bool:
    """Only newer versions may add header members, none of them twice and none with a name of the frame."""
    names = EXTRA.findall(match.group(9))
    return match.group(1) != b"1" and len(set(names)) == len(names) and not FRAME_NAMES & set(names)


def head_of(raw: bytes) -> bytes:
    """What the chain covers: the line's bytes up to `,"chain":"` (header values cannot hold a raw quote)."""
    return raw[: raw.index(b',"chain":"')]


def chain_of(previous: bytes, head: bytes) -> bytes:
    """SHA-256 over the previous chain's 64 hex digits and the head, as 64 hex digits."""
    return hashlib.sha256(previous + head).hexdigest().encode("ascii")


def body_bytes(body: dict[str, Any], salt: str) -> bytes:
    """The body's bytes, salt first. `body` must be canonical (model.values). Raises ValueError otherwise."""
    return json.dumps({"salt": salt, **body}, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def build(
    kind: str, id: str, origin: str, seq: int, at: str, hlc: str, key: str | None, body: bytes, previous: bytes,
    *, v: int = VERSION, extras: bytes = b"",
) -> bytes:  # fmt: skip
    """One line without its newline; `previous` is the chain of the line before it (FIRST_CHAIN at seq 1).

    v, extras: of a record that a newer version has spooled; kept as they are.
    """
    shown = "null" if key is None else f'"{key}"'
    head = (
        f'{{"v":{v},"kind":"{kind}","id":"{id}","origin":"{origin}","seq":{seq},"at":"{at}","hlc":"{hlc}","key":{shown}'
    ).encode("ascii")
    head += extras + f',"sum":"{hashlib.sha256(body).hexdigest()}"'.encode("ascii")
    return head + b',"chain":"' + chain_of(previous, head) + b'","body":' + body + b"}"


def placed(found: Line, origin: str, seq: int, previous: bytes) -> bytes:
    """The record of a line in another place: all its bytes but origin, seq and chain stay, also those of a newer version."""
    raw = found.raw
    head = raw[: raw.index(b',"origin":"')] + f',"origin":"{origin}","seq":{seq}'.encode("ascii")
    head += raw[raw.index(b',"at":"') : raw.index(b',"chain":"')]
    body = b"null" if found.body is None else found.body
    return head + b',"chain":"' + chain_of(previous, head) + b'","body":' + body + b"}"


def nulled(raw: bytes) -> bytes:
    """The line once forgotten: same head, same chain, no body."""
    match = FRAME.match(raw)
    if match is None:
        raise InvalidInput("bad-line", "Bytes that are no record cannot be forgotten one by one.")
    return raw[: match.end()] + b"null}"
