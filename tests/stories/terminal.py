"""The real client in a terminal of its own (tmux): lines are typed, the screen is read."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.stories.client import OURS, Client

SECONDS = 60.0  # how long something may take to appear on the screen


class Terminal:
    """One client of one user, driven as a person drives it. Close it when done."""

    def __init__(self, client: Client, folder: Path) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("tmux is not here: the client cannot be driven in a terminal")
        self.client = client
        self._socket = str(folder / "tmux.socket")
        client.user.joinpath(".claude.json").write_text(json.dumps({  # the questions of a first run, answered beforehand
            "hasCompletedOnboarding": True, "theme": "dark", "lastOnboardingVersion": "99.0.0",
            "customApiKeyResponses": {"approved": ["dummy-key-for-loopback"[-20:]], "rejected": []},
            "projects": {str(client.project): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
        }))  # fmt: skip

    def start(self, *options: str) -> None:
        """Start the client and wait until it can be typed into."""
        around = self.client.around(TERM="xterm-256color")
        words = ["env", "-i", *(f"{name}={value}" for name, value in around.items()), self.client.binary,
                 *self.client.plugin, "--allowedTools", f"Bash,{OURS}session_record", *options]  # fmt: skip
        self._tmux("new-session", "-d", "-s", "s", "-x", "150", "-y", "50", "-c", str(self.client.project),
                   "exec " + " ".join(map(shlex.quote, words)))  # fmt: skip
        self.wait(r"❯")

    def type(self, line: str) -> None:
        """Type a line and press Enter."""
        self._tmux("send-keys", "-t", "s", "-l", line)
        self.wait(re.escape(line[:30]))
        time.sleep(0.3)  # the client takes a quick Enter for part of a pasted text
        self._tmux("send-keys", "-t", "s", "Enter")

    def wait(self, pattern: str) -> None:
        """Wait until the screen shows it."""
        end = time.monotonic() + SECONDS
        while not re.search(pattern, self.screen()):
            assert time.monotonic() < end, f"{pattern!r} never came:\n{self.screen()}"
            time.sleep(0.05)

    def wait_without(self, pattern: str) -> None:
        """Wait until the screen shows it no more."""
        end = time.monotonic() + SECONDS
        while re.search(pattern, self.screen()):
            assert time.monotonic() < end, f"{pattern!r} never went:\n{self.screen()}"
            time.sleep(0.05)

    def screen(self) -> str:
        """What a person would see."""
        return self._tmux("capture-pane", "-p", "-t", "s", check=False)

    def ended(self) -> bool:
        """Wait until the client has gone; whether it has."""
        end = time.monotonic() + SECONDS
        while "s:" in self._tmux("list-sessions", check=False):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        """End the terminal with all that runs in it."""
        self._tmux("kill-server", check=False)

    def _tmux(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(["tmux", "-S", self._socket, "-f", "/dev/null", *words], capture_output=True, text=True,
                              check=check, env={**os.environ, "LC_ALL": "C.UTF-8"})  # fmt: skip
        return done.stdout
