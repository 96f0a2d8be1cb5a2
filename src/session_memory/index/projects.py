"""Projects in the index: rows stay under the key they were recorded with; what means one project is brought together by `whole`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.model.projects import ALIAS, UNALIAS, whole
from session_memory.model.record import EVERYWHERE

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.projects import Said
    from session_memory.model.record import Record

# a row belongs to the project that ?1 is a key of, or to what came from homes that knew no projects; all do where ?1 is NULL
MEANT = "(?1 IS NULL OR project.whole IN ((SELECT whole FROM project WHERE key = ?1), 'any:'))"


def apply(database: Database, record: Record) -> None:
    """Fold one `project` record in: two keys are one project, or not any more. The last word by clock counts, in any order."""
    body, hlc = record.body or {}, ids.hlc_number(record.hlc)
    if (told := says(body)) is None:
        return
    key, target = told
    row_for(database, key, None, hlc)
    if target is not None:
        row_for(database, target, body.get("project_name"), hlc)
    database.run(
        "INSERT INTO project_alias (key, target, hlc, record) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
        " target = excluded.target, hlc = excluded.hlc, record = excluded.record"
        " WHERE (excluded.hlc, excluded.record) > (project_alias.hlc, project_alias.record)",
        (key, target, hlc, record.id),
    )
    said = _said(database)
    for each, known in list(database.rows("SELECT key, whole FROM project")):
        if (now := whole(each, said)) != known:
            database.run("UPDATE project SET whole = ? WHERE key = ?", (now, each))


def says(body: dict[str, Any]) -> tuple[str, str | None] | None:
    """The key a `project` record speaks of and the one it belongs to (None: to itself); None for what is not understood."""
    key, target = body.get("alias"), body.get("project")
    if body.get("change") == UNALIAS and isinstance(key, str) and key not in ("", EVERYWHERE):
        return key, None
    if body.get("change") != ALIAS or not (isinstance(key, str) and isinstance(target, str)):
        return None
    return None if EVERYWHERE in (key, target) or not key or not target else (key, target)


def row_for(database: Database, key: str, name: str | None, hlc: int) -> int:
    """The row of a key. The first record (by clock) that names it does so, in whatever order records arrive."""
    row = database.one("SELECT n, named FROM project WHERE key = ?", (key,))
    if row is None:
        shown = name or key.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1] or key
        database.run(
            "INSERT INTO project (key, name, named, whole) VALUES (?, ?, ?, ?)",
            (key, shown, hlc if name else None, whole(key, _said(database))),
        )
        return database.made()
    if name and (row[1] is None or hlc < row[1]):
        database.run("UPDATE project SET name = ?, named = ? WHERE n = ?", (name, hlc, row[0]))
    return int(row[0])


def _said(database: Database) -> Said:
    rows = database.rows("SELECT key, target, hlc, record FROM project_alias")
    return {key: (target, (hlc, record)) for key, target, hlc, record in rows}


def whole_of(database: Database, key: str) -> str:
    """The key that stands for the project `key` is one of."""
    return whole(key, _said(database))


def target_of(database: Database, key: str) -> str | None:
    """The key that this one was said to belong to; None where nothing was said, or it was taken back."""
    row = database.one("SELECT target FROM project_alias WHERE key = ?", (key,))
    return None if row is None else row[0]


def said_of(database: Database, key: str) -> bool:
    """Whether it was ever said, or taken back, that this key belongs to another."""
    return database.one("SELECT 1 FROM project_alias WHERE key = ?", (key,)) is not None


def known(database: Database, key: str) -> bool:
    """Whether anything was recorded under, or said about, this key."""
    return database.one("SELECT 1 FROM project WHERE key = ?", (key,)) is not None


def name_of(database: Database, key: str) -> str:
    """What people call it; the key where nothing is known of it."""
    row = database.one("SELECT name FROM project WHERE key = ?", (key,))
    return str(row[0]) if row else key


def by_name(database: Database, name: str) -> list[str]:
    """The keys of the projects called so; of those that mean one project the one that stands for it."""
    rows = database.rows("SELECT DISTINCT whole FROM project WHERE name = ? ORDER BY whole", (name,))
    return [key for (key,) in rows]


def keys_of(database: Database, key: str) -> tuple[str, ...]:
    """Every key that means the same project, the one that stands for it first."""
    known = whole_of(database, key)
    rows = database.rows("SELECT key FROM project WHERE whole = ? ORDER BY key", (known,))
    return (known, *(each for (each,) in rows if each != known))


def in_scope(database: Database, key: str) -> tuple[str, ...]:
    """The keys that a search of one project looks at: all of its own, and what came from homes that knew no projects."""
    keys = keys_of(database, key)
    older = database.one("SELECT 1 FROM project WHERE key = ?", (EVERYWHERE,))
    return (*keys, EVERYWHERE) if older and EVERYWHERE not in keys else keys


def listed(database: Database) -> list[dict[str, Any]]:
    """Every project: key, name, sessions, events, first and last (ms), aliases (its other keys); most recent first."""
    rows = database.rows(
        "SELECT mine.key, mine.name, (SELECT count(*) FROM session JOIN project AS its ON its.n = session.project_n"
        " WHERE its.whole = mine.key), count(event.n), min(event.at), max(event.at)"
        " FROM project AS mine JOIN project AS part ON part.whole = mine.key"
        " LEFT JOIN event ON event.project_n = part.n AND document_n IS NULL GROUP BY mine.n ORDER BY max(event.at) DESC, mine.key"
    )
    names = ("key", "name", "sessions", "events", "first", "last")
    found = [{**dict(zip(names, row)), "aliases": list(keys_of(database, row[0])[1:])} for row in list(rows)]
    return [each for each in found if each["sessions"] or each["events"] or each["aliases"]]


def of_folder(database: Database, folder: str) -> list[tuple[str, str]]:
    """Key and name of every project that sessions working in exactly this folder were recorded under."""
    rows = database.rows(
        "SELECT DISTINCT mine.key, mine.name FROM session_field JOIN session ON session.n = session_n"
        " JOIN project ON project.n = session.project_n JOIN project AS mine ON mine.key = project.whole"
        " WHERE session_field.name = 'cwd' AND session_field.value = ? ORDER BY mine.key",
        (folder,),
    )
    return list(rows)


def of_these(table: str, keys: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A condition that rows of `table` belong to one of these projects, to stand behind others, and its values; () is all."""
    if not keys:
        return "", ()
    return f" AND {table}.project_n IN (SELECT n FROM project WHERE key IN ({', '.join('?' * len(keys))}))", keys
