"""Tools of features that the user switched off: they are neither listed nor served."""

from __future__ import annotations

from typing import Any

from session_memory import paths, settings

TOOLS_OF = {
    "features.entities": ("entity_create", "entity_link", "entity_query"),
    "features.document_ingest": ("session_ingest",),
}


def hidden(home: str | None) -> frozenset[str]:
    """Names of the tools that are switched off in a home's config.json; read before anything else is loaded."""
    found = settings.load(paths.home_root(home, settings.environment().home))
    return frozenset(name for switch, names in TOOLS_OF.items() if not found.value(switch) for name in names)


def without(snapshot: dict[str, Any] | None, names: frozenset[str]) -> dict[str, Any] | None:
    """The snapshot as a server without these tools would have made it."""
    if snapshot is None or not names:
        return snapshot
    results = {
        version: {method: _less(result, names) for method, result in methods.items()}
        for version, methods in snapshot["results"].items()
    }
    return {**snapshot, "results": results}


def _less(result: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    if "tools" not in result:
        return result
    return {**result, "tools": [tool for tool in result["tools"] if tool["name"] not in names]}
