"""The fold: a plugin's state from events, with the plugin kept from harming anything else.

One of the three places where every exception is caught: a plugin is foreign code, and whatever it raises is named with
its reason while the events stay as they are. It gets copies of them. What it prints goes to stderr. It runs with the
user's rights and has some seconds; one that had to be stopped is not called again by this process.
"""

from __future__ import annotations

import contextlib
import copy
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from session_memory import ids
from session_memory.model.values import canonical
from session_memory.plugins.api import Checkpoint, Event, PluginState, ResumptionContext, SessionPlugin
from session_memory.plugins.bounded import Overrun, bounded

SECONDS = 5.0  # a fold may take
STOPPED_AFTER = 6.0  # then it hangs
Result = TypeVar("Result")
_stopped: dict[int, SessionPlugin] = {}  # by id(): plugins of foreign classes may not be hashable


@dataclass
class Folded:
    """The state, how far the work is, and why the plugin failed where it did (the state is then the last good one).

    `object`: the state as JSON.
    """

    state: PluginState
    progress: float
    error: str | None = None
    object: dict[str, Any] = field(default_factory=dict)


class _Failed(Exception):
    """What a plugin did wrong."""


def fold(plugin: SessionPlugin, events: list[Event]) -> Folded:
    """The state after all events, oldest first. Raises nothing: a failing plugin is named in `error`."""
    folded = Folded(PluginState(), 0.0)
    try:
        isolated(plugin, lambda: _fold(plugin, events, folded))
    except _Failed as error:
        folded.error = str(error)
        _keep_what_is_good(plugin, folded)
    return folded


def _fold(plugin: SessionPlugin, events: list[Event], folded: Folded) -> None:
    state = _is(PluginState, plugin.create_initial_state(), "create_initial_state")
    end = ids.monotonic() + SECONDS
    for event in copies(events):
        returned = plugin.on_event(event, state)
        if returned is not None:
            state = _is(PluginState, returned, "on_event")
        folded.state = state
        if ids.monotonic() > end:
            raise _Failed(f"took longer than {SECONDS:g} s for {len(events)} events")
    if not plugin.validate_state(state):
        raise _Failed("says that its own state is not valid")
    progress = plugin.calculate_progress(copies(events), state)
    if isinstance(progress, bool) or not isinstance(progress, (int, float)) or progress != progress:
        raise _Failed(f"calculate_progress returned {type(progress).__name__}, not a number")
    state.progress = max(0.0, min(1.0, float(progress)))
    folded.object = _written(state)
    folded.state, folded.progress = state, state.progress


def _written(state: PluginState) -> dict[str, Any]:
    """A state as JSON, if it is one."""
    _is(str, state.phase, "the state's phase")
    _is(dict, state.custom_data, "the state's custom_data")
    written: dict[str, Any] = canonical(_is(dict, state.to_object(), "to_object"))
    return written


def _keep_what_is_good(plugin: SessionPlugin, folded: Folded) -> None:
    """The state a failing plugin had last, if that is one."""
    try:
        folded.object = isolated(plugin, lambda: _written(folded.state))
    except _Failed:
        folded.state, folded.object = PluginState(), PluginState().to_object()


def told(
    plugin: SessionPlugin, events: list[Event], folded: Folded, checkpoint: Checkpoint | None
) -> ResumptionContext:
    """What the plugin tells the next session; empty, with `folded.error` set, when it fails."""
    if folded.error:
        return ResumptionContext(state=folded.state)
    try:
        return isolated(plugin, lambda: _told(plugin, events, folded, checkpoint))
    except _Failed as error:
        folded.error = str(error)
        return ResumptionContext(state=folded.state)


def _told(
    plugin: SessionPlugin, events: list[Event], folded: Folded, checkpoint: Checkpoint | None
) -> ResumptionContext:
    given = None if checkpoint is None else dict(checkpoint)
    said = plugin.generate_resumption_context(copies(events), folded.state, given)
    _is(ResumptionContext, said, "generate_resumption_context")
    return ResumptionContext(
        summary=_is(str, said.summary, "its summary"),
        next_steps=_texts(said.next_steps, "its next_steps"),
        blocking_items=_texts(said.blocking_items, "its blocking_items"),
        state=folded.state,
    )


def at_checkpoint(plugin: SessionPlugin, checkpoint: Checkpoint, folded: Folded) -> tuple[dict[str, Any], str | None]:
    """The state as a checkpoint holds it, once the plugin has seen the checkpoint; and why it failed, where it did.

    It works on a copy: the state itself comes from events alone, so that every process has the same.
    """

    def work() -> dict[str, Any]:
        state = copy.deepcopy(folded.state)
        plugin.on_checkpoint(dict(checkpoint), state)
        return _written(state)

    if folded.error:
        return folded.object, None
    try:
        return isolated(plugin, work), None
    except _Failed as error:
        return folded.object, str(error)


def isolated(plugin: SessionPlugin, work: Callable[[], Result]) -> Result:
    """What `work` returns; it calls the plugin. Raises only an exception whose text says what the plugin did."""
    if id(plugin) in _stopped:
        raise _Failed(f"was stopped: it did not end within {STOPPED_AFTER:g} s, and is not called again")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return bounded(work, STOPPED_AFTER)
    except (KeyboardInterrupt, _Failed):
        raise
    except Overrun:
        _stopped[id(plugin)] = plugin
        raise _Failed(f"did not end within {STOPPED_AFTER:g} s and was stopped") from None
    except BaseException as error:  # plugin isolation: even SystemExit must not end the server
        raise _Failed(reason(error)) from error


def reason(error: BaseException) -> str:
    """An exception of foreign code in a line; its text is foreign code as well."""
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except BaseException:  # plugin isolation
        return type(error).__name__


def copies(events: list[Event]) -> list[Event]:
    """The events for a plugin to do with what it likes."""
    return [{**event, "data": _copy(event["data"])} for event in events]


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _texts(value: Any, name: str) -> list[str]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not all(isinstance(e, str) for e in value):
        raise _Failed(f"{name} is no list of texts")
    return list(value)


def _is(kind: type[Result], value: Any, name: str) -> Result:
    if not isinstance(value, kind):
        raise _Failed(f"{name} returned {type(value).__name__}, not {kind.__name__}")
    return value
