"""The doctor's rehearsal plays what is really installed, names the step that fails, and touches nothing of the user's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from session_memory import paths
from session_memory.actions import rehearsal
from session_memory.actions.clients import Installed, installed, wired
from session_memory.actions.wiring import Wiring
from session_memory.memory import Memory

ROOT = Path(__file__).resolve().parent.parent.parent
EVENTS = [event for event, _payload, _makes in rehearsal.PLAYED]


def user() -> Path:
    folder = Path(os.path.expanduser("~")) / ".claude"
    folder.mkdir(exist_ok=True)
    return folder


def test_nothing_installed_is_said_with_what_to_do(home: str) -> None:
    assert installed() is None
    with Memory(home, cwd=home) as memory:
        told = [each for each in memory.doctor.examine() if each.area == "rehearsal"]
    assert len(told) == 1 and told[0].level == "note" and "session-memory install claude-code" in told[0].fix


def test_what_was_installed_by_hand_is_played_and_leaves_the_memory_alone(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        place = memory.opened.home
        Wiring(place).apply(Wiring(place).install("claude-code"))
        memory.events.record("finding", "x", {"text": "mine"})
        before = Path(place.events).read_bytes()
        found = installed()
        assert found is not None and found.how == "by hand" and set(EVENTS) <= set(found.hooks)
        steps = rehearsal.play(found)
        assert [(step.name, step.wrong) for step in steps if step.wrong] == []
        assert len(steps) == len(EVENTS) + 1 and all(step.ms > 0 for step in steps)
        assert steps[-1].name == "server, first answer, tools and a search"
        assert Path(place.events).read_bytes() == before
        told = [each for each in memory.doctor.examine() if each.area == "rehearsal"]
        assert [each.level for each in told] == ["ok"] and "hook Stop" in told[0].what and " ms" in told[0].what


def test_a_plugin_is_found_where_the_client_put_it(home: str) -> None:
    (user() / "plugins").mkdir()
    (user() / "settings.json").write_text(
        json.dumps({"enabledPlugins": {"other@x": True, "session-memory@session-memory": True}})
    )
    place = [{"scope": "user", "installPath": str(ROOT)}]
    (user() / "plugins" / "installed_plugins.json").write_text(
        json.dumps({"plugins": {"session-memory@session-memory": place}})
    )
    found = installed()
    assert found is not None and found.how == "plugin" and found.root == str(ROOT)
    assert found.server == ["python3", f"{ROOT}/bin/session-memory", "serve"]
    assert [step.wrong for step in rehearsal.play(found) if step.name.startswith("hook")] == [""] * len(EVENTS)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("exit 3", "exit 3"),
        ("true", "0 events were recorded instead of 1"),
        ("echo >&2 no such python; exit 127", "no such python"),
    ],
)
def test_a_hook_that_fails_is_named_with_its_reason(command: str, reason: str) -> None:
    hooks = {event: [command] for event in EVENTS}
    steps = rehearsal.play(Installed("by hand", hooks=hooks, server=[sys.executable, "-c", "print('no tools')"]))
    wrong = {step.name: step.wrong for step in steps}
    assert reason in wrong["hook UserPromptSubmit"] and "no tools" in wrong["server, first answer and tools"]


def test_a_server_that_works_in_another_home_than_the_hooks_is_named(home: str) -> None:
    Path(home).mkdir()
    with Memory(home, cwd=home) as memory:
        Wiring(memory.opened.home).apply(Wiring(memory.opened.home).install("claude-code"))
    found = installed()
    assert found is not None
    code = "import os, sys; os.environ['SESSION_MEMORY_HOME'] = sys.argv[1]; from session_memory.cli.main import main; main(['serve'])"
    other = Installed(found.how, found.root, found.hooks, [sys.executable, "-c", code, f"{home}-other"])
    assert "does not find what the hooks recorded" in rehearsal.play(other)[-1].wrong
    named = Installed(
        found.how, found.root, found.hooks, [sys.executable, "-m", "session_memory", "serve", "--home", home]
    )
    last = rehearsal.play(named)[-1]  # it would search the user's own memory
    assert (last.name, last.wrong) == ("server, first answer and tools", "")


def test_what_is_missing_or_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {step.name: step.wrong for step in rehearsal.play(Installed("by hand", hooks={"Other": ["true"]}))}
    assert steps == {
        **dict.fromkeys((f"hook {event}" for event in EVENTS), "it is not installed"),
        "server": "it is not installed",
    }
    gone = rehearsal.play(Installed("by hand", server=["/nowhere/python"]))[-1]
    assert "cannot be started" in gone.wrong
    monkeypatch.setattr(rehearsal, "SECONDS", 0.3)
    slow = rehearsal.play(
        Installed("by hand", hooks={"Stop": ["sleep 5"]}, server=[sys.executable, "-c", "import time; time.sleep(9)"])
    )
    told = {step.name: step.wrong for step in slow}
    assert "did not end" in told["hook Stop"] and "no answer" in told["server, first answer and tools"]


def test_a_server_without_hooks_is_noted(home: str) -> None:
    (Path(os.path.expanduser("~")) / ".claude.json").write_text(
        json.dumps({"mcpServers": {"session-memory": {"command": "/gone"}}})
    )
    with Memory(home, cwd=home) as memory:
        told = {each.level: each.what for each in memory.doctor.examine() if each.area == "rehearsal"}
    assert "no hooks of ours" in told["note"] and "cannot be started" in told["fault"]


def test_a_pause_is_a_warning(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        memory.opened.consent().pause(None, None)
        told = [each for each in memory.doctor.examine() if each.area == "recording"]
        assert [each.level for each in told] == ["warning"] and "unpause" in told[0].fix
    assert paths.Home(home).paused


def test_the_plugin_s_own_file_is_no_wiring_of_the_project_it_lies_in() -> None:
    assert wired(str(ROOT)) == {}
