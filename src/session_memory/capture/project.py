"""Which project a folder belongs to, for those who must not wait for git: what only git can tell is asked once and noted."""

from __future__ import annotations

import os

from session_memory import git, paths
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

NAME = "projects.json"
MOST = 1000  # repositories that are noted


def of(home: Home, cwd: str) -> tuple[str, str]:
    """Key and name of the project, as `git.project_key` gives them. Raises OSError when the note cannot be written."""
    place = git.shared_folder(cwd)
    if place is None or git.has_remote(place):
        return git.project_key(cwd)  # read from files: no program runs
    file = os.path.join(home.storage, NAME)
    known = _read(file)
    if place in known:
        key, name = known[place]
        return key, name
    key, name = git.project_key(cwd)
    if key.startswith("root:"):  # a repository without a commit yet will have another key
        paths.make_dir(home.storage)
        kept = dict(list(known.items())[-MOST:])
        import json  # with a layout for people

        paths.write_whole(file, json.dumps({**kept, place: [key, name]}, indent=1).encode() + b"\n")
    return key, name


def noted(home: Home, place: str) -> str | None:
    """The key under which the repository of this git folder was noted while it had no remote; None without one."""
    known = _read(os.path.join(home.storage, NAME))
    return known[place][0] if place in known else None


def _read(file: str) -> dict[str, list[str]]:
    try:
        with open(paths.open_file(file, os.O_RDONLY), encoding="utf-8") as opened:
            found = loads(opened.read())
    except (OSError, ValueError):
        return {}  # not there, or spoilt: git is asked again
    return {
        place: each
        for place, each in (found.items() if isinstance(found, dict) else ())
        if isinstance(each, list) and len(each) == 2 and all(isinstance(part, str) for part in each)
    }
