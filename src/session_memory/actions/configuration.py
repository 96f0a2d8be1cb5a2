"""Changing config.json for the user: one setting at a time, everything else in it as it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory import paths
from session_memory.errors import InvalidInput

if TYPE_CHECKING:
    from session_memory.actions.opened import Opened


def change(opened: Opened, values: dict[str, Any]) -> None:
    """Set settings, by their dotted names, in config.json and for this process. Raises InvalidInput (bad-settings), OSError."""
    try:
        with open(opened.home.config, encoding="utf-8") as file:
            tree = json.load(file)
    except FileNotFoundError:
        tree = {}
    except ValueError as error:
        raise InvalidInput("bad-settings", f"config.json is no JSON ({error}).", "Correct it first.") from error
    if not isinstance(tree, dict):
        raise InvalidInput("bad-settings", "config.json must hold an object.", "Correct it first.")
    for name, value in values.items():
        place: dict[str, Any] = tree
        *above, last = name.split(".")
        tree.pop(name, None)  # it may also be written as one word
        for part in above:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    paths.write_whole(opened.home.config, json.dumps(tree, indent=2, ensure_ascii=False).encode() + b"\n")
    for name, value in values.items():
        opened.settings.take(name, value, "config.json")
