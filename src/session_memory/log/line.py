"""The line format `v: 1`, byte by byte: pure functions between fields and the bytes of one line.

Frozen by docs/adr/0001-line-format.md. Nothing here is ever re-serialised: sums and chains are taken from the
bytes as they lie, so number spelling, key order and Unicode form of a body need no canonical form.
"""

from __future__ import annotations

from session_memory.digest import sha256
from session_memory.errors import InvalidInput
from session_memory.model.pattern import later
from session_memory.model.record import Record
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

VERSION = 1
MAX_LINE = 65_536  # a writer's line with its newline; larger bodies become blobs
HEX = b"0123456789abcdef"
KIND_LETTERS = b"abcdefghijklmnopqrstuvwxyz_"
KEY_LETTERS = bytes(each for each in range(0x21, 0x7F) if each not in b'"\\')
DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
HEADER = 256  # bytes within which a line's clock has begun
READ_LIMIT = 16 * 1024 * 1024  # what a reader accepts: a newer version may write longer lines
FIRST_CHAIN = b"0" * 64

FRAME = later(
    rb'\{"v":([1-9][0-9]{0,8}),"kind":"([a-z_]{1,32})","id":"([0-9a-f]{32})","origin":"([0-9a-f]{16})",'
    rb'"seq":([1-9][0-9]{0,17}),"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)",'
    rb'"hlc":"([0-9]{13}\.[0-9]{4})","key":(null|"[!#-\[\]-~]{1,200}")'
    rb'(.*?),"sum":"([0-9a-f]{64})","chain":"([0-9a-f]{64})","body":'
)
EXTRAS = later(
    rb'(?:,"[a-z_]+":(?:"[ !#-\[\]-~]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))*'
)
EXTRA = later(rb',"([a-z_]+)":')
FRAME_NAMES = frozenset(b"v kind id origin seq at hlc key sum chain body".split())


class Line:
    """One whole line, its header read, its body still bytes (None once forgotten)."""

    __slots__ = ("at", "body", "chain", "hlc", "id", "key", "kind", "origin", "raw", "seq", "sum", "v")

    def __init__(self, raw: bytes, members: Sequence[bytes], end: int) -> None:
        v, kind, id_, origin, seq, at, hlc, key, _extras, sum_, chain = members
        body = raw[end:-1]
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
        return self.body is None or sha256(self.body).hexdigest() == self.sum

    def parsed(self) -> dict[str, Any] | None:
        """The body as JSON without its salt; None once forgotten. Raises InvalidInput (bad-line)."""
        if self.body is None:
            return None
        try:
            body = loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("bad-line", f"The body of record {self.id} is no JSON ({error}).") from error
        del body["salt"]
        return body  # type: ignore[no-any-return]  # `parse` has checked that it is an object

    def record(self, body: dict[str, Any] | None) -> Record:
        """The record of this line with `body` (what `parsed` gave, or what a blob held)."""
        return Record(self.v, self.kind, self.id, self.origin, self.seq, self.at, self.hlc, self.key, body)


def parse(raw: bytes) -> Line | None:
    """The line of these bytes (without the newline), or None when they are not one."""
    members, end = _frame(raw)
    if not members or len(raw) >= READ_LIMIT:
        return None
    if not (_salted(raw, end) and raw.endswith(b"}}")) and raw[end:] != b"null}":
        return None
    if members[8] and not _extras_fit(members):
        return None
    return Line(raw, members, end)


def _frame(raw: bytes) -> tuple[Sequence[bytes], int]:
    """What FRAME finds, and where the body begins; nothing and 0 where it finds nothing."""
    members, end = _usual(raw)
    if end:
        return members, end
    match = FRAME.match(raw)
    return (match.groups(), match.end()) if match is not None else ((), 0)


