"""The starter of a plugin of one's own: a commented file, and its test."""

from __future__ import annotations

FILE = '''\
"""The state of the skill {skill}: say here in a sentence what it keeps track of."""

from session_memory.plugins import PluginState, ResumptionContext, SessionPlugin


class {title}(SessionPlugin):
    name = "{name}"
    supported_skills = ["{skill}"]  # session_init with one of these as skill_name uses this plugin
    categories = []  # event categories of its own, beside phase, decision, finding, question ...

    def get_state_schema(self):
        """What custom_data holds, as a JSON schema."""
        return {{"type": "object", "properties": {{"open": {{"type": "array"}}, "done": {{"type": "array"}}}}}}

    def create_initial_state(self):
        """The state before any event."""
        return PluginState(phase="starting", custom_data={{"open": [], "done": []}})

    def on_event(self, event, state):
        """Called with every event of the session, oldest first, and again after every restart: only look at the event.

        event: id, timestamp, session_id, category, type, data, and parent_id, tags where there are any.
        """
        step = event["data"].get("step")
        if event["category"] != "phase" or not step:
            return
        if event["type"] == "step_found":
            state.custom_data["open"].append(step)
        elif event["type"] == "step_done" and step in state.custom_data["open"]:
            state.phase = "working"
            state.custom_data["open"].remove(step)
            state.custom_data["done"].append(step)

    def calculate_progress(self, events, state):
        """0.0 to 1.0."""
        done, left = len(state.custom_data["done"]), len(state.custom_data["open"])
        return done / (done + left) if done + left else 0.0

    def generate_resumption_context(self, events, state, checkpoint):
        """What the next session must know; checkpoint is the one it resumes, or None."""
        left = state.custom_data["open"]
        return ResumptionContext(summary=f"{{len(left)}} steps to go", next_steps=left[:3], blocking_items=[], state=state)
'''

TEST = '''\
"""Run by `session-memory plugins test {name}`; pytest runs it as well."""

from pathlib import Path

from session_memory.plugins.samples import events
from session_memory.plugins.trial import folded, plugin_of

PLUGIN = plugin_of(Path(__file__).parent.parent / "{name}.py", "{name}")


def test_a_step_that_is_done_counts():
    session = events(
        ("phase", "step_found", {{"step": "one"}}),
        ("phase", "step_found", {{"step": "two"}}),
        ("phase", "step_done", {{"step": "one"}}),
    )
    state = folded(PLUGIN, session)
    assert state.progress == 0.5 and state.custom_data["open"] == ["two"]
'''


def file_text(name: str) -> str:
    """The plugin's file."""
    return FILE.format(name=name, skill=name, title=_title(name))


def test_text(name: str) -> str:
    """Its test's."""
    return TEST.format(name=name)


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("_", "-").split("-") if word)
