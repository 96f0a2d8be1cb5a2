"""A command is known again in any line and by any tool, and no run is called passed or failed that is not known to be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model import invocations
from session_memory.model.invocations import Turn

TURN = Turn("0" * 32, "2026-11-20T10:00:00.000Z", "tool", "s1")


def typed(line: str, asked: str, **outcome: Any) -> list[str]:
    return [each.typed for each in invocations.runs(line, invocations.wanted(asked), outcome, TURN)]


def ended(line: str, asked: str, **outcome: Any) -> list[tuple[str, int | None]]:
    return [(each.ended, each.code) for each in invocations.runs(line, invocations.wanted(asked), outcome, TURN)]


@pytest.mark.parametrize(
    ("line", "asked", "found"),
    [
        ("pytest -q tests/a.py", "pytest", ["pytest -q tests/a.py"]),
        ("cd app && .venv/bin/pytest -q", "pytest", [".venv/bin/pytest -q"]),
        ("python3 -I -m pytest -k auth", "pytest", ["python3 -I -m pytest -k auth"]),
        ("uv run --frozen pytest", "pytest", ["uv run --frozen pytest"]),
        ("uv run --frozen pytest", "uv run", ["uv run --frozen pytest"]),
        ("DEBUG=1 timeout 60 npx jest --ci", "jest", ["DEBUG=1 timeout 60 npx jest --ci"]),
        ("git -C ../shop push origin main", "git push", ["git -C ../shop push origin main"]),
        ("git add -A && git commit -m 'git push it' && git push", "git push", ["git push"]),
        ("npm run build; npm run lint", "npm run", ["npm run build", "npm run lint"]),
        ("npm run build", "npm run lint", []),
        ("cat log | jq '.a | .b'", "jq", ["jq '.a | .b'"]),
        ("for f in *.py; do ruff check $f; done", "ruff check", ["do ruff check $f"]),
        ("pytest -q tests", "pytest -k", []),
        ("pytest tests -k auth", "pytest -k", ["pytest tests -k auth"]),
        ("pytest --tb=short", "pytest --tb", ["pytest --tb=short"]),
        ("echo pytest", "pytest", []),
        ("grep -r pytest .", "pytest", []),
        ("mypytest", "pytest", []),
        ("cat <<'EOF'\npytest\nEOF", "pytest", []),
        ("terraform apply -auto-approve", "TERRAFORM", ["terraform apply -auto-approve"]),
        ("", "pytest", []),
    ],
)
def test_a_command_is_known_wherever_it_is_run(line: str, asked: str, found: list[str]) -> None:
    assert typed(line, asked) == found


@pytest.mark.parametrize(
    ("line", "outcome", "expected"),
    [
        ("pytest", {"ok": True}, ("ok", 0)),
        ("pytest", {"ok": False, "exit_code": 1}, ("failed", 1)),
        ("pytest", {"ok": False}, ("failed", None)),
        ("pytest", {"exit_code": 2}, ("failed", 2)),
        ("pytest", {}, ("unknown", None)),
        ("pytest && git push", {"ok": True}, ("ok", 0)),
        ("pytest && git push", {"ok": False, "exit_code": 1}, ("unknown", None)),  # either may have failed
        ("cd app; pytest", {"ok": False, "exit_code": 1}, ("failed", 1)),
        ("pytest; echo done", {"ok": True}, ("unknown", None)),
        ("pytest | tail -5", {"ok": True}, ("unknown", None)),
        ("pytest | tail -5", {"ok": False, "hidden_failure": True}, ("failed", None)),
        ("pytest || true", {"ok": True}, ("unknown", None)),
    ],
)
def test_how_a_run_ended_is_told_only_where_it_is_known(line: str, outcome: Any, expected: Any) -> None:
    assert ended(line, "pytest", **outcome) == [expected]


def test_a_filter_is_not_blamed_for_what_it_showed() -> None:
    assert ended("pytest | tail -5", "tail", ok=False, hidden_failure=True) == [("ok", None)]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"input": {"command": "make"}}, "make"),
        ({"input": {"command": ["bash", "-lc", "make && make install"]}}, "make && make install"),
        ({"input": {"cmd": ["git", "commit", "-m", "two words"]}}, 'git commit -m "two words"'),
        ({"input": "ls -l"}, "ls -l"),
        ({"command": "cargo test", "exit_code": 0}, "cargo test"),  # as a model records a call itself
        ({"name": "!", "args": "git status"}, "git status"),  # as the user ran it
        ({"name": "/compact", "args": ""}, ""),
        ({"input": {"file_path": "a.py"}}, ""),
        ({"input": {"command": 7}}, ""),
        ({}, ""),
    ],
)
def test_the_line_of_a_call_is_found_whatever_the_tool_calls_it(data: dict[str, Any], line: str) -> None:
    assert invocations.line_of(data) == line


def test_runs_are_grouped_by_wording_and_their_options_are_told() -> None:
    lines = ("pytest -q tests/b.py", "pytest -q tests/a.py", "pytest -x --tb=short", "pytest -- -k")
    found = [run for line in lines for run in invocations.runs(line, ["pytest"], {"ok": True}, TURN)]
    groups = invocations.grouped(found)
    assert [(each.wording, len(each.runs)) for each in groups] == [
        ("pytest -q FILE", 2), ("pytest -x --tb=short", 1), ("pytest -- -k", 1),
    ]  # fmt: skip
    assert [invocations.flags(each.words) for each in found] == [["-q"], ["-q"], ["-x", "--tb"], []]


@pytest.mark.parametrize(
    ("line", "kind"),
    [("mix test a.exs", "mix test"), ("cd x; npm run build -- -w", "npm run build"), ("python3 -m pytest -q", "pytest"),
     ("./run.sh now", "run.sh now"), ("pytest tests/a.py", "pytest"), ("sudo systemctl restart nginx", "systemctl restart")],
)  # fmt: skip
def test_a_kind_is_what_is_run_whatever_it_is_given(line: str, kind: str) -> None:
    assert invocations.kind(invocations.shell.steps(line)[-1][1]) == kind


@given(st.text(max_size=200), st.text(max_size=40))
def test_no_line_and_no_question_breaks_it(line: str, asked: str) -> None:
    for run in invocations.runs(line, invocations.wanted(asked), {"ok": True}, TURN):
        invocations.flags(run.words)
        invocations.kind(list(run.words))
    invocations.line_of({"input": line})
