"""Searching a large memory: latency beside plain FTS5 in the same run, memory, and the recall that the bounds on candidates cost.

    PYTHONPATH=src:. python benchmarks/recall/size.py [--sizes 10000,100000] [--questions N] [--unbounded] [--keep FOLDER]

The turns of the LoCoMo development half lie between filler events that are made of the words of those turns, so that each
question meets thousands of events that hold its words. Recall is that of evidence turns among the first ten.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.recall import material
from benchmarks.recall.dialogue import keyword, plain, served

from session_memory import paths
from session_memory.index import candidates, ranking
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

SESSION = 400  # events of a filler session
BATCH = 5_000
K = 10


def turns(found: list[dict[str, Any]]) -> Iterator[Draft]:
    """Every turn of every conversation."""
    for each in found:
        for turn in each["docs"]:
            yield Draft(EVENT, {"session": f"{each['conv']}-{turn['session']}", "project": "dir:talk", "category": "message",
                                "type": "turn", "stated_by": "model",
                                "data": {"text": material.said(turn), "speaker": turn["speaker"], "ref": f"{each['conv']}/{turn['id']}"}})  # fmt: skip


def filler(found: list[dict[str, Any]], count: int, chance: random.Random) -> Iterator[Draft]:
    """Events in which the halves of two turns stand together, their words shuffled."""
    said = [material.said(turn).split() for each in found for turn in each["docs"]]
    for number in range(count):
        one, other = chance.choice(said), chance.choice(said)
        words = one[: len(one) // 2 + 1] + other[len(other) // 2 :]
        chance.shuffle(words)
        yield Draft(EVENT, {"session": f"filler{number // SESSION}", "project": "dir:talk", "category": "message", "type": "turn",
                            "stated_by": "model", "data": {"text": " ".join(words), "speaker": "somebody"}})  # fmt: skip


def filled(home: Path, found: list[dict[str, Any]], size: int) -> None:
    """Turns among filler, in a fixed random order of sessions."""
    chance = random.Random(7)
    drafts = list(turns(found))
    drafts += filler(found, size - len(drafts), chance)
    sessions: dict[str, list[Draft]] = {}
    for draft in drafts:
        sessions.setdefault(draft.body["session"], []).append(draft)
    order = list(sessions)
    chance.shuffle(order)
    journal, batch = Journal(paths.Home(str(home)), durability="none"), []  # type: tuple[Journal, list[Draft]]
    for name in order:
        batch += sessions[name]
        if len(batch) >= BATCH:
            journal.append(batch, stated=False)
            batch = []
    journal.append(batch, stated=False)


def resident() -> float:
    """MB of this process that lie in memory now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def asked(memory: Memory, questions: list[dict[str, Any]], names: dict[str, str], way: Callable[[Memory, str], list[str]]) -> tuple[float, list[float]]:  # fmt: skip
    """Recall (%) among the first ten, and the times in ms, sorted."""
    found, took = [], []
    for question in questions:
        began = time.perf_counter()
        ids = way(memory, question["question"])
        took.append((time.perf_counter() - began) * 1000)
        gold = {f"{question['conv']}/{each}" for each in question["evidence"]}
        found.append(100 * len(gold & {names.get(each, "") for each in ids[:K]}) / len(gold))
    return statistics.mean(found), sorted(took)


def at(size: int, keep: Path, found: list[dict[str, Any]], questions: list[dict[str, Any]], unbounded: bool) -> None:
    home, project = keep / f"size{size}", keep / "nowhere"
    project.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    if not home.exists():
        filled(home, found, size)
    with Memory(str(home), cwd=str(project)) as memory:
        database = memory.opened.read()
        names = dict(database.rows("SELECT lower(hex(id)), data ->> 'ref' FROM event WHERE data ->> 'ref' IS NOT NULL"))
        print(
            f"\n{size:,} events: filled and indexed in {time.perf_counter() - began:.0f} s; resident {resident():.0f} MB"
        )
        began = time.perf_counter()
        memory.meaning.finish(lambda done, total: None)
        print(f"vectors made or loaded in {time.perf_counter() - began:.1f} s; resident {resident():.0f} MB")
        print(f"{'':34}{'R@10':>7}{'p50 ms':>9}{'p95 ms':>9}")
        ways: dict[str, Callable[[Memory, str], list[str]]] = {"plain FTS5": plain, "session_query": keyword, "session_semantic_search": served}  # fmt: skip
        for name, way in ways.items():
            way(memory, questions[0]["question"])
            recall, took = asked(memory, questions, names, way)
            print(f"{name:34}{recall:7.1f}{statistics.median(took):9.1f}{took[int(0.95 * len(took))]:9.1f}", flush=True)
        if unbounded:
            bounds = (candidates.MANY, candidates.FIRST_HITS, candidates.POOL, ranking.POOL)
            candidates.MANY, candidates.FIRST_HITS, candidates.POOL, ranking.POOL = 10**9, 10**9, 10**6, 10**6
            recall, took = asked(memory, questions, names, served)
            candidates.MANY, candidates.FIRST_HITS, candidates.POOL, ranking.POOL = bounds
            print(f"{'  every event that matches ranked':34}{recall:7.1f}{statistics.median(took):9.1f}{took[int(0.95 * len(took))]:9.1f}")  # fmt: skip
        print(f"resident at the end {resident():.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--unbounded", action="store_true", help="also rank everything that matches")
    parser.add_argument("--keep", type=Path, help="folder that keeps the filled memories for the next run")
    given = parser.parse_args()
    material.there(material.CONVERSATIONS)
    told = json.loads(material.CONVERSATIONS.read_text())["convs"]
    every = [{**question, "conv": each["conv"]} for each in told for question in each["questions"]]
    some = random.Random(3).sample(every, min(given.questions, len(every)))
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, given.sizes.split(",")):
            at(size, given.keep or Path(folder), told, some, given.unbounded)
