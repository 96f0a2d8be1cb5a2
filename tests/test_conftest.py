"""The fixtures keep every test, and every process a test starts, away from the real home and the network."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "127.example.com", "example.com"])
@pytest.mark.parametrize("verb", ["connect", "connect_ex", "sendto"])
def test_another_machine_cannot_be_reached(host: str, verb: str) -> None:
    kind = socket.SOCK_DGRAM if verb == "sendto" else socket.SOCK_STREAM
    words = (b"x", (host, 9)) if verb == "sendto" else ((host, 9),)
    with socket.socket(type=kind) as one, pytest.raises(RuntimeError, match="tried to reach"):
        getattr(one, verb)(*words)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(RuntimeError, match="tried to reach"):
        socket.create_connection(("example.com", 80))


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_the_home_is_a_temporary_one_here_and_in_child_processes() -> None:
    real = pwd.getpwuid(os.getuid()).pw_dir
    shown = subprocess.run(
        [sys.executable, "-c", "import os; print(os.path.expanduser('~'))"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert shown == os.path.expanduser("~") != real


def test_no_variable_names_a_home_a_client_or_a_secret() -> None:
    assert not [name for name in os.environ if name.startswith(("CLAUDE", "SESSION_MEMORY_HOME")) or "TOKEN" in name]
