"""Entities and relations: state one, tie two together, end what is no longer so, and look around in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import entities as rows
from session_memory.index import graph
from session_memory.index import projects as project_rows
from session_memory.model.record import ENTITY, RELATION, Draft
from session_memory.model.relation import TYPES
from session_memory.model.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from session_memory.actions.opened import Opened
    from session_memory.actions.sessions import Sessions
    from session_memory.index.database import Database

LONGEST_TYPE, LONGEST_NAME = 60, 500
CONCEPT = "concept"
LIMIT, MOST, DEEPEST = 20, 200, 5
RELATIONS = 3  # as many relations as entities are told, times this
TOLD = 8  # candidates of an ambiguous name
LIKE_SIGNS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@dataclass(frozen=True)
class Query:
    """What `entity_query` is asked."""

    entity_type: str | None = None
    name_pattern: str | None = None
    related_to: str | None = None
    relation_types: Sequence[str] | None = None
    depth: int = 1
    session_id: str | None = None
    include_relations: bool = True
    limit: int = LIMIT
    as_of: str | None = None


class Entities:
    """What can be done with the graph."""

    def __init__(self, opened: Opened, sessions: Sessions) -> None:
        self._opened = opened
        self._sessions = sessions

    def create(
        self, type_: str, name: str, qualified_name: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """State an entity; one of the same type and qualified name (else name) takes up what is new.

        Raises InvalidInput, LogUnavailable, IndexUnavailable.
        """
        self._opened.must_be_on("entities")
        self._opened.must_record()
        type_, name = _named("entity_type", type_, LONGEST_TYPE), _named("name", name, LONGEST_NAME)
        qualified = _named("qualified_name", qualified_name, LONGEST_NAME) if qualified_name is not None else None
        session, project = self._place()
        id_ = self._entity_id(project, type_, qualified or name)
        database = self._opened.read()
        known = rows.body(database, id_) or {}
        mentioned = bool(graph.by_id(database, id_))
        about = {**(known.get("metadata") or {}), **(metadata or {})}
        draft = _entity(session, project, id_, type_, name, qualified, about)
        kept = self._opened.keep([draft])
        result: dict[str, Any] = {"entity_id": id_, "status": "merged" if known or mentioned else "created",
                                  "type": type_, "name": name, "qualified_name": qualified}  # fmt: skip
        return {**result, **_unindexed(kept)}

    def link(
        self,
        source: str,
        target: str,
        type_: str,
        *,
        weight: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        supersedes: str | None = None,
        valid_from: str | None = None,
        valid_to: str | None = None,
    ) -> dict[str, Any]:
        """Tie two entities together, from `valid_from` (now) until `valid_to` (for good). A missing end becomes a concept.

        supersedes: the id of the relation that ends as this one begins, or the name of its target.
        Raises InvalidInput (ambiguous-entity, ...), NotFound (unknown-relation), LogUnavailable, IndexUnavailable.
        """
        self._opened.must_be_on("entities")
        self._opened.must_record()
        if type_ not in TYPES:
            raise InvalidInput(
                "bad-argument", f"{type_[:60]!r} is no relation type.", f"Use one of: {', '.join(TYPES)}."
            )
        since = ids.now_ms() if valid_from is None else read_time(valid_from)
        until = None if valid_to is None else read_time(valid_to, end=True)
        if until is not None and until < since:
            raise InvalidInput("bad-argument", "valid_to lies before valid_from.", "Exchange them.")
        session, project = self._place()
        database = self._opened.read()
        drafts: list[Draft] = []
        ends: list[dict[str, Any]] = []
        made: list[dict[str, Any]] = []
        for argument, wanted in (("source", source), ("target", target)):
            end = self._end(database, argument, wanted)
            if end is None:
                name = _named(argument, wanted, LONGEST_NAME)
                end = {"id": self._entity_id(project, CONCEPT, name), "name": name, "type": CONCEPT}
                if end not in made:
                    made.append(end)
                    draft = _entity(session, project, end["id"], CONCEPT, name, None, {})
                    draft.body[rows.PLACEHOLDER] = True
                    drafts.append(draft)
            ends.append({name: end[name] for name in ("id", "name", "type")})
        id_ = self._opened.journal.keyed("\0".join(("relation", ends[0]["id"], ends[1]["id"], type_)))
        known = rows.body(database, id_) or {}
        closed = self._superseded(database, ends[0], type_, supersedes, id_) if supersedes is not None else None
        if closed is not None:
            drafts.append(_closed(closed, session, project, since, id_))
        body = {
            "session": session, "project": project, "relation": id_, "source_entity": ends[0]["id"],
            "target_entity": ends[1]["id"], "type": type_, "weight": weight if weight is not None else known.get("weight"),
            "metadata": {**(known.get("metadata") or {}), **(metadata or {})}, "valid_from": ids.at_text(since),
            "valid_to": None if until is None else ids.at_text(until), "stated_by": "model",
        }  # fmt: skip
        drafts.append(Draft(RELATION, {name: value for name, value in body.items() if value not in (None, {})}))
        kept = self._opened.keep(drafts)
        result: dict[str, Any] = {"relation_id": id_, "status": "merged" if known else "created", "source": ends[0],
                                  "relation_type": type_, "target": ends[1]}  # fmt: skip
        if made:
            result["created_entities"] = made
        if closed is not None:
            result["closed"] = closed["id"]
        return {**result, **_unindexed(kept)}

    def query(self, asked: Query) -> dict[str, Any]:
        """Entities by filter, or around one; each with its distance where there is something to be far from.

        Raises InvalidInput, NotFound (unknown-session), IndexUnavailable.
        """
        self._opened.must_be_on("entities")
        database = self._opened.read()
        if not 1 <= asked.limit <= MOST:
            raise InvalidInput("bad-argument", f"limit is {asked.limit}.", f"Use 1 to {MOST}.")
        if not 1 <= asked.depth <= DEEPEST:
            raise InvalidInput("bad-argument", f"depth is {asked.depth}.", f"Use 1 to {DEEPEST}.")
        stated = not self._opened.settings.value("entities.extract")
        walk = graph.Walk(
            at=ids.now_ms() if asked.as_of is None else read_time(asked.as_of, end=True),
            types=self._types(database, asked.relation_types), stated=stated,
        )  # fmt: skip
        session = self._sessions.meant(asked.session_id) if asked.session_id else None
        chosen = graph.Chosen(
            self._projects(database), type=asked.entity_type or None, pattern=_pattern(asked.name_pattern), session=session,
            stated=stated,
        )  # fmt: skip
        if asked.related_to is None:
            numbers, total = graph.listed(database, chosen, asked.limit)
            reached = None
        else:
            starts, by_text = self._starts(database, asked.related_to, chosen)
            reached = graph.walked(database, starts, asked.depth, walk)
            numbers = graph.filtered(database, reached, chosen)
            total, numbers = len(numbers), numbers[: asked.limit]
        found = graph.described(database, numbers)
        if reached is not None:
            for number, each in zip(numbers, found):
                each["distance"] = reached.distance[number]
                if by_text and not each["distance"]:
                    each["matched_by"] = "text"
        result: dict[str, Any] = {"entities": found, "relations": None, "total_count": total}
        if asked.include_relations:
            result["relations"] = self._relations(database, numbers, reached, walk, RELATIONS * asked.limit)
        if reached is not None and reached.cut:
            result["cut"] = f"only the nearest {len(reached.distance):,} entities were looked at"
        if self._opened.behind:
            result["behind"] = self._opened.behind
        return result

    def around(self, name: str, depth: int, relation_types: Sequence[str] | None, limit: int = MOST) -> dict[str, Any]:
        """The neighbourhood of what is called so, to be drawn. Raises NotFound (unknown-entity) and as `query`."""
        found = self.query(Query(related_to=name, depth=depth, relation_types=relation_types, limit=limit))
        if not found["entities"]:
            raise NotFound(
                "unknown-entity", f"Nothing in this project's graph is called {name[:80]!r}.", "Try another word of it."
            )
        return found

    def _relations(
        self, database: Database, numbers: list[int], reached: graph.Reached | None, walk: graph.Walk, most: int
    ) -> list[dict[str, Any]]:
        if reached is None:
            return graph.relations_of(database, numbers, walk, most)
        shown = set(numbers)
        crossed = sorted(  # where there are too many, those between what is shown
            ((source in shown) + (target in shown), id_, number)
            for number, (id_, source, target) in reached.relations.items()
        )
        return graph.relations(database, [number for both, _id, number in crossed[::-1] if both][:most])

    def _starts(self, database: Database, wanted: str, chosen: graph.Chosen) -> tuple[list[int], bool]:
        """The entities that are called so, else those that the words of it find (True)."""
        named = [
            each
            for each in rows.called(database, wanted.strip(), chosen.projects)
            if each["stated"] or not chosen.stated
        ]
        if named:
            return [each["n"] for each in named[: graph.STRONG]], False
        anything = graph.Chosen(chosen.projects, stated=chosen.stated)
        found = graph.by_words(database, wanted, anything)
        if chosen.type is not None:  # what is asked for is looked for by itself: others may match better
            found += graph.by_words(
                database, wanted, graph.Chosen(chosen.projects, type=chosen.type, stated=chosen.stated)
            )
        return list(dict.fromkeys(found)), True

    def _end(self, database: Database, argument: str, wanted: str) -> dict[str, Any] | None:
        """The one entity that is meant; None when there is none. Raises InvalidInput (ambiguous-entity)."""
        found = rows.called(database, _named(argument, wanted, LONGEST_NAME), self._projects(database))
        for narrower in ("here", "stated"):
            found = [each for each in found if each[narrower]] or found
        found = [each for each in found if not each["placeholder"]] or found
        if len(found) > 1:
            told = "; ".join(
                f"{each['type']} {each['qualified_name'] or each['name']} ({each['id']})" for each in found[:TOLD]
            )
            more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
            raise InvalidInput(
                "ambiguous-entity",
                f"{argument} {wanted[:80]!r} may be: {told}{more}.",
                "Give the id or the qualified name.",
            )
        return found[0] if found else None

    def _superseded(
        self, database: Database, source: dict[str, Any], type_: str, wanted: str, mine: str
    ) -> dict[str, Any]:
        found = graph.relation(database, wanted)
        if found is None:
            targets = {each["id"] for each in rows.called(database, wanted, self._projects(database))}
            found = next(
                (each for each in graph.relations_from(database, source["id"], type_) if each["target_id"] in targets),
                None,
            )
        if found is None:
            raise NotFound(
                "unknown-relation", f"No relation {wanted[:80]!r}, and none of type {type_} from {source['name'][:80]!r} to it.",
                "supersedes takes a relation_id, or the name of the old target.",
            )  # fmt: skip
        if found["id"] == mine:
            raise InvalidInput("bad-argument", "A relation cannot supersede itself.", "Link it again to state it anew.")
        return found

    def _types(self, database: Database, wanted: Sequence[str] | None) -> tuple[str, ...]:
        known = {*TYPES, *graph.types(database)} if wanted and not set(wanted) <= set(TYPES) else set(TYPES)
        for each in wanted or ():
            if each not in known:
                raise InvalidInput(
                    "bad-argument", f"{each[:60]!r} is no relation type.", f"Use: {', '.join(sorted(known))}."
                )
        return tuple(dict.fromkeys(wanted or ()))

    def _place(self) -> tuple[str, str]:
        session = self._sessions.current()
        known = self._sessions.known(session)
        return session, str(known["project"]) if known else self._opened.project()[0]

    def _projects(self, database: Database) -> tuple[str, ...]:
        return project_rows.in_scope(database, self._sessions.project_of(database, self._opened.session))

    def _entity_id(self, project: str, type_: str, name: str) -> str:
        return self._opened.journal.keyed("\0".join(("entity", project, type_, name)))


def _entity(
    session: str, project: str, id_: str, type_: str, name: str, qualified: str | None, metadata: dict[str, Any]
) -> Draft:
    body = {"session": session, "project": project, "entity": id_, "type": type_, "name": name,
            "qualified_name": qualified, "metadata": metadata, "stated_by": "model"}  # fmt: skip
    return Draft(ENTITY, {member: value for member, value in body.items() if value not in (None, {})})


def _closed(found: dict[str, Any], session: str, project: str, at_ms: int, by: str) -> Draft:
    """The statement that a relation ended."""
    body = {
        "session": session, "project": project, "relation": found["id"], "source_entity": found["source_id"],
        "target_entity": found["target_id"], "type": found["type"], "weight": found.get("weight"),
        "metadata": found.get("metadata"), "valid_from": found.get("valid_from"), "valid_to": ids.at_text(at_ms),
        "superseded_by": by, "stated_by": "model",
    }  # fmt: skip
    return Draft(RELATION, {member: value for member, value in body.items() if value is not None})


def _named(argument: str, value: str, longest: int) -> str:
    text = " ".join(value.split())
    if not text:
        raise InvalidInput("bad-argument", f"{argument} is empty.", "Say what it is called.")
    if len(text) > longest:
        raise InvalidInput(
            "bad-argument", f"{argument} has {len(text)} characters; the limit is {longest}.", "Use a name."
        )
    return text


def _pattern(given: str | None) -> str | None:
    """A human's pattern (`*`, `?`, `%`, or a piece of the name) as LIKE understands it."""
    if given is None or not given.strip():
        return None
    text = given.strip()
    if any(sign in text for sign in "*?%"):
        return text.replace("%", "*").translate(LIKE_SIGNS).replace("*", "%").replace("?", "_")
    return f"%{text.translate(LIKE_SIGNS)}%"


def _unindexed(kept: Any) -> dict[str, Any]:
    """What to say when the record is kept but cannot be found yet."""
    return {} if kept.indexed else {"stored": kept.stored, "indexed": False, "reason": kept.reason}
