"""The line format `v: 1` in memory, written from its rules alone: no product code, so that the two can be compared.

`mutant` names a rule to be broken on purpose: the laws must notice (tests/laws/test_line_mutants.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple

MAX_LINE, HEADER_ROOM, READ_LIMIT = 65_536, 700, 16 * 1024 * 1024
FIRST_CHAIN = "0" * 64
MAX_MS, MAX_COUNTER, MAX_DEPTH, MAX_INTEGER = 1 << 42, 9999, 62, 1 << 53
LIVE_MS = 600_000
SHORTEST_FINGERPRINT = 8
EXEMPT = ("origin", "forget")

_OWN_NAMES = "v|kind|id|origin|seq|at|hlc|key|sum|chain|body"
_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
_EXTRA = (
    rf',"(?!(?:{_OWN_NAMES})")[a-z_]+":'
    r'(?:"[ !#-\[\]-~]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)'
)
_HEAD = r'\{"v":(?P<v>[1-9][0-9]{0,8}),"kind":"(?P<kind>[a-z_]{1,32})","id":"(?P<id>[0-9a-f]{32})",'
_PLACE = r'"origin":"(?P<origin>[0-9a-f]{16})","seq":(?P<seq>[1-9][0-9]{0,17}),'
_TIMES = (
    rf'"at":"(?P<at>{_STAMP})","hlc":"(?P<hlc>[0-9]{{13}}\.[0-9]{{4}})","key":(?P<key>null|"[!#-\[\]-~]{{1,200}}")'
    rf'(?P<extras>(?:{_EXTRA})*),"sum":"(?P<sum>[0-9a-f]{{64}})"'
)
_BODY = r',"body":(?P<body>null|\{"salt":"[0-9a-f]{32}".*\})\}'
FRAME = re.compile((_HEAD + _PLACE + _TIMES + r',"chain":"(?P<chain>[0-9a-f]{64})"' + _BODY).encode(), re.DOTALL)
SPOOLED = re.compile((_HEAD + _TIMES + _BODY).encode(), re.DOTALL)
NAMES = re.compile(rb',"([a-z_]+)":')


class Fields(NamedTuple):
    """What is made once and never again, wherever the record travels."""

    v: int
    kind: str
    id: str
    at: str
    hlc: str
    key: str | None
    extras: str  # header members of newer versions, as they lie
    sum: str


class Line(NamedTuple):
    """One line as it was read; `origin` is "" and `seq` 0 in a spool."""

    raw: bytes
    fields: Fields
    origin: str
    seq: int
    chain: str
    body: bytes | None

    @property
    def order(self) -> tuple[str, str]:
        return (self.fields.hlc, self.fields.id)


def at_text(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


@lru_cache(maxsize=200_000)
def at_ms(text: str) -> int:
    moment = datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return int(moment.timestamp()) * 1000 + int(text[20:23])


def next_hlc(known: Iterable[str], wall: int, mutant: str = "") -> str:
    """After everything seen; what no writer may write (2^42 ms and later) is not taken for seen."""
    seen = [text for text in known if mutant == "hlc-out-of-range-counts" or int(text[:13]) < MAX_MS]
    high = max(seen, default="")
    if not high or wall > int(high[:13]):
        ms, counter = wall, 0
    else:
        ms, counter = int(high[:13]), int(high[14:]) + 1
    if counter > MAX_COUNTER and mutant != "hlc-counter-runs-over":
        ms, counter = ms + 1, 0
    if ms >= MAX_MS:
        raise ValueError(f"clock out of range: {ms}")
    return f"{ms:013d}.{counter:04d}"


def is_live(fields: Fields, mutant: str = "") -> bool:
    """Written as it happened: read from the header, so that it survives forget."""
    made = int(fields.hlc[:13]) if mutant == "live-by-hlc" else int(fields.id[:12], 16)
    return abs(at_ms(fields.at) - made) <= LIVE_MS


def canonical(value: Any, depth: int = 1) -> Any:
    """The value as every reader understands it."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < MAX_INTEGER else (str(value) if value.bit_length() <= 4096 else hex(value))
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if depth > MAX_DEPTH:
        return "[left out: nested deeper than 62]"
    if isinstance(value, dict):
        return {canonical(str(k)): canonical(v, depth + 1) for k, v in value.items()}
    return [canonical(each, depth + 1) for each in value]


