"""Fixtures that keep tests away from the real home and the network, and a home folder of their own."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# CI draws the same examples every time, so that a change is judged by what it changes; everybody else explores
settings.register_profile("fixed", derandomize=True)
settings.load_profile("fixed" if os.environ.get("SESSION_MEMORY_EXAMPLES") == "fixed" else "default")

REPOSITORY = Path(__file__).resolve().parent.parent


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


def _refuse_outside(host: object) -> None:
    """Nothing but this machine may be reached, or looked up; a path (a Unix socket) is this machine."""
    if not isinstance(host, str) or host in {"", "localhost"}:
        return
    try:
        outside = not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        outside = True  # a name: finding its address already asks a server
    if outside:
        raise RuntimeError(f"a test tried to reach {host}")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for verb in ("connect", "connect_ex", "sendto"):
        real = getattr(socket.socket, verb)

        def guarded(self: socket.socket, *words: Any, real: Any = real) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                _refuse_outside(words[-1][0])  # the address comes last in all three
            return real(self, *words)

        monkeypatch.setattr(socket.socket, verb, guarded)
    lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *words: Any, **more: Any) -> Any:
        _refuse_outside(host.decode("ascii", "replace") if isinstance(host, bytes) else host)
        return lookup(host, *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


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
