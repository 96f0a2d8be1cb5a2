"""The brief's file says what the index knows, and is kept up by whoever applies records."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.capture.test_brief import keep, said

from session_memory import paths
from session_memory.capture import brief as reading
from session_memory.index import brief
from session_memory.memory import Memory
from session_memory.model import brief as model

PROJECT = "dir:/p"


def content(home: str) -> dict[str, object]:
    return dict(json.loads(Path(paths.Home(home).brief_of(PROJECT)).read_text()))


def test_it_is_written_by_whoever_applies_records_privately_and_says_the_same_after_a_rebuild(home: str) -> None:
    keep(home, said("Never edit billing.", branch="main"), said("Do the login.", branch="main"))
    with Memory(home, cwd=home) as memory:
        memory.opened.read()
    path = Path(paths.Home(home).brief_of(PROJECT))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    first = content(home)
    assert first["branch"] == "main" and first["session"] == "s1"
    path.unlink()
    with Memory(home, cwd=home) as memory:
        memory.opened.index.catch_up(rebuild=True)
    assert content(home) == first


def test_it_holds_what_capture_reads_without_it(home: str) -> None:
    keep(home, *(said(f"number {n}, and never {n}") for n in range(5)))
    without = model.facts(reading.load(paths.Home(home), PROJECT, "x").notes)
    with Memory(home, cwd=home) as memory:
        memory.opened.read()
    with_file = model.facts(reading.load(paths.Home(home), PROJECT, "x").notes)
    assert [(f.section, f.text, f.ids) for f in with_file] == [(f.section, f.text, f.ids) for f in without]


def test_the_server_s_look_keeps_it_up_but_not_at_every_record(home: str) -> None:
    with Memory(home, cwd=home) as memory:
        keep(home, said("one"))
        memory.contexts.keep_up()
        seq = content(home)["seq"]
        keep(home, said("two"))
        memory.contexts.keep_up()
        assert content(home)["seq"] == seq and memory.opened.index.touched == {PROJECT}
        memory.contexts._written = 0
        memory.contexts.keep_up()
        assert content(home)["seq"] != seq and not memory.opened.index.touched


def test_one_that_cannot_be_written_is_a_warning_and_tried_again(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(home, said("one"))
    with Memory(home, cwd=home) as memory:
        memory.opened.read()
        Path(paths.Home(home).storage, "brief").write_text("in the way")
        memory.contexts.refresh()
        assert any("brief" in each for each in memory.opened.warnings) and memory.opened.index.touched == {PROJECT}
        os.unlink(Path(paths.Home(home).storage, "brief"))
    assert content(home)["project"] == PROJECT


def test_of_a_session_only_what_was_before_is_noted(home: str) -> None:
    first, later, other = said("one"), said("later"), said("other", session="s2")
    first.at_ms, later.at_ms, other.at_ms = 1_790_000_000_000, 1_790_000_001_000, 1_790_000_000_000
    keep(home, first, later, other)
    with Memory(home, cwd=home) as memory:
        found = brief.of_session(memory.opened.read(), "s1", 1_790_000_000_500)
        assert [note["text"] for note in found] == ["one"]
