"""The brief is read from its file and from what the log has got since; without a file the log's end must do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from session_memory import paths
from session_memory.capture import brief
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.notes import SAID
from session_memory.model.record import CHECKPOINT, EVENT, INJECTION, SESSION, Draft

PROJECT = "dir:/p"


def keep(home: str, *drafts: Draft) -> None:
    Journal(paths.Home(home)).append(drafts)


def said(text: str, session: str = "s1", project: str = PROJECT, type_: str = "user_prompt", **more: Any) -> Draft:
    body = {
        "session": session,
        "project": project,
        "category": "message",
        "type": type_,
        "data": {"text": text},
        "stated_by": "user",
    }
    return Draft(EVENT, {**body, **more})


def words(home: str, project: str = PROJECT, session: str = "s2") -> list[str]:
    known = brief.load(paths.Home(home), project, session)
    return [note["text"] for note in known.notes if note["what"] == SAID]


def test_without_a_file_the_newest_records_are_read(home: str) -> None:
    keep(home, Draft(SESSION, {"session": "s1", "project": PROJECT, "cwd": "/p"}), said("one"), said("other's", project="dir:/q"),
         said("two", branch="feature"))  # fmt: skip
    known = brief.load(paths.Home(home), PROJECT, "s2")
    assert words(home) == ["one", "two"] and known.roots == {"s1": "/p"}
    assert (known.session, known.branch) == ("s1", "feature") and known.last


def test_with_a_file_only_what_came_after_it_is_read(home: str) -> None:
    keep(home, said("one"))
    with Memory(home, cwd=home) as memory:
        memory.opened.read()
    file = Path(paths.Home(home).brief_of(PROJECT))
    content = json.loads(file.read_text())
    assert content["seq"] == 2 and [note["text"] for note in content["notes"]] == ["one"]
    keep(home, said("two"))
    assert words(home) == ["one", "two"]
    content["notes"] = []
    file.write_text(json.dumps(content))
    assert words(home) == ["two"]  # what the file should hold is not read twice


def test_a_file_that_is_spoilt_or_of_another_version_is_passed_over(home: str) -> None:
    keep(home, said("one"))
    with Memory(home, cwd=home) as memory:
        memory.opened.read()
    file = Path(paths.Home(home).brief_of(PROJECT))
    for spoilt in (
        "",
        "{",
        "[]",
        '{"v": 99}',
        file.read_text().replace('"notes":[', '"nodes":['),
        file.read_text().replace("dir:/p", "dir:/x"),
    ):
        file.write_text(spoilt)
        assert words(home) == ["one"], spoilt


def test_a_very_long_log_is_read_from_its_end(home: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(brief, "MOST_TAIL", 2_000)
    keep(home, *(said(f"number {n}") for n in range(50)))
    found = words(home)
    assert 1 < len(found) < 10 and found[-1] == "number 49"


def test_the_summary_is_the_newest_of_this_session_s_last_compaction(home: str) -> None:
    def summary(session: str = "s1") -> str:
        return brief.load(paths.Home(home), PROJECT, session).summary

    keep(home, said("first summary", type_="compact_summary"))
    assert summary() == "first summary" and summary("s2") == ""
    keep(home, Draft(CHECKPOINT, {"session": "s1", "project": PROJECT, "name": "before a compaction", "type": "auto"}))
    assert summary() == ""
    keep(home, said("second summary", type_="compact_summary"))
    assert summary() == "second summary"


def test_what_was_told_before_is_known(home: str) -> None:
    keep(home, Draft(INJECTION, {"session": "s1", "project": PROJECT, "data": {"lines": [{"ids": ["a" * 32]}]}}))
    (note,) = brief.load(paths.Home(home), PROJECT, "s1").notes
    assert note["what"] == "told" and note["ids"] == ["a" * 32] and note["session"] == "s1"


def test_damaged_and_foreign_lines_are_passed_over(home: str) -> None:
    keep(home, said("one"))
    with open(paths.Home(home).events, "ab") as file:
        file.write(b'{"v":1,"kind":"event","broken\nnonsense\n{"v":1,"kind":"event","half')
    assert words(home) == ["one"] and words(home, "dir:/other") == []


def test_no_home_knows_nothing(home: str) -> None:
    assert brief.load(paths.Home(home), PROJECT, "s").notes == []
