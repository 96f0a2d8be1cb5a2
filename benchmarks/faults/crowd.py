"""Many processes on one log at once, beside what one process can do that only appends and flushes."""

from __future__ import annotations

import os
import tempfile
import time

from benchmarks.faults.laws import go, judge, writer

from session_memory import paths


def crowd(processes: int, count: int, *, indexed: bool = True) -> tuple[str, bool]:
    """`processes` writers with `count` events each, every one flushed (and, like a server does, applied to the index)."""
    with tempfile.TemporaryDirectory() as folder:
        raw = _raw(folder, max(200, processes * count // 20))
        home = paths.Home(f"{folder}/home")
        running = [writer(home.root, f"w{w}", count, indexed=indexed) for w in range(processes)]
        go(running)
        began = time.perf_counter()
        acknowledged = [text for each in running for text in each.communicate()[0].split()]
        rate = len(acknowledged) / (time.perf_counter() - began)
        failed = sum(each.returncode != 0 for each in running)
        found = judge(home, acknowledged)
        what = "flush and index" if indexed else "flush"
        told = f"{processes} processes x {count:,}: {found}, {failed} failed; with {what} {rate / raw:.2f} of raw append + fsync"
        return told, found.green and not failed and len(acknowledged) == processes * count


def _raw(folder: str, count: int) -> float:
    """Lines a second that one process appends and flushes, without anything else."""
    fd = os.open(f"{folder}/raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    began = time.perf_counter()
    for _ in range(count):
        os.write(fd, b"x" * 500 + b"\n")
        os.fsync(fd)
    os.close(fd)
    return count / (time.perf_counter() - began)