def body_bytes(members: dict[str, Any], salt: str, mutant: str = "") -> bytes:
    """Salt first; a body may not bring its own."""
    if mutant == "salt-not-reserved":
        whole = {"salt": salt, **members}
    elif "salt" in members:
        raise ValueError("the member `salt` belongs to the log")
    else:
        whole = members if mutant == "no-salt" else {"salt": salt, **members}
    text = json.dumps(canonical(whole), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if mutant == "no-salt":
        text = '{"salt":"' + "0" * 32 + '",' + text[1:]
    return text.encode()


def sum_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def chain_of(previous: str, head: bytes) -> str:
    return hashlib.sha256(previous.encode() + head).hexdigest()


def spool_bytes(fields: Fields, body: bytes | None) -> bytes:
    return _front(fields, "") + b',"body":' + (body or b"null") + b"}"


def line_bytes(fields: Fields, body: bytes | None, origin: str, seq: int, previous: str, mutant: str = "") -> bytes:
    head = _front(fields, f'"origin":"{origin}","seq":{seq},')
    covered = head + (body or b"null") if mutant == "chain-over-body" else head
    return head + f',"chain":"{chain_of(previous, covered)}","body":'.encode() + (body or b"null") + b"}"


def _front(f: Fields, place: str) -> bytes:
    key = "null" if f.key is None else f'"{f.key}"'
    return (
        f'{{"v":{f.v},"kind":"{f.kind}","id":"{f.id}",{place}"at":"{f.at}","hlc":"{f.hlc}","key":{key}'
        f'{f.extras},"sum":"{f.sum}"'
    ).encode("ascii")


def nulled(raw: bytes) -> bytes:
    """The line without its body: same head, same chain. The first occurrence is the real one."""
    mark = b',"body":'
    return raw[: raw.index(mark) + len(mark)] + b"null}"


@lru_cache(maxsize=500_000)
def read(raw: bytes, spooled: bool = False) -> Line | None:
    """The line of these bytes (no newline), or None: then they are torn or damaged."""
    if len(raw) >= READ_LIMIT:
        return None
    match = (SPOOLED if spooled else FRAME).fullmatch(raw)
    if match is None:
        return None
    v, extras, kind = int(match["v"]), match["extras"].decode("ascii"), match["kind"].decode("ascii")
    names = NAMES.findall(match["extras"])
    if (extras and v == 1) or len(names) != len(set(names)):
        return None
    key = None if match["key"] == b"null" else match["key"][1:-1].decode("ascii")
    fields = Fields(
        v, kind, match["id"].decode(), match["at"].decode(), match["hlc"].decode(), key, extras, match["sum"].decode()
    )
    body = None if match["body"] == b"null" else match["body"]
    if spooled:
        return Line(raw, fields, "", 0, "", body)
    return Line(raw, fields, match["origin"].decode(), int(match["seq"]), match["chain"].decode(), body)


def split(content: bytes, mutant: str = "") -> list[bytes]:
    """The whole lines of a file: cut at 0x0A only; what follows the last one is no line yet."""
    if mutant == "splitlines":
        end = content.rfind(b"\n") + 1
        return [each.encode() for each in content[:end].decode("utf-8", "surrogateescape").splitlines()]
    return content.split(b"\n")[:-1]


def verify(lines: Iterable[bytes], mutant: str = "") -> list[str]:
    """Every reason why these lines are not what one origin wrote."""
    faults, seq, chain, origin = [], 0, FIRST_CHAIN, ""
    for number, raw in enumerate(lines, 1):
        line = read(raw)
        if line is None:
            faults.append(f"{number}: no line")
            continue
        head = raw[: raw.index(b',"chain":"')]
        if mutant == "chain-over-body":
            head += line.body or b"null"
        if line.origin != (origin or line.origin) or line.seq != seq + 1:
            faults.append(f"{number}: {line.origin} {line.seq} after {origin} {seq}")
        elif chain_of(chain, head) != line.chain:
            faults.append(f"{number}: chain")
        if seq == 0 and line.fields.kind != "origin":
            faults.append(f"{number}: the first line is of kind {line.fields.kind}")
        if line.fields.kind in EXEMPT and (line.fields.v != 1 or line.body is None):
            faults.append(f"{number}: {line.fields.kind}")
        if line.body is not None and sum_of(line.body) != line.fields.sum:
            faults.append(f"{number}: sum")
        seq, chain, origin = line.seq, line.chain, line.origin
    return faults


def secret_id(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()[:8]


@lru_cache(maxsize=1_000_000)
def keyed(secret: bytes, text: bytes) -> str:
    return hashlib.blake2b(text, key=secret, digest_size=16).hexdigest()


def fingerprint(secret: bytes, text: str) -> tuple[int, str, str] | None:
    """What lets other homes find the text without naming it; None when it is so short that it could be guessed."""
    content = str(canonical(text)).encode()
    if len(content) < SHORTEST_FINGERPRINT:
        return None
    return len(content), secret_id(secret), keyed(secret, content)


def strings(value: Any) -> Iterator[str]:
    """Every decoded string in a body, names included, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


@lru_cache(maxsize=500_000)
def matches(content: bytes, size: int, secret: bytes, wanted: str) -> bool:
    """Whether a string of this JSON holds the fingerprinted text."""
    for text in strings(json.loads(content)):
        there = text.encode()
        if any(keyed(secret, there[i : i + size]) == wanted for i in range(len(there) - size + 1)):
            return True
    return False


class Bans(NamedTuple):
    ids: set[str]
    keys: set[str]
    texts: set[tuple[int, str, str]]


def is_forget(line: Line) -> bool:
    """One of another version is no forget: it is always written as version 1, so that every reader obeys it."""
    return line.fields.kind == "forget" and line.fields.v == 1 and line.body is not None


def banned_texts(lines: Iterable[Line]) -> set[tuple[int, str, str]]:
    """Every fingerprint that these lines name."""
    bodies = [json.loads(line.body or b"") for line in lines if is_forget(line)]
    return {(n, k, h) for body in bodies for n, k, h in body["texts"]}


def redacted(value: Any, prints: set[tuple[int, str, str]], secrets: dict[str, bytes]) -> Any:
    """What is about to be said, without the texts that are forgotten already: the rest of the statement lives."""
    if isinstance(value, str):
        there = value.encode()
        for n, k, h in sorted(prints):
            at = 0
            while k in secrets and at + n <= len(there):
                if keyed(secrets[k], there[at : at + n]) == h:
                    there = there[:at] + b"[forgotten]" + there[at + n :]
                at += 1
        return there.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {redacted(name, prints, secrets): redacted(inner, prints, secrets) for name, inner in value.items()}
    return [redacted(each, prints, secrets) for each in value] if isinstance(value, list) else value


def bans(lines: list[Line], secrets: dict[str, bytes], blob: Callable[[str], bytes | None], mutant: str = "") -> Bans:
    """What is forgotten, as a function of the set of lines: their order and whereabouts do not matter."""
    found = Bans(set(), set(), banned_texts(lines))
    for line in lines:
        if is_forget(line):
            body = json.loads(line.body or b"")
            found.ids.update(body["ids"])
            found.keys.update(body["keys"])
    left = [line for line in lines if line.fields.kind not in EXEMPT]
    hit = True
    while hit:
        hit, rest = False, []
        for line in left:
            if is_banned(line, found, secrets, blob, mutant):
                hit = True
                found.ids.add(line.fields.id)
                if line.fields.key is not None and mutant != "banned-line-bans-no-key":
                    found.keys.add(line.fields.key)
            else:
                rest.append(line)
        left = rest
    return found


def is_banned(
    line: Line, found: Bans, secrets: dict[str, bytes], blob: Callable[[str], bytes | None], mutant: str = ""
) -> bool:
    if line.fields.kind in EXEMPT:
        return False
    if line.fields.id in found.ids or line.fields.key in found.keys:
        return True
    if line.body is None:
        return mutant != "null-bans-nothing"
    named = blob_of(line.body)
    content = (blob(named) if named and mutant != "blobs-not-searched" else None) or b'""'
    return any(
        k in secrets and (matches(line.body, n, secrets[k], h) or matches(content, n, secrets[k], h))
        for n, k, h in found.texts
    )


def blob_of(body: bytes | None) -> str:
    """The blob a body names, or ""."""
    if body is None or b'"blob":{"sha":"' not in body:
        return ""
    named = json.loads(body).get("blob")
    return str(named["sha"]) if isinstance(named, dict) and "sha" in named else ""
