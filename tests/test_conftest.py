"""The fixtures keep every test, and every process a test starts, away from the real home and the network."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys

import pytest


def test_a_public_address_cannot_be_reached() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match="tried to reach"):
        one.connect(("192.0.2.1", 80))


def test_the_home_is_a_temporary_one_here_and_in_child_processes() -> None:
    real = pwd.getpwuid(os.getuid()).pw_dir
    shown = subprocess.run(
        [sys.executable, "-c", "import os; print(os.path.expanduser('~'))"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert shown == os.path.expanduser("~") != real


def test_no_variable_names_a_home_a_client_or_a_secret() -> None:
    assert not [name for name in os.environ if name.startswith(("CLAUDE", "SESSION_MEMORY_HOME")) or "TOKEN" in name]
