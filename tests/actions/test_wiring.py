"""Clients are wired with everything shown and backed up, and unwired byte by byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from session_memory import paths
from session_memory.actions.clients import wired
from session_memory.actions.wiring import ANSWERING, RECORDING, Wiring
from session_memory.cli.main import main
from session_memory.errors import InvalidInput

OTHER = {"type": "command", "command": "notify-send done"}


@pytest.fixture
def user() -> Path:
    return Path(os.path.expanduser("~"))


def write(path: Path, value: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value, indent=4)
    path.write_text(text)
    return text


def test_claude_code_gets_server_and_hooks_beside_what_is_there_and_loses_exactly_those(
    home: str, user: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_MEMORY_HOME", home)
    older = {"command": "python3", "args": ["/old/session-memory/server.py"]}
    code = write(
        user / ".claude.json", {"numStartups": 5, "mcpServers": {"git": {"command": "git-mcp"}, "memory": older}}
    )
    hooks = write(user / ".claude" / "settings.json", {"model": "x", "hooks": {"Stop": [{"hooks": [OTHER]}]}})
    assert main(["install", "claude-code", "--dry-run"]) == 0
    assert "+" in capsys.readouterr().out and (user / ".claude.json").read_text() == code
    assert main(["install", "claude-code"]) == 0
    servers = json.loads((user / ".claude.json").read_text())["mcpServers"]
    assert set(servers) == {"git", "session-memory"} and servers["session-memory"]["args"] == [
        os.path.join(home, "server.py")
    ]
    found = json.loads((user / ".claude" / "settings.json").read_text())
    assert found["model"] == "x" and found["hooks"]["Stop"][0] == {"hooks": [OTHER]}
    assert set(found["hooks"]) == {*ANSWERING, *RECORDING, "PostToolUse", "PostToolUseFailure"}
    assert wired(home) == {"Claude Code": ["~/.claude.json (user)"]}
    assert main(["install", "claude-code"]) == 0 and "already" in capsys.readouterr().out
    assert main(["uninstall", "claude-code"]) == 0
    assert (user / ".claude.json").read_text() == code and (user / ".claude" / "settings.json").read_text() == hooks
    assert main(["uninstall", "claude-code"]) == 0 and wired(home) == {
        "Claude Code": ["~/.claude.json (user)"]
    }  # the older one


@pytest.mark.parametrize("elsewhere", [True, False])
def test_the_hook_that_was_installed_records_into_the_home_it_was_installed_for(
    home: str, user: Path, tmp_path: Path, elsewhere: bool
) -> None:
    assert main(["install", "claude-code", *(["--home", home] if elsewhere else [])]) == 0
    command = json.loads((user / ".claude" / "settings.json").read_text())["hooks"]["UserPromptSubmit"][0]["hooks"][0][
        "command"
    ]
    payload = {
        "hook_event_name": "UserPromptSubmit",
        "session_id": "s",
        "cwd": str(tmp_path),
        "prompt": "said",
        "prompt_id": "p",
    }
    done = subprocess.run(command, shell=True, input=json.dumps(payload), text=True, capture_output=True, check=True)
    usual = user / ".claude" / "session-memory"
    assert (
        done.stdout == done.stderr == ""
        and '"said"' in Path(home if elsewhere else usual, "storage", "events.jsonl").read_text()
    )
    assert not (elsewhere and usual.exists())


def test_installed_again_from_a_new_place_it_is_still_taken_back_byte_by_byte(
    home: str, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(user / ".claude" / "settings.json", {"model": "x"})
    wiring = Wiring(paths.Home(home))
    wiring.apply(wiring.install("claude-code"))
    monkeypatch.setattr("session_memory.actions.wiring.HOOK", "/new/place/session_memory/hooks/run.py")
    again = wiring.install("claude-code")
    assert [Path(each.path).name for each in again] == ["settings.json"] and wiring.apply(again) == []
    assert "/new/place/" in (user / ".claude" / "settings.json").read_text()
    assert wiring.undo(wiring.uninstall("claude-code")) == []
    assert (user / ".claude" / "settings.json").read_text() == text


def test_a_file_that_was_changed_since_loses_our_entries_only(home: str, user: Path) -> None:
    wiring = Wiring(paths.Home(home))
    settings = user / ".claude" / "settings.json"
    wiring.apply(wiring.install("claude-code"))
    found = json.loads(settings.read_text())
    found["hooks"]["Stop"].append({"hooks": [OTHER]})
    found["theme"] = "dark"
    settings.write_text(json.dumps(found))
    wiring.undo(wiring.uninstall("claude-code"))
    assert json.loads(settings.read_text()) == {"theme": "dark", "hooks": {"Stop": [{"hooks": [OTHER]}]}}
    assert not (user / ".claude.json").exists()  # it was not there before, and nobody has changed it
    assert wiring.uninstall("claude-code") == []


def test_claude_desktop_gets_the_server_at_its_platform_s_place(home: str, user: Path) -> None:
    wiring = Wiring(paths.Home(home))
    (change,) = wiring.install("claude-desktop")
    assert wiring.apply([change]) == [] and wired(home) == {
        "Claude Desktop": ["~/" + str(Path(change.path).relative_to(user))]
    }
    wiring.undo(wiring.uninstall("claude-desktop"))
    assert not Path(change.path).exists()


def test_a_plugin_that_is_enabled_needs_no_wiring(home: str, user: Path) -> None:
    write(user / ".claude" / "settings.json", {"enabledPlugins": {"session-memory@session-memory": True}})
    with pytest.raises(InvalidInput, match="brings server and hooks itself"):
        Wiring(paths.Home(home)).install("claude-code")


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1} trailing'])
def test_a_configuration_that_cannot_be_read_is_left_alone(home: str, user: Path, text: str) -> None:
    write(user / ".claude.json", text)
    with pytest.raises(InvalidInput, match="nothing was changed"):
        Wiring(paths.Home(home)).install("claude-code")
    assert (user / ".claude.json").read_text() == text


@pytest.mark.parametrize("value", [None, [], "x", {"Stop": "x"}, {"Stop": [3, {"hooks": 4}, {"hooks": []}]}])
def test_hooks_of_any_shape_survive_going_in_and_out(home: str, user: Path, value: Any) -> None:
    text = write(user / ".claude" / "settings.json", {"hooks": value})
    wiring = Wiring(paths.Home(home))
    wiring.apply(wiring.install("claude-code"))
    Path(home, "installed.json").write_text("{")
    wiring.uninstall("claude-code")  # entry by entry, as the note is spoilt
    Path(home, "installed.json").unlink()
    assert text


def test_the_entry_for_other_clients_is_printed(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--print", "cursor", "--home", home]) == 0
    entry = json.loads(capsys.readouterr().out)["mcpServers"]["session-memory"]
    assert entry == {"command": sys.executable, "args": [os.path.join(home, "server.py")]}
    assert main(["install", "--home", home]) == 1
    assert "missing-argument" in capsys.readouterr().err


def test_the_plugin_and_an_installation_by_hand_listen_to_the_same(home: str, user: Path) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    plugin = json.loads((root / "hooks" / "hooks.json").read_text())["hooks"]
    Wiring(paths.Home(home)).apply(Wiring(paths.Home(home)).install("claude-code"))
    by_hand = json.loads((user / ".claude" / "settings.json").read_text())["hooks"]

    def shape(hooks: dict[str, Any]) -> dict[str, Any]:
        return {
            event: [(group.get("matcher"), each.get("async"), each["timeout"], each.get("tool") or each["command"].partition("run.py")[2].split()[1])
                    for group in groups for each in group["hooks"]]
            for event, groups in hooks.items()
        }  # fmt: skip

    assert shape(plugin) == shape(by_hand)
