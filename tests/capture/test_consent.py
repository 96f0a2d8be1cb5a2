"""What the user keeps out stays out: pauses, sessions that were switched off, excluded tools and paths"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from session_memory import ids
from session_memory.capture.consent import Consent
from session_memory.errors import InvalidInput
from session_memory.model.record import EVENT, Draft
from session_memory.settings import Settings


def consent(home: str, **values: Any) -> Consent:
    settings = Settings()
    for name, value in values.items():
        settings.take(name.replace("__", "."), value, "config.json")
    assert not settings.problems
    return Consent(home, settings)


def event(category: str, type_: str, **data: Any) -> Draft:
    return Draft(EVENT, {"session": "s", "project": "p", "category": category, "type": type_, "data": data})


def test_a_pause_holds_for_its_time_and_for_its_project_only(home: str) -> None:
    rules = consent(home)
    assert rules.allows("s", "p", "/p") and rules.paused() is None
    rules.pause("p", 3_600_000)
    rules = consent(home)  # another process
    assert not rules.allows("s", "p", "/p") and rules.allows("s", "other", "/o")
    assert rules.paused("p") and not rules.paused("other")
    held = rules.paused("p")
    assert held is not None
    now = held["from"]
    assert rules.allows("s", "p", "/p", now - 60_000) and rules.allows("s", "p", "/p", now + 3_700_000)
    assert rules.resume("p") and not rules.resume("p") and consent(home).allows("s", "p", "/p", now + 60_000)
    assert not consent(home).allows("s", "p", "/p", now)  # what was said in the pause does not come back later


def test_a_pause_of_everything_ends_when_it_is_told_to(home: str) -> None:
    consent(home).pause(None, None)
    assert not consent(home).allows("s", "any", "/x", ids.now_ms() + 10**9)
    assert consent(home).resume(None)
    assert consent(home).allows("s", "any", "/x", ids.now_ms() + 2)


def test_a_second_pause_takes_the_place_of_the_first(home: str) -> None:
    consent(home).pause("p", None)
    consent(home).pause(None, None)
    consent(home).pause(None, 3_600_000)
    rules = consent(home)
    held = rules.paused("q")
    assert held is not None and held["to"] is not None
    later = held["to"] + 1
    assert rules.allows("s", "q", "/q", later) and not rules.allows(
        "s", "p", "/p", later
    )  # the project's own still holds


def test_a_session_that_was_switched_off_stays_off_with_its_subagents(home: str) -> None:
    consent(home).leave_out("s1")
    consent(home).leave_out("s1")
    assert not consent(home).allows("s1", "p", "/p") and not consent(home).allows("s1/agent-a", "p", "/p", 5)
    assert consent(home).allows("s2", "p", "/p")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"spans": [{"from": "x"}], "sessions": []}'])
def test_a_list_of_pauses_that_cannot_be_read_stops_recording_and_says_so(home: str, text: str) -> None:
    Path(home).mkdir()
    (Path(home) / "paused.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"paused\.json .* cannot be read"):
        consent(home)


def test_excluded_tools_paths_and_folders(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = consent(home, capture__exclude=["WebFetch", "*.env", "/secret/*", "mcp__bank__*", "~/private*"])
    assert (
        rules.kept(event("tool_call", "WebFetch")) is None
        and rules.kept(event("tool_response", "mcp__bank__pay")) is None
    )
    assert rules.kept(event("tool_call", "Read", files=["/shop/.env"])) is None
    assert rules.kept(event("tool_call", "Read", files=["/secret/a/b"])) is None
    assert rules.kept(event("tool_call", "Read", files=["/shop/a.py"])) is not None
    assert rules.kept(event("message", "user_prompt", text="WebFetch")) is not None
    monkeypatch.setenv("HOME", "/home/me")
    assert not rules.allows("s", "p", "/home/me/private-things") and not rules.allows("s", "p", "/secret/x")
    assert rules.allows("s", "p", "/shop")


@pytest.mark.parametrize(
    ("name", "category", "type_"),
    [
        ("capture__prompts", "message", "user_prompt"),
        ("capture__prompts", "message", "answer"),
        ("capture__responses", "message", "reply"),
        ("capture__responses", "message", "compact_summary"),
        ("capture__tool_calls", "tool_call", "Bash"),
        ("capture__tool_calls", "tool_response", "Bash"),
    ],
)
def test_each_kind_can_be_switched_off(home: str, name: str, category: str, type_: str) -> None:
    assert consent(home, **{name: False}).kept(event(category, type_)) is None
    others = {"capture__prompts", "capture__responses", "capture__tool_calls"} - {name}
    assert consent(home, **dict.fromkeys(others, False)).kept(event(category, type_)) is not None


def test_changes_of_several_processes_at_once_are_all_kept(home: str) -> None:
    program = (
        "import sys\nfrom session_memory.capture.consent import Consent\nfrom session_memory.settings import Settings\n"
        "for n in range(10):\n    Consent(sys.argv[1], Settings()).leave_out(f'{sys.argv[2]}-{n}')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, home, str(number)]) for number in range(4)]
    consent(home).pause("p", None)
    assert [each.wait() for each in running] == [0] * 4
    rules = consent(home)
    assert rules.paused("p") and not any(rules.allows(f"{p}-{n}", "q", "/q") for p in range(4) for n in range(10))
