"""What events mention, as rows of the graph: made when an event is applied, gone when its row goes.

A thing that nobody stated stands as long as an event mentions it, a relation as long as an event shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.model.mentions import mentions
from session_memory.model.words import search_parts

if TYPE_CHECKING:
    from session_memory.index.database import Database
    from session_memory.model.mentions import Thing

TELLING = ("tool_call", "decision", "finding")


def add(database: Database, event_n: int, project_n: int, id_: str, key: str | None, body: dict[str, Any]) -> None:
    """Note what an event mentions. id_ and key are the event's, body what it says."""
    if body.get("category") not in TELLING:
        return
    project = str(body.get("project") or "dir:")
    found = mentions(str(body["category"]), str(body.get("type", "")), body.get("data"), project, key or id_)
    numbers = {thing: _entity(database, thing, project, project_n) for thing in found.things}
    if numbers:
        database.run_many(
            "INSERT OR REPLACE INTO seen (entity_n, event_n, how) VALUES (?, ?, ?)",
            [(numbers[thing], event_n, how) for thing, how in found.things.items()],
        )
    if found.links:
        shown = [_relation(database, numbers[source], type_, numbers[target]) for source, type_, target in found.links]
        database.run_many(
            "INSERT OR IGNORE INTO proof (relation_n, event_n) VALUES (?, ?)", [(each, event_n) for each in shown]
        )


def remove(database: Database, event_n: int) -> None:
    """Take back what an event mentions: what only it mentioned goes."""
    entities = [row[0] for row in database.rows("SELECT entity_n FROM seen WHERE event_n = ?", (event_n,))]
    if not entities:
        return
    database.numbers.clear()
    database.run("DELETE FROM seen WHERE event_n = ?", (event_n,))
    for entity in entities:
        shown = database.rows(
            "SELECT n, record IS NULL FROM relation WHERE source_n = ? AND EXISTS"
            " (SELECT 1 FROM proof WHERE relation_n = n AND event_n = ?)",
            (entity, event_n),
        )
        for relation, derived in list(shown):
            database.run("DELETE FROM proof WHERE relation_n = ? AND event_n = ?", (relation, event_n))
            if derived and not database.one("SELECT 1 FROM proof WHERE relation_n = ?", (relation,)):
                database.run("DELETE FROM relation WHERE n = ?", (relation,))
    for entity in entities:
        settle(database, entity)


def words(name: str, qualified: str | None) -> str:
    """The searchable text of an entity's names."""
    text = name if qualified in (None, name) else f"{name} {qualified}"
    return f"{text} {search_parts(text)}"


def settle(database: Database, entity: int) -> None:
    """An entity that nobody states or mentions goes, or is no more than the end of the relations that name it."""
    if database.one(
        "SELECT 1 FROM entity WHERE n = ?1 AND record IS NOT NULL UNION ALL SELECT 1 FROM seen WHERE entity_n = ?1",
        (entity,),
    ):
        return
    database.run("DELETE FROM entity_text WHERE rowid = ?", (entity,))
    if database.one("SELECT 1 FROM relation WHERE source_n = ?1 OR target_n = ?1", (entity,)):
        database.run(
            "UPDATE entity SET project_n = NULL, type = '', name = id, qualified_name = NULL WHERE n = ?", (entity,)
        )
    else:
        database.run("DELETE FROM entity WHERE n = ?", (entity,))


def _entity(database: Database, thing: Thing, project: str, project_n: int) -> int:
    """The row of a thing, made when it is new."""
    place = (project_n, thing.type, thing.key)
    known = database.numbers.get(place)
    if known is not None:
        return known
    id_ = database.keyed("\0".join(("entity", project, thing.type, thing.key)))
    row = database.one("SELECT n, project_n FROM entity WHERE id = ?", (id_,))
    if row is None:
        database.run(
            "INSERT INTO entity (id, project_n, type, name, qualified_name) VALUES (?, ?, ?, ?, ?)",
            (id_, project_n, thing.type, thing.name, thing.qualified),
        )
        number = database.made()
    else:
        number = row[0]
        if row[1] is None:  # so far only the end of a relation
            database.run(
                "UPDATE entity SET project_n = ?, type = ?, name = ?, qualified_name = ? WHERE n = ?",
                (project_n, thing.type, thing.name, thing.qualified, number),
            )
    if row is None or row[1] is None:
        database.run(
            "INSERT OR REPLACE INTO entity_text (rowid, names, about) VALUES (?, ?, ?)",
            (number, words(thing.name, thing.qualified), thing.about),
        )
    database.numbers[place] = number
    return number


def _relation(database: Database, source: int, type_: str, target: int) -> int:
    place = (source, type_, target)
    known = database.numbers.get(place)
    if known is not None:
        return known
    ends = [row[0] for n in (source, target) for row in database.rows("SELECT id FROM entity WHERE n = ?", (n,))]
    id_ = database.keyed("\0".join(("relation", *ends, type_)))
    row = database.one("SELECT n FROM relation WHERE id = ?", (id_,))
    if row is None:
        database.run(
            "INSERT INTO relation (id, source_n, target_n, type) VALUES (?, ?, ?, ?)", (id_, source, target, type_)
        )
    number = database.numbers[place] = int(row[0]) if row else database.made()
    return number
