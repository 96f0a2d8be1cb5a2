"""The graph asked: what lies around an entity, which entities a filter or words find, and the relations between them.

What is asked may be a hub of everything: a walk stops after MOST_REACHED entities and says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.match import STOP
from session_memory.model.words import RUN, pairs, search_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database, Value

MOST_REACHED, MOST_CROSSED = 500, 1_000  # entities and relations of one walk
STRONG, WEAK = 10, 5  # entities that words find by themselves, and by what they are short for
COMMON = 500  # rows beyond which a word tells nothing apart
MOST_WORDS = 16
SHORTEST_WORD, SHORTEST_PREFIX = 6, 3  # of a word that may be written short, and of what it is written as
EDITED = 2


@dataclass(frozen=True)
class Walk:
    """Which relations count. at: ms since 1970 when they must be valid; stated: only what somebody stated."""

    at: int
    types: tuple[str, ...] = ()
    stated: bool = False

    def where(self, table: str = "relation") -> str:
        """SQL over a row of `relation`; its values are `values`."""
        parts = [
            f"({table}.valid_to IS NULL OR {table}.valid_to > ?)",
            f"({table}.valid_from IS NULL OR {table}.valid_from <= ?)",
        ]
        if self.types:
            parts.append(f"{table}.type IN (SELECT value FROM json_each(?))")
        if self.stated:
            parts.append(f"{table}.record IS NOT NULL")
        return " AND ".join(parts)

    @property
    def values(self) -> list[Value]:
        """What `where` binds."""
        return [self.at, self.at, *([json.dumps(self.types)] if self.types else [])]


@dataclass
class Reached:
    """Entities by row with their distance, relations by row, and whether the walk stopped early."""

    distance: dict[int, int] = field(default_factory=dict)
    relations: dict[int, tuple[str, int, int]] = field(default_factory=dict)  # row -> id and rows of the ends
    cut: bool = False


@dataclass(frozen=True)
class Chosen:
    """Which entities: every member that is set must hold."""

    projects: tuple[str, ...]
    type: str | None = None
    pattern: str | None = None  # LIKE, with \\ before what is meant as it stands
    session: str | None = None
    stated: bool = False

    def where(self) -> tuple[str, list[Value]]:
        """SQL over a row of `entity`, and its values."""
        parts = ["1"]
        values: list[Value] = []
        if self.type is not None:
            parts.append("entity.type = ?")
            values.append(self.type)
        if self.pattern is not None:
            parts.append("(entity.name LIKE ? ESCAPE '\\' OR entity.qualified_name LIKE ? ESCAPE '\\')")
            values += [self.pattern, self.pattern]
        if self.session is not None:
            parts.append(
                "(entity.session_n = (SELECT n FROM session WHERE id = ?) OR entity.n IN (SELECT entity_n FROM event"
                " JOIN seen ON seen.event_n = event.n WHERE event.session_n = (SELECT n FROM session WHERE id = ?)))"
            )
            values += [self.session, self.session]
        if self.stated:
            parts.append("entity.record IS NOT NULL")
        return " AND ".join(parts), values


def walked(database: Database, starts: Sequence[int], depth: int, walk: Walk) -> Reached:
    """Everything within `depth` relations of the starts, in either direction."""
    found = Reached(distance=dict.fromkeys(starts, 0))
    frontier = list(starts)
    ways = " UNION ALL ".join(
        f"SELECT n, id, source_n, target_n FROM relation WHERE {end} IN (SELECT value FROM json_each(?)) AND {walk.where()}"
        for end in ("source_n", "target_n")
    )
    for step in range(1, depth + 1):
        if not frontier:
            break
        room = MOST_CROSSED - len(found.relations)
        here = json.dumps(frontier)
        rows = list(database.rows(f"{ways} LIMIT ?", [here, *walk.values, here, *walk.values, room + 1]))
        found.cut = found.cut or len(rows) > room
        frontier = []
        for number, id_, source, target in rows[:room]:
            for end in (source, target):
                if end not in found.distance:
                    if len(found.distance) >= MOST_REACHED:
                        found.cut = True
                        break
                    found.distance[end] = step
                    frontier.append(end)
            else:
                found.relations[number] = (id_, source, target)
        if found.cut:
            break
    return found


def filtered(database: Database, reached: Reached, chosen: Chosen) -> list[int]:
    """Those of the reached entities that are meant, the nearest first."""
    where, values = chosen.where()
    rows = database.rows(
        "SELECT entity.n, entity.record IS NULL, entity.type, entity.name, entity.id FROM json_each(?)"
        f" JOIN entity ON entity.n = json_each.value WHERE {where}",
        [json.dumps(list(reached.distance)), *values],
    )
    return [row[0] for row in sorted(rows, key=lambda row: (reached.distance[row[0]], *row[1:]))]


def listed(database: Database, chosen: Chosen, limit: int) -> tuple[list[int], int]:
    """Entities of the projects, stated ones first, by type and name; and how many there are in all."""
    where, values = chosen.where()
    total = 0
    found: list[tuple[Any, ...]] = []
    for project in _projects(database, chosen):
        bound: list[Value] = [project, *values]
        start = "FROM entity WHERE project_n = ? AND"
        if chosen.pattern is not None or chosen.session is not None:  # one look at all of them
            rows = list(database.rows(f"SELECT n {start} {where}", bound))
            total += len(rows)
            marks = json.dumps([row[0] for row in rows])
            ordered = "SELECT record IS NULL, type, name, id, n FROM entity WHERE n IN (SELECT value FROM json_each(?))"
            found += database.rows(f"{ordered} ORDER BY 1, 2, 3, 4 LIMIT ?", (marks, limit))
            continue
        counted = database.one(f"SELECT count(*) {start} {where}", bound)
        total += int(counted[0]) if counted else 0
        for stated in ("record IS NOT NULL", "record IS NULL"):
            if len(found) < limit:
                sql = f"SELECT record IS NULL, type, name, id, n {start} {where} AND {stated}"
                found += database.rows(f"{sql} ORDER BY type, name, id LIMIT ?", [*bound, limit])
    return [row[-1] for row in sorted(found)[:limit]], total


def _projects(database: Database, chosen: Chosen) -> list[int]:
    """The rows of the projects that are looked at."""
    marks = json.dumps(chosen.projects)
    return [
        row[0] for row in database.rows("SELECT n FROM project WHERE key IN (SELECT value FROM json_each(?))", (marks,))
    ]


def by_words(database: Database, text: str, chosen: Chosen) -> list[int]:
    """Entities that words find among names, metadata and decisions, the best first; those that they are short for last."""
    words = _words(text)
    if not words:
        return []
    strong = " OR ".join(
        [*(f'"{word}"' for word in words), *(f'"{word}" *' for word in words if len(word) >= SHORTEST_PREFIX)]
    )
    short = dict.fromkeys(
        word[:length] for word in words if len(word) >= SHORTEST_WORD and word.isalpha()
        for length in range(max(SHORTEST_PREFIX, len(word) // 4), len(word))
    )  # fmt: skip
    found = _matching(database, strong, chosen, STRONG)
    if short:
        weak = "names : (" + " OR ".join(f'"{each}"' for each in short if each not in STOP) + ")"
        found += [n for n in _matching(database, weak, chosen, STRONG + WEAK) if n not in found][:WEAK]
    return found


def _matching(database: Database, expression: str, chosen: Chosen, most: int) -> list[int]:
    where, values = chosen.where()
    counted = database.one(
        "SELECT count(*) FROM (SELECT 1 FROM entity_text WHERE entity_text MATCH ? LIMIT ?)", (expression, COMMON + 1)
    )
    many = bool(counted) and counted is not None and counted[0] > COMMON
    order = (
        "entity.record IS NULL, entity.id" if many else "bm25(entity_text, 3.0, 1.0), entity.record IS NULL, entity.id"
    )
    hits = "(SELECT rowid FROM entity_text WHERE entity_text MATCH ? LIMIT 200)" if many else "entity_text"
    sql = (
        f"SELECT entity.n FROM {hits} AS hit CROSS JOIN entity ON entity.n = hit.rowid"
        " WHERE entity.project_n IN (SELECT n FROM project WHERE key IN (SELECT value FROM json_each(?)))"
        f" AND {where}"
    )
    if many:
        bound: list[Value] = [expression, json.dumps(chosen.projects), *values, most]
        return [row[0] for row in database.rows(f"{sql} ORDER BY {order} LIMIT ?", bound)]
    sql = sql.replace("entity_text AS hit", "entity_text").replace("hit.rowid", "entity_text.rowid")
    bound = [json.dumps(chosen.projects), *values, expression, most]
    return [row[0] for row in database.rows(f"{sql} AND entity_text MATCH ? ORDER BY {order} LIMIT ?", bound)]


def _words(text: str) -> list[str]:
    """The words of a human's text, with the pieces of its identifiers; stop words only where there is nothing else."""
    found: dict[str, None] = {}
    for chunk in "".join(c if c.isalnum() else " " for c in RUN.sub(" ", text)).split():
        found[chunk.lower()] = None
    for part in search_parts(text).split():
        found[part] = None
    telling = [word for word in found if word not in STOP and (len(word) > 1 or not word.isascii())]
    runs = [pair for run in RUN.findall(text) for pair in pairs(run).split()]
    return list(dict.fromkeys([*(telling or found), *runs]))[:MOST_WORDS]


