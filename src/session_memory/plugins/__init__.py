"""What a plugin imports: `from session_memory.plugins import SessionPlugin, PluginState, ResumptionContext`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from session_memory.plugins.api import PluginState, ResumptionContext, SessionPlugin

__all__ = ["PluginState", "ResumptionContext", "SessionPlugin"]


def __getattr__(name: str) -> Any:
    # lazily: importing any plugin room runs this file
    if name in __all__:
        from session_memory.plugins import api

        return getattr(api, name)
    raise AttributeError(name)
