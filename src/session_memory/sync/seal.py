"""Segments: lines of one origin, compressed, sealed and told apart by where they stand; and the proof that they are those lines.

Version 1 (ADR 6): the lines without the hashes that follow from the rest, zlib, AES-256-GCM with a random nonce;
`space|origin|lo|hi|ver` is authenticated with it, so that no segment can pass for another.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING

from session_memory.errors import RemoteError
from session_memory.log import extent, line
from session_memory.model.record import FORGET, ORIGIN
from session_memory.sync.remote import MOST_BODY, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_memory.log.line import Line
    from session_memory.sync.keys import Keys

VERSION = 1
MOST_LINES = 5_000
MOST_SEALED = 495_000  # bytes before base64, so that three segments fit into one call of MOST_CALL
MOST_RAW = 64 * 1024 * 1024  # bytes of lines that are taken out of one segment
LEVEL = 6
SUM, BODY = b',"sum":"', b',"body":'
PIECE = 32 * 1024  # bytes of lines after which the compressed size is looked at


class Cut:
    """Lines that become one segment, and their compressed bytes."""

    __slots__ = ("compressed", "lines")

    def __init__(self, lines: list[Line], compressed: bytes) -> None:
        self.lines = lines
        self.compressed = compressed


def cuts(lines: Iterable[Line]) -> Iterator[Cut]:
    """Lines in order, cut into segments of at most MOST_LINES and about MOST_SEALED bytes; a longer line stands alone."""
    held: list[Line] = []
    pieces: list[bytes] = []
    pending = size = 0
    press = zlib.compressobj(LEVEL)
    for each in lines:
        packed = bare(each)
        pending += len(packed)
        if held and (len(held) == MOST_LINES or size + pending + 64 > MOST_SEALED):
            if pending > len(packed):  # what has not been flushed may be much smaller than it looks
                pieces.append(press.flush(zlib.Z_SYNC_FLUSH))
                size, pending = sum(map(len, pieces)), len(packed)
            if len(held) == MOST_LINES or size + pending + 64 > MOST_SEALED:
                yield Cut(held, b"".join([*pieces, press.flush()]))
                held, pieces, size, press = [], [], 0, zlib.compressobj(LEVEL)
                pending = len(packed)
        held.append(each)
        pieces.append(press.compress(packed))
        if pending > PIECE:
            pieces.append(press.flush(zlib.Z_SYNC_FLUSH))
            size, pending = sum(map(len, pieces)), 0
    if held:
        yield Cut(held, b"".join([*pieces, press.flush()]))


def seal(keys: Keys, origin: str, prev: str, cut: Cut) -> Segment:
    """The segment of a cut; `prev` is the chain before its first line. Raises RemoteError (remote-refused) for a giant line."""
    lo, hi = cut.lines[0].seq, cut.lines[-1].seq
    body = base64.b64encode(keys.seal(cut.compressed, _about(origin, lo, hi, VERSION))).decode("ascii")
    if len(body) > MOST_BODY:
        raise RemoteError(
            "remote-refused", f"Line {lo} of {origin} has {len(cut.lines[0].raw):,} bytes, more than a remote takes."
        )
    nulls = sum(extent.weight(each.chain) for each in cut.lines if each.body is None)
    sha = hashlib.sha256(body.encode("ascii")).hexdigest()
    return Segment(origin, lo, hi, VERSION, prev, cut.lines[-1].chain.decode("ascii"), nulls, sha, body)


def reseal(keys: Keys, segment: Segment, lines: list[Line]) -> Segment:
    """The same segment with some of its lines nulled."""
    compressed = zlib.compress(b"".join(bare(each) for each in lines), LEVEL)
    return seal(keys, segment.origin, segment.prev, Cut(lines, compressed))


def opened(keys: Keys, segment: Segment) -> list[Line]:
    """The lines of a segment, proven. Raises RemoteError (remote-newer, remote-damaged)."""
    if segment.ver != VERSION:
        raise RemoteError(
            "remote-newer", f"Lines {segment.lo} to {segment.hi} of {segment.origin} were sealed by a newer version.",
            "Update Session Memory here; everything else is exchanged meanwhile.",
        )  # fmt: skip
    if hashlib.sha256(segment.body.encode("ascii", "replace")).hexdigest() != segment.sha:
        raise _damaged(segment, "its sum does not hold")
    try:
        sealed = base64.b64decode(segment.body, validate=True)
        content = _unpacked(keys.open(sealed, _about(segment.origin, segment.lo, segment.hi, segment.ver)))
    except (ValueError, zlib.error) as error:
        raise _damaged(segment, str(error)) from error
    except RemoteError as error:
        raise _damaged(segment, "it was not sealed with this key, or was changed") from error
    raws = content.split(b"\n")
    if raws.pop():
        raise _damaged(segment, "it ends in half a line")
    return _proven(segment, raws)


def bare(found: Line) -> bytes:
    """A line for a segment, with its newline: without its chain, and without the sum of a body that is there."""
    head = line.head_of(found.raw)
    if found.body is None:
        return head + BODY + b"null}\n"
    return head[: head.rindex(SUM)] + BODY + found.body + b"}\n"


def _whole(packed: bytes, previous: bytes) -> bytes:
    """The line again. Raises ValueError when the bytes are none."""
    at = packed.index(BODY)  # the first: header values hold no quote
    head, body = packed[:at], packed[at + len(BODY) : -1]
    if body != b"null":
        head += SUM + hashlib.sha256(body).hexdigest().encode("ascii") + b'"'
    return head + b',"chain":"' + line.chain_of(previous, head) + b'"' + BODY + body + b"}"


def _proven(segment: Segment, packed: list[bytes]) -> list[Line]:
    found, chain, nulls = [], segment.prev.encode("ascii", "replace"), 0
    for number, each in enumerate(packed, segment.lo):
        try:
            made = line.parse(_whole(each, chain))
        except ValueError:
            made = None
        if made is None or (made.seq, made.origin) != (number, segment.origin):
            raise _damaged(segment, f"line {number} is not there")
        if made.body is None and made.kind in (ORIGIN, FORGET):
            raise _damaged(segment, f"line {number} may not be without a body")
        nulls += extent.weight(made.chain) if made.body is None else 0
        chain = made.chain
        found.append(made)
    if not found or (found[-1].seq, chain.decode("ascii")) != (segment.hi, segment.chain):
        raise _damaged(segment, "its lines are not the ones that were written")
    if nulls != segment.nulls:
        raise _damaged(segment, "other lines are forgotten in it than it says")
    return found


def _unpacked(compressed: bytes) -> bytes:
    press = zlib.decompressobj()
    content = press.decompress(compressed, MOST_RAW)
    if not press.eof or press.unconsumed_tail or press.unused_data:
        raise ValueError("it does not unpack")
    return content


def _about(origin: str, lo: int, hi: int, ver: int) -> str:
    return f"{origin}|{lo}|{hi}|{ver}"


def _damaged(segment: Segment, why: str) -> RemoteError:
    return RemoteError(
        "remote-damaged", f"Lines {segment.lo} to {segment.hi} of {segment.origin} on the remote are damaged: {why}.",
        "Nothing of this log was taken from there on; a device that holds it may push to a fresh remote.",
    )  # fmt: skip
