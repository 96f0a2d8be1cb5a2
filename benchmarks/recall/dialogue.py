"""Recall of evidence turns in long conversations: what is served, beside plain full text, vectors alone and equal RRF.

    PYTHONPATH=src:. python benchmarks/recall/dialogue.py [--questions N] [--data FILE] [--keep FOLDER]

Units and scores are those of the usual harness: fractional recall of evidence turns among the first k, MRR of the first
one; no model reads or judges anything.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.recall import material

from session_memory.actions.events import Query
from session_memory.index import search
from session_memory.index.match import match
from session_memory.memory import Memory

K = 20
RRF = 60


def plain(memory: Memory, question: str) -> list[str]:
    """Plain full text: any of the words, stop words left out, bm25 order."""
    wanted = match(question)
    if wanted is None:
        return []
    sql = (
        "SELECT lower(hex(id)) FROM event_text JOIN event ON event.n = event_text.rowid WHERE event_text MATCH ?"
        " ORDER BY rank LIMIT 100"
    )
    return [row[0] for row in memory.opened.index.database().rows(sql, (wanted.required,))]


def served(memory: Memory, question: str) -> list[str]:
    """What `session_semantic_search` serves."""
    return [each["id"] for each in memory.recall.search(question, scope="all", limit=K)["results"]]


def keyword(memory: Memory, question: str) -> list[str]:
    """What `session_query(keyword=)` serves: only events that hold one of the words."""
    return [each["id"] for each in memory.events.query(Query(keyword=question, scope="all", limit=K)).events]


def fused(*orders: list[str]) -> list[str]:
    """Reciprocal rank fusion with equal weights."""
    scores: dict[str, float] = {}
    for order in orders:
        for rank, each in enumerate(order):
            scores[each] = scores.get(each, 0.0) + 1 / (RRF + rank + 1)
    return sorted(scores, key=lambda each: -scores[each])


def scored(question: dict[str, Any], turns: list[str]) -> dict[str, float]:
    """Recall of turns and sessions, and the reciprocal rank of the first."""
    gold, seen = set(question["evidence"]), list(dict.fromkeys(turns))[:K]
    found = {f"R@{k}": 100 * len(gold & set(seen[:k])) / len(gold) for k in (1, 5, 10, 20)}
    first = next((n for n, turn in enumerate(seen) if turn in gold), None)
    found["MRR"] = 0.0 if first is None else 100 / (first + 1)
    spans, wanted = list(dict.fromkeys(turn.split(":")[0] for turn in seen)), {turn.split(":")[0] for turn in gold}
    for k in (5, 10):
        found[f"session R@{k}"] = 100 * len(wanted & set(spans[:k])) / len(wanted)
    return found


def meaning(memory: Memory, question: str) -> list[str]:
    """Vectors alone: the nearest by the cosine of the default encoder."""
    memory.recall.search(question, scope="all", limit=1)
    encoder, vectors = memory.meaning.local()
    near = vectors.near(encoder.encode([question])[0])
    names = dict(memory.opened.index.database().rows("SELECT n, lower(hex(id)) FROM event"))
    found = near.of(list(names))
    return [names[n] for n in sorted(found, key=lambda n: -found[n][0])[:100]]


def equal(memory: Memory, question: str) -> list[str]:
    """Plain full text and vectors alone, fused by rank with equal weights."""
    return fused(plain(memory, question), meaning(memory, question))


def context(memory: Memory, question: str) -> list[str]:
    """What is served without vectors."""
    wanted = memory.events.filter(Query(keyword=question, scope="all"))
    return [event["id"] for event, _hit in search.recalled(memory.opened.read(), wanted, K)]


WAYS = {"plain full text": plain, "vectors alone": meaning, "equal RRF of both": equal, "session_query": keyword,
        "search without vectors": context, "session_semantic_search": served}  # fmt: skip


def main(path: Path, keep: Path, questions: int | None, only: str | None) -> None:
    rows: dict[str, list[tuple[str, dict[str, float]]]] = {}
    took: dict[str, list[float]] = {}
    for found, memory, turns in material.conversations(path, keep):
        for question in found["questions"][:: max(1, len(found["questions"]) // questions) if questions else 1]:
            for name, way in WAYS.items():
                if only and only not in name:
                    continue
                began = time.perf_counter()
                order = way(memory, question["question"])
                took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
                rows.setdefault(name, []).append(
                    (question["category"], scored(question, [turns[each] for each in order if each in turns]))
                )
    heads = list(next(iter(rows.values()))[0][1])
    print(f"{'':26}{'n':>5}" + "".join(f"{head:>14}" for head in heads) + f"{'p50 ms':>9}{'p95 ms':>9}")
    for name, found_rows in rows.items():
        means = [statistics.mean(row[head] for _kind, row in found_rows) for head in heads]
        times = sorted(took[name])
        print(f"{name:26}{len(found_rows):5}" + "".join(f"{mean:14.1f}" for mean in means)
              + f"{statistics.median(times):9.2f}{times[int(0.95 * len(times))]:9.2f}")  # fmt: skip
        kinds = sorted({kind for kind, _row in found_rows})
        by = {kind: statistics.mean(row["R@10"] for each, row in found_rows if each == kind) for kind in kinds}
        print(f"{'':31}R@10 " + ", ".join(f"{kind} {mean:.1f}" for kind, mean in by.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.CONVERSATIONS)
    parser.add_argument("--questions", type=int, help="about so many of each conversation (default: all)")
    parser.add_argument("--keep", type=Path, help="folder that keeps the filled memories for the next run")
    parser.add_argument("--only", help="ways whose name holds this")
    given = parser.parse_args()
    material.there(given.data)
    with tempfile.TemporaryDirectory() as folder:
        main(given.data, given.keep or Path(folder), given.questions, given.only)
