"""What was said between tool calls: no hook tells it, the client's transcript does, so a turn that ends is read back.

The drafts are those that an import of the same transcript makes, with its keys: it then finds nothing new.
"""

from __future__ import annotations

import os

from session_memory.capture import prompts
from session_memory.capture.transcript import Transcript, is_typed
from session_memory.model.event import LABELLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.model.record import Draft

MOST = 2 * 1024 * 1024  # bytes that are read back; what a longer turn said before, the next start completes


def drafts(payload: dict[str, Any], project: str) -> list[Draft]:
    """Replies and thoughts of the turn that a Stop or SubagentStop ends, and what a subagent was asked; not the last reply,
    which the payload tells. Nothing where the transcript cannot be read: whoever completes from it says why."""
    agent = bool(payload.get("agent_id"))
    path = str(payload.get("agent_transcript_path" if agent else "transcript_path") or "")
    try:
        start = 0 if agent else _turn(path, str(payload.get("prompt_id") or ""))
        if start < 0 or os.path.getsize(path) - start > MOST:
            return []
        found = [each for each in Transcript(path, start, copied=0) if _said(each, agent=agent)]
    except OSError:
        return []
    last = prompts.normal(str(payload.get("last_assistant_message") or ""))
    for each in found:
        each.body["project"] = project
    # the last reply and what it states are told with it, under the same keys
    ended = max((n for n, each in enumerate(found) if each.body["type"] == "reply"), default=-1)
    if ended >= 0 and prompts.normal(found[ended].body["data"]["text"]) == last:
        del found[ended]
        return [each for n, each in enumerate(found) if n < ended or each.key != LABELLED]
    return found


def _said(draft: Draft, *, agent: bool) -> bool:
    type_ = draft.body.get("type")
    return type_ in ("reply", "thinking") or draft.key == LABELLED or (agent and type_ == "user_prompt")


def _turn(path: str, prompt: str) -> int:
    """Where the turn of this prompt begins within the newest MOST bytes, -1 if it does not: its last typed text, because what
    a fork copies from its parent bears the id of the fork's first prompt too."""
    sign = f'"promptId":"{prompt}"'.encode()
    with open(path, "rb") as file:
        before = max(0, file.seek(0, os.SEEK_END) - MOST)
        file.seek(before)
        tail = file.read(MOST)
    place = tail.rfind(sign) if prompt else -1
    while place >= 0:
        begin = tail.rfind(b"\n", 0, place) + 1
        if is_typed(tail[begin : tail.find(b"\n", place)]):
            return before + begin
        place = tail.rfind(sign, 0, begin)
    return -1
