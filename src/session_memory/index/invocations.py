"""Calls in the index that may have run a command: found by its words, newest first, each with how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.events import ANSWER
from session_memory.index.projects import of_these
from session_memory.model.event import role
from session_memory.model.invocations import Turn

if TYPE_CHECKING:
    from session_memory.index.database import Database, Value

MOST = 20_000  # calls that are looked at
OUTCOME = ("ok", "exit_code", "hidden_failure", "rejected")
ENDED = ", ".join(f"answer.data ->> '$.{name}'" for name in OUTCOME)


Call = tuple[str, dict[str, Any], dict[str, Any], Turn]  # tool, data, outcome, the turn it stands in


def calls(database: Database, words: list[str], projects: tuple[str, ...]) -> list[Call]:
    """The newest MOST calls that hold all of these words, and lines that the user ran; projects: () for all."""
    phrases = " ".join('"' + each.replace('"', '""') + '"' for each in words)
    where = (
        "event.n IN (SELECT rowid FROM event_text WHERE event_text MATCH ?)"
        " AND (event.category = 'tool_call' OR (event.category = 'message' AND event.type = 'command'))"
    )
    return _found(database, where, f"text : ({phrases})", projects)


def of_tool(database: Database, tool: str, projects: tuple[str, ...]) -> list[Call]:
    """The newest MOST calls of the tool of this name, in any case."""
    return _found(database, "event.category = 'tool_call' AND event.type = ? COLLATE NOCASE", tool, projects)


def _found(database: Database, where: str, value: Value, projects: tuple[str, ...]) -> list[Call]:
    scope, keys = of_these("event", projects)
    rows = database.rows(
        f"SELECT event.id, event.at, event.stated_by, event.category, session.id, event.type, event.data, {ENDED}"
        " FROM event JOIN session ON session.n = event.session_n"
        f" {ANSWER} WHERE {where}{scope} ORDER BY event.at DESC, event.hlc DESC, event.id DESC LIMIT ?",
        [value, *keys, MOST],
    )
    found = []
    for id_, at, by, category, session, tool, data, *ended in rows:
        told = loads(data)
        outcome = {name: value for name, value in zip(OUTCOME, ended) if value is not None}
        if not outcome:
            outcome = {name: told[name] for name in OUTCOME if told.get(name) is not None}  # said in the call itself
        found.append((tool, told, outcome, Turn(id_.hex(), ids.at_text(at), role(category, tool, by), session)))
    return found
