"""Health: how log, index, plugins and features stand; proof that nothing was changed; making the index again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory.actions import meaning
from session_memory.actions.opened import Opened
from session_memory.errors import IndexUnavailable, SessionMemoryError
from session_memory.index import agree, documents, entities, learnings
from session_memory.index.catchup import REBUILD_SECONDS
from session_memory.index.database import FAILURES, unavailable
from session_memory.log import reader, verify
from session_memory.model.features import FEATURES, OFF_AT_FIRST, SWITCHED

if TYPE_CHECKING:
    from session_memory.index.catchup import Progress


TABLES = {"events": "event WHERE document_n IS NULL", "sessions": "session", "checkpoints": "checkpoint",
          "learnings": "learning", "entities": "entity WHERE record IS NOT NULL",
          "relations": "relation WHERE record IS NOT NULL", "documents": "document",
          "mentioned": "entity WHERE record IS NULL AND project_n IS NOT NULL"}  # fmt: skip
ALWAYS_TOLD = ("events", "sessions", "checkpoints")


@dataclass
class Proof:
    """What `verify` found: the log's report and where the index differs from the log."""

    log: verify.Report
    index: list[str]

    @property
    def green(self) -> bool:
        """Whether log, chain and index agree."""
        return not self.log.faults and not self.log.torn and not self.index  # what waits in the spool is no fault


class Health:
    """What can be asked about the memory itself."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def report(self) -> dict[str, Any]:
        """Log, index, plugins, features and warnings; never raises for what it reports on."""
        opened = self._opened
        with reader.Logs(opened.home) as logs:
            log: dict[str, Any] = {
                "bytes": sum(each.size for each in logs), "files": sum(len(each.parts) for each in logs)
            }  # fmt: skip
            if len(logs.all) > 1:
                log["origins"] = len(logs.all)
        index: dict[str, Any] = {"ok": True}
        behind = 0
        try:
            database = opened.read()
            behind = opened.behind
            for name, table in TABLES.items():
                row = database.one(f"SELECT count(*) FROM {table}")
                if (row and row[0]) or name in ALWAYS_TOLD:
                    index[name] = row[0] if row else 0
            index["skipped"] = dict(database.rows("SELECT why, lines FROM skipped"))
            position = database.one("SELECT sum(seq) FROM position")
            log["records"] = (position[0] if position else 0) or 0
        except SessionMemoryError as error:
            index = {"ok": False, "reason": str(error)}
        if opened.waiting:
            log["waiting_in_spool"] = opened.waiting
        if not index.get("skipped"):
            index.pop("skipped", None)
        try:
            paused = opened.paused()
        except SessionMemoryError as error:
            paused = str(error)
        return {
            "paused": paused or None,
            "log": log,
            "index": index,
            "behind": behind,
            "plugins_failed": dict(opened.plugins.failed),
            "embeddings": meaning.report(opened),
            "features": {name: works for name, (works, _what) in FEATURES.items()},
            "warnings": list(opened.warnings),
        }

    def brief(self) -> dict[str, Any]:
        """`report` as a tool shows it: only what is off is named."""
        full = self.report()
        off = [name for name, works in full.pop("features").items() if not works]
        full["features_off"] = {"not in this version": off}
        switched = [name for name in SWITCHED if name not in OFF_AT_FIRST and not self._opened.settings.value(name)]
        if full["embeddings"]["provider"] == meaning.LOCAL and not {"note", "trouble"} & set(full["embeddings"]):
            del full["embeddings"]
        if switched:
            full["features_off"]["switched off in config.json"] = switched
        return {name: value for name, value in full.items() if value not in ({}, [], None)}

    def verify(self, progress: Progress | None = None) -> Proof:
        """Read everything and compare. Raises OSError, IndexUnavailable (when there is no usable index at all)."""
        opened = self._opened
        report = verify.verify(opened.home)
        try:
            wrong = agree.differences(opened.read(), opened.home, progress)
        except IndexUnavailable as error:
            wrong = [str(error)]
        return Proof(report, wrong)

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make the index again from the log; returns how many events it holds. Raises IndexUnavailable."""
        index = self._opened.index
        index.catch_up(wait=REBUILD_SECONDS, progress=progress, rebuild=True)
        row = index.database().one("SELECT count(*) FROM event WHERE document_n IS NULL")
        return int(row[0]) if row else 0

    def mend(self, error: Exception) -> IndexUnavailable | None:
        """What an error of SQLite means for the caller, None for any other error. A damaged index is made again."""
        if not isinstance(error, FAILURES):
            return None
        told = unavailable(error)
        if told.code == "index-damaged":
            self.rebuild()
        return told

    def thing(self, wanted: str) -> dict[str, Any] | None:
        """A learning, document or entity by its id (an entity by its name, too); None when nothing is called so."""
        database = self._opened.read()
        return learnings.find(database, wanted) or documents.find(database, wanted) or entities.find(database, wanted)
