"""The contract of a plugin, in sentences: what it is called, what it must do, what it may do.

A plugin teaches the memory one skill's state. The state is a fold: `create_initial_state()`, then `on_event` for every
event of the session and those it came from, oldest first. It runs again after every restart, so it must be pure: no
clock, no files, no network, the same events giving the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

Event = dict[str, Any]  # as session_query returns it
Checkpoint = dict[str, Any]


@dataclass
class PluginState:
    """What a skill knows of itself. A subclass may add fields with defaults; they survive checkpoint and resume."""

    phase: str = ""
    progress: float = 0.0
    custom_data: dict[str, Any] = field(default_factory=dict)

    def to_object(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_object(cls, value: dict[str, Any]) -> PluginState:
        """From JSON; members this class does not have are left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: inner for name, inner in value.items() if name in known})


@dataclass
class ResumptionContext:
    """What a plugin tells the session that goes on."""

    summary: str = ""
    next_steps: Sequence[str] = ()
    blocking_items: Sequence[str] = ()
    state: PluginState | None = None


class SessionPlugin:
    """Subclass this. `name` and `supported_skills` may be class attributes or properties."""

    name: str = ""
    supported_skills: Sequence[str] = ()
    categories: Sequence[str] = ()  # event categories of its own, beside the built-in ones

    def get_state_schema(self) -> dict[str, Any]:
        """JSON schema of `custom_data`. Must be there; may be empty."""
        raise NotImplementedError

    def calculate_progress(self, events: list[Event], state: PluginState) -> float:
        """How far the work is, 0.0 to 1.0. Must be there."""
        raise NotImplementedError

    def generate_resumption_context(
        self, events: list[Event], state: PluginState, checkpoint: Checkpoint | None
    ) -> ResumptionContext:
        """What the next session must know of this skill. Must be there."""
        raise NotImplementedError

    def create_initial_state(self) -> PluginState:
        """The state before any event. May be there."""
        return PluginState()

    def on_event(self, event: Event, state: PluginState) -> PluginState | None:
        """The state after an event: changed in place, or returned. May be there; must be pure."""
        return None

    def on_checkpoint(self, checkpoint: Checkpoint, state: PluginState) -> None:
        """Called when a checkpoint is made, with the state it will hold. May be there."""

    def validate_state(self, state: PluginState) -> bool:
        """Whether a state makes sense; a state that does not is named in `status`. May be there."""
        return True
