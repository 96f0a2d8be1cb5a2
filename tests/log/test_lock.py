"""Who holds a lock, where the system tells."""

from __future__ import annotations

import builtins
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.log.holder import held, told_or_skip

from session_memory.errors import LogUnavailable
from session_memory.log import lock


@pytest.mark.fault(22)
def test_the_holder_and_whether_it_is_stopped_are_told(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert lock.holder(path) is None
    with held(path) as process:
        told_or_skip(path)
        found = lock.holder(path)
        assert found is not None and (found.pid, found.stopped) == (process.pid, False) and "python" in found.name
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        found = lock.holder(path)
        assert found is not None and found.stopped
    assert lock.holder(path) is None


def test_a_holder_that_went_away_meanwhile_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "lock")
    with held(path):
        told_or_skip(path)
        real = open

        def gone(name: Any, *words: Any, **more: Any) -> Any:
            if str(name).endswith("/stat"):
                raise FileNotFoundError(name)
            return real(name, *words, **more)

        monkeypatch.setattr(builtins, "open", gone)
        assert lock.holder(path) is None


@pytest.mark.fault(33)
def test_a_lock_that_fails_for_another_reason_is_not_taken_for_a_missing_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int, how: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(lock.fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output error"), lock.Lock(str(tmp_path / "lock"), 1.0):
        pass


def test_a_lock_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="log-unwritable"), lock.Lock(str(tmp_path / "none" / "lock"), 1.0):
        pass
