"""Events to try a plugin on: a short believable session with every documented type, or such as a test writes down."""

from __future__ import annotations

from typing import Any

from session_memory.plugins.api import Event

STORY: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("message", "user_prompt", {"text": "Let us make the importer"}),
    ("phase", "phase_start", {"phase": "ASSESS"}),
    ("phase", "mode_selected", {"mode": "SIMPLE"}),
    ("phase", "command_start", {"command": "plan"}),
    ("phase", "clarify_session", {}),
    ("phase", "task_start", {"task_id": "T1", "title": "Read the file"}),
    ("tool_call", "Edit", {"input": {"file_path": "src/importer.py"}, "files": ["src/importer.py"]}),
    ("tool_response", "Edit", {"ok": True, "output": ""}),
    ("phase", "task_complete", {"task_id": "T1"}),
    ("phase", "task_start", {"task_id": "T2"}),
    ("phase", "task_blocked", {"task_id": "T2", "reason": "no sample"}),
    ("phase", "task_start", {"task_id": "T3"}),
    ("phase", "task_failed", {"task_id": "T3", "error": "encoding"}),
    (
        "decision",
        "architecture",
        {"title": "Stream the rows", "rationale": "files of 2 GB", "alternatives": ["read all"]},
    ),
    ("decision", "constraint", {"text": "Never log a row"}),
    ("question", "question_raised", {"id": "Q1", "question": "Semicolons or commas?"}),
    ("question", "question_answered", {"id": "Q1", "answer": "Semicolons"}),
    ("question", "question_raised", {"id": "Q2", "question": "Which encoding?"}),
    ("finding", "finding_raised", {"id": "F1", "severity": "high", "title": "Quotes are doubled"}),
    ("finding", "finding_resolved", {"id": "F1"}),
    ("finding", "gap", {"id": "G1", "severity": "low", "title": "Nothing says what an empty cell means"}),
    ("assumption", "assumption_recorded", {"id": "A1", "text": "Rows are short"}),
    ("assumption", "assumption_validated", {"id": "A1"}),
    ("phase", "iteration_start", {}),
    ("phase", "next_step", {"text": "Ask for a sample"}),
    ("custom", "note", {}),
)


def events(*steps: tuple[str, str, dict[str, Any]]) -> list[Event]:
    """Events as a plugin gets them, a second apart, from (category, type, data)."""
    return [
        {
            "id": f"{number:032x}",
            "timestamp": f"2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
            "session_id": "sample", "category": category, "type": type_, "stated_by": "model", "data": data,
        }
        for number, (category, type_, data) in enumerate(steps)
    ]  # fmt: skip
