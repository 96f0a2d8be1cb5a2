"""Whether the index holds exactly what the log holds: event by event, by id and content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory.errors import SessionMemoryError
from session_memory.index import projects
from session_memory.index.sessions import clock
from session_memory.log import line, reader
from session_memory.model.record import (
    CHECKPOINT,
    DOCUMENT,
    ENTITY,
    EVENT,
    GOLDEN,
    HANDOFF,
    LEARNING,
    OUTCOME,
    PROJECT,
    RELATION,
    RESUME,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_memory.index.database import Database
    from session_memory.paths import Home

NAMED = (LEARNING, ENTITY, RELATION, DOCUMENT, GOLDEN)  # kinds with an id of their own in the body
MOST_NAMED = 20  # differences told one by one; the rest is counted


def differences(database: Database, home: Home, progress: Callable[[int, int], None] | None = None) -> list[str]:
    """Sentences that say where index and log differ; empty when they agree. Raises OSError."""
    events: dict[str, tuple[int, str, int]] = {}  # group (key or id) -> clock of its first, id of its first, versions
    digests: dict[str, int] = {}  # id -> hash of its data
    others: dict[str, set[str]] = {kind: set() for kind in (CHECKPOINT, HANDOFF, RESUME, OUTCOME, *NAMED)}
    aliases: dict[str, tuple[int, str]] = {}  # key -> clock and id of the last word about it
    ends: dict[str, tuple[int, str]] = {}  # origin -> number and chain of its last line
    with reader.Logs(home) as logs:
        done = 0
        for place in (place for log in logs for part in log.parts for place in reader.places(part)):
            done += place.end - place.offset
            found = place.line
            if found is None:
                continue
            ends[found.origin] = (found.seq, found.chain.decode())
            if progress and place.number % 5_000 == 0:
                progress(done, 0)
            if found.v > line.VERSION or found.body is None:
                continue
            if found.kind in others:
                others[found.kind].add(_identity(found))
            elif found.kind == EVENT:
                _note(home, found, events, digests)
            elif found.kind == PROJECT:
                _note_alias(found, aliases)
    wrong: list[str] = []
    positions = {row[0]: row[1:] for row in database.rows("SELECT origin, seq, chain FROM position")}
    for origin in sorted({*positions, *ends}):
        at, end = positions.get(origin), ends.get(origin)
        if at != end:
            wrong.append(f"the index stands at line {at[0] if at else 0}, the log ends at {end[0] if end else 0}")
    wrong += _compare(database, events, digests)
    for kind, expected in others.items():
        table = "handoff WHERE kind = ?1" if kind in (HANDOFF, RESUME) else f"{kind} WHERE ?1 = ?1"
        if kind in (ENTITY, RELATION):
            table += " AND record IS NOT NULL"  # the others were found by rules
        row = database.one(f"SELECT count(*) FROM {table}", (kind,))
        if row and row[0] != len(expected):
            wrong.append(f"the log holds {len(expected)} {kind} records, the index {row[0]}")
    if dict(database.rows("SELECT key, record FROM project_alias")) != {key: last[1] for key, last in aliases.items()}:
        wrong.append("the index holds other aliases of projects than the log")
    return wrong[:MOST_NAMED] + ([f"and {len(wrong) - MOST_NAMED} more"] if len(wrong) > MOST_NAMED else [])


def _identity(found: line.Line) -> str:
    """What rows of its table are told apart by."""
    if found.kind in NAMED:
        return str((found.parsed() or {}).get(found.kind, found.id))
    return found.key or found.id


def _note(home: Home, found: line.Line, events: dict[str, tuple[int, str, int]], digests: dict[str, int]) -> None:
    try:
        body: dict[str, Any] = reader.record(home, found).body or {}
    except SessionMemoryError:
        return  # counted by the index as unreadable; `verify` of the log names it
    group = found.key or found.id
    mine = (clock(found.hlc), found.id, 1)
    known = events.get(group)
    if known is None:
        events[group] = mine
    elif known[1] != found.id:
        first = min(known[:2], mine[:2])
        events[group] = (*first, known[2] + 1)
    digests[found.id] = hash(_text(body.get("data") or {}))


def _note_alias(found: line.Line, aliases: dict[str, tuple[int, str]]) -> None:
    told = projects.says(found.parsed() or {})
    if told is not None:
        aliases[told[0]] = max(aliases.get(told[0], (0, "")), (clock(found.hlc), found.id))


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _compare(database: Database, events: dict[str, tuple[int, str, int]], digests: dict[str, int]) -> list[str]:
    wrong: list[str] = []
    expected = {id_: versions for _clock, id_, versions in events.values()}
    for id_bytes, data in database.rows("SELECT id, data FROM event WHERE document_n IS NULL"):
        id_ = id_bytes.hex()
        versions = expected.pop(id_, None)
        if versions is None:
            wrong.append(f"event {id_} is in the index but not in the log")
        elif versions == 1 and hash(data) != digests[id_]:
            wrong.append(f"event {id_} has other content in the index than in the log")
    wrong += [f"event {id_} is in the log but not in the index" for id_ in expected]
    return wrong