def described(database: Database, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Entities as `entity_query` returns them, in the given order."""
    rows = database.rows(
        "SELECT entity.n, entity.id, entity.type, entity.name, qualified_name, body, record,"
        " (SELECT count(*) FROM seen WHERE entity_n = entity.n),"
        f" (SELECT count(*) FROM seen WHERE entity_n = entity.n AND how = {EDITED})"
        " FROM json_each(?) JOIN entity ON entity.n = json_each.value",
        (json.dumps(list(numbers)),),
    )
    found: dict[int, dict[str, Any]] = {}
    for n, id_, type_, name, qualified, body, record, seen, edited in rows:
        each: dict[str, Any] = {"id": id_, "type": type_, "name": name}
        stated = loads(body) if body else {}
        for member, value in (
            ("qualified_name", qualified), ("metadata", stated.get("metadata")), ("seen", seen), ("edited", edited),
            ("stated_by", stated.get("stated_by", "model") if record else "rule"),
        ):  # fmt: skip
            if value:
                each[member] = value
        found[n] = each
    return [found[n] for n in numbers if n in found]


def relations_of(database: Database, numbers: Sequence[int], walk: Walk, most: int) -> list[dict[str, Any]]:
    """Relations that begin or end at one of these entities, by names of their ends; at most so many."""
    here = json.dumps(list(numbers))
    rows = database.rows(
        f"SELECT n FROM relation WHERE source_n IN (SELECT value FROM json_each(?)) AND {walk.where()}"
        f" UNION ALL SELECT n FROM relation WHERE target_n IN (SELECT value FROM json_each(?)) AND {walk.where()} LIMIT ?",
        [here, *walk.values, here, *walk.values, most],
    )
    return relations(database, list(dict.fromkeys(row[0] for row in rows)))


def relations(database: Database, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Relations as `entity_query` returns them, stated ones first, by the names of their ends."""
    rows = list(
        database.rows(
            "SELECT relation.id, source.id, source.name, target.id, target.name, relation.type, relation.body,"
            " relation.valid_to, coalesce(relation.valid_from, (SELECT min(event.at) FROM proof JOIN event"
            " ON event.n = event_n WHERE relation_n = relation.n)), (SELECT count(*) FROM proof WHERE relation_n = relation.n)"
            " FROM json_each(?) JOIN relation ON relation.n = json_each.value"
            " JOIN entity AS source ON source.n = source_n JOIN entity AS target ON target.n = target_n",
            (json.dumps(list(numbers)),),
        )
    )
    found = []
    for id_, source, source_name, target, target_name, type_, body, until, since, seen in rows:
        stated = loads(body) if body else {}
        each = {
            "id": id_,
            "source": source_name,
            "type": type_,
            "target": target_name,
            "source_id": source,
            "target_id": target,
        }
        for member, value in (
            ("weight", stated.get("weight")), ("metadata", stated.get("metadata")), ("seen", seen),
            ("stated_by", stated.get("stated_by", "model") if body else "rule"),
            ("valid_from", None if since is None else ids.at_text(since)),
            ("valid_to", None if until is None else ids.at_text(until)),
        ):  # fmt: skip
            if value not in (None, 0, {}):
                each[member] = value
        found.append(each)
    return sorted(
        found, key=lambda each: (each["stated_by"] == "rule", each["source"], each["type"], each["target"], each["id"])
    )


def types(database: Database) -> list[str]:
    """The types that relations have here."""
    return [row[0] for row in database.rows("SELECT DISTINCT type FROM relation ORDER BY type")]


def by_id(database: Database, id_: str) -> int | None:
    """The row of an entity that something states or mentions."""
    row = database.one("SELECT n FROM entity WHERE id = ? AND project_n IS NOT NULL", (id_,))
    return int(row[0]) if row else None


def relation(database: Database, id_: str) -> dict[str, Any] | None:
    """One relation by its id."""
    row = database.one("SELECT n FROM relation WHERE id = ?", (id_,))
    return relations(database, [row[0]])[0] if row else None


def relations_from(database: Database, source: str, type_: str) -> list[dict[str, Any]]:
    """The relations of a type that begin at an entity and have not ended, those that were stated first."""
    rows = database.rows(
        "SELECT n FROM relation WHERE source_n = (SELECT n FROM entity WHERE id = ?) AND type = ? AND valid_to IS NULL"
        " LIMIT 1000",
        (source, type_),
    )
    return relations(database, [row[0] for row in rows])
