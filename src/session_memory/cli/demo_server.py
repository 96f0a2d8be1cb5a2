"""The server of the demo: the real one, with one seam: it dies of SIGKILL halfway through the bytes of one marked write."""

from __future__ import annotations

import os
import signal
import sys

from session_memory import paths
from session_memory.cli import serve
from session_memory.cli.demo_story import MARK

_write_all = paths.write_all


def _die_halfway(fd: int, content: bytes) -> None:
    if MARK.encode() not in content:
        _write_all(fd, content)
        return
    _write_all(fd, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    paths.write_all = _die_halfway
    sys.exit(serve.start(serve.home_of(sys.argv[1:])[1]))
