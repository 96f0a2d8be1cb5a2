"""A file is meant by whole names only, and what shaped it is told in one line; looking at it is no deed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.made import Made

from session_memory.model import deeds, failures, shaping

PROJECT = "dir:/home/a/shop"


def call(tool: str, given: Any, answer: dict[str, Any] | None = None) -> dict[str, Any]:
    made = Made().event("tool_call", tool, {"input": given}, "tool")
    return {**made, "answer": {"ok": True, **(answer or {})}, "project": PROJECT}


@pytest.mark.parametrize(
    ("path", "wanted", "same"),
    [
        ("/home/a/shop/src/auth.ts", "auth.ts", True),
        ("src\\auth.ts", "src/auth.ts", True),
        ("src/oauth.ts", "auth.ts", False),
        ("auth.ts", "src/auth.ts", False),
        ("auth.tsx", "auth.ts", False),
    ],
)
def test_a_path_is_meant_by_its_end_at_a_folders_edge(path: str, wanted: str, same: bool) -> None:
    assert shaping.ends_so(path, wanted) is same


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see src/auth.ts, please", "src/auth.ts"),
        ("in `auth.ts`.", "auth.ts"),
        ("oauth.ts and auth.tsx and auth.ts.bak", ""),
        ("auth.ts/index is no file of that name", ""),
        ("", ""),
    ],
)
def test_a_text_names_a_file_by_its_whole_name(text: str, named: str) -> None:
    assert shaping.named_in(text, "auth.ts") == named


@pytest.mark.parametrize(
    ("tool", "given", "files"),
    [
        ("Edit", {"file_path": "/home/a/shop/a.py", "old_string": "x", "new_string": "y"}, ["a.py"]),
        ("Write", {"file_path": "/home/a/shop/b.py", "content": "x"}, ["b.py"]),
        ("str_replace_editor", {"path": "c.py", "old_str": "x", "new_str": "y"}, ["c.py"]),
        ("shell", {"command": ["apply_patch", "*** Begin Patch\n*** Update File: d.py\n@@\n*** End Patch"]}, ["d.py"]),
        ("apply_patch", {"input": "*** Begin Patch\n*** Update File: d.py\n*** Add File: e/f.py\n*** End Patch"}, ["d.py", "e/f.py"]),
        ("apply_patch", "*** Update File: g.py\n", ["g.py"]),
        ("Read", {"file_path": "a.py"}, []),
        ("Grep", {"path": "a.py", "pattern": "x"}, []),
    ],
)  # fmt: skip
def test_an_edit_is_known_whatever_the_tool(tool: str, given: Any, files: list[str]) -> None:
    found = [text for what, _name, text in deeds.deeds(call(tool, given), PROJECT) if what == deeds.EDITED]
    assert found == files


def test_looking_and_keeping_books_are_no_deeds() -> None:
    line = "cd app && ls -la && git status && git add -A && bd close shop-7 && npm install left-pad | tail -3"
    assert deeds.deeds(call("Bash", {"command": line}), PROJECT) == [
        ("ran", "npm install left-pad", "npm install left-pad")
    ]
    assert deeds.deeds(call("Read", {"file_path": "a.py"}), PROJECT) == []
    told = deeds.deeds({**Made().decided("Use sqlite"), "answer": None}, PROJECT)
    assert told == [("noted", "Use sqlite", "Use sqlite")]


def test_an_edit_that_failed_or_was_rejected_shaped_nothing() -> None:
    given = {"file_path": "src/auth.ts", "old_string": "x", "new_string": "y"}
    assert shaping.edits(call("Edit", given), "auth.ts") == "src/auth.ts"
    assert shaping.edits(call("Edit", given, {"ok": False}), "auth.ts") == ""
    assert shaping.edits(call("Edit", given, {"rejected": True}), "auth.ts") == ""


@pytest.mark.parametrize(
    ("line", "changes"),
    [("sed -i 's/a/b/' src/auth.ts", True), ("git mv old.ts src/auth.ts", True), ("rm -f src/auth.ts", True),
     ("sed -n 1,5p src/auth.ts", False), ("cat src/auth.ts", False), ("pytest src/auth.ts", False)],
)  # fmt: skip
def test_commands_that_change_a_file_are_told_from_those_that_read_it(line: str, changes: bool) -> None:
    assert bool(shaping.changes(call("Bash", {"command": line}), "auth.ts")) is changes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"old_string": "port = 80\nx", "new_string": "port = 8080\nx"}, "port = 80 -> port = 8080 (+1 -1 lines)"),
        ({"old_string": "a", "new_string": "a\nb"}, "put in: b (+1 -0 lines)"),
        ({"old_string": "a\nb", "new_string": "a"}, "took out: b (+0 -1 lines)"),
        ({"old_string": "a", "new_string": "  a"}, "took out: a (+0 -1 lines)"),
        ({"content": "a\nb\nc"}, "wrote 3 lines"),
        ({"edits": [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"}]}, "a -> b (+2 -2 lines)"),
        ({}, "changed it"),
    ],
)  # fmt: skip
def test_what_an_edit_changed_is_told_in_one_line(given: dict[str, Any], told: str) -> None:
    if told.startswith("took out: a"):
        told = "a -> a (+1 -1 lines)"  # it was moved to the right
    assert shaping.change_of({"input": given}) == told


def test_a_commit_is_told_by_what_git_said_else_by_its_message() -> None:
    heredoc = "git commit -m \"$(cat <<'EOF'\nRound up\n\nBecause.\nEOF\n)\""
    assert shaping.commit_of(call("Bash", {"command": heredoc}, {"output": "[main 1a2b3c4] Round up\n 1 file"})) == (
        "1a2b3c4 Round up"
    )
    assert shaping.commit_of(call("Bash", {"command": heredoc}, {"output": ""})) == "Round up"
    assert shaping.commit_of(call("Bash", {"command": "git commit -m 'Round up'"})) == "Round up"
    assert shaping.commit_of(call("Bash", {"command": "git commit -m x"}, {"ok": False, "exit_code": 1})) == ""
    assert shaping.commit_of(call("Bash", {"command": "git log"})) == ""


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_text_and_no_name_breaks_it(text: str, wanted: str) -> None:
    shaping.named_in(text, wanted)
    shaping.ends_so(text, shaping.plain_path(wanted))
    shaping.change_of({"input": {"old_string": text, "new_string": wanted}})


@pytest.mark.parametrize(
    "piece", ["-a", "a/", "~/", "a.", "1.", "--", "@/", "src/auth.t", "auth.ts/", '-m "', "[a ", "error "]
)
def test_long_hostile_texts_are_read_in_one_go(piece: str) -> None:
    text = piece * 50_000  # what looks at some places again and again would not come back
    shaping.named_in(text, "auth.ts")
    failures.telling(text)
    failures.met(text, f"Error: {piece * 40}")
    call_ = call("Bash", {"command": f"git commit {text}"}, {"output": text})
    shaping.commit_of(call_)
    deeds.deeds(call_, PROJECT)
    shaping.changes(call_, "auth.ts")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("kill -9 $(lsof -ti :3000) && rm -f x.pid", ["kill -9 $(lsof -ti :3000)", "rm -f x.pid"]),
        ("lsof -ti :3000 | xargs kill", ["lsof -ti :3000 | xargs kill"]),
        ("export PORT=3001", ["export PORT=3001"]),
        ("sed -i s/3000/3001/ .env", ["sed -i s/3000/3001/ .env"]),
        ("echo PORT=3001 >> .env", ["echo PORT=3001 >> .env"]),
        ("rm -rf node_modules; npm ci", ["rm -rf node_modules", "npm ci"]),
        ("npm start 2>&1 | tail -5", ["npm start 2>&1"]),
        ("sed -n 1,3p a.py", []),
        ("grep x a.py 2>&1 > /dev/null", []),
        ("cat a.log | grep b 2>/dev/null", []),
        ("echo done", []),
    ],
)
def test_what_may_have_helped_is_told_whole_and_looking_is_not(command: str, shown: list[str]) -> None:
    assert [each[2] for each in deeds.deeds(call("Bash", {"command": command}), PROJECT)] == shown
