"""What Claude Code tells its hooks, as drafts: the same records, with the same keys, that its transcript gives later.

A hook reports one event and is gone: what only another event needs is not loaded.
"""

from __future__ import annotations

from session_memory import ids
from session_memory.capture import clients
from session_memory.model.record import CHECKPOINT, EVENT, SESSION, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHANGES = {"startup": "start", "clear": "start", "fork": "start", "resume": "start"}  # compact: the session goes on


class Around:
    """Where it happens: project key and name, folder, branch and commit, and the session this client had before."""

    __slots__ = ("before", "branch", "commit", "cwd", "name", "project")

    def __init__(
        self, project: str, name: str, cwd: str, branch: str | None = None, commit: str | None = None, before: str = ""
    ) -> None:
        self.project = project
        self.name = name
        self.cwd = cwd
        self.branch = branch
        self.commit = commit
        self.before = before


def session_of(payload: dict[str, Any]) -> str:
    """The session a payload belongs to: a subagent's is named after its parent."""
    session, agent = _text(payload.get("session_id")), _text(payload.get("agent_id"))
    return f"{session}/agent-{agent}" if agent and not _compaction(payload) else session


def drafts(payload: dict[str, Any], around: Around) -> list[Draft]:
    """The records of one hook call; none for events that say nothing new."""
    event = payload.get("hook_event_name")
    if not session_of(payload):
        return []
    if event == "SessionStart":
        return _start(payload, around)
    if event == "UserPromptSubmit":
        return _prompt(payload, around)
    if event in ("PostToolUse", "PostToolUseFailure"):
        return _tool(payload, around, failed=event == "PostToolUseFailure")
    if event == "SubagentStart" and not _compaction(payload):
        return [_session(payload, around, "start", how="subagent", parent_session=_text(payload.get("session_id")))]
    if event in ("Stop", "SubagentStop"):
        return _reply(payload, around)
    if event == "PreCompact":
        return [_checkpoint(payload, around, f"before {_text(payload.get('trigger')) or 'a'} compaction")]
    if event == "PostCompact":
        return _summary(payload, around, _text(payload.get("compact_summary")))
    if event == "SessionEnd":
        end = _session(payload, around, "end", reason=_text(payload.get("reason")))
        return [_checkpoint(payload, around, "session end"), end]
    return []


def _start(payload: dict[str, Any], around: Around) -> list[Draft]:
    source = _text(payload.get("source"))
    if source not in CHANGES:
        return []
    parent = around.before if source in ("clear", "fork") else ""
    how = "resume" if source == "resume" else source
    return [_session(payload, around, "start", how=how, client=clients.CLIENT, cwd=around.cwd, parent_session=parent)]


def _session(payload: dict[str, Any], around: Around, change: str, **more: str) -> Draft:
    known = {"branch": around.branch, "commit": around.commit, "project_name": around.name, **more}
    body = {"session": session_of(payload), "project": around.project, "change": change}
    return Draft(SESSION, {**body, **{name: value for name, value in known.items() if value}})


def _prompt(payload: dict[str, Any], around: Around) -> list[Draft]:
    from session_memory.capture import prompts

    found = prompts.read(_text(payload.get("prompt")))
    if isinstance(found, str):
        return []
    type_, data = found
    by = "tool" if type_ in prompts.BY_CLIENT else "user"
    made = _event(payload, around, "message", type_, data, by, prompts.key(_text(payload.get("prompt_id")), type_))
    made.key_text = prompts.words(data) if made.key else None
    return [made]


def _tool(payload: dict[str, Any], around: Around, *, failed: bool) -> list[Draft]:
    from session_memory.capture import prompts, tools

    tool, given, used = _text(payload.get("tool_name")), payload.get("tool_input"), _text(payload.get("tool_use_id"))
    if not tool or not used or tools.is_ours(tool):
        return []
    response = payload.get("error") if failed else payload.get("tool_response")
    text = tools.response_text(response)
    data = tools.outcome(tool, given, text, failed)
    if isinstance(response, dict) and not text:
        data["result"] = response
    if isinstance(payload.get("duration_ms"), (int, float)):
        data["duration_ms"] = payload["duration_ms"]
    if payload.get("is_interrupt"):
        data["interrupted"] = True
    asked: dict[str, Any] = {"input": given}
    files = tools.files_of(given)
    if files:
        asked["files"] = files
    call = _event(payload, around, "tool_call", tool, asked, "tool", f"tool_call:{used}")
    call.id = ids.new_id(ids.now_ms())
    answer = _event(payload, around, "tool_response", tool, data, "tool", f"tool_response:{used}")
    answer.body["parent"] = call.id
    made = [call, answer]
    said = prompts.in_result(tool, data, text, response)
    if said is not None:
        made.append(_event(payload, around, "message", said[0], said[1], "user", f"{said[0]}:{used}"))
    return made


def _reply(payload: dict[str, Any], around: Around) -> list[Draft]:
    text = _text(payload.get("last_assistant_message")).strip()
    if _compaction(payload):
        return _summary(payload, around, text)
    from session_memory.capture import between, prompts

    made = between.drafts(payload, around.project)
    if text:
        key = prompts.reply_key(payload.get("prompt_id"))
        reply = _event(payload, around, "message", "reply", {"text": text}, "model", key)
        reply.key_text = prompts.normal(text) if key else None
        made += [reply, *_stated(reply, text)]
    if payload.get("hook_event_name") == "SubagentStop":
        made.append(_session(payload, around, "end", how="subagent", parent_session=_text(payload.get("session_id"))))
    return made


def _summary(payload: dict[str, Any], around: Around, text: str) -> list[Draft]:
    from session_memory.capture import prompts

    said = prompts.summary(text)
    if not said:
        return []
    made = _event(payload, around, "message", "compact_summary", {"text": said}, "model", "compact_summary")
    made.key_text = prompts.summary_key(made.body["session"], said)
    return [made, *_stated(made, said)]


def _stated(told: Draft, text: str) -> list[Draft]:
    from session_memory.capture import labelled  # of all that is reported, only replies and summaries state anything

    return labelled.drafts(told, text)


def _checkpoint(payload: dict[str, Any], around: Around, name: str) -> Draft:
    body: dict[str, Any] = {"session": session_of(payload), "project": around.project, "name": name, "type": "auto"}
    for member, value in (("branch", around.branch), ("commit", around.commit)):
        if value:
            body[member] = value
    return Draft(CHECKPOINT, body)


def _event(
    payload: dict[str, Any], around: Around, category: str, type_: str, data: dict[str, Any], by: str, key: str | None
) -> Draft:
    source: dict[str, Any] = {"client": clients.CLIENT}
    for name in ("tool_use_id", "prompt_id", "agent_id"):
        if _text(payload.get(name)):
            source[name] = payload[name]
    body: dict[str, Any] = {
        "session": session_of(payload), "project": around.project, "category": category, "type": type_, "data": data,
        "stated_by": by, "source": source,
    }  # fmt: skip
    for member, value in (("branch", around.branch), ("commit", around.commit)):
        if value:
            body[member] = value
    return Draft(EVENT, body, key=key)


def _compaction(payload: dict[str, Any]) -> bool:
    """A compaction runs as an agent without a type; it is not a subagent, and its last message is the summary."""
    event = payload.get("hook_event_name")
    return event in ("SubagentStart", "SubagentStop") and "agent_type" in payload and not payload["agent_type"]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
