"""Fixtures that keep tests away from the real home and the network, and a home folder of their own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_real_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fake = tmp_path_factory.mktemp("user")
    for name in list(os.environ):
        if name.startswith(("CLAUDE", "SESSION_MEMORY_HOME", "SESSION_MEMORY_OFF", "XDG_", "GIT_")) or any(
            word in name for word in ("KEY", "TOKEN", "SECRET")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(fake))
    monkeypatch.setenv("USERPROFILE", str(fake))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(fake / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)]))
    yield


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(host).startswith(LOOPBACK):
            raise RuntimeError(f"a test tried to reach {host}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def home(tmp_path: Path) -> str:
    """A home folder that does not exist yet."""
    return str(tmp_path / "home")


@pytest.fixture
def shared() -> Path:
    """Real transcripts, labels and samples that are not part of the repository."""
    place = Path(os.environ.get("SESSION_MEMORY_SHARED") or REPOSITORY.parent / "shared")
    if not place.is_dir():
        pytest.skip("the shared material (real transcripts) is not on this machine")
    return place
