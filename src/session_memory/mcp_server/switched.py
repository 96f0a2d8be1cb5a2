"""Which tools are not listed because config.json switches their feature off; asked before anything is opened."""

from __future__ import annotations

from session_memory import paths, settings
from session_memory.model.features import SWITCHED


def tools_off(home: str | None) -> frozenset[str]:
    """The tools of features that are off in a home (None: the usual one)."""
    found = settings.load(paths.home_root(home, settings.environment().home))
    return frozenset(tool for feature, tools in SWITCHED.items() if not found.value(feature) for tool in tools)
