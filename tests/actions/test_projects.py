"""Projects that were recorded under several keys are one again, for every read; and what certainly is one becomes it by itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.capture.test_project import repository

from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.capture import project as noted_projects
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


def recorded(home: str, folder: str, text: str) -> str:
    """Record one decision with a checkpoint and a handoff in a folder; returns its project key."""
    with Memory(home, cwd=folder) as memory:
        memory.events.record("decision", "api", {"title": text})
        memory.checkpoints.create(text)
        memory.handoffs.write()
        return memory.opened.project()[0]


def seen(home: str, folder: str) -> set[str]:
    """The decisions that a search, the handoff and the list of checkpoints show in a folder; they must agree."""
    with Memory(home, cwd=folder) as memory:
        found = {each["data"]["title"] for each in memory.events.query(Query(category="decision")).events}
        told = memory.handoffs.summary().split()
        assert {title for title in ("old", "new", "other") if title in told} == found
        named = memory.checkpoints.listed(type_="manual", limit=9)["checkpoints"]
        assert {each["name"] for each in named} == found and memory.handoffs.latest()
        assert len(memory.sessions.listed(everywhere=False, limit=9)) == len(found)
        return found


@pytest.fixture
def two(home: str, tmp_path: Path) -> tuple[str, str]:
    """Two folders, each with a project of its own."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    recorded(home, str(old), "old")
    recorded(home, str(new), "new")
    return str(old), str(new)


def test_a_folder_that_moved_is_the_same_project_for_every_read(home: str, two: tuple[str, str]) -> None:
    old, new = two
    os.rename(old, old + "-gone")
    assert seen(home, new) == {"new"}
    with Memory(home, cwd=new) as memory:
        key, target, kept = memory.projects.alias(old)
        assert (key, target) == (f"dir:{old}", f"dir:{new}") and kept is not None and kept.indexed
        assert memory.projects.alias(old) == (target, target, None)  # said twice is said once
        assert memory.projects.alias(new, to=old)[2] is None  # nor the other way round: no circle
    assert seen(home, new) == {"old", "new"}
    with Memory(home, cwd=new) as memory:
        memory.health.rebuild()
        assert memory.health.verify().green
        assert [each["aliases"] for each in memory.projects.listed()] == [[f"dir:{old}"]]
    assert seen(home, new) == {"old", "new"}
    with Memory(home, cwd=new) as memory:
        assert memory.projects.unalias(f"dir:{old}")[0] == f"dir:{old}"
        assert memory.health.verify().green
    assert seen(home, new) == {"new"}


def test_what_is_aliased_brings_its_own_aliases_with_it(home: str, tmp_path: Path, two: tuple[str, str]) -> None:
    old, new = two
    other = tmp_path / "other"
    other.mkdir()
    recorded(home, str(other), "other")
    with Memory(home, cwd=new) as memory:
        memory.projects.alias(old)
        memory.projects.alias(old, to="other")  # `old` stands for `new` by now
        assert memory.projects.here() == f"dir:{other}"
    assert seen(home, new) == seen(home, str(other)) == {"old", "new", "other"}


def test_forgetting_a_project_takes_all_of_its_keys(home: str, two: tuple[str, str]) -> None:
    old, new = two
    with Memory(home, cwd=new) as memory:
        memory.projects.alias(old)
        memory.forgetting.carry_out(memory.forgetting.plan(Wanted(project="old")))
        assert memory.projects.listed() == [] and memory.health.verify().green
        assert memory.opened.consent().allows("s", f"dir:{old}", old, 1_000) is False


def test_what_cannot_be_meant_is_refused(home: str, tmp_path: Path, two: tuple[str, str]) -> None:
    same = tmp_path / "deep" / "old"
    same.mkdir(parents=True)
    recorded(home, str(same), "other")
    with Memory(home, cwd=two[1]) as memory:
        with pytest.raises(NotFound, match="No project has"):
            memory.projects.alias("nowhere")
        with pytest.raises(InvalidInput, match="2 projects are called 'old'"):
            memory.projects.alias("old")
        with pytest.raises(InvalidInput, match="no alias"):
            memory.projects.unalias("new")
        memory.projects.alias(two[0])
        with pytest.raises(InvalidInput, match=f"Its aliases are: dir:{two[0]}"):
            memory.projects.unalias("new")


def test_a_repository_that_got_a_remote_is_joined_by_itself_and_only_then(home: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    root = recorded(home, folder, "old")
    with Memory(home, cwd=folder) as memory:
        assert noted_projects.of(memory.opened.home, folder)[0] == root  # as its hooks note it
        assert memory.projects.join() is None
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", "git@example.org:me/shop.git"], check=True)
    recorded(home, folder, "new")
    assert seen(home, folder) == {"new"}
    with Memory(home, cwd=folder) as memory:
        (likely,) = memory.projects.suggested()
        assert likely["key"] == root and "same commit" in likely["why"]
        assert [each.what for each in memory.doctor._aliases()] == [
            f"shop ({root}) looks like this folder's project: it begins with the same commit"
        ]
        list(memory.starts.missed())
        assert memory.projects.join() is None  # once
        assert memory.projects.suggested() == []
    assert seen(home, folder) == {"old", "new"}
    with Memory(home, cwd=folder) as memory:
        memory.projects.unalias(root)
        assert memory.projects.join() is None  # the user's word stands
    assert seen(home, folder) == {"new"}


def test_another_repository_in_the_same_folder_is_not_joined(home: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    recorded(home, folder, "old")
    with Memory(home, cwd=folder) as memory:
        noted_projects.of(memory.opened.home, folder)
    os.rename(folder, tmp_path / "away")
    repository(tmp_path / "shop")
    subprocess.run(["git", "-C", folder, "commit", "-q", "--amend", "--allow-empty", "-m", "different"], check=True,
                   env={**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
                        "GIT_COMMITTER_EMAIL": "a@b"})  # fmt: skip
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", "git@example.org:me/b.git"], check=True)
    with Memory(home, cwd=folder) as memory:
        assert memory.projects.join() is None
        (likely,) = memory.projects.suggested()
        assert "this folder" in likely["why"]  # it is for the user to say


def test_a_folder_that_became_a_repository_is_suggested(home: str, tmp_path: Path) -> None:
    folder = tmp_path / "idea"
    folder.mkdir()
    recorded(home, str(folder), "old")
    subprocess.run(["git", "-C", str(folder), "init", "-q"], check=True)
    subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", "git@example.org:me/idea.git"], check=True)
    with Memory(home, cwd=str(folder)) as memory:
        (likely,) = memory.projects.suggested()
        assert likely["key"] == f"dir:{folder}"
        memory.projects.alias(likely["key"])
        assert memory.projects.suggested() == [] and memory.projects.here() == "git:example.org/me/idea"
    assert seen(home, str(folder)) == {"old"}
