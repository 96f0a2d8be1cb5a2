"""Commands are known again whatever file, task or filter they were run with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model import shell


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("mix test test/a_test.exs 2>&1 | tail -5", ["mix test FILE"]),
        ("cd /x && MIX_ENV=test mix test", ["mix test"]),
        ("npm run build && npm test -- --watch=false", ["npm run build", "npm test -- --watch=false"]),
        ("bd close shop-7 shop-8 --reason='all done now'", ["bd close ID --reason"]),
        ("gh issue view 12", ["gh issue view ID"]),
        ('make "quoted target" all', ["make … all"]),
        ("git status; ls -la | grep x", ["", ""]),
        ("./run.sh && /usr/bin/thing", ["", ""]),
        ("pytest -q tests/a.py tests/b.py::test_x", ["pytest -q FILE"]),
        ("cargo build <<'EOF'\nmix test\nEOF", ["cargo build"]),
        ("just " + "x" * 90, [""]),
        ("", []),
    ],
)
def test_what_changes_from_call_to_call_is_left_out(command: str, known: list[str]) -> None:
    assert [shell.usual(words) for words in shell.parts(command)] == known


@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("bd show shop-7 2>/dev/null", ("show", ["shop-7"])),
        ("gh issue view #12 --comments", ("show", ["12"])),
        ("bd close shop-7 shop-8", ("closed", ["shop-7", "shop-8"])),
        ("bd update shop-7 --status in_progress", ("open", ["shop-7"])),
        ("bd update shop-7 --status=closed", ("closed", ["shop-7"])),
        ("jira issue start PROJ-3", ("open", ["PROJ-3"])),
        ("bd update shop-7 --priority 2", None),
        ("bd list --status=open", None),
        ("git show abc-1", None),
        ("gh issue close", None),
    ],
)
def test_calls_of_issue_trackers_are_understood(command: str, change: object) -> None:
    (words,) = shell.parts(command)
    assert shell.task_change(words) == change


@given(st.text(max_size=200))
def test_any_text_is_a_command(text: str) -> None:
    for words in shell.parts(text):
        assert words and all(isinstance(each, str) for each in words)
        assert len(shell.usual(words)) <= shell.LONGEST
        shell.task_change(words)
