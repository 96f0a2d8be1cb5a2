"""Projects: which there are, which keys mean one of them, and which look as if they did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from session_memory import git
from session_memory.actions.opened import Kept, Opened
from session_memory.capture import project as noted_projects
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import projects as project_rows
from session_memory.model.projects import ALIAS, UNALIAS
from session_memory.model.record import EVERYWHERE, PROJECT, Draft

if TYPE_CHECKING:
    from session_memory.index.database import Database


class Projects:
    """What can be done with projects."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def listed(self) -> list[dict[str, Any]]:
        """Every project with its counts and its other keys, most recent first. Raises IndexUnavailable."""
        return project_rows.listed(self._opened.read())

    def here(self) -> str:
        """The key that stands for the project of the folder we work in. Raises IndexUnavailable."""
        return project_rows.whole_of(self._opened.read(), self._opened.project()[0])

    def keys(self, key: str) -> tuple[str, ...]:
        """Every key of the project that `key` is one of. Raises IndexUnavailable."""
        return project_rows.keys_of(self._opened.read(), key)

    def scope(self, named: str | None = None, *, everywhere: bool = False) -> tuple[str, ...]:
        """The keys that a look at one project covers (default: the one of this folder); () for every project.

        Raises InvalidInput (bad-argument), NotFound (unknown-project), IndexUnavailable.
        """
        if everywhere:
            return ()
        database = self._opened.read()
        return project_rows.in_scope(database, self._meant(database, named) if named else self._opened.project()[0])

    def alias(self, other: str, to: str | None = None) -> tuple[str, str, Kept | None]:
        """Say that `other` is the same project as `to` (default: the one of this folder); both by key, name or folder.

        Returns both keys, and what became of the record; None when they were one project already. Raises InvalidInput
        (bad-argument, paused), NotFound (unknown-project), LogUnavailable, IndexUnavailable.
        """
        opened = self._opened
        opened.must_record()
        database = opened.read()
        target = project_rows.whole_of(database, self._meant(database, to) if to else opened.project()[0])
        key = project_rows.whole_of(database, self._meant(database, other))  # with all that is one with it already
        if EVERYWHERE in (key, target):
            raise InvalidInput("bad-argument", "What came from an older product belongs to every project already.")
        if key == target:
            return key, target, None
        return key, target, self._join(key, target, opened.project()[1] if to is None else None)

    def unalias(self, other: str) -> tuple[str, Kept]:
        """Take it back: `other` (one of a project's aliases) is a project of its own again. Raises as `alias`."""
        opened = self._opened
        opened.must_record()
        database = opened.read()
        key = self._meant(database, other)
        if (target := project_rows.target_of(database, key)) is None:
            others = project_rows.keys_of(database, key)[1:]
            fix = f"Its aliases are: {', '.join(others)}." if others else "See: session-memory projects"
            raise InvalidInput("bad-argument", f"{key} is no alias of another project.", fix)
        return key, opened.keep([Draft(PROJECT, {"alias": key, "project": target, "change": UNALIAS})])

    def join(self) -> str | None:
        """Make one what certainly is one: this git folder was recorded by its first commit, still has it, and now has a remote.

        Returns the key that was joined. Raises LogUnavailable, IndexUnavailable.
        """
        opened = self._opened
        place = git.shared_folder(opened.cwd)
        if place is None or not git.has_remote(place) or opened.paused():
            return None
        key = noted_projects.noted(opened.home, place)
        if key is None:
            return None
        database = opened.read()
        if project_rows.said_of(database, key) or not project_rows.known(database, key):
            return None  # the user has decided, or nothing of it is left
        if key != f"root:{git.first_commit(opened.cwd)}":
            return None  # another repository lies in that folder now
        self._join(key, project_rows.whole_of(database, opened.project()[0]), opened.project()[1])
        return key

    def suggested(self) -> list[dict[str, str]]:
        """Projects that look like the one of this folder: key, name, why. Raises IndexUnavailable."""
        opened = self._opened
        database = opened.read()
        mine = project_rows.whole_of(database, opened.project()[0])
        found: dict[str, dict[str, str]] = {}
        first = git.first_commit(opened.cwd) if git.shared_folder(opened.cwd) else None
        if first and project_rows.known(database, f"root:{first}"):
            key = project_rows.whole_of(database, f"root:{first}")
            found[key] = {
                "key": key,
                "name": project_rows.name_of(database, key),
                "why": "it begins with the same commit",
            }
        for folder in dict.fromkeys((opened.cwd, os.path.realpath(opened.cwd))):
            for key, name in project_rows.of_folder(database, folder):
                found.setdefault(
                    key, {"key": key, "name": name, "why": "sessions in this folder were recorded under it"}
                )
        return [each for key, each in found.items() if key not in (mine, EVERYWHERE)]

    def _join(self, key: str, target: str, name: str | None) -> Kept:
        body = {"alias": key, "project": target, "change": ALIAS, **({"project_name": name} if name else {})}
        return self._opened.keep([Draft(PROJECT, body)])

    def _meant(self, database: Database, wanted: str) -> str:
        """The key that a key, a name or a folder (which may be gone) means. Raises InvalidInput, NotFound."""
        if project_rows.known(database, wanted):
            return wanted
        folder = os.path.abspath(os.path.expanduser(wanted))
        by_folder = git.project_key(folder)[0] if os.path.isdir(folder) else f"dir:{os.path.realpath(folder)}"
        named = project_rows.by_name(database, wanted)
        if len(named) > 1:
            raise InvalidInput("bad-argument", f"{len(named)} projects are called {wanted!r}.",
                               f"Give one of their keys: {', '.join(named)}.")  # fmt: skip
        if named:
            return named[0]
        if project_rows.known(database, by_folder):
            return by_folder
        raise NotFound("unknown-project", f"No project has the key, name or folder {wanted[:80]!r}.",
                       "See: session-memory projects")  # fmt: skip
