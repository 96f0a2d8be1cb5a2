"""A hook names the same project as everybody else, and asks git at most once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from session_memory import git, paths
from session_memory.capture import project


def repository(folder: Path, *, commit: bool = True) -> str:
    folder.mkdir()
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder)]
    subprocess.run([*run, "init", "-q"], check=True)
    if commit:
        subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return str(folder)


def test_git_is_asked_for_the_first_commit_once(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, folder = paths.Home(home), repository(tmp_path / "shop")
    expected = git.project_key(folder)
    assert expected[0].startswith("root:") and project.of(place, folder) == expected
    monkeypatch.setattr(git, "project_key", None)
    assert project.of(place, folder) == expected
    monkeypatch.undo()
    Path(place.storage, "projects.json").write_text('{"x": 1')
    assert project.of(place, folder) == expected


def test_what_files_tell_is_never_noted(home: str, tmp_path: Path) -> None:
    place = paths.Home(home)
    unborn, plain = repository(tmp_path / "new", commit=False), tmp_path / "plain"
    plain.mkdir()
    remote = repository(tmp_path / "far")
    subprocess.run(["git", "-C", remote, "remote", "add", "origin", "git@example.org:me/far.git"], check=True)
    for folder in (unborn, str(plain), remote):
        assert project.of(place, folder) == git.project_key(folder)
    assert not Path(place.storage, "projects.json").exists()
