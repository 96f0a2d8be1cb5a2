"""The plugin of every skill that has none of its own: counts, the last phase, and progress by steps done."""

from __future__ import annotations

from typing import Any

from session_memory.model import facts
from session_memory.plugins.api import Checkpoint, Event, PluginState, ResumptionContext, SessionPlugin

STARTS = ("task_start", "task_started", "step_start", "next_step")
ENDS = ("task_complete", "task_completed", "step_done", "done")


class GenericPlugin(SessionPlugin):
    """Progress = tasks completed / tasks seen; without tasks 0, or 1 once a phase event says `done`."""

    name = "generic"
    supported_skills = ()

    def get_state_schema(self) -> dict[str, Any]:
        """Counts by category, and the ids of tasks."""
        return {
            "type": "object",
            "properties": {
                "events": {"type": "object", "additionalProperties": {"type": "integer"}},
                "tasks": {"type": "object", "additionalProperties": {"enum": ["open", "done"]}},
            },
        }

    def create_initial_state(self) -> PluginState:
        """Nothing counted."""
        return PluginState(custom_data={"events": {}, "tasks": {}})

    def on_event(self, event: Event, state: PluginState) -> None:
        """Count it; a phase event may name a phase, start a task or end one."""
        counts = state.custom_data["events"]
        counts[event["category"]] = counts.get(event["category"], 0) + 1
        if event["category"] != "phase":
            return
        type_, data = event["type"].lower(), event["data"]
        if type_ in ("phase_start", "phase", "start"):
            state.phase = str(data.get("phase") or data.get("name") or state.phase)
        task = str(data.get("task_id") or data.get("id") or data.get("text") or "")
        tasks = state.custom_data["tasks"]
        if task and type_ in STARTS:
            tasks.setdefault(task, "open")
        elif task and type_ in ENDS:
            tasks[task] = "done"
        elif type_ in ("done", "finished"):
            state.phase = "done"

    def calculate_progress(self, events: list[Event], state: PluginState) -> float:
        """As the class says."""
        tasks = state.custom_data.get("tasks", {})
        if not tasks:
            return 1.0 if state.phase == "done" else 0.0
        return sum(1 for each in tasks.values() if each == "done") / len(tasks)

    def generate_resumption_context(
        self, events: list[Event], state: PluginState, checkpoint: Checkpoint | None
    ) -> ResumptionContext:
        """Phase and tasks in one sentence; next steps and blockers as the session stated them."""
        found = facts.gather(events)
        tasks = state.custom_data.get("tasks", {})
        done = sum(1 for each in tasks.values() if each == "done")
        said = [f"phase {state.phase}" if state.phase else "", f"{done} of {len(tasks)} tasks done" if tasks else ""]
        return ResumptionContext(
            summary=", ".join(each for each in said if each),
            next_steps=[facts.text_of(event) for event in found.next_steps],
            blocking_items=[facts.text_of(event) for event in found.blockers],
            state=state,
        )
