"""Receipts in a real checkout: whatever state it is in, the resume says what became of our files, and never breaks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from session_memory.ids import now_ms
from session_memory.memory import Memory
from session_memory.model.record import EVENT, SESSION, Draft

GOLDEN = Path(__file__).parent / "golden"
ODD = 'src/sp ace "q"\n日本.py'


def git(folder: Path, *words: str, who: str = "Ann") -> str:
    fixed = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
             (("NAME", who), ("EMAIL", "x@example.com"), ("DATE", "2026-11-22T12:00:00Z"))}  # fmt: skip
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *words], cwd=folder, env={**os.environ, **fixed}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, subject: str, files: dict[str, str | None], who: str = "Ann") -> None:
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", subject, who=who)


class Work:
    """A project and a memory, and what a client's hooks would have recorded of work in it."""

    def __init__(self, home: str, folder: Path) -> None:
        self.home, self.folder, self._number = home, folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def open(self, cwd: Path | None = None) -> Memory:
        return Memory(self.home, cwd=str(cwd or self.folder))

    def tool(self, memory: Memory, tool: str, given: dict[str, Any], outcome: dict[str, Any], *files: str) -> None:
        """One tool call with its result. The clock goes on by a second a call, so that order is certain."""
        self._number += 1
        project = memory.sessions.project_of(memory.opened.read(), "s1")
        common = {"session": "s1", "project": project, "type": tool, "stated_by": "tool"}
        at, call = now_ms() - 1_000_000 + 1_000 * self._number, f"{self._number:032x}"
        memory.opened.keep([
            Draft(EVENT, {**common, "category": "tool_call", "data": {"input": given, "files": list(files)}}, id=call, at_ms=at),
            Draft(EVENT, {**common, "category": "tool_response", "data": outcome, "parent": call}, at_ms=at + 1),
        ])  # fmt: skip

    def edit(self, memory: Memory, *paths: str) -> None:
        for path in paths:
            self.tool(memory, "Edit", {}, {"ok": True}, path if os.path.isabs(path) else str(self.folder / path))


@pytest.fixture
def work(home: str, tmp_path: Path) -> Work:
    made = Work(home, tmp_path / "shop")
    git(made.folder, "init", "-q")
    commit(
        made.folder, "first", {"src/keys.py": "1", "src/old.py": "1", "src/mine.py": "1", "readme.md": "1", ODD: "1"}
    )
    return made


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n\n")[0]


def resumed(work: Work, cwd: Path | None = None) -> str:
    with work.open(cwd) as memory:
        return memory.handoffs.resume(link=False, budget=3_900).text


def settled(text: str) -> str:
    """Without what is different in every run: days and ids."""
    text = re.sub(
        r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?", lambda found: "2026-11-22" + (" 14:20" if found[1] else ""), text
    )
    return re.sub(r"`[0-9a-f]{16}`", "`019aaacd0c010000`", re.sub(r"checkpoint [0-9a-f]{32}", "checkpoint 019a…", text))


