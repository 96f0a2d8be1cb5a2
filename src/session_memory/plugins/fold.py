"""The fold: a plugin's state from events, with the plugin kept from harming anything else.

One of the three places where every exception is caught: a plugin is foreign code, and whatever it raises is named with
its reason while the events stay as they are. What it prints goes to stderr. It runs with the user's rights; a plugin
that never returns is stopped from the outside only (each call is bounded by a deadline between events).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from session_memory import ids
from session_memory.plugins.api import Checkpoint, Event, PluginState, ResumptionContext, SessionPlugin

SECONDS = 5.0  # a fold may take
Result = TypeVar("Result")


@dataclass
class Folded:
    """The state, how far the work is, and why the plugin failed where it did (the state is then the last good one)."""

    state: PluginState
    progress: float
    error: str | None = None


class _Failed(Exception):
    """What a plugin did wrong."""


def fold(plugin: SessionPlugin, events: list[Event]) -> Folded:
    """The state after all events, oldest first. Raises nothing: a failing plugin is named in `error`."""
    state = PluginState()
    try:
        state = _is(PluginState, _call(plugin.create_initial_state), "create_initial_state")
        end = ids.monotonic() + SECONDS
        for event in events:
            returned = _call(partial(plugin.on_event, {**event, "data": dict(event["data"])}, state))
            if returned is not None:
                state = _is(PluginState, returned, "on_event")
            if ids.monotonic() > end:
                raise _Failed(f"took longer than {SECONDS:g} s for {len(events)} events")
        if not _call(lambda: plugin.validate_state(state)):
            raise _Failed("says that its own state is not valid")
        progress = _call(lambda: plugin.calculate_progress(events, state))
        if isinstance(progress, bool) or not isinstance(progress, (int, float)) or progress != progress:
            raise _Failed(f"calculate_progress returned {type(progress).__name__}, not a number")
        state.progress = max(0.0, min(1.0, float(progress)))
        _is(dict, state.to_object(), "to_object")
    except _Failed as error:
        return Folded(state, state.progress if isinstance(state.progress, float) else 0.0, str(error))
    return Folded(state, state.progress)


def told(
    plugin: SessionPlugin, events: list[Event], folded: Folded, checkpoint: Checkpoint | None
) -> ResumptionContext:
    """What the plugin tells the next session; empty, with `folded.error` set, when it fails."""
    if folded.error:
        return ResumptionContext(state=folded.state)
    try:
        return _is(
            ResumptionContext,
            _call(lambda: plugin.generate_resumption_context(events, folded.state, checkpoint)),
            "generate_resumption_context",
        )
    except _Failed as error:
        folded.error = str(error)
        return ResumptionContext(state=folded.state)


def at_checkpoint(plugin: SessionPlugin, checkpoint: Checkpoint, folded: Folded) -> None:
    """Let the plugin see the checkpoint; a failure is named in `folded.error`."""
    try:
        _call(lambda: plugin.on_checkpoint(checkpoint, folded.state))
    except _Failed as error:
        folded.error = str(error)


def _call(function: Callable[[], Result]) -> Result:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return function()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # plugin isolation: even SystemExit must not end the server
        raise _Failed(f"{type(error).__name__}: {error}"[:300]) from error


def _is(kind: type[Result], value: Any, name: str) -> Result:
    if not isinstance(value, kind):
        raise _Failed(f"{name} returned {type(value).__name__}, not {kind.__name__}")
    return value
