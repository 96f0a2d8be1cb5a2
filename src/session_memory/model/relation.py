"""Relations: the kinds of links between entities."""

from __future__ import annotations

TYPES = (
    "calls",
    "imports",
    "depends_on",
    "modifies",
    "extends",
    "implements",
    "owns",
    "references",
    "uses",
    "tests",
    "decided_by",
)
