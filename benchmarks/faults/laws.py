"""What every loop asks at the end: is each acknowledged record there, once, and do log and index agree."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from session_memory import paths
from session_memory.index import agree
from session_memory.index.catchup import Index
from session_memory.log import reader
from session_memory.log.journal import Journal
from session_memory.log.verify import verify
from session_memory.model.record import EVENT

WRITER = """
import sys
from session_memory import paths
from session_memory.index.catchup import Index
from session_memory.log.journal import Journal
from session_memory.model.record import Draft
home, name, count = paths.Home(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal, index, indexed = Journal(home, deadline=60, roll_bytes=int(sys.argv[4])), Index(home), sys.argv[5] == "indexed"
print("ready", flush=True)
sys.stdin.readline()
for n in range(count):
    journal.append([Draft("event", {"session": name, "project": "p", "category": "finding", "type": "t",
                                    "data": {"text": f"{name}/{n}", "more": "words " * (n % 50)}})])
    print(f"{name}/{n}", flush=True)
    if indexed:
        index.catch_up()
"""


@dataclass
class Judgement:
    """What was found at the end of a loop."""

    acknowledged: int
    lost: int
    doubled: int
    garbled: int
    differences: int

    @property
    def green(self) -> bool:
        return not (self.lost or self.doubled or self.garbled or self.differences)

    def __str__(self) -> str:
        index = "index agrees" if not self.differences else f"{self.differences} differences of the index"
        return f"{self.acknowledged:,} acknowledged, {self.lost} lost, {self.doubled} doubled, {self.garbled} garbled, {index}"


def writer(
    home: str, name: str, count: int, roll_bytes: int = 64 << 20, *, indexed: bool = True
) -> subprocess.Popen[str]:
    """A process that records `count` events once it is told to go, and names each when it is acknowledged."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, home, name, str(count), str(roll_bytes), "indexed" if indexed else "log only"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def go(running: list[subprocess.Popen[str]]) -> None:
    """Let all of them begin at once."""
    for each in running:
        assert each.stdin is not None and each.stdout is not None
        each.stdout.readline()
    for each in running:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


def judge(home: paths.Home, acknowledged: list[str]) -> Judgement:
    """Read everything back and compare."""
    Journal(home).merge()
    found = []
    with reader.Logs(home) as logs:
        for place in (place for log in logs for part in log.parts for place in reader.places(part)):
            if place.line is not None and place.line.kind == EVENT:
                body = reader.record(home, place.line).body
                assert body is not None
                found.append(body["data"]["text"])
    index = Index(home)
    while index.catch_up(wait=60):
        pass
    wrong = agree.differences(index.database(), home)
    index.close()
    doubled = len(found) - len(set(found))
    return Judgement(
        len(acknowledged), len(set(acknowledged) - set(found)), doubled, len(verify(home).faults), len(wrong)
    )
