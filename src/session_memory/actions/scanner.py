"""A second pair of eyes for secrets: the maintained rules of another product, where its package is installed (extra `redact`)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from session_memory.log.redact import Scanner

PACKAGE = "betterleaks"
SHORTEST = 8  # characters: what is shorter is a word


def load() -> Scanner | None:
    """The scanner, None where it is not installed or does not work on this machine."""
    try:
        package: Any = importlib.import_module(PACKAGE)
        package.scan_string("")
    except (ImportError, OSError, AttributeError):
        return None

    def scan(text: str) -> list[tuple[str, str]]:
        return [
            (str(each.rule_id), str(each.secret))
            for each in package.scan_string(text)
            if len(str(each.secret)) >= SHORTEST
        ]

    return scan
