"""Another process that holds a lock, for tests of waiting."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from session_memory.log import lock

HOLD = "import fcntl,sys,time; f=open(sys.argv[1],'a'); fcntl.flock(f,2); print(1,flush=True); time.sleep(120)"


@contextlib.contextmanager
def held(path: str) -> Iterator[subprocess.Popen[str]]:
    """The lock file at `path`, held by a process until the block ends."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        holder.stdout.readline()
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def told_or_skip(path: str) -> None:
    """Skip the test where the system does not tell who holds a lock (macOS, some containers)."""
    if lock.holder(path) is None:
        pytest.skip("the system does not tell who holds a lock")
