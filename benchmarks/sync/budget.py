"""What an exchange costs: calls, rows and bytes for a log of many events, and its time beside reading and indexing the same log.

    PYTHONPATH=src:. python benchmarks/sync/budget.py [events]

Text is words drawn from the sources and pages of this repository, about 430 bytes an event. Times are ratios within one run.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from session_memory import paths
from session_memory.index.catchup import Index
from session_memory.log import extent
from session_memory.log.journal import Journal
from session_memory.model.record import EVENT, Draft
from session_memory.sync import keys
from session_memory.sync.exchange import Exchange
from session_memory.sync.folder import Folder

ROOT = Path(__file__).resolve().parent.parent.parent
GOALS = {"calls": 15, "rows": 60}
SPACE, SECRET = bytes(range(32)), bytes(range(1, 33))


def home(root: Path) -> paths.Home:
    place = paths.Home(str(root))
    paths.make_dir(place.storage)
    paths.write_whole(place.secret, SECRET.hex().encode())
    keys.adopt(place, SPACE)
    return place


def fill(place: paths.Home, events: int) -> None:
    chance = random.Random(1)
    words = re.findall(r"\w{2,}", " ".join(path.read_text() for path in sorted(ROOT.glob("src/**/*.py"))[:80]))
    journal = Journal(place, durability="none")
    for start in range(0, events, 1_000):
        drafts = [
            Draft(
                EVENT,
                {"session": f"s{n // 400}", "project": "p", "category": "decision", "type": "made", "stated_by": "model",
                 "data": {"title": " ".join(chance.choices(words, k=8)), "reason": " ".join(chance.choices(words, k=35))}},
                key=f"tool_result:toolu_{n:08d}",
            )
            for n in range(start, min(start + 1_000, events))
        ]  # fmt: skip
        journal.append(drafts, stated=False)


def timed(act: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


def main(events: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        a, b = home(Path(folder, "a")), home(Path(folder, "b"))
        fill(a, events)
        size = sum(Path(path).stat().st_size for path in Path(a.storage).rglob("events*.jsonl"))
        hub = Folder(f"file://{folder}/hub")

        def exchange(place: paths.Home, known: dict[str, Any]) -> Any:
            return Exchange(place, Journal(place), hub, keys.Keys(SPACE), known).run()

        known: dict[str, Any] = {}
        read, _ = timed(lambda: extent.extents(a, {}))
        index, _ = timed(lambda: Index(a).catch_up(wait=60))
        push, pushed = timed(lambda: exchange(a, known))
        pull, pulled = timed(lambda: exchange(b, {}))
        exchange(a, known)  # what b wrote when it began
        idle, again = timed(lambda: exchange(a, known))
        told = {
            "events": events, "log_mb": round(size / 1e6, 1), "bytes_a_line": round(size / events),
            "push": {"calls": pushed.calls, "rows": pushed.rows, "sent_mb": round(pushed.sent / 1e6, 1),
                     "of_the_log": round(pushed.sent / size, 3), "to_indexing": round(push / index, 2), "to_reading": round(push / read, 2)},
            "pull": {"calls": pulled.calls, "to_indexing": round(pull / index, 2), "to_reading": round(pull / read, 2)},
            "nothing_new": {"calls": again.calls, "to_reading": round(idle / read, 4)},
            "seconds": {"reading": round(read, 2), "indexing": round(index, 2), "push": round(push, 2), "pull": round(pull, 2), "idle": round(idle, 3)},
            "hub_mb": round(Path(folder, "hub", "hub.sqlite").stat().st_size / 1e6, 1),
        }  # fmt: skip
        told["goals"] = {name: ("met" if told["push"][name] <= most else "MISSED") for name, most in GOALS.items()}  # type: ignore[index]
        return told


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000), indent=2))
