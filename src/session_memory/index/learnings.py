"""Learnings in the index: lessons that can be used again, with what became of them.

Whatever order records arrive in, a learning stands as all of them together say: its outcomes are summed anew with each,
those of learnings that were merged into it included.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.index.database import loads
from session_memory.index.match import match
from session_memory.index.ranking import shares
from session_memory.index.scoring import WEIGHTS
from session_memory.index.sessions import clock, rows_for
from session_memory.model.confidence import CONFIDENT, HALF, OLD_MS, OUTCOMES, after, freshness
from session_memory.model.likeness import ALIKE, likeness
from session_memory.model.record import OUTCOME
from session_memory.model.words import plain_text, search_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from session_memory.index.database import Database, Value
    from session_memory.model.record import Record

    Alike = Callable[[str, Sequence[str]], Sequence[float]]

COLUMNS = (
    "learning.n, learning.id, learning.title, learning.category, learning.confidence, success, partial, failed, used, shown,"
    " last, merged_into, learning.at, learning.body, project.key, project.name"
)
JOINED = "learning JOIN project ON project.n = learning.project_n"
FRESH = f"(1.0 - {HALF} * min(1.0, max(0.0, (? - last) / {OLD_MS}.0)))"
CANDIDATES = 200  # best word matches that are weighed by confidence
CONTEXT = 0.3  # what a word of the context is worth beside one of the query
TRUSTED = 0.6  # how much of a rank hangs on confidence
MEANING, NEAR_ENOUGH = (
    1.0,
    0.35,
)  # weight of meaning beside words; cosine from which one without any of the words is shown
MOST_MEANT = 2_000  # learnings that are compared by meaning, the surest first
NEAR, MOST_NEAR = 50, 3  # candidates for being the same; how many are named


def apply(database: Database, record: Record) -> None:
    """Fold one `learning` or `outcome` record in; idempotent, and independent of the order of arrival."""
    body = record.body or {}
    at, hlc = ids.at_ms(record.at), clock(record.hlc)
    _session, project = rows_for(database, body, at, hlc)
    learning = str(body.get("learning", record.id))
    if record.kind == OUTCOME:
        _outcome(database, record, learning, body, at, hlc)
    else:
        _learning(database, record, learning, body, at, hlc, project)
        for other in _texts(body.get("supersedes")):
            _merge(database, other, learning, hlc, record.id)
    _settle(database, learning)


def _learning(
    database: Database, record: Record, learning: str, body: dict[str, Any], at: int, hlc: int, project: int
) -> None:
    given = _number(body.get("confidence"))
    database.run(
        "INSERT INTO learning (id, record, project_n, category, title, given, confidence, last, at, hlc, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record,"
        " project_n = excluded.project_n, category = excluded.category, title = excluded.title,"
        " given = excluded.given, at = excluded.at, hlc = excluded.hlc, body = excluded.body"
        " WHERE (excluded.hlc, excluded.record) > (learning.hlc, learning.record)",
        (learning, record.id, project, str(body.get("category", "pattern")), str(body.get("title", "")), given, given,
         at, at, hlc, json.dumps(body, ensure_ascii=False)),
    )  # fmt: skip
    row = database.one("SELECT n, record FROM learning WHERE id = ?", (learning,))
    if row is not None and row[1] == record.id:
        said = {name: body.get(name) for name in ("category", "title", "description", "metadata")}
        text = plain_text(said)
        database.run("DELETE FROM learning_text WHERE rowid = ?", (row[0],))
        database.run(
            "INSERT INTO learning_text (rowid, text, parts) VALUES (?, ?, ?)", (row[0], text, search_parts(text))
        )


def _outcome(database: Database, record: Record, learning: str, body: dict[str, Any], at: int, hlc: int) -> None:
    if record.key is not None:
        database.run("DELETE FROM outcome WHERE key = ?1 AND (hlc, id) > (?2, ?3)", (record.key, hlc, record.id))
    notes = body.get("notes")
    database.run(
        "INSERT OR IGNORE INTO outcome (id, learning, outcome, session, at, hlc, key, notes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (record.id, learning, str(body.get("outcome", "")), str(body.get("session", "")), at, hlc, record.key,
         None if notes is None else str(notes)),
    )  # fmt: skip
    if body.get("outcome") == "merged" and body.get("into"):
        _merge(database, learning, str(body["into"]), hlc, record.id)


def _merge(database: Database, learning: str, target: str, hlc: int, record: str) -> None:
    database.run(
        "INSERT OR IGNORE INTO merge (learning, hlc, record, target) VALUES (?, ?, ?, ?)",
        (learning, hlc, record, target),
    )


def _settle(database: Database, learning: str) -> None:
    """Count anew what outcomes say of a learning, and of all it is merged with."""
    if database.one("SELECT 1 FROM merge WHERE learning = ?1 OR target = ?1", (learning,)) is None:
        _count(database, learning, [learning], None)
        return
    targets: dict[str, str] = dict(
        database.rows(
            "SELECT merge.learning, target FROM merge JOIN learning AS source ON source.id = merge.learning"
            " JOIN learning ON learning.id = target WHERE target <> merge.learning ORDER BY merge.hlc, merge.record"
        )
    )
    group = _group(list(database.rows("SELECT learning, target FROM merge")), learning)
    roots = {each: _root(targets, each) for each in group}
    for each, root in roots.items():
        members = [other for other, its in roots.items() if its == each] if root == each else [each]
        _count(database, each, members, None if root == each else root)


def _group(merges: list[tuple[str, str]], learning: str) -> list[str]:
    """All learnings that merges ever connected with this one: a later word on one of them changes what others count."""
    found = {learning: None}
    grown = True
    while grown:
        before = len(found)
        found.update(dict.fromkeys(each for merge in merges if found.keys() & set(merge) for each in merge))
        grown = len(found) > before
    return list(found)


def _root(targets: dict[str, str], learning: str) -> str:
    """What stands for a learning; where merges go in a circle its smallest id, on every device."""
    way = [learning]
    while way[-1] in targets:
        target = targets[way[-1]]
        if target in way:
            return min(way[way.index(target) :])
        way.append(target)
    return way[-1]


def _count(database: Database, learning: str, members: list[str], merged_into: str | None) -> None:
    row = database.one("SELECT given, at FROM learning WHERE id = ?", (learning,))
    if row is None:
        return  # its own record has not come yet, or is forgotten
    marks = ", ".join("?" * len(members))
    counts: dict[str, int] = dict(
        database.rows(
            f"SELECT outcome, count(*) FROM outcome WHERE learning IN ({marks}) GROUP BY outcome", (*members,)
        )
    )
    shown = database.one(
        f"SELECT count(DISTINCT session) FROM outcome WHERE outcome = 'shown' AND learning IN ({marks})", (*members,)
    )
    last = database.one(
        f"SELECT max(at) FROM outcome WHERE outcome IN ('success', 'partial', 'failed') AND learning IN ({marks})",
        (*members,),
    )
    earlier = database.one(
        f"SELECT sum(coalesce(CAST(body ->> 'usage_count' AS INTEGER), 0)) FROM learning WHERE id IN ({marks})",
        (*members,),
    )
    success, partial, failed = (counts.get(name, 0) for name in OUTCOMES)
    used = success + partial + failed + (earlier[0] or 0 if earlier else 0)
    database.run(
        "UPDATE learning SET confidence = ?, success = ?, partial = ?, failed = ?, used = ?, shown = ?, last = ?,"
        " merged_into = ? WHERE id = ?",
        (after(row[0], success, partial, failed), success, partial, failed, used, shown[0] if shown else 0,
         max(row[1], (last[0] if last else None) or 0), merged_into, learning),
    )  # fmt: skip


def find(database: Database, learning_id: str) -> dict[str, Any] | None:
    """One learning as it was recorded, and how it stands now: confidence, outcomes, used, shown, merged_into, notes."""
    row = database.one(f"SELECT {COLUMNS} FROM {JOINED} WHERE learning.id = ?", (learning_id,))
    if row is None:
        return None
    stated, now = loads(row[13]), _described(row)
    notes = database.rows(
        "SELECT at, outcome, notes FROM outcome WHERE learning = ? AND notes IS NOT NULL ORDER BY at", (learning_id,)
    )
    told = [{"timestamp": ids.at_text(at), "outcome": outcome, "notes": said} for at, outcome, said in notes]
    more = {"given": stated.get("confidence"), "usage_count": now["used"], "notes": told or None}
    return {name: value for name, value in {**stated, **now, **more}.items() if value is not None}


def meant(database: Database, learning_id: str) -> list[str]:
    """The ids a text may mean: itself, else those that begin with it (6 characters or more); at most 2."""
    if database.one("SELECT 1 FROM learning WHERE id = ?", (learning_id,)):
        return [learning_id]
    if len(learning_id) < 6:
        return []
    rows = database.rows(
        "SELECT id FROM learning WHERE substr(id, 1, ?) = ? LIMIT 2", (len(learning_id), learning_id.lower())
    )
    return [row[0] for row in rows]


def confident(
    database: Database, projects: Sequence[str], limit: int, *, at_least: float = CONFIDENT, category: str | None = None
) -> list[dict[str, Any]]:
    """The surest learnings of some projects (none named: of all), best first; age lowers the rank, never the confidence.

    Each: id, title, description, category, confidence, outcomes {success, partial, failed}, shown (sessions), used, and
    project, last (ms).
    """
    where, values = _where(projects, category, at_least)
    rows = database.rows(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE {where} ORDER BY learning.confidence * {FRESH} DESC, last DESC, learning.id"
        " LIMIT ?",
        (*values, ids.now_ms(), limit),
    )
    return [_described(row) for row in rows]


def search(
    database: Database, projects: Sequence[str], query: str, context: str, *, category: str | None = None,
    at_least: float = 0.0, limit: int = 10, alike: Alike | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The learnings that answer best: by words and meaning as events are ranked, weighed with confidence and age.

    alike: how near texts are to a query in meaning. Members as `confident` gives; with `near` where no word matches.
    """
    among = _where(projects, category, at_least)
    words = _scores(database, among, query, context)
    near = _nearness(database, among, query or context, alike, words)
    if not words and not near:
        return []
    best, meant = max(words.values(), default=1.0), shares(near)
    scores = {n: words.get(n, 0.0) / best + MEANING * meant.get(n, 0.0) for n in (*words, *near)}
    marks = ", ".join("?" * len(scores))
    rows = list(database.rows(f"SELECT {COLUMNS} FROM {JOINED} WHERE learning.n IN ({marks})", (*scores,)))
    now = ids.now_ms()

    def rank(row: tuple[Any, ...]) -> tuple[float, str]:
        trusted = 1.0 - TRUSTED + TRUSTED * row[4]
        return (-scores[row[0]] * trusted * freshness(now - row[10]), row[1])

    found = sorted(rows, key=rank)[:limit]
    return [{**_described(row), **({} if row[0] in words else {"near": True})} for row in found]


