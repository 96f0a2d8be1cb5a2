"""Scans: secrets that were recorded before a rule for them was there; found by today's rules, and taken out of every file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_memory import ids, settings
from session_memory.actions import scanner
from session_memory.actions.forgetting import Forgetting, Plan, Receipt, Wanted
from session_memory.actions.opened import Opened
from session_memory.log.redact import Redactor
from session_memory.model.record import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Progress = Callable[[int, int], None]

KEY = "scanned"  # of the copy that takes a record's place
SHORTEST_TEXT = 8  # characters of a secret that is searched for afterwards


@dataclass
class Found:
    """What a scan found: secrets by kind, in how many records."""

    kinds: dict[str, int] = field(default_factory=dict)
    records: int = 0
    searched: int = 0


class _Finder(Redactor):
    """A redactor that remembers what it replaced."""

    def __init__(self, secret: bytes, patterns: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(secret, patterns, known, scanner.load())
        self.secrets: list[tuple[str, str]] = []  # kind, value

    def _mark(self, kind: str, found: str) -> str:
        self.secrets.append((kind, found))
        return super()._mark(kind, found)


class Scans:
    """What can be done about secrets that are there already."""

    def __init__(self, opened: Opened, forgetting: Forgetting) -> None:
        self._opened = opened
        self._forgetting = forgetting

    def look(self, environ: Mapping[str, str] | None = None) -> Found:
        """Search every record; nothing is changed. Raises OSError, InvalidInput (bad-settings)."""
        return self._look(environ)[0]

    def fix(
        self, environ: Mapping[str, str] | None = None, progress: Progress = lambda done, total: None
    ) -> tuple[Found, Receipt | None]:
        """Put a redacted copy in the place of each record that holds a secret, and forget the record itself, with proof.

        A copy keeps time, kind and words; its id is new. None when there was nothing to do. Raises as `carry_out`.
        """
        found, plan, drafts, secrets = self._look(environ)
        if not drafts:
            return found, None
        self._opened.journal.append(drafts)
        plan.needles = list(dict.fromkeys(value for value in secrets if len(value) >= SHORTEST_TEXT))
        return found, self._forgetting.carry_out(plan, progress, texts=plan.needles)

    def _look(self, environ: Mapping[str, str] | None) -> tuple[Found, Plan, list[Draft], list[str]]:
        opened = self._opened
        finder = _Finder(b"", opened.settings.redaction_patterns, settings.secret_values(environ))
        found, plan, drafts, secrets = Found(), Plan(Wanted()), [], []
        for line, body in self._forgetting.lines():
            found.searched += 1
            finder.secrets = []
            clean, count = finder.redact(body)
            if not count:
                continue
            found.records += 1
            for kind, value in finder.secrets:
                found.kinds[kind] = found.kinds.get(kind, 0) + 1
                secrets.append(value)
            plan.records.append((line.id, line.key))
            drafts.append(Draft(line.kind, clean, at_ms=ids.at_ms(line.at), key=f"{KEY}:{line.id}"))
        return found, plan, drafts, secrets
