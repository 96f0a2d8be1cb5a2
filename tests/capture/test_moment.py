"""The moment a session begins: git since, the conversation it goes on with, and the summary it follows."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.capture.test_brief import keep, said

from session_memory import paths
from session_memory.capture import moment
from session_memory.capture.moment import Beginning
from session_memory.model.context import Here


def git(folder: Path, *words: str) -> str:
    around = {
        **os.environ,
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@x",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@x",
    }
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True, env=around
    ).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def begin(home: str, project: Path, source: str = "startup", **more: Any) -> Here:
    branch = git(project, "branch", "--show-current")
    return moment.of(paths.Home(home), Beginning(source, "new", "dir:/p", str(project), branch=branch, **more), 1_500)[
        1
    ]


def test_commits_that_were_not_seen_being_made_are_told_and_another_branch(home: str, project: Path) -> None:
    keep(home, said("one", branch="main"))
    assert begin(home, project).git == []
    os.utime(project / ".git" / "HEAD")
    reflog = project / ".git" / "logs" / "HEAD"
    git(project, "checkout", "-q", "-b", "feature")
    git(project, "commit", "-q", "--allow-empty", "-m", "pulled by somebody")
    ahead = [line.replace(line.split(">")[1].split()[0], "1999999999") for line in reflog.read_text().splitlines()[1:]]
    reflog.write_text("\n".join([reflog.read_text().splitlines()[0], *ahead]) + "\n")
    found = begin(home, project).git
    assert [each.partition(" ")[2] for each in found[:2]] == [
        "checkout: moving from main to feature",
        "commit: pulled by somebody",
    ]
    assert found[2] == "on branch feature; the last work was on main"
    sha = git(project, "rev-parse", "--short=7", "HEAD")
    call = said("", type_="Bash")
    call.body.update(category="tool_call", data={"input": {"command": "git commit -m 'x y'"}})
    call.id = "0" * 32
    answer = said("", type_="Bash")
    answer.body.update(
        category="tool_response", parent="0" * 32, data={"ok": True, "output": f"[feature {sha}] pulled by somebody"}
    )
    keep(home, call, answer)
    assert not [each for each in begin(home, project).git if "pulled by somebody" in each]


def test_after_a_compaction_git_is_not_asked_and_the_summary_comes_from_the_log_or_else_the_transcript(
    home: str, project: Path
) -> None:
    keep(home, said("old", branch="other"))
    transcript = project / "t.jsonl"
    lines = [
        {"type": "user", "isCompactSummary": True, "message": {"content": text}}
        for text in ("stale", "<summary>the newest</summary>")
    ]
    transcript.write_text(
        "\n".join(json.dumps(each, separators=(",", ":")) for each in lines) + '\n{"isCompactSummary":true, half'
    )
    here = begin(home, project, "compact", transcript=str(transcript))
    assert here.summary == "the newest" and here.git == [] and here.budget == 600
    keep(home, said("told by the hook", session="new", type_="compact_summary"))
    assert begin(home, project, "compact", transcript=str(transcript)).summary == "told by the hook"
    assert begin(home, project, "startup", transcript=str(transcript)).summary == ""


def test_a_fork_goes_on_with_what_its_client_or_its_transcript_names_or_the_newest(home: str, project: Path) -> None:
    keep(home, said("one", session="newest"))
    transcript = project / "t.jsonl"
    assert begin(home, project, "fork", transcript=str(transcript)).lineage == {"new", "newest"}
    transcript.write_text(json.dumps({"forkedFrom": {"sessionId": "parent"}}) + "\n")
    assert begin(home, project, "fork", transcript=str(transcript)).lineage == {"new", "parent"}
    assert begin(home, project, "fork", transcript=str(transcript), before="before").lineage == {
        "new",
        "parent",
        "before",
    }
    transcript.write_text('{"forkedFrom": {"sessionId": "par')
    assert begin(home, project, "fork", transcript=str(transcript)).lineage == {"new", "newest"}
    assert begin(home, project, "resume", before="before").lineage == {"new"}


def test_a_file_counts_as_gone_only_where_its_folder_s_folder_is_there(home: str, project: Path) -> None:
    there = begin(home, project).there
    assert there is not None
    (project / "src").mkdir()
    assert (
        not there(str(project / "src" / "a.py")) and there("/no/such/machine/src/a.py") and there(str(project / "src"))
    )


def test_outside_of_git_there_is_no_news(home: str, tmp_path: Path) -> None:
    keep(home, said("one"))
    found = moment.of(paths.Home(home), Beginning("startup", "new", "dir:/p", str(tmp_path)), 1_500)[1]
    assert found.git == [] and found.roots["new"] == str(tmp_path)
