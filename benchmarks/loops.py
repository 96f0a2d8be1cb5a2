"""The long loops behind the short tests: kill -9 in the middle of writing, and many processes on one log."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time

from session_memory import paths
from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log import reader
from session_memory.log.verify import verify
from session_memory.model.record import EVENT

WRITER = """
import sys
from session_memory import paths
from session_memory.index.catchup import Index
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
home, name, count = paths.Home(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal, index = Journal(home, deadline=60), Index(home)
for n in range(count):
    journal.append([Draft("event", {"session": name, "project": "p", "category": "finding", "type": "t",
                                    "data": {"text": f"{name}/{n}", "more": "words " * (n % 50)}})])
    print(f"{name}/{n}", flush=True)
    index.catch_up()
"""


def writer(home: str, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, home, name, str(count)], stdout=subprocess.PIPE, text=True)


def judged(home: paths.Home, acknowledged: list[str]) -> str:
    """Lost, garbled and whether log and index agree."""
    found = []
    for path in reader.files(home):
        for place in reader.places(path):
            if place.line is not None and place.line.kind == EVENT:
                body = reader.record(home, place.line).body
                assert body is not None
                found.append(body["data"]["text"])
    index = Index(home)
    while index.catch_up(wait=20):
        pass
    wrong = agree.differences(index.database(), home)
    faults = verify(home).faults
    lost, doubled = set(acknowledged) - set(found), len(found) - len(set(found))
    return (f"{len(acknowledged):,} acknowledged, {len(lost)} lost, {doubled} doubled, {len(faults)} garbled,"
            f" index {wrong or 'agrees'}")  # fmt: skip


def kills(rounds: int, writers: int) -> None:
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        home = paths.Home(f"{folder}/home")
        acknowledged: list[str] = []
        for number in range(rounds):
            running = [writer(home.root, f"r{number}w{w}", 1_000_000) for w in range(writers)]
            time.sleep(0.2 + chance.random() * 0.1)
            for each in running:
                each.kill()
            for each in running:
                acknowledged += [text for text in each.communicate()[0].split("\n")[:-1] if text]
        print(f"kill -9, {rounds} rounds, {writers} writers: {judged(home, acknowledged)}")


def crowd(processes: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = paths.Home(f"{folder}/home")
        began = time.perf_counter()
        running = [writer(home.root, f"w{w}", count) for w in range(processes)]
        acknowledged = [text for each in running for text in each.communicate()[0].split()]
        failed = sum(each.returncode != 0 for each in running)
        rate = len(acknowledged) / (time.perf_counter() - began)
        print(
            f"{processes} processes x {count}: {judged(home, acknowledged)}, {failed} failed, {rate:.0f} records/s with their flush and index"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--writers", type=int, default=3)
    given = parser.parse_args()
    kills(given.rounds, given.writers)
    crowd(8, 500)
