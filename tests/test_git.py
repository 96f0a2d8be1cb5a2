"""Git: the same repository is the same project, wherever and however it is checked out."""

from __future__ import annotations

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


def test_what_changed_since_a_commit_is_told(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    (repository / "b.txt").write_text("two")
    run(repository, "add", ".")
    run(repository, "commit", "-qm", "second: b")
    (repository / "a.txt").write_text("changed")
    changes = git.changes_since(str(repository), then)
    assert [subject for _sha, subject in changes.commits] == ["second: b"]
    assert changes.files == [("A", "b.txt")] and changes.dirty == [("M", "a.txt")]
    gone = git.changes_since(str(repository), "f" * 40)
    assert "not in this checkout" in gone.reason and gone.dirty == [("M", "a.txt")]
    assert git.changes_since(str(repository.parent), then).reason


def test_many_commits_are_counted(repository: Path) -> None:
    then = run(repository, "rev-parse", "HEAD")
    for number in range(5):
        run(repository, "commit", "-q", "--allow-empty", "-m", f"c{number}")
    changes = git.changes_since(str(repository), then, limit=2)
    assert [subject for _sha, subject in changes.commits] == ["c4", "c3"] and changes.more_commits == 3
