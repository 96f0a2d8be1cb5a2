"""All long loops; writes benchmarks/faults/results.json, from which docs/reference/faults.md is made. `--short` for a look."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults import crowd, flips, kills, peers, syscalls

RESULTS = Path(__file__).resolve().parent / "results.json"


def power(states: int) -> tuple[str, bool]:
    """The test of tests/log/test_power.py with many more states."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "tests/log/test_power.py", "-k", "every_disk"],
        env={**os.environ, "SESSION_MEMORY_POWER_STATES": str(states)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line.strip() for line in done.stdout.splitlines() if "states," in line]
    return "; ".join(told) or done.stdout[-300:], done.returncode == 0


def main() -> int:
    """Run them; 1 when a law was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small part of each")
    parser.add_argument("--only", help="one of them")
    given = parser.parse_args()
    small = given.short
    loops: dict[str, Callable[[], tuple[str, bool]]] = {
        "kill -9, writers": lambda: kills.writers(10 if small else 500),
        "kill -9, servers": lambda: kills.servers(2 if small else 40),
        "many processes, log only": lambda: crowd.crowd(4 if small else 16, 100 if small else 2_500, indexed=False),
        "many processes, log and index": lambda: crowd.crowd(4 if small else 16, 100 if small else 2_500),
        "bit flips": lambda: flips.flips(100 if small else 3_000),
        "power loss": lambda: power(50 if small else 3_000),
    }
    if syscalls.available():
        loops["every system call (strace)"] = lambda: syscalls.loop(9 if small else 1)
    if peers.place():
        loops["reference memory server, 4 processes x 50"] = lambda: (peers.crowd(), True)
        loops["reference memory server, half a line at the end"] = lambda: (peers.torn(), True)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    broken = 0
    for name, loop in loops.items():
        if given.only and given.only not in name:
            continue
        told, green = loop()
        print(f"{'ok  ' if green else 'FAIL'} {name}: {told}", flush=True)
        broken += not green
        results[name] = told if green else f"BROKEN: {told}"
        if not small:
            RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
