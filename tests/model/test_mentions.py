"""What an event mentions follows from the event alone, and ordinary text mentions nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.model.mentions import EDITED, NAMED, READ, Mentions, mentions, relative

GIT = "git:example.org/team/shop"


def found(category: str, type_: str, data: dict[str, Any], project: str = GIT) -> Mentions:
    return mentions(category, type_, data, project, "g")


def told(given: Mentions) -> dict[str, int]:
    return {f"{thing.type} {thing.qualified or thing.name}": how for thing, how in given.things.items()}


def links(given: Mentions) -> set[str]:
    return {f"{a.qualified or a.name} {type_} {b.qualified or b.name}" for a, type_, b in given.links}


def test_an_edit_shows_what_its_file_defines_and_imports() -> None:
    new = """import { sign } from "./jwt"
import express from 'express'
export async function handleAuth(req, res) {
  return sign(req)
}
export default class Session extends Base {}
const refresh = async (token) => {
"""
    made = found(
        "tool_call",
        "Edit",
        {"input": {"file_path": "/home/a/shop/src/auth.ts", "old_string": "function gone() {}", "new_string": new}},
    )
    assert told(made) == {
        "file src/auth.ts": EDITED, "function src/auth.ts:handleAuth": EDITED, "class src/auth.ts:Session": EDITED,
        "function src/auth.ts:refresh": EDITED, "module src/jwt": NAMED, "module express": NAMED,
    }  # fmt: skip
    assert links(made) == {
        "src/auth.ts owns src/auth.ts:handleAuth", "src/auth.ts owns src/auth.ts:Session",
        "src/auth.ts owns src/auth.ts:refresh", "src/auth.ts imports src/jwt", "src/auth.ts imports express",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "symbols"),
    [
        ("a.py", "from os.path import join\nclass A:\n    def b(self): ...\n    async def c(self): ...", ["class a.py:A", "function a.py:b", "function a.py:c", "module os.path"]),
        ("a.go", 'import "fmt"\nfunc (s *Server) Run() error {', ["function a.go:Run", "module fmt"]),
        ("a.rs", "use std::io;\npub(crate) fn go() {}\npub struct P;", ["class a.rs:P", "function a.rs:go", "module std::io"]),
        ("a.ex", "defmodule Shop.Cart do\n  alias Shop.Item\n  defp sum(x) do", ["function a.ex:sum", "module Shop.Item", "module a.ex:Shop.Cart"]),
        ("a.md", "def this(is): prose\nimport nothing", []),
    ],
)  # fmt: skip
def test_definitions_and_imports_of_several_languages(path: str, text: str, symbols: list[str]) -> None:
    made = found("tool_call", "Write", {"input": {"file_path": path, "content": text}})
    assert sorted(each for each in told(made) if not each.startswith("file ")) == symbols


@pytest.mark.parametrize(
    ("command", "things", "said"),
    [
        ("cd src && FOO=1 timeout 60 pytest tests/test_auth.py -q | tail -5", ["command pytest", "file tests/test_auth.py"], ["pytest tests tests/test_auth.py"]),
        ("npm run build -- --watch", ["command npm run build"], []),
        ("python3 -m http.server 8000", ["command http.server"], []),
        ("git commit -m 'see https://example.org/a.py'", ["command git commit"], []),
        ("cat /home/a/shop/docs/plan.md", ["file docs/plan.md"], []),
        ("cat > x.py <<'EOF'\nimport os\nopen('y.py')\nEOF", ["file x.py"], []),
        ("./scripts/deploy.sh prod.yaml", ["command deploy.sh", "file prod.yaml"], ["deploy.sh uses prod.yaml"]),
        ("echo 1.5 e.g. Node.js v2.0", [], []),
        ("", [], []),
    ],
)  # fmt: skip
def test_a_command_names_its_program_and_files(command: str, things: list[str], said: list[str]) -> None:
    made = found("tool_call", "Bash", {"input": {"command": command}})
    assert (sorted(told(made)), sorted(links(made))) == (things, said)


def test_reads_decisions_and_findings() -> None:
    assert told(found("tool_call", "Read", {"input": {"file_path": "/home/a/shop/src/x.py"}})) == {
        "file src/x.py": READ
    }
    decided = found(
        "decision", "api", {"title": "Sign tokens", "rationale": "in src/auth.ts, not lib/old.ts; Node.js can"}
    )
    assert told(decided) == {"decision Sign tokens": NAMED, "file src/auth.ts": NAMED, "file lib/old.ts": NAMED}
    assert links(decided) == {"src/auth.ts decided_by Sign tokens", "lib/old.ts decided_by Sign tokens"}
    assert links(found("finding", "bug", {"text": "config.yaml is read twice"})) == {
        "config.yaml is read twice references config.yaml"
    }
    assert found("message", "reply", {"text": "see src/auth.ts"}) == found("decision", "x", {}) == Mentions({}, {})


@pytest.mark.parametrize(
    ("path", "project", "called"),
    [
        ("/home/a/shop/src/x.py", GIT, "src/x.py"),
        ("/home/a/shop-feature/src/x.py", GIT, "src/x.py"),
        ("/home/a/shop/.claude/worktrees/w/src/x.py", GIT, "src/x.py"),
        ("./src/../x.py", GIT, "x.py"),
        ("D:\\here\\shop\\x.py", GIT, "x.py"),
        ("/elsewhere/x.py", GIT, "/elsewhere/x.py"),
        ("/p/q/x.py", "dir:/p/q", "x.py"),
        ("/p/q2/x.py", "dir:/p/q", "/p/q2/x.py"),
    ],
)  # fmt: skip
def test_a_path_is_called_as_in_its_project(path: str, project: str, called: str) -> None:
    assert relative(path, project) == called


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=60) | st.sampled_from(["src/a.py", "def f(x):", "cd a && b c.py", "\0", "/", "a/b.c:d"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["input", "files", "file_path", "path", "command", "content", "edits", "new_string", "title", "text"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["tool_call", "decision", "finding", "message"]),
    st.sampled_from(["Edit", "Bash", "Read", "x"]),
    values,
)
def test_whatever_an_event_holds_its_mentions_are_told_and_every_end_of_a_link_is_among_them(
    category: str, type_: str, data: Any
) -> None:
    made = mentions(category, type_, data, GIT, "g")
    assert made == mentions(category, type_, data, GIT, "g")
    assert all(source in made.things and target in made.things for source, _type, target in made.links)
    assert all(thing.name.strip() and thing.key for thing in made.things)