def _nearness(
    database: Database, among: tuple[str, list[Value]], query: str, alike: Alike | None, words: Iterable[int]
) -> dict[int, float]:
    """Row number -> cosine of what matches by words, and of the surest others that are near enough."""
    if alike is None or not query.strip():
        return {}
    rows = list(database.rows(
        f"SELECT learning.n, title, body ->> 'description' FROM {JOINED} WHERE {among[0]}"
        " ORDER BY learning.confidence DESC, last DESC LIMIT ?", (*among[1], MOST_MEANT),
    ))  # fmt: skip
    found = alike(query, [f"{title}\n{description or ''}" for _n, title, description in rows])
    matching = set(words)
    return {row[0]: cosine for row, cosine in zip(rows, found) if cosine >= NEAR_ENOUGH or row[0] in matching}


def elsewhere(database: Database, projects: Sequence[str], query: str, context: str) -> int:
    """How many learnings of other projects hold a word of it (counted up to CANDIDATES)."""
    others = f"merged_into IS NULL AND project.key NOT IN ({', '.join('?' * len(projects))})"
    return len(_scores(database, (others, list(projects)), query, context))


def near(
    database: Database, projects: Sequence[str], learning: str, title: str, description: str
) -> list[dict[str, Any]]:
    """Other learnings that may be the same in other words, most alike first; with `likeness`."""
    scores = _scores(database, _where(projects, None, 0.0), title, "", NEAR)
    marks = ", ".join("?" * len(scores))
    rows = database.rows(
        f"SELECT {COLUMNS} FROM {JOINED} WHERE learning.n IN ({marks}) AND learning.id <> ?", (*scores, learning)
    )
    found = []
    for each in (_described(row) for row in rows):
        whole = likeness(f"{title} {description}", f"{each['title']} {each['description']}")
        alike = max(likeness(title, each["title"]), whole)
        if alike >= ALIKE:
            found.append({**each, "likeness": round(alike, 2)})
    return sorted(found, key=lambda each: (-each["likeness"], each["id"]))[:MOST_NEAR]


