"""Where devices meet: six statements and two blob calls, the same for a folder, Cloudflare, or whatever comes later.

A remote holds sealed segments and knows nothing of what they say: rows `(origin, lo, hi, ver, prev, chain, nulls, sha, body)`
and a few words about itself. It is written by two statements that compare before they write, so that a call which is lost,
repeated, late or interleaved with another device's changes nothing that it should not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_BODY = 1_000_000  # bytes of a row's body, as text; D1 takes 2,000,000
MOST_CALL = 2_000_000  # bytes of one append's bodies together


@dataclass(frozen=True)
class Head:
    """How far the remote's copy of an origin's log goes: last number, chain of its last line, and which lines have no body.

    nulls: the sum of its segments' `nulls`; two copies that lack the same bodies have the same sum, others almost never.
    """

    origin: str
    hi: int
    chain: str
    nulls: int


@dataclass(frozen=True)
class Segment:
    """Lines `lo` to `hi` of an origin, sealed. prev: chain before line `lo`; chain: of line `hi`. nulls: which lines have no
    body, as the sum of their weights (log/extent.py), 0 for none, below 2^53: a remote only adds it up. sha: SHA-256 (hex) of
    `body`. ver: how it is sealed. body: base64; "" where only the rest was asked for."""

    origin: str
    lo: int
    hi: int
    ver: int
    prev: str
    chain: str
    nulls: int
    sha: str
    body: str


class Remote(Protocol):
    """Every call may raise RemoteError (errors.py: what failed, and what to do), and then may or may not have happened."""

    url: str

    def open(self, words: Mapping[str, str]) -> dict[str, str]:
        """Make what is missing; note `words` about the remote that are not noted yet (first writer wins); return all of them."""
        ...

    def heads(self) -> list[Head]:
        """One for each origin."""
        ...

    def index(self, origin: str) -> list[Segment]:
        """An origin's segments in order, without bodies."""
        ...

    def page(self, after: Mapping[str, int], most: int = 4_000_000) -> list[Segment]:
        """Segments with `hi` above what is had of each origin (0 where it is not named), ordered by (origin, lo); about `most`
        bytes of bodies, at least one segment while there is any. Origins that are to be left out are named with 2**62."""
        ...

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        """Append each where the origin's last line is the one before it (`hi` = lo - 1 and `chain` = prev); False: it was not."""
        ...

    def replace(self, segment: Segment, sha: str) -> bool:
        """Put it in the place of the segment with the same origin and lo whose sha is `sha`; False: there is none."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Keep a sealed blob under a name of 64 hex digits, where there is none of that name yet; empty content stands for one
        that was forgotten, and replaces any: a late call must not bring it back."""
        ...

    def get(self, name: str) -> bytes | None:
        """A blob's content; None: the remote has none of this name."""
        ...
