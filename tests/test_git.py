"""Git: the same repository is the same project, wherever and however it is checked out."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from session_memory import git


def run(folder: Path, *words: str) -> str:
    quiet = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *quiet, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "shop"
    folder.mkdir(parents=True)
    run(folder, "init", "-q")
    (folder / "a.txt").write_text("one")
    run(folder, "add", ".")
    run(folder, "commit", "-qm", "first")
    return folder


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/Ann/Shop.git", "github.com/Ann/Shop"),
        ("https://user:secret@GitHub.com/Ann/Shop/", "github.com/Ann/Shop"),
        ("git@github.com:Ann/Shop.git", "github.com/Ann/Shop"),
        ("ssh://git@github.com:22/Ann/Shop", "github.com/Ann/Shop"),
        ("ssh://git@example.com:2222/Shop.git", "example.com:2222/Shop"),
        ("/srv/git/shop.git", None),
        ("file:///srv/git/shop.git", None),
        ("../shop", None),
        ("C:\\git\\shop", None),
    ],
)
def test_forms_of_a_remote_are_one_name(url: str, expected: str | None) -> None:
    assert git.normalised(url) == expected


def test_a_remote_names_the_project_for_sub_folders_and_worktrees(repository: Path) -> None:
    run(repository, "remote", "add", "other", "https://example.com/x/other.git")
    run(repository, "remote", "add", "origin", "git@example.com:ann/shop.git")
    sub = repository / "deep" / "er"
    sub.mkdir(parents=True)
    tree = repository.parent / "tree"
    run(repository, "worktree", "add", "-q", str(tree), "-b", "feature/x")
    for folder in (repository, sub, tree):
        assert git.project_key(str(folder)) == ("git:example.com/ann/shop", "shop")
    assert git.head(str(tree))[0] == "feature/x" and git.head(str(sub))[0] == "main"
    assert git.head(str(tree))[1] == run(repository, "rev-parse", "HEAD")


def test_without_a_remote_the_first_commit_names_it_and_without_git_the_folder(
    repository: Path, tmp_path: Path
) -> None:
    first = run(repository, "rev-list", "--max-parents=0", "HEAD")
    assert git.project_key(str(repository)) == (f"root:{first}", "shop")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert git.project_key(str(empty)) == (f"dir:{empty}", "empty")
    assert git.head(str(empty)) == (None, None)
    run(empty, "init", "-q")
    assert git.project_key(str(empty)) == (f"dir:{empty}", "empty")


def test_detached_heads_and_packed_refs_are_read(repository: Path) -> None:
    commit = run(repository, "rev-parse", "HEAD")
    run(repository, "pack-refs", "--all")
    assert git.head(str(repository)) == ("main", commit)
    run(repository, "checkout", "-q", "--detach")
    assert git.head(str(repository)) == (None, commit)


def told(changes: git.Changes) -> tuple[list[str], dict[str, tuple[str, str]], dict[str, str]]:
    files = {path: (letter, commit.subject) for path, (letter, commit) in changes.files.items()}
    return [commit.subject for commit in changes.commits], files, changes.dirty


def test_what_changed_since_a_commit_is_told_with_who_touched_a_file_last(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    (repository / "b.txt").write_text("two")
    run(repository, "add", ".")
    run(repository, "commit", "-qm", "second: b", "--author", "Ben <b@example.com>")
    (repository / "b.txt").write_text("three")
    run(repository, "commit", "-qam", "third")
    (repository / "a.txt").write_text("changed")
    changes = git.changes_since(str(repository), then)
    assert told(changes) == (["third", "second: b"], {"b.txt": ("A", "third")}, {"a.txt": "M"})
    assert changes.commits[1].author == "Ben" and changes.commits[1].at > 1_700_000_000_000
    assert (changes.behind, changes.more_commits, changes.reason) == (0, 0, "")


def test_a_file_that_came_and_went_did_not_change_and_one_that_went_and_came_did(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    for path, *steps in (["c.txt", "1", None], ["a.txt", None, "1"], ["d.txt", "1", "2"]):
        for text in steps:
            if text is None:
                (repository / str(path)).unlink()
            else:
                (repository / str(path)).write_text(text)
            run(repository, "add", "-A")
            run(repository, "commit", "-qm", f"{path} {text}")
    assert told(git.changes_since(str(repository), then))[1] == {"a.txt": ("M", "a.txt 1"), "d.txt": ("A", "d.txt 2")}


NAMES = [
    "with space.py",
    'quo"te.py',
    "new\nline.py",
    "tab\tstop.py",
    "naïve 日本.py",
    "-rf",
    " lead",
    "sub dir/é\n.py",
]


def test_any_file_name_is_told_as_it_is(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    (repository / "sub dir").mkdir()
    for name in NAMES:
        (repository / name).write_text("x")
    assert set(git.changes_since(str(repository), then).dirty) == {*NAMES[:-1], "sub dir/"}
    run(repository, "add", "-A")
    run(repository, "commit", "-qm", "\x01 odd\x1e subject\n\nA\tb.txt")
    changes = git.changes_since(str(repository), then)
    assert set(changes.files) == set(NAMES) and len(changes.commits) == 1 and changes.dirty == {}
    inside = git.changes_since(str(repository / "sub dir"), then)
    assert set(inside.files) == set(NAMES)  # paths are of the top, wherever we stand


def test_a_commit_that_is_gone_or_no_commit_at_all_is_said(repository: Path) -> None:
    (repository / "a.txt").write_text("changed")
    gone = git.changes_since(str(repository), "f" * 40)
    assert "commit ffffffff is not in this checkout" in gone.reason and gone.dirty == {"a.txt": "M"}
    assert git.changes_since(str(repository.parent), "f" * 40).reason == "this folder is no git repository"
    assert git.changes_since(str(repository), None).reason == "no commit was noted then"
    target = repository.parent / "written"
    for hostile in (f"--output={target}", "HEAD", "main~1", "-h", "a" * 3 + "\n"):
        assert git.changes_since(str(repository), hostile).reason == "no commit was noted then"
    assert list(repository.parent.iterdir()) == [repository]


def test_an_amended_commit_is_told_as_one_the_branch_no_longer_has(repository: Path) -> None:
    (repository / "a.txt").write_text("two")
    run(repository, "commit", "-qam", "second")
    then = run(repository, "rev-parse", "HEAD")
    run(repository, "commit", "-q", "--amend", "-m", "second, better")
    changes = git.changes_since(str(repository), then)
    assert (changes.behind, [each.subject for each in changes.commits]) == (1, ["second, better"])


def test_a_worktree_and_a_shallow_clone_are_compared_with_themselves(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    tree = repository.parent / "tree"
    run(repository, "worktree", "add", "-q", str(tree), "-b", "side")
    (tree / "w.txt").write_text("w")
    run(tree, "add", ".")
    run(tree, "commit", "-qm", "on the side")
    assert told(git.changes_since(str(tree), then)) == (["on the side"], {"w.txt": ("A", "on the side")}, {})
    assert told(git.changes_since(str(repository), then)) == ([], {}, {})
    assert git.top(str(tree)) == str(tree) and git.top(str(repository / ".git")) == str(repository)
    assert git.top(str(repository.parent)) is None
    run(repository, "merge", "-q", "side")
    clone = repository.parent / "clone"
    run(repository, "clone", "-q", "--depth", "1", repository.as_uri(), str(clone))
    shallow = git.changes_since(str(clone), then)
    assert "shallow" in shallow.reason and shallow.commits == [] and shallow.files == {}


def test_many_commits_are_counted_and_git_is_asked_three_times(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = run(repository, "rev-parse", "HEAD")
    for number in range(5):
        run(repository, "commit", "-q", "--allow-empty", "-m", f"c{number}")
    real, asked = shutil.which("git"), tmp_path / "asked"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho >> "{asked}"\nexec "{real}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    changes = git.changes_since(str(repository), then, limit=2)
    assert [each.subject for each in changes.commits] == ["c4", "c3"] and changes.more_commits == 3
    assert len(asked.read_text().splitlines()) <= 3


def test_without_the_program_git_everything_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    then = run(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", str(repository))
    assert git.changes_since(str(repository), then).reason == "git did not answer"
    assert git.head(str(repository)) == ("main", then)