def _usual(raw: bytes) -> tuple[Sequence[bytes], int]:
    """The same by hand, for lines of version 1: a hook reads hundreds, and regular expressions are long in loading."""
    first = raw.find(b'"', 15, 48)
    kind = raw[15:first]
    second = raw.find(b",", first + 76, first + 95)
    seq, at, hlc = raw[first + 76 : second], raw[second + 7 : second + 31], raw[second + 40 : second + 58]
    begin = second + 66
    null = raw.startswith(b"null", begin)
    end = begin + 4 if null else raw.find(b'"', begin + 1, begin + 202) + 1
    key, sum_, chain = raw[begin:end], raw[end + 8 : end + 72], raw[end + 83 : end + 147]
    id_, origin = raw[first + 8 : first + 40], raw[first + 52 : first + 68]
    fits = (
        raw.startswith(b'{"v":1,"kind":"') and first > 15 and not kind.strip(KIND_LETTERS)
        and raw.startswith(b'","id":"', first) and raw.startswith(b'","origin":"', first + 40)
        and not (id_ + origin).strip(HEX) and raw.startswith(b'","seq":', first + 68)
        and second > 0 and seq.isdigit() and seq[:1] != b"0"
        and raw.startswith(b',"at":"', second) and at.translate(DIGITS) == b"0000-00-00T00:00:00.000Z"
        and raw.startswith(b'","hlc":"', second + 31) and hlc.translate(DIGITS) == b"0000000000000.0000"
        and raw.startswith(b'","key":', second + 58)
        and (null or (end > begin + 2 and key[:1] == b'"' and not key[1:-1].strip(KEY_LETTERS)))
        and raw.startswith(b',"sum":"', end) and raw.startswith(b'","chain":"', end + 72)
        and raw.startswith(b'","body":', end + 147) and not (sum_ + chain).strip(HEX)
    )  # fmt: skip
    return ((b"1", kind, id_, origin, seq, at, hlc, key, b"", sum_, chain), end + 156) if fits else ((), 0)


def is_key(text: str) -> bool:
    """Whether a text may be a key as it is: 1 to 200 printable ASCII characters without space, quote and backslash."""
    return 1 <= len(text) <= 200 and text.isascii() and not text.encode().strip(KEY_LETTERS)


def _salted(raw: bytes, start: int) -> bool:
    """Whether `{"salt":"<32 hex digits>"` stands at `start`: asked of every line, and by hand faster than by an expression."""
    salt = raw[start + 9 : start + 41]
    return raw.startswith(b'{"salt":"', start) and raw.startswith(b'"', start + 41) and not salt.strip(HEX)


def clock(raw: bytes) -> bytes:
    """What stands in the place of a line's `hlc`, without reading the rest: to find the highest of many; b"" if nothing does."""
    place = raw.find(b'","hlc":"', 0, HEADER)
    return raw[place + 9 : place + 27] if place > 0 else b""


def _extras_fit(members: Sequence[bytes]) -> bool:
    """Only newer versions may add header members, none of them twice and none with a name of the frame."""
    if members[0] == b"1" or not EXTRAS.fullmatch(members[8]):
        return False
    names = EXTRA.findall(members[8])
    return len(set(names)) == len(names) and not FRAME_NAMES & set(names)


def head_of(raw: bytes) -> bytes:
    """What the chain covers: the line's bytes up to `,"chain":"` (header values cannot hold a raw quote)."""
    return raw[: raw.index(b',"chain":"')]


def chain_of(previous: bytes, head: bytes) -> bytes:
    """SHA-256 over the previous chain's 64 hex digits and the head, as 64 hex digits."""
    return sha256(previous + head).hexdigest().encode("ascii")


def body_bytes(body: dict[str, Any], salt: str) -> bytes:
    """The body's bytes, salt first. `body` must be canonical (model.values). Raises ValueError otherwise."""
    return dumps({"salt": salt, **body}, ascii=False, compact=True).encode()


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
    head += extras + f',"sum":"{sha256(body).hexdigest()}"'.encode("ascii")
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
    members, end = _frame(raw)
    if not members:
        raise InvalidInput("bad-line", "Bytes that are no record cannot be forgotten one by one.")
    return raw[:end] + b"null}"
