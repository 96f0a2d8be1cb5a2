"""What an exchange did, by origin; and a remote whose calls and bytes are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from session_memory.errors import RemoteError
from session_memory.log.reader import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from session_memory.errors import SessionMemoryError
    from session_memory.sync.remote import Head, Remote, Segment

    Row = TypeVar("Row", Head, Segment)
    Progress = Callable[[str, int, int], None]  # what is done, lines done, lines in all


@dataclass
class Told:
    """One origin: lines here, lines there (as last seen), what went which way in this exchange, and what stopped it."""

    own: bool = False
    here: int = 0
    there: int = 0
    pushed: int = 0
    pulled: int = 0
    error: str = ""

    @property
    def pending(self) -> int:
        """Lines that the remote lacks."""
        return max(0, self.here - self.there)


@dataclass
class Report:
    """One exchange, as far as it came."""

    origins: dict[str, Told] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)  # records that went either way, by kind
    rows: int = 0  # segments that were appended
    rewritten: int = 0  # segments on the remote that lost bodies
    nulled: int = 0  # bodies that went here because they were forgotten elsewhere
    moved: int = 0  # records that moved to a fresh origin: this home was copied
    bodies_sent: int = 0  # long bodies
    bodies_fetched: int = 0
    bodies_missing: int = 0
    calls: int = 0
    sent: int = 0  # bytes of what is sealed
    received: int = 0
    dry_run: bool = False

    def of(self, origin: str) -> Told:
        """The entry of an origin, made when it is first asked for."""
        return self.origins.setdefault(origin, Told())

    def stop(self, origin: str, error: SessionMemoryError | str) -> None:
        """Note why a log goes no further in this exchange; the first reason counts."""
        told = self.of(origin)
        told.error = told.error or str(error)

    def stopped(self, origin: str) -> bool:
        """Whether a log goes no further in this exchange."""
        return origin in self.origins and bool(self.origins[origin].error)

    def count(self, kinds: Iterable[str]) -> None:
        """Count records that went either way."""
        for kind in kinds:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """For tools and commands."""
        logs = [
            {"origin": origin, "own": told.own, "pending": told.pending, "pushed": told.pushed, "pulled": told.pulled,
             "last_error": told.error or None}
            for origin, told in sorted(self.origins.items(), key=lambda item: (not item[1].own, item[0]))
        ]  # fmt: skip
        return {
            "origins": [{name: value for name, value in each.items() if value is not None} for each in logs],
            "pushed": sum(told.pushed for told in self.origins.values()),
            "pulled": sum(told.pulled for told in self.origins.values()),
            "pending": sum(told.pending for told in self.origins.values()),
            "forgotten_here": self.nulled, "forgotten_there": self.rewritten, "moved": self.moved,
            "long_bodies": {"sent": self.bodies_sent, "fetched": self.bodies_fetched, "missing": self.bodies_missing},
            "calls": self.calls, "rows": self.rows, "bytes_sent": self.sent, "bytes_received": self.received,
        }  # fmt: skip


class Counted:
    """A remote that counts, and whose words are not trusted further than needed: an origin becomes a folder's name."""

    def __init__(self, remote: Remote, report: Report) -> None:
        self._remote = remote
        self._report = report
        self.url = remote.url

    def open(self, words: Mapping[str, str]) -> dict[str, str]:
        """See Remote."""
        self._report.calls += 1
        return self._remote.open(words)

    def heads(self) -> list[Head]:
        """See Remote."""
        self._report.calls += 1
        return self._named(self._remote.heads())

    def index(self, origin: str) -> list[Segment]:
        """See Remote."""
        self._report.calls += 1
        return [each for each in self._remote.index(origin) if each.origin == origin]

    def page(self, after: Mapping[str, int], most: int = 4_000_000) -> list[Segment]:
        """See Remote."""
        self._report.calls += 1
        found = self._named(self._remote.page(after, most))
        self._report.received += sum(len(each.body) for each in found)
        return found

    def _named(self, found: list[Row]) -> list[Row]:
        """Those whose origin is one; the others are told."""
        for each in found:
            if not ORIGIN.fullmatch(each.origin):
                self._report.stop(
                    each.origin[:16],
                    RemoteError("remote-damaged", f"The remote names {each.origin[:40]!r} as an origin."),
                )
        return [each for each in found if ORIGIN.fullmatch(each.origin)]

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        """See Remote."""
        self._report.calls += 1
        self._report.sent += sum(len(each.body) for each in segments)
        return self._remote.append(segments)

    def replace(self, segment: Segment, sha: str) -> bool:
        """See Remote."""
        self._report.calls += 1
        self._report.sent += len(segment.body)
        return self._remote.replace(segment, sha)

    def put(self, name: str, content: bytes) -> None:
        """See Remote."""
        self._report.calls += 1
        self._report.sent += len(content)
        self._remote.put(name, content)

    def get(self, name: str) -> bytes | None:
        """See Remote."""
        self._report.calls += 1
        found = self._remote.get(name)
        self._report.received += len(found or b"")
        return found