def shown_in(database: Database, session: str) -> set[str]:
    """Ids of the learnings that were shown to a session."""
    rows = database.rows("SELECT learning FROM outcome WHERE outcome = 'shown' AND session = ?", (session,))
    return {row[0] for row in rows}


def _scores(
    database: Database, among: tuple[str, list[Value]], query: str, context: str, most: int = CANDIDATES
) -> dict[int, float]:
    """Row number -> how well its words match (above 0, higher is better): the one place where learnings are ranked by words."""
    found: dict[int, float] = {}
    for text, worth in ((query, 1.0), (context, CONTEXT if query else 1.0)):
        words = match(text)
        if words is None:
            continue
        rows: dict[int, float] = dict(database.rows(
            f"SELECT learning.n, max(1e-6, -bm25(learning_text, {WEIGHTS})) FROM learning_text CROSS JOIN learning"
            " ON learning.n = learning_text.rowid JOIN project ON project.n = learning.project_n"
            f" WHERE learning_text MATCH ? AND {among[0]} ORDER BY 2 DESC LIMIT ?",
            (words.required, *among[1], most),
        ))  # fmt: skip
        best = max(rows.values(), default=1.0)  # rare words of the context must not outweigh the query
        for number, score in rows.items():
            found[number] = found.get(number, 0.0) + worth * score / best
    return found


