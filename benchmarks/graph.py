"""The graph at 100k entities and 500k relations beside a plain neighbour lookup; and what finding mentions costs a rebuild."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from unittest import mock

from benchmarks.size import WORDS

from session_memory import paths
from session_memory.actions.entities import Query
from session_memory.index import events as event_rows
from session_memory.index.mentions import words
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

KINDS = ["function", "class", "file", "module", "service"]
FILES = 300
TYPES = ["calls", "imports", "uses", "references", "owns"]


def fill(memory: Memory, entities: int, relations: int, project: str) -> None:
    """Put them straight into the index: what is measured is asking. A few are hubs, as in real code."""
    chance = random.Random(3)
    database = memory.opened.index.database()
    stamp = 1_795_357_257_123
    found = database.one("SELECT n FROM project WHERE key = ?", (project,))
    assert found is not None
    plain = [word for word in WORDS if word.isalpha()]
    things, texts = [], []
    for n in range(entities):
        name = "".join(word.title() for word in chance.choices(plain, k=3)) + str(n)
        where = f"src/{chance.choice(WORDS)}/{name.lower()}.py:{name}"
        body = f'{{"entity":"{n:032x}","type":"{KINDS[n % 5]}","name":"{name}"}}'
        things.append(
            (n + 1, f"{n:032x}", found[0], KINDS[n % 5], name, where, f"{n:032x}", stamp, stamp * 10_000, body)
        )
        texts.append((n + 1, words(name, where)))
    links = []
    for n in range(relations):
        source, target = chance.randrange(entities), int(entities * chance.random() ** 3)
        links.append((f"r{n:031x}", source + 1, target + 1, TYPES[n % 5], f"r{n}", stamp, stamp * 10_000, stamp, "{}"))
    with database.writing():
        database.run_many(
            "INSERT INTO entity (n, id, project_n, type, name, qualified_name, record, at, hlc, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", things,
        )  # fmt: skip
        database.run_many("INSERT INTO entity_text (rowid, names, about) VALUES (?, ?, '')", texts)
        database.run_many(
            "INSERT INTO relation (id, source_n, target_n, type, record, at, hlc, valid_from, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", links,
        )  # fmt: skip


def asked(entities: int, relations: int, folder: str) -> None:
    """p50 and p95 of the questions that tools ask, and of one indexed lookup in the same table."""
    project = os.path.realpath(folder)
    with Memory(os.path.join(folder, "home"), cwd=project) as memory:
        memory.sessions.start(session_id="s")
        key = memory.opened.project()[0]
        began = time.perf_counter()
        fill(memory, entities, relations, key)
        print(f"{entities:,} entities, {relations:,} relations put in {time.perf_counter() - began:.0f} s")
        database = memory.opened.index.database()
        database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        chance = random.Random(5)
        rows = list(database.rows("SELECT id, name FROM entity WHERE project_n IS NOT NULL ORDER BY n"))
        some = chance.sample(rows, 200)
        hub = rows[0]
        plain = (
            "SELECT entity.name FROM relation JOIN entity ON entity.n = target_n"
            " WHERE source_n = (SELECT n FROM entity WHERE id = ?) UNION ALL SELECT entity.name FROM relation"
            " JOIN entity ON entity.n = source_n WHERE target_n = (SELECT n FROM entity WHERE id = ?)"
        )
        questions = {
            "limit: plain neighbour lookup": lambda row: list(database.rows(plain, (row[0], row[0]))),
            "related_to, depth 1": lambda row: memory.entities.query(Query(related_to=row[0])),
            "related_to by name, depth 2": lambda row: memory.entities.query(Query(related_to=row[1], depth=2)),
            "one type of relation, depth 3": lambda row: memory.entities.query(
                Query(related_to=row[0], depth=3, relation_types=["calls"])
            ),
            "functions around, depth 2": lambda row: memory.entities.query(
                Query(related_to=row[0], depth=2, entity_type="function")
            ),
            "the greatest hub, depth 1": lambda _row: memory.entities.query(Query(related_to=hub[0])),
            "by words": lambda row: memory.entities.query(Query(related_to=f"the {row[1][:6].lower()} retrying")),
            "a type": lambda _row: memory.entities.query(Query(entity_type="function")),
            "a type and a pattern": lambda row: memory.entities.query(
                Query(entity_type="class", name_pattern=row[1][-5:])
            ),
        }
        took: dict[str, list[float]] = {name: [] for name in questions}
        busy: dict[str, list[float]] = {name: [] for name in questions}  # what a quiet machine would take, nearly
        for row in some:  # in turn, so that all meet the same moments
            for name, ask in questions.items():
                began, used = time.perf_counter(), time.process_time()
                ask(row)
                took[name].append((time.perf_counter() - began) * 1000)
                busy[name].append((time.process_time() - used) * 1000)
        print(f"{'':34}{'p50 ms':>10}{'p95 ms':>10}{'p50 CPU':>10}{'p95 CPU':>10}")
        for name in questions:
            told = [value for times in (took[name], busy[name]) for value in (statistics.median(times), _p95(times))]
            print(f"{name:34}" + "".join(f"{value:10.2f}" for value in told))


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


def calls(count: int, project: str) -> list[Draft]:
    """A session's stream: commands, reads and edits with their results, some replies, few decisions."""
    chance = random.Random(7)
    made = []

    def add(category: str, type_: str, data: dict[str, object]) -> None:
        body = {"session": f"s{len(made) // 500}", "project": project, "category": category, "type": type_, "data": data,
                "stated_by": "tool"}  # fmt: skip
        made.append(Draft(EVENT, body, at_ms=1_780_000_000_000 + len(made) * 1000))

    def words(most: int) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randrange(most // 4, most)))

    files = [f"{project[4:]}/src/{chance.choice(WORDS)}/{chance.choice(WORDS)}.ts" for _ in range(FILES + count // 200)]
    while len(made) < count:
        path = files[int(len(files) * chance.random() ** 2)]  # some are touched all the time
        kind = chance.random()
        if kind < 0.35:
            add("tool_call", "Bash", {"input": {"command": f"npm run test -- {path} 2>&1 | tail -20"}})
            add("tool_response", "Bash", {"output": words(300), "ok": True})
        elif kind < 0.65:
            add("tool_call", "Read", {"input": {"file_path": path}, "files": [path]})
            add("tool_response", "Read", {"output": words(600), "ok": True, "files": [path]})
        elif kind < 0.85:
            name = chance.choice([word for word in WORDS if word.isalpha()])
            new = f"import {{ x }} from './{name}'\nexport function {name}(a) {{\n  // {words(60)}\n}}\n"
            given = {"file_path": path, "old_string": words(60), "new_string": new}
            add("tool_call", "Edit", {"input": given, "files": [path]})
            add("tool_response", "Edit", {"output": f"edit {path}", "ok": True, "files": [path]})
        elif kind < 0.97:
            add("message", "reply", {"text": words(120)})
        else:
            add("decision", "api", {"title": words(10), "rationale": f"{words(60)} see {path[len(project) - 3 :]}"})
    return made[:count]


def cost(count: int, folder: str, rounds: int) -> None:
    """Rebuild with and without looking for mentions, in turn; and how many bytes of the index they take."""
    home, project = paths.Home(os.path.join(folder, "calls")), f"dir:{os.path.realpath(folder)}"
    journal = Journal(home)
    drafts = calls(count, project)
    for start in range(0, count, 2_000):
        journal.append(drafts[start : start + 2_000], stated=False)
    took: dict[bool, list[float]] = {True: [], False: []}
    sizes: dict[bool, int] = {}
    log = sum(
        os.path.getsize(os.path.join(base, name))
        for base, _, names in os.walk(home.storage)
        for name in names
        if ".jsonl" in name
    )
    with Memory(home.root, cwd=folder) as memory:
        for number in range(2 * rounds):
            looking = number % 2 == 0
            with mock.patch.object(
                event_rows.mentions, "add", event_rows.mentions.add if looking else lambda *_given: None
            ):
                began = time.perf_counter()
                memory.health.rebuild()
                took[looking].append(time.perf_counter() - began)
            memory.opened.index.database().run("VACUUM")
            memory.opened.index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
            sizes[looking] = os.path.getsize(home.index)
    best = {looking: min(times) * 100_000 / count for looking, times in took.items()}
    print(
        f"\nrebuild of {count:,} events of tool use ({log / 1e6:.0f} MB of log), best of {rounds}, seconds per 100k events"
    )
    print(f"without mentions {best[False]:6.2f}   with {best[True]:6.2f}   ratio {best[True] / best[False]:.2f}")
    print(f"index / log bytes, without {sizes[False] / log:.2f}   with {sizes[True] / log:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--relations", type=int, default=500_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        cost(given.events, place, given.rounds)
        asked(given.entities, given.relations, place)