def test_the_resume_a_person_reads(work: Work) -> None:
    with work.open() as memory:
        memory.sessions.start(session_id="s1", skill="feature-work")
        record = memory.events.record
        record("message", "user_prompt", {"text": "Add rate limits. Never log request bodies."}, stated_by="user")
        record("decision", "constraint", {"text": "Never log request bodies"}, stated_by="user")
        old = record("decision", "storage", {"title": "Keep counters in Redis"})[0].records[0].id
        new = record("decision", "storage", {"title": "Keep counters in SQLite", "rationale": "No new service to run"})
        record("decision", "layout", {"title": "Limits stay in src/old.py", "rationale": "src/keys.py reads them"})
        wrong = (
            record("finding", "cause", {"title": "The proxy drops Retry-After", "severity": "high"})[0].records[0].id
        )
        record("question", "question_raised", {"id": "Q1", "question": "Do health checks count?"})
        record("phase", "next_step", {"text": "Send Retry-After in seconds"})
        memory.marks.put(old, "superseded", by=new[0].records[0].id)
        memory.marks.put(new[0].records[0].id, "accepted")
        memory.marks.put(wrong, "wrong", note="The client never asked for it")
        work.edit(memory, "src/keys.py", "src/old.py", "src/mine.py", "src/new/limits.py", "/tmp/scratch.txt", ODD)
        work.tool(memory, "Bash", {"command": "cd src && pytest tests -q 2>&1 | tail -5"},
                  {"ok": False, "exit_code": 1, "output": "Exit code 1\n1 failed: test_headers"})  # fmt: skip
        record("message", "reply", {"text": "The bucket works; headers are next."})
        memory.checkpoints.create("bucket works", "41 tests green.\nHeaders are wrong.")
    commit(work.folder, "drop the old limiter", {"src/old.py": None, "docs/limits.md": "new"}, who="Ben")
    commit(work.folder, "count per key", {"src/keys.py": "2", ODD: "2"})
    (work.folder / "src" / "mine.py").write_text("2")
    (work.folder / "notes.txt").write_text("x")
    text = settled(resumed(work))
    path = GOLDEN / "resume.md"
    if os.environ.get("SESSION_MEMORY_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def started(work: Work, *edited: str) -> None:
    with work.open() as memory:
        memory.sessions.start(session_id="s1")
        work.edit(memory, *(edited or ("src/keys.py",)))
        memory.events.record("decision", "layout", {"title": "Limits live in src/keys.py and src/never.py"})
        memory.checkpoints.create("here")


def test_a_commit_that_was_rebased_away_is_said(work: Work) -> None:
    commit(work.folder, "second", {"src/keys.py": "2"})
    started(work)
    git(work.folder, "commit", "-q", "--amend", "-m", "second, better")
    assert "1 commit of then no longer in this branch" in resumed(work)
    git(work.folder, "reflog", "expire", "--expire=now", "--all")
    git(work.folder, "gc", "-q", "--prune=now")
    assert "is not in this checkout (rebased away, or a shallow clone)" in resumed(work)


def test_a_shallow_clone_and_a_worktree_are_compared_too(work: Work, tmp_path: Path) -> None:
    git(work.folder, "remote", "add", "origin", "https://example.com/ann/shop.git")
    started(work)
    commit(work.folder, "count per key", {"src/keys.py": "2"})
    git(work.folder, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    (tmp_path / "tree" / "src" / "keys.py").write_text("3")
    there = section(resumed(work, tmp_path / "tree"), "Files")
    assert re.fullmatch(r"- src/keys.py \(edited 1x\): changed since by Ann in [0-9a-f]+, then not committed", there)
    git(tmp_path, "clone", "-q", "--depth", "1", work.folder.as_uri(), "clone")
    git(tmp_path / "clone", "remote", "set-url", "origin", "https://example.com/ann/shop.git")
    text = resumed(work, tmp_path / "clone")
    assert "shallow clone" in text and section(text, "Files") == "- src/keys.py (edited 1x)"
    assert "[not there now: src/never.py]" in text


def test_from_a_folder_below_everything_is_the_same(work: Work) -> None:
    started(work, "src/keys.py", "readme.md")
    (work.folder / "readme.md").write_text("2")
    assert resumed(work, work.folder / "src") == resumed(work)
    assert "readme.md (edited 1x): not committed" in resumed(work, work.folder / "src")


def test_without_git_what_is_there_is_still_looked_for(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Work(home, tmp_path / "plain")
    (plain.folder / "src").mkdir()
    (plain.folder / "src" / "keys.py").write_text("1")
    started(plain)
    text = resumed(plain)
    assert "[not there now: src/never.py]" in text and "Since the checkpoint" not in text
    assert section(text, "Files") == "- src/keys.py (edited 1x)"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resumed(plain) == text


def test_when_git_is_not_installed_the_rest_is_told(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    git(work.folder, "remote", "add", "origin", "https://example.com/ann/shop.git")
    started(work)
    monkeypatch.setenv("PATH", str(work.folder))
    text = resumed(work)
    assert "Since the checkpoint: git did not answer" in text and "Limits live in" in text


def test_the_tree_of_another_project_says_nothing_of_ours(work: Work, tmp_path: Path) -> None:
    started(work)
    other = Work(work.home, tmp_path / "other")
    git(other.folder, "init", "-q")
    commit(other.folder, "theirs", {"src/keys.py": "x"})
    with other.open() as memory:
        memory.sessions.start(session_id="s1")  # attached by its id, from elsewhere
        text = memory.handoffs.write(session_id="s1").text
    assert "theirs" not in text and "Since the" not in text and "not there now" not in text
    assert section(text, "Files") == "- src/keys.py (edited 1x)"


def test_a_session_with_a_project_name_of_its_own_is_compared_with_the_folder_it_worked_in(work: Work) -> None:
    with work.open() as memory:
        memory.sessions.start(session_id="s1", project="The Shop")
        work.edit(memory, "src/keys.py")
        memory.checkpoints.create("here")
        commit(work.folder, "count per key", {"src/keys.py": "2"})
        text = memory.handoffs.resume(name="here", link=False).text
    assert "Since the checkpoint: 1 commit by Ann; 1 of 1 file we edited changed" in text


def test_a_project_that_moved_keeps_its_relative_paths(work: Work, tmp_path: Path) -> None:
    git(work.folder, "remote", "add", "origin", "https://example.com/ann/shop.git")
    started(work, "src/keys.py", str(tmp_path / "outside.txt"))
    shutil.move(str(work.folder), str(tmp_path / "moved"))
    text = resumed(work, tmp_path / "moved")
    assert section(text, "Files") == "- src/keys.py (edited 1x)" and str(tmp_path) not in text


def test_only_files_of_this_sessions_line_are_ours(work: Work) -> None:
    with work.open() as memory:
        memory.sessions.start(session_id="s0")
        memory.opened.keep([
            Draft(EVENT, {"session": "s0", "project": memory.opened.project()[0], "category": "tool_call", "type": "Edit",
                          "data": {"files": [str(work.folder / "readme.md")]}, "stated_by": "tool"})])  # fmt: skip
    started(work)
    for name in ("readme.md", "src/keys.py"):
        (work.folder / name).write_text("2")
    text = resumed(work)
    assert "1 of 1 file we edited changed" in text
    assert "not committed: M readme.md" in section(text, "Changed since the checkpoint")


@pytest.mark.parametrize(
    "path", ["\0", "x\0y.py", "../../etc/passwd", "/etc/passwd", "a" * 5_000, "~/x.py", "-rf", "."]
)
def test_no_path_in_a_record_can_break_it(work: Work, path: str) -> None:
    started(work)
    with work.open() as memory:
        memory.sessions.start(session_id="s1")
        memory.events.record("decision", "layout", {"title": "t", "file": path})
        work.tool(memory, "Edit", {}, {"ok": True}, path)
    text = resumed(work)
    assert "Limits live in" in text and "passwd" not in section(text, "Files")


@pytest.mark.parametrize("folder", ["\0", "/gone/\0x", "relative/gone", "/" + "x" * 5_000, "~"])
def test_no_folder_that_a_session_claims_can_break_it(work: Work, folder: str) -> None:
    with work.open() as memory:
        body = {"session": "s1", "project": memory.opened.project()[0], "change": "start", "cwd": folder}
        memory.opened.keep([Draft(SESSION, body)])
    started(work, "src/keys.py")
    assert section(resumed(work), "Files") == "- src/keys.py (edited 1x)"
