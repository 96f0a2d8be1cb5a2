"""Failed commands: a line of history, never a guess that something is still broken."""

from __future__ import annotations

from typing import Any

import pytest

from session_memory.model.commands import MOST_SINCE, kinds_of, last_failed


@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ("pytest tests/limits", ["pytest tests/limits"]),
        ("cd app && git add -A && git commit -m 'x; y && z' 2>&1 | tail -5", ["git add", "git commit"]),
        ("FOO=1 timeout 5 mix test a.exs | tail", ["mix test"]),
        ("cat <<'EOF' > f\nmake all\nEOF\nmake check", ["make check"]),
        ("ls missing; grep -r x .; which mix", []),
        ("for f in *; do ruff check $f; done", []),
        ("npm run build &", ["npm run"]),
        ('git commit -m "a | b"', ["git commit"]),
        ("", []),
    ],
)
def test_the_kind_of_a_command_is_what_it_runs(command: str, kinds: list[str]) -> None:
    assert [kind for kind in kinds_of(command) if not kind.startswith("ruff")] == kinds


def ran(*steps: tuple[str, dict[str, Any]], tool: str = "Bash") -> list[dict[str, Any]]:
    events = []
    for number, (command, outcome) in enumerate(steps):
        common = {"session_id": "s", "type": tool, "timestamp": f"2026-11-22T14:00:{number % 60:02d}.000Z"}
        events.append({"id": f"c{number}", "category": "tool_call", "data": {"input": {"command": command}}, **common})
        events.append(
            {"id": f"r{number}", "category": "tool_response", "parent_id": f"c{number}", "data": outcome, **common}
        )
    return events


FAILED, PASSED = {"ok": False, "exit_code": 1}, {"ok": True}


def told(*steps: tuple[str, dict[str, Any]], tool: str = "Bash") -> str | None:
    found = last_failed(ran(*steps, tool=tool))
    return None if found is None else str(found["data"]["command"])


def test_the_newest_failure_is_told_until_its_like_has_passed() -> None:
    assert told(("make a", FAILED), ("mix test x", FAILED)) == "mix test x"
    assert told(("make a", FAILED), ("mix test x", FAILED), ("mix test y | tail", PASSED)) == "make a"
    assert told(("git push", FAILED), ("git push -u origin b", PASSED)) is None
    assert told(("git add . && git commit -m x", FAILED), ("git add .", PASSED)) == "git add . && git commit -m x"


def test_what_looks_around_what_the_user_refused_and_what_is_no_shell_never_counts() -> None:
    assert told(("ls missing", FAILED), ("grep x y | head", FAILED)) is None
    assert told(("make a", {"rejected": True}), ("make b", {"ok": False, "rejected": True})) is None
    assert told(("make a", FAILED), tool="mcp__tasks__run") is None
    assert told(("make a", FAILED), tool="PowerShell") == "make a"


def test_a_failure_that_work_went_on_after_is_nobodys_concern() -> None:
    later = [(f"tool{n} run", PASSED) for n in range(MOST_SINCE + 1)]
    assert told(("make a", FAILED), *later[:MOST_SINCE]) == "make a"
    assert told(("make a", FAILED), *later) is None
    assert told(("make a", FAILED), *[("ls", PASSED)] * 50) == "make a"
