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
from session_memory.index import candidates, scoring
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


Ways = dict[str, Callable[[Memory, str], list[str]]]


def measured(memory: Memory, questions: list[dict[str, Any]], names: dict[str, str], ways: Ways) -> None:
    """Print recall (%) among the first ten and times for each way, question after question: wall and CPU, which others disturb less."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for question in questions:
        gold = {f"{question['conv']}/{each}" for each in question["evidence"]}
        for name, way in ways.items():
            began, worked = time.perf_counter(), time.process_time()
            ids = way(memory, question["question"])
            took = (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000
            found[name].append((100 * len(gold & {names.get(each, "") for each in ids[:K]}) / len(gold), *took))
    for name, rows in found.items():
        cells = [statistics.mean(row[0] for row in rows)]
        for column in (1, 2):
            times = sorted(row[column] for row in rows)
            cells += [statistics.median(times), times[int(0.95 * len(times))]]
        print(f"{name:34}" + "".join(f"{cell:9.1f}" for cell in cells), flush=True)


def unbounded(memory: Memory, question: str) -> list[str]:
    """What is served when every event that holds a word is ranked."""
    rooms: list[Any] = [scoring, candidates, candidates]
    names = ("ENOUGH", "FIRST_HITS", "POOL")
    bounds = [getattr(room, name) for room, name in zip(rooms, names)]
    for room, name in zip(rooms, names):
        setattr(room, name, 10**9)
    try:
        return served(memory, question)
    finally:
        for room, name, bound in zip(rooms, names, bounds):
            setattr(room, name, bound)


def at(size: int, keep: Path, found: list[dict[str, Any]], questions: list[dict[str, Any]], deep: bool) -> None:
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
        while memory.meaning.go_on():  # as an idle server does
            pass
        print(f"vectors made or loaded in {time.perf_counter() - began:.1f} s; resident {resident():.0f} MB")
        print(f"{'':34}{'R@10':>9}{'p50 ms':>9}{'p95 ms':>9}{'CPU p50':>9}{'CPU p95':>9}")
        ways: Ways = {"plain FTS5": plain, "session_query": keyword, "session_semantic_search": served}
        if deep:
            ways["  every event that matches ranked"] = unbounded
        served(memory, questions[0]["question"])
        measured(memory, questions, names, ways)
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
