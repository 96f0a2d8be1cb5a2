"""Plugins of one's own: write a starter, and try one where it can harm nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from session_memory import paths
from session_memory.actions.opened import Opened
from session_memory.errors import InvalidInput, NotFound, PluginFailed
from session_memory.index import search as event_rows
from session_memory.index import sessions as session_rows
from session_memory.plugins import starter
from session_memory.plugins.registry import NAME
from session_memory.settings import child_environment

SECONDS = 120.0  # that a whole trial may take
LOOKED_AT = 200  # newest sessions that are looked through for one of the plugin's skills
PROGRAM = "from session_memory.plugins.trial import main; main()"


class Trials:
    """What can be done with plugins of one's own."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def new(self, name: str) -> tuple[str, str]:
        """Write a commented starter file and its test into the home; returns their paths.

        Raises InvalidInput (bad-argument: no good name, or the file is there), OSError.
        """
        if not NAME.fullmatch(name):
            raise InvalidInput(
                "bad-argument", f"{name[:60]!r} is no name of a plugin.",
                "Use lower-case letters, digits, dash and underscore, a letter first.",
            )  # fmt: skip
        folder = self._opened.home.plugins
        if self._opened.plugins.get(name) is not None:
            raise InvalidInput("bad-argument", f"A plugin named {name} is there already.", "Take another name.")
        file, test = os.path.join(folder, f"{name}.py"), self._test(name)
        for path in (file, test):
            if os.path.lexists(path):
                raise InvalidInput("bad-argument", f"{path} is there already.", "Take another name.")
        paths.make_dir(folder)
        paths.make_dir(os.path.dirname(test))
        paths.write_whole(file, starter.file_text(name).encode())
        paths.write_whole(test, starter.test_text(name).encode())
        return file, test

    def test(self, name: str, session_id: str | None = None) -> dict[str, Any]:
        """Run a plugin, in a process of its own, over a sample session and over the newest one of its skills.

        Returns {name, source, skills, categories, events, recorded, result, checks}.
        Raises NotFound (unknown-plugin, unknown-session), PluginFailed (plugin-failed: it ended or never came back).
        """
        events = self._events(name, session_id)
        test = self._test(name)
        asked = {
            "folder": self._opened.home.plugins, "name": name, "events": events,
            "test": test if os.path.isfile(test) else "",
        }  # fmt: skip
        report = self._asked(asked)
        if not report["found"]:
            known = ", ".join(each["name"] for each in self._opened.plugins.listed())
            raise NotFound("unknown-plugin", f"No plugin is named {name[:60]!r}.", f"There are: {known}.")
        return report

    def _asked(self, asked: dict[str, Any]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            answer = os.path.join(folder, "answer.json")
            around = child_environment({"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)})
            try:
                done = subprocess.run(
                    [sys.executable, "-c", PROGRAM], input=json.dumps({**asked, "answer": answer}).encode(),
                    capture_output=True, timeout=SECONDS, check=False, cwd=folder, env=around,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise PluginFailed(
                    "plugin-failed",
                    f"{asked['name']} did not end within {SECONDS:g} s and was killed.",
                    "Look for a loop in it.",
                ) from None
            try:
                with open(answer, encoding="utf-8") as file:
                    report: dict[str, Any] = json.load(file)
            except (FileNotFoundError, ValueError):
                last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
                raise PluginFailed(
                    "plugin-failed",
                    f"{asked['name']} ended the process it ran in (exit status {done.returncode}). {last}",
                ) from None
            if done.stdout:
                said = f"it printed {done.stdout[:60].decode(errors='replace')!r} past sys.stdout"
                report["checks"].append({"what": "writes nothing to the standard output", "ok": False, "why": said})
            return report

    def _events(self, name: str, session_id: str | None) -> list[dict[str, Any]]:
        """The events of a session: the named one, else the newest whose skill the plugin supports; none without any."""
        opened = self._opened
        database = opened.read()
        wanted = session_id
        if session_id is None:
            for each in session_rows.listed(database, None, LOOKED_AT):
                skill = str(each.get("skill", ""))
                if skill and opened.plugins.for_skill(skill).name == name:
                    wanted = str(each["id"])
                    break
        elif session_rows.find(database, session_id) is None:
            raise NotFound(
                "unknown-session", f"No session has the id {session_id[:80]!r}.", "See: session-memory sessions"
            )
        return event_rows.every(database, event_rows.Filter(lineage_of=wanted)) if wanted else []

    def _test(self, name: str) -> str:
        return os.path.join(self._opened.home.plugins, "tests", f"test_{paths.safe_name(name)}.py")
