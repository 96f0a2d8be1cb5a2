"""Labelled lines: how a model states a decision, a rule or a question in plain text, so that it can be kept without guessing.

    DECISION: answer 429 with Retry-After | WHY: clients retry blindly | NOT: 503
    CONSTRAINT: never edit billing
    QUESTION: may we drop Python 3.10?
    NEXT: test the webhook

Read from a compaction's summary, which is asked for such lines, and from replies. A label stands at the beginning of a line.
"""

from __future__ import annotations

from session_memory.capture.prompts import normal
from session_memory.model.event import LABELLED
from session_memory.model.record import EVENT, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# label -> category, type, the member that holds the text
LABELS = {
    "DECISION": ("decision", "stated", "title"),
    "REJECTED": ("decision", "rejected", "title"),
    "CONSTRAINT": ("decision", "constraint", "text"),
    "QUESTION": ("question", "question_raised", "question"),
    "ANSWERED": ("question", "question_answered", "question"),
    "BLOCKER": ("finding", "blocker", "title"),
    "NEXT": ("phase", "next_step", "text"),
}
PARTS = {"WHY": "rationale", "NOT": "alternatives", "ANSWER": "answer"}
LONGEST, SHORTEST, MOST = 600, 6, 40  # characters of a line; lines of one text
ASKED = (
    "Keep every rule the user set, word for word. Where they apply, end the summary with lines of this form (one each, no other"
    " text on them), for the memory that survives this compaction: `DECISION: what | WHY: reason | NOT: what was rejected`,"
    " `CONSTRAINT: rule in force`, `QUESTION: still open`, `BLOCKER: what stops the work`, `NEXT: next step`."
)


def read(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(category, type, data) of every labelled line, in its order; none in code, quotes or lists of examples."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    fenced = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        label, colon, rest = line.lstrip("-*• ").replace("**", "").partition(":")
        if fenced or not colon or label not in LABELS or len(found) >= MOST or len(rest) > LONGEST:
            continue
        category, type_, member = LABELS[label]
        said, *parts = (each.strip() for each in rest.split(" | "))
        if (
            len(said) < SHORTEST
            or said.startswith(("what |", "<", "..."))
            or said in ("what", "rule in force", "still open", "next step")
        ):
            continue
        data: dict[str, Any] = {member: said}
        for part in parts:
            name, sign, value = part.partition(":")
            if sign and name.strip().upper() in PARTS and value.strip():
                data[PARTS[name.strip().upper()]] = value.strip()
        found.append((category, type_, data))
    return found


def drafts(told: Draft, text: str) -> list[Draft]:
    """The events that a text states, like the event `told` that holds it; said again in the same session they are the same.

    A subagent states nothing: what it read may speak through it, and its parent says what counts."""
    made: list[Draft] = []
    if "/agent-" in str(told.body.get("session")):
        return made
    for category, type_, data in read(text):
        body = {**told.body, "category": category, "type": type_, "data": data, "stated_by": "model"}
        words = " ".join(str(value) for value in data.values())
        made.append(
            Draft(EVENT, body, at_ms=told.at_ms, key=LABELLED, key_text=f"{body['session']} {type_} {normal(words)}")
        )
    return made
