"""The plugin of Spec Kit: which command the work is at, which tasks stand how, and what is unclear.

`phase` events: command_start {command}, task_start | task_complete | task_failed | task_blocked {task_id},
clarify_session. Questions and findings count in any form. Progress = tasks completed / tasks seen.
"""

from __future__ import annotations

from typing import Any

from session_memory.model import facts
from session_memory.plugins import tally
from session_memory.plugins.api import Checkpoint, Event, PluginState, ResumptionContext, SessionPlugin

COMMANDS = ("init", "plan", "tasks", "analyze", "clarify", "implement")
STATUS = {
    "start": "pending", "started": "pending", "pending": "pending", "added": "pending", "created": "pending",
    "unblocked": "pending", "complete": "completed", "completed": "completed", "done": "completed", "failed": "failed",
    "fail": "failed", "blocked": "blocked",
}  # fmt: skip
SHOWN = 5  # tasks of a kind that are named as next steps


class SpecKitPlugin(SessionPlugin):
    """State of a Spec Kit run."""

    name = "speckit"
    supported_skills = ("speckit-generator", "speckit")

    def get_state_schema(self) -> dict[str, Any]:
        """Commands, task ids by how they stand, clarification sessions, questions and findings by id."""
        texts = {"type": "array", "items": {"type": "string"}}
        things = {"type": "object", "additionalProperties": {"type": "object"}}
        return {
            "type": "object",
            "properties": {
                "command": {"type": "string"}, "commands": texts, "current_task": {"type": "string"},
                "tasks": {"type": "object", "properties": dict.fromkeys(_no_tasks(), texts)},
                "titles": {"type": "object"}, "reasons": {"type": "object"},
                "clarify_sessions": {"type": "integer"}, "questions": things, "findings": things,
            },
        }  # fmt: skip

    def create_initial_state(self) -> PluginState:
        """Nothing begun."""
        return PluginState(custom_data={
            "command": "", "commands": [], "current_task": "", "tasks": _no_tasks(), "titles": {}, "reasons": {},
            "clarify_sessions": 0, "questions": {}, "findings": {},
        })  # fmt: skip

    def on_event(self, event: Event, state: PluginState) -> None:
        """Note what a phase, question or finding event says."""
        known, category = state.custom_data, event["category"]
        if category == "question":
            tally.take_question(known["questions"], event)
        elif category == "finding":
            tally.take_finding(known["findings"], event)
        elif category == "phase":
            _phase(event, state)

    def calculate_progress(self, events: list[Event], state: PluginState) -> float:
        """Tasks completed / tasks seen; 0 without tasks."""
        tasks = state.custom_data["tasks"]
        seen = sum(len(each) for each in tasks.values())
        return len(tasks["completed"]) / seen if seen else 0.0

    def generate_resumption_context(
        self, events: list[Event], state: PluginState, checkpoint: Checkpoint | None
    ) -> ResumptionContext:
        """The command and the tasks in one sentence; tasks to go on with, then questions; what is blocked."""
        known = state.custom_data
        blocked = [_task(known, each, "is blocked") for each in known["tasks"]["blocked"]]
        stated = [facts.text_of(event) for event in facts.gather(events).next_steps]
        return ResumptionContext(
            summary=_summary(known),
            next_steps=[*stated, *_next(known)],
            blocking_items=[*blocked, *tally.blocking(known["findings"])],
            state=state,
        )


def _no_tasks() -> dict[str, list[str]]:
    return {"completed": [], "pending": [], "blocked": [], "failed": []}


def _phase(event: Event, state: PluginState) -> None:
    known, type_, data = state.custom_data, event["type"].lower(), event["data"]
    if type_ in ("command_start", "command_started", "command"):
        command = str(data.get("command") or data.get("name") or "").lower().replace(":", ".").rsplit(".", 1)[-1]
        known["command"] = state.phase = command.strip("/ ") or known["command"]
        if known["command"] and known["command"] not in known["commands"]:
            known["commands"].append(known["command"])
    elif type_ in ("phase_start", "phase"):
        state.phase = str(data.get("phase") or data.get("name") or state.phase)
    elif type_.startswith("clarify_session") and not type_.endswith(("_end", "_complete")):
        known["clarify_sessions"] += 1
    elif type_.startswith("task_") and type_.removeprefix("task_") in STATUS:
        _move(known, str(data.get("task_id") or data.get("task") or data.get("id") or ""), type_, data)


def _move(known: dict[str, Any], task: str, type_: str, data: dict[str, Any]) -> None:
    """The last word on a task counts."""
    if not task:
        return
    status = STATUS[type_.removeprefix("task_")]
    for each in known["tasks"].values():
        if task in each:
            each.remove(task)
    known["tasks"][status].append(task)
    title = data.get("title") or data.get("name") or data.get("description")
    if title:
        known["titles"][task] = str(title)[: tally.LONG]
    known["reasons"].pop(task, None)
    why = data.get("reason") or data.get("error") or data.get("blocked_by")
    if why and status in ("blocked", "failed"):
        known["reasons"][task] = str(why)[: tally.LONG]
    if type_ in ("task_start", "task_started"):
        known["current_task"] = task
    elif known["current_task"] == task:
        known["current_task"] = ""


def _task(known: dict[str, Any], task: str, verb: str = "") -> str:
    title, why = known["titles"].get(task), known["reasons"].get(task)
    said = " ".join(each for each in (task, f"({title})" if title else "", verb) if each)
    return f"{said}: {why}" if why else said


def _summary(known: dict[str, Any]) -> str:
    tasks = known["tasks"]
    seen = sum(len(each) for each in tasks.values())
    stuck = ", ".join(f"{len(tasks[each])} {each}" for each in ("blocked", "failed") if tasks[each])
    counted = f"{len(tasks['completed'])} of {seen} tasks completed" + (f" ({stuck})" if stuck else "")
    said = [
        f"command {known['command']}" if known["command"] else "",
        counted if seen else "",
        tally.some(known["clarify_sessions"], "clarification session"),
        tally.some(tally.count(known["questions"], "open"), "open question"),
        tally.some(tally.count(known["findings"], "open"), "open finding"),
    ]
    return ", ".join(each for each in said if each)


def _next(known: dict[str, Any]) -> list[str]:
    """The task in hand, those that wait, those to try again, questions; without tasks the next command."""
    tasks, current = known["tasks"], known["current_task"]
    steps = [f"go on with {_task(known, current)}"] if current else []
    steps += [f"do {_task(known, each)}" for each in tasks["pending"] if each != current][:SHOWN]
    steps += [f"try {_task(known, each)} again" for each in tasks["failed"]][:SHOWN]
    steps += [f"answer {tally.named(*each)}" for each in tally.with_status(known["questions"], "open")][:SHOWN]
    if not any(tasks.values()) and known["command"] in COMMANDS[:-1]:
        steps.append(f"next command: {COMMANDS[COMMANDS.index(known['command']) + 1]}")
    return steps
