"""What happens as the memory grows: record, query and search at 1k and 100k events, rebuild, bytes, import."""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from session_memory import paths
from session_memory.actions.events import Query
from session_memory.index.match import match
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

WORDS = [f"{a}{b}" for a in ("load", "cache", "auth", "token", "query", "index", "route", "batch", "merge", "parse", "render",
                             "stream", "retry", "commit", "deploy", "schema", "worker", "socket", "buffer", "thread")
         for b in ("", "er", "ing", "Table", "Error", "_id", "-flow", ".py")]  # fmt: skip
RARE = "zanzibar"


def drafts(count: int, project: str, seed: int = 1) -> list[Draft]:
    """Events of about 45 words, some in sentences people write; one word in 5,000 events is rare."""
    chance = random.Random(seed)
    kinds = [("finding", "bug"), ("decision", "api"), ("message", "reply"), ("tool_call", "Bash")]
    made = []
    for number in range(count):
        words = chance.choices(WORDS, weights=[1 / (n + 1) for n in range(len(WORDS))], k=45)
        if number % 5_000 == 7:
            words[3] = RARE
        category, type_ = kinds[number % 4]
        body = {"session": f"s{number // 500}", "project": project, "category": category, "type": type_, "stated_by": "model",
                "data": {"title": " ".join(words[:6]), "text": " ".join(words[6:])}}  # fmt: skip
        made.append(Draft(EVENT, body, at_ms=1_780_000_000_000 + number * 1000))
    return made


def timed(function: Callable[[], object], times: int) -> list[float]:
    took = []
    for _time in range(times):
        began = time.perf_counter()
        function()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def fsync_probe(folder: str) -> float:
    """Median milliseconds of append 600 bytes + fsync in this run."""
    fd = os.open(os.path.join(folder, "probe"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def one() -> None:
        os.write(fd, b"x" * 600)
        os.fsync(fd)

    took = timed(one, 200)
    os.close(fd)
    return statistics.median(took)


def _parsed(path: str) -> float:
    began = time.perf_counter()
    with open(path, "rb") as file:
        for raw in file:
            json.loads(raw)
    return time.perf_counter() - began


def _bare(memory: Memory, words: str) -> float:
    """Median milliseconds of SQLite alone: the ten best by bm25, no filter, no rows fetched."""
    wanted = match(words)
    assert wanted is not None
    sql = "SELECT rowid FROM event_text WHERE event_text MATCH ? ORDER BY rank LIMIT 10"
    database = memory.opened.index.database()
    return statistics.median(timed(lambda: list(database.rows(sql, (wanted.required,))), 10))


def at(count: int, folder: str) -> dict[str, float]:
    """Fill a home with `count` events and measure."""
    home = os.path.join(folder, f"home{count}")
    project = os.path.join(folder, "project")
    os.makedirs(project, exist_ok=True)
    found: dict[str, float] = {}
    journal = Journal(paths.Home(home))
    made = drafts(count, f"dir:{os.path.realpath(project)}")
    began = time.perf_counter()
    for start in range(0, count, 2_000):
        journal.append(made[start : start + 2_000], stated=False)
    found["append, s per 100k"] = (time.perf_counter() - began) * 100_000 / count
    with Memory(home, cwd=project) as memory:
        began = time.perf_counter()
        memory.health.rebuild()
        found["rebuild, s per 100k"] = (time.perf_counter() - began) * 100_000 / count
        found["  limit: json.loads of every line"] = _parsed(paths.Home(home).events) * 100_000 / count
        memory.sessions.start(session_id="s0")
        found["fsync probe, ms"] = fsync_probe(folder)
        took = timed(lambda: memory.events.record("finding", "bug", {"title": "a new one"}), 200)
        found["record p50, ms"] = statistics.median(took)
        found["record p95, ms"] = took[190]
        for name, words in (("rare word", RARE), ("mid word", "workerTable"), ("common word", "load"),
                            ("three words", "cache error retrying"), ("a question", "why did the token cache break the route?"),
                            ("a path", "src/load-flow.py"), ("a phrase", '"load cache"'), ("a miss", "nonexistentword")):  # fmt: skip
            took = timed(lambda words=words: memory.events.query(Query(keyword=words, limit=10)), 40)
            found[f"search {name} p50, ms"], found[f"search {name} p95, ms"] = statistics.median(took), took[37]
            found[f"  limit of {name}: bare FTS5, ms"] = _bare(memory, words)
        for name, asked in (("newest 10", Query(limit=10)), ("category", Query(category="decision", limit=10)),
                            ("oldest 50", Query(order="oldest"))):  # fmt: skip
            found[f"query {name} p50, ms"] = statistics.median(
                timed(lambda asked=asked: memory.events.query(asked), 40)
            )
        memory.opened.index.database().run("PRAGMA wal_checkpoint(TRUNCATE)")
        log = sum(
            each.stat().st_size for each in [Path(paths.Home(home).events), *Path(paths.Home(home).segments).glob("*")]
        )
        index = os.stat(paths.Home(home).index).st_size
        found["index bytes / log bytes"] = index / log
    return found


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = {count: at(count, folder) for count in sizes}
    print(f"{'':32}" + "".join(f"{count:>12,}" for count in sizes) + "   last / first")
    for name in results[sizes[0]]:
        row = [results[count][name] for count in sizes]
        print(f"{name:32}" + "".join(f"{value:12.2f}" for value in row) + f"{row[-1] / row[0]:12.2f}" if row[0] else "")
    shared = (
        Path(os.environ.get("SESSION_MEMORY_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "transcripts"
    )
    if shared.is_dir():
        with tempfile.TemporaryDirectory() as folder, Memory(f"{folder}/home", cwd=folder) as memory:
            began = time.perf_counter()
            report = memory.imports.claude_code(str(shared))
            took = time.perf_counter() - began
            print(
                f"\nimport of {report.bytes / 1e6:.1f} MB of transcripts: {took:.2f} s, {took / report.bytes * 14e6:.2f} s per 14 MB"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000])
    main(parser.parse_args().sizes)
