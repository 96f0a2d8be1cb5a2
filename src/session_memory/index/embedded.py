"""What the file of vectors holds: how many events of a model, how each provider stands, and what is to go. No numpy here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from session_memory import ids
from session_memory.index.database import open_vectors

if TYPE_CHECKING:
    from session_memory.index.database import Database

LOCAL = "minilm-static"  # how the models of the table that we ship are called
LOCAL_MODEL = f"{LOCAL}-256-v1"


class Unreadable(OSError):
    """The file of vectors cannot be read: words still rank."""


class Standing(NamedTuple):
    """How a provider stands: its model, how many events have a vector of it, and its last trouble ("": none) with its time (ms)."""

    model: str
    events: int
    trouble: str
    at: int


def standing(path: str, provider: str) -> Standing | None:
    """What is known of a provider; None before its first call. Raises apsw.Error, OSError."""
    if not os.path.exists(path):
        return None
    with open_vectors(path) as kept:
        row = next(iter(kept.execute("SELECT model, trouble, at FROM provider WHERE name = ?", (provider,))), None)
        if row is None:
            return None
        return Standing(row[0], _count(kept, row[0]), row[1] or "", row[2] or 0)


def count(path: str, model: str) -> int:
    """How many events have a vector of this model. Raises apsw.Error, OSError."""
    if not os.path.exists(path):
        return 0
    with open_vectors(path) as kept:
        return _count(kept, model)


def note(path: str, provider: str, model: str, trouble: str = "") -> None:
    """Keep how a provider stands, for other processes to tell. Raises apsw.Error, OSError."""
    with open_vectors(path) as kept:
        kept.execute(
            "INSERT OR REPLACE INTO provider (name, model, at, trouble) VALUES (?, ?, ?, ?)",
            (provider, model, ids.now_ms(), trouble or None),
        )


def drop_others(path: str, model: str) -> int:
    """Remove the vectors of models that this one has replaced, now that its own are complete; returns how many models.

    A provider's model never replaces the local table's, which stays the ranking for when the provider does not answer.
    Raises apsw.Error, OSError.
    """
    with open_vectors(path) as kept:
        rows = kept.execute("SELECT DISTINCT model FROM said UNION SELECT DISTINCT model FROM vector")
        gone = [(each,) for (each,) in rows if each != model and each.startswith(LOCAL) == model.startswith(LOCAL)]
        if gone:
            with kept:
                kept.executemany("DELETE FROM said WHERE model = ?", gone)
                kept.executemany("DELETE FROM vector WHERE model = ?", gone)
                kept.executemany("DELETE FROM block WHERE model = ?", gone)
    return len(gone)


def prune(path: str, database: Database) -> None:
    """Remove the vectors of texts that no event of the index says any more, from the bytes of the file too.

    What was sent to a provider before cannot be taken back. Raises apsw.Error, OSError.
    """
    if not os.path.exists(path):
        return
    with open_vectors(path) as kept:
        gone = [
            row
            for row in kept.execute("SELECT model, event FROM said")
            if database.one("SELECT 1 FROM event WHERE id = ?", (row[1],)) is None
        ]
        with kept:
            kept.executemany("DELETE FROM said WHERE model = ? AND event = ?", gone)
            kept.execute(
                "DELETE FROM vector WHERE NOT EXISTS"
                " (SELECT 1 FROM said WHERE said.model = vector.model AND said.hash = vector.hash)"
            )
            kept.execute("DELETE FROM block")  # made again of what is left
            kept.execute("DELETE FROM provider")  # a provider's sentence may quote what it was sent
        kept.execute("VACUUM")


def _count(kept: Any, model: str) -> int:
    found = next(iter(kept.execute("SELECT count(*) FROM said WHERE model = ?", (model,))))
    return int(found[0])
