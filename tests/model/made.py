"""Made-up sessions, event by event, as the index and the log's tail give them."""

from __future__ import annotations

import itertools
from typing import Any

from session_memory import ids
from session_memory.model.notes import Reader

Note = dict[str, Any]

MINUTE, START = 60_000, 1_790_000_000_000
DAY = 24 * 60 * MINUTE


class Made:
    """Events of one project, a minute apart. `notes` are what a reader takes from them."""

    def __init__(self, session: str = "s1", begin: int = START) -> None:
        self.session = session
        self.now = begin
        self.events: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)

    def event(self, category: str, type_: str, data: dict[str, Any], by: str = "model", **more: Any) -> dict[str, Any]:
        self.now += MINUTE
        made = {
            "id": f"{self.now:012x}{next(self._numbers):020x}", "timestamp": ids.at_text(self.now), "category": category,
            "type": type_, "session_id": self.session, "stated_by": by, "data": data, **more,
        }  # fmt: skip
        self.events.append(made)
        return made

    def said(self, text: str, type_: str = "user_prompt", **more: Any) -> dict[str, Any]:
        return self.event("message", type_, {"text": text, **more}, "user")

    def reply(self, text: str) -> dict[str, Any]:
        return self.event("message", "reply", {"text": text})

    def tool(self, tool: str, given: dict[str, Any], output: str = "", **outcome: Any) -> dict[str, Any]:
        files = [given[name] for name in ("file_path",) if name in given]
        call = self.event("tool_call", tool, {"input": given, **({"files": files} if files else {})}, "tool")
        return self.event(
            "tool_response", tool, {"ok": True, "output": output, **outcome}, "tool", parent_id=call["id"]
        )

    def ran(self, command: str, output: str = "", **outcome: Any) -> dict[str, Any]:
        return self.tool("Bash", {"command": command}, output, **outcome)

    def edited(self, path: str) -> dict[str, Any]:
        return self.tool("Edit", {"file_path": path, "old_string": "a", "new_string": "b"})

    def committed(self, sha: str, subject: str, branch: str = "main") -> dict[str, Any]:
        return self.ran(
            f"git add -A && git commit -m '{subject} at all'", f"[{branch} {sha}] {subject}\n 1 file changed"
        )

    def decided(self, title: str, type_: str = "architecture", **data: Any) -> dict[str, Any]:
        return self.event("decision", type_, {"title": title, **data})

    @property
    def notes(self) -> list[Note]:
        reader = Reader()
        return [note for event in self.events for note in reader.read(event)]


ISSUE = """\
○ shop-7 · Answer too many requests   [● P1 · OPEN]
Owner: Somebody

DESCRIPTION
## Goal
Slow clients down.

## Constraints
- Do not change the response body.
- Keep the adapter's signature.
- Limits come from the table.

## Definition of Done
- Nothing must be left red.

CHILDREN
  ↳ ○ shop-7.1: Read the limits
"""
CHILD = """\
○ shop-7.1 · Read the limits   [● P2 · OPEN]

Technical specs:
- Never cache limits for more than a minute.
"""
