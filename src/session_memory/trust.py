"""The folders whose `.env` the user lets set variables: a repository must not be able to move the memory to another server."""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.errors import InvalidInput
from session_memory.quick_json import dumps, loads


def folders(root: str) -> list[str]:
    """The folders whose `.env` the user lets set variables; their real paths."""
    try:
        with open(os.path.join(root, "trusted.json"), encoding="utf-8") as file:
            found = loads(file.read())
    except (OSError, ValueError):
        return []  # nothing is trusted unless the file says so
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def change(root: str, folder: str, *, on: bool) -> bool:
    """Trust a folder, or no longer; returns whether that changed anything. Raises InvalidInput (bad-path), OSError."""
    real = os.path.realpath(folder)
    if on and not os.path.isdir(real):
        raise InvalidInput("bad-path", f"{folder} is no folder.", "Name the folder of a project.")
    known = folders(root)
    wanted = sorted({*known, real}) if on else [each for each in known if each != real]
    if wanted == known:
        return False
    paths.make_dir(root)
    paths.write_whole(os.path.join(root, "trusted.json"), dumps(wanted).encode() + b"\n")
    return True