def _where(projects: Sequence[str], category: str | None, at_least: float) -> tuple[str, list[Value]]:
    parts, values = ["merged_into IS NULL"], []  # type: tuple[list[str], list[Value]]
    if projects:
        parts.append(f"project.key IN ({', '.join('?' * len(projects))})")
        values += projects
    if category is not None:
        parts.append("learning.category = ?")
        values.append(category)
    if at_least > 0:
        parts.append("learning.confidence >= ?")
        values.append(at_least - 1e-9)
    return " AND ".join(parts), values


def _described(row: tuple[Any, ...]) -> dict[str, Any]:
    _n, id_, title, category, confidence, success, partial, failed, used, shown, last, merged, _at, body, key, name = (
        row
    )
    found: dict[str, Any] = {
        "id": id_, "title": title, "description": str(loads(body).get("description") or ""), "category": category,
        "confidence": round(confidence, 3), "outcomes": {"success": success, "partial": partial, "failed": failed},
        "shown": shown, "used": used, "last": last, "project": key, "project_name": name,
    }  # fmt: skip
    if merged is not None:
        found["merged_into"] = merged
    return found


def _texts(value: object) -> Iterable[str]:
    return [str(each) for each in value] if isinstance(value, list) else [value] if isinstance(value, str) else []


def _number(value: object) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, (int, float)) else 0.5
