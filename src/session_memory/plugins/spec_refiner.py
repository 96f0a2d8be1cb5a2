"""The plugin of Spec Refiner: which of seven phases the work is in, what is asked, found and assumed.

`phase` events: phase_start {phase}, mode_selected {mode}, iteration_start. `question`: question_raised | _answered |
_deferred {id}. `finding`: finding_raised | _resolved {id, severity}. `assumption`: assumption_recorded | _validated {id}.
Other types of those three (`gap`, `clarification`) raise one. Progress = phases left behind / 7.
"""

from __future__ import annotations

from typing import Any

from session_memory.model import facts
from session_memory.plugins import tally
from session_memory.plugins.api import Checkpoint, Event, PluginState, ResumptionContext, SessionPlugin

PHASES = ("ASSESS", "INGEST", "ANALYZE", "PRESENT", "ITERATE", "SYNTHESIZE", "OUTPUT")
SHOWN = 5  # questions and findings that are named as next steps


class Refinement(PluginState):
    """The state; what can be read from it is written out with it."""

    def to_object(self) -> dict[str, Any]:
        """As JSON, with the ids of open findings by severity."""
        written = super().to_object()
        written["custom_data"]["findings_by_severity"] = tally.by_severity(self.custom_data["findings"])
        return written


class SpecRefinerPlugin(SessionPlugin):
    """State of a refinement."""

    name = "spec-refiner"
    supported_skills = ("specification-refiner", "spec-refiner")

    def get_state_schema(self) -> dict[str, Any]:
        """Mode, iterations, phases seen; questions, findings and assumptions by id; open findings by severity."""
        things = {"type": "object", "additionalProperties": {"type": "object"}}
        return {
            "type": "object",
            "properties": {
                "mode": {"enum": ["", "SIMPLE", "COMPLEX"]}, "iterations": {"type": "integer"},
                "phases": {"type": "array", "items": {"type": "string"}}, "done": {"type": "boolean"},
                "questions": things, "findings": things, "assumptions": things,
                "findings_by_severity": {"type": "object", "additionalProperties": {"type": "array"}},
            },
        }  # fmt: skip

    def create_initial_state(self) -> PluginState:
        """Nothing begun."""
        return Refinement(custom_data={
            "mode": "", "iterations": 0, "phases": [], "done": False, "questions": {}, "findings": {}, "assumptions": {},
        })  # fmt: skip

    def on_event(self, event: Event, state: PluginState) -> None:
        """Note what a phase, question, finding or assumption event says."""
        known, category = state.custom_data, event["category"]
        if category == "question":
            tally.take_question(known["questions"], event)
        elif category == "finding":
            tally.take_finding(known["findings"], event)
        elif category == "assumption":
            tally.take_assumption(known["assumptions"], event)
        elif category == "phase":
            _phase(event, state)

    def calculate_progress(self, events: list[Event], state: PluginState) -> float:
        """Phases left behind / 7; another round of an earlier phase takes it back. 1 once OUTPUT is done."""
        if state.custom_data["done"]:
            return 1.0
        return PHASES.index(state.phase) / len(PHASES) if state.phase in PHASES else 0.0

    def generate_resumption_context(
        self, events: list[Event], state: PluginState, checkpoint: Checkpoint | None
    ) -> ResumptionContext:
        """Phase, mode and counts in one sentence; questions to answer, findings to resolve, then the next phase."""
        known = state.custom_data
        stated = [facts.text_of(event) for event in facts.gather(events).next_steps]
        return ResumptionContext(
            summary=_summary(state.phase, known),
            next_steps=[*stated, *_next(state.phase, known)],
            blocking_items=tally.blocking(known["findings"]),
            state=state,
        )


def _phase(event: Event, state: PluginState) -> None:
    known, type_, data = state.custom_data, event["type"].lower(), event["data"]
    named = str(data.get("phase") or data.get("name") or "").strip().upper()
    if type_ in ("phase_start", "phase_started", "phase"):
        state.phase = named or state.phase
        known["done"] = False
        if state.phase and state.phase not in known["phases"]:
            known["phases"].append(state.phase)
    elif type_ in ("phase_complete", "phase_completed", "phase_end"):
        known["done"] = (named or state.phase) == PHASES[-1]
    elif type_ in ("done", "finished"):
        known["done"] = True
    elif type_ == "mode_selected":
        known["mode"] = str(data.get("mode") or known["mode"]).upper()
    elif type_ in ("iteration_start", "iteration_started"):
        known["iterations"] += 1


def _summary(phase: str, known: dict[str, Any]) -> str:
    questions = known["questions"]
    severities = {severity: len(keys) for severity, keys in tally.by_severity(known["findings"]).items()}
    assumed = tally.some(tally.count(known["assumptions"], "open"), "assumption")
    counted = {each: tally.count(questions, each) for each in ("open", "answered", "deferred")}
    asked = [f"{number} {each}" for each, number in counted.items() if number]
    found = [f"{number} {severity}" for severity, number in severities.items()]
    said = [
        f"phase {phase}" if phase else "",
        f"mode {known['mode']}" if known["mode"] else "",
        tally.some(known["iterations"], "iteration"),
        f"questions: {', '.join(asked)}" if asked else "",
        f"open findings: {', '.join(found)}" if found else "",
        f"{assumed} to validate" if assumed else "",
    ]  # fmt: skip
    return "; ".join(each for each in said if each)


def _next(phase: str, known: dict[str, Any]) -> list[str]:
    if known["done"]:
        return []
    steps = [f"answer {tally.named(*each)}" for each in tally.with_status(known["questions"], "open")][:SHOWN]
    steps += [f"resolve {tally.named(*each)}" for each in tally.with_status(known["findings"], "open")][:SHOWN]
    steps += [f"validate {tally.named(*each)}" for each in tally.with_status(known["assumptions"], "open")][:SHOWN]
    if phase in PHASES:
        at = PHASES.index(phase)
        steps.append(f"next phase: {PHASES[at + 1]}" if at + 1 < len(PHASES) else "finish OUTPUT")
    return steps
