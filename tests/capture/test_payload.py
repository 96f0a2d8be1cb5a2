"""A hook's payload becomes the records that the transcript would give: same types, same keys, the traps included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.capture import payload as payloads
from session_memory.capture.payload import Around, drafts
from session_memory.model.record import CHECKPOINT, EVENT, SESSION, Draft

HERE = Around("git:example.org/shop", "shop", "/shop", "main", "c0ffee", "before-session")
BASE = {"session_id": "s1", "cwd": "/shop", "prompt_id": "p1", "transcript_path": "/x.jsonl"}


def made(event: str, **more: Any) -> list[Draft]:
    return drafts({**BASE, "hook_event_name": event, **more}, HERE)


def told(found: list[Draft]) -> list[tuple[str, str, str | None]]:
    return [(each.body["category"], each.body["type"], each.key) for each in found if each.kind == EVENT]


@pytest.mark.parametrize(
    ("source", "parent"), [("startup", None), ("resume", None), ("clear", "before-session"), ("fork", "before-session")]
)
def test_a_start_says_how_and_where_and_a_cleared_session_knows_the_one_before(source: str, parent: str | None) -> None:
    (found,) = made("SessionStart", source=source)
    body = found.body
    assert found.kind == SESSION and body["change"] == "start" and body["how"] == source
    assert (body["branch"], body["commit"], body["cwd"], body["client"]) == ("main", "c0ffee", "/shop", "claude-code")
    assert body.get("parent_session") == parent and body["project_name"] == "shop"


def test_a_compaction_starts_no_session() -> None:
    assert made("SessionStart", source="compact") == [] and made("SessionStart", source="something new") == []


def test_prompts_commands_and_what_only_looks_like_one() -> None:
    assert told(made("UserPromptSubmit", prompt="add limits")) == [("message", "user_prompt", "user_prompt:p1")]
    (command,) = made("UserPromptSubmit", prompt="<command-name>/plan</command-name><command-args>now</command-args>")
    assert command.body["data"] == {"name": "/plan", "args": "now"} and command.key == "user_prompt:p1"
    assert made("UserPromptSubmit", prompt="<system-reminder>x</system-reminder>") == []
    assert made("UserPromptSubmit", prompt="<session-memory nonce=1>ours</session-memory>") == []
    assert made("UserPromptSubmit") == []


def test_a_tool_call_has_input_outcome_duration_and_files() -> None:
    given = {"file_path": "/shop/a.py", "old_string": "a", "new_string": "b"}
    response = {"filePath": "/shop/a.py", "originalFile": "old " * 1000, "structuredPatch": []}
    call, answer = made(
        "PostToolUse", tool_name="Edit", tool_input=given, tool_response=response, tool_use_id="t1", duration_ms=7
    )
    assert (call.key, answer.key) == ("tool_call:t1", "tool_response:t1") and answer.body["parent"] == call.id
    assert call.body["data"] == {"input": given, "files": ["/shop/a.py"]}
    assert answer.body["data"] == {"ok": True, "output": "edit /shop/a.py", "files": ["/shop/a.py"], "duration_ms": 7}
    assert call.body["source"] == {"client": "claude-code", "tool_use_id": "x", "prompt_id": "p1"} | {
        "tool_use_id": "t1"
    }
    assert call.body["branch"] == "main" and call.body["stated_by"] == "tool"


def bash(command: str, **more: Any) -> dict[str, Any]:
    event = "PostToolUseFailure" if "error" in more else "PostToolUse"
    answer = made(event, tool_name="Bash", tool_input={"command": command}, tool_use_id="t1", **more)[1]
    return dict(answer.body["data"])


def test_failures_are_told_whole_hidden_or_chosen_by_the_user() -> None:
    assert bash("exit 3", error="Exit code 3") == {"ok": False, "exit_code": 3, "output": "Exit code 3"}
    assert bash("x", error="[Request interrupted]", is_interrupt=True)["interrupted"] is True
    hidden = bash("mix test 2>&1 | tail", tool_response={"stdout": "3 tests, 1 failure", "stderr": ""})
    assert hidden["ok"] is False and hidden["hidden_failure"] is True
    for told in (
        "found 1 code readability issue.",
        "Found 3 errors in 2 files",
        "Halting VM with exit status 2",
        "a.ts(3,1): error TS2304: x",
    ):
        assert bash("mix x 2>&1 | tail", tool_response={"stdout": told, "stderr": ""})["ok"] is False, told
    for told in ("found no issues.", "Found 0 errors", "found 12 files"):
        assert bash("mix x 2>&1 | tail", tool_response={"stdout": told, "stderr": ""})["ok"] is True, told
    rejected = bash("rm -r x", error="The tool use was rejected by the user. The user said: not that one")
    assert rejected["rejected"] is True and "ok" not in rejected
    both = bash("ls", tool_response={"stdout": "out", "stderr": "warning"})
    assert both == {"ok": True, "output": "out\nwarning"}


def test_what_the_user_says_inside_a_result_is_his() -> None:
    answers = {"questions": [], "answers": {"Which?": "The second"}}
    found = made("PostToolUse", tool_name="AskUserQuestion", tool_input={}, tool_response=answers, tool_use_id="t1")
    assert told(found)[2] == ("message", "answer", "answer:t1")
    assert found[2].body["data"]["text"] == "Which?\n-> The second" and found[2].body["stated_by"] == "user"
    plan = made(
        "PostToolUse",
        tool_name="ExitPlanMode",
        tool_input={},
        tool_response="User has approved your plan",
        tool_use_id="t2",
    )
    assert (
        told(plan)[2] == ("message", "plan_approval", "plan_approval:t2") and plan[2].body["data"]["approved"] is True
    )
    said = made(
        "PostToolUseFailure",
        tool_name="Bash",
        tool_input={},
        error="user rejected tool use. the user said: stop it",
        tool_use_id="t3",
    )
    assert said[2].body["data"]["text"] == "stop it"


@pytest.mark.parametrize(
    "name", ["mcp__session-memory__session_query", "mcp__plugin_session-memory_session-memory__session_record"]
)
def test_our_own_tools_are_not_recorded_twice(name: str) -> None:
    assert made("PostToolUse", tool_name=name, tool_input={}, tool_response="{}", tool_use_id="t1") == []


def test_a_subagent_is_a_session_under_its_parent_and_a_compaction_is_none() -> None:
    (start,) = made("SubagentStart", agent_id="a1", agent_type="general-purpose")
    assert (
        start.body["session"] == "s1/agent-a1"
        and start.body["parent_session"] == "s1"
        and start.body["how"] == "subagent"
    )
    call = made(
        "PostToolUse",
        agent_id="a1",
        agent_type="general-purpose",
        tool_name="Bash",
        tool_input={},
        tool_response="",
        tool_use_id="t",
    )
    assert {each.body["session"] for each in call} == {"s1/agent-a1"}
    reply, end = made("SubagentStop", agent_id="a1", agent_type="general-purpose", last_assistant_message="found it")
    assert reply.body["data"] == {"text": "found it"} and end.body["change"] == "end"
    summary = "<analysis>long</analysis>\n<summary>\nThe JWT decision stands.\n</summary>"
    early = made("SubagentStop", agent_id="a2", agent_type="", last_assistant_message=summary)
    late = made("PostCompact", trigger="auto", compact_summary=summary)
    assert told(early) == told(late) == [("message", "compact_summary", "compact_summary")]
    assert early[0].key_text == late[0].key_text and early[0].body["session"] == "s1"
    assert late[0].body["data"] == {"text": "The JWT decision stands."}
    assert made("SubagentStart", agent_id="a2", agent_type="") == [] and made("PostCompact") == []


def test_two_compactions_in_one_turn_are_two() -> None:
    one, two = (
        made("PostCompact", compact_summary=f"<summary>1. Intent\n{n}</summary>")[0] for n in ("first", "second")
    )
    assert one.key_text != two.key_text


def test_replies_are_known_by_their_words_and_ends_leave_a_checkpoint() -> None:
    (reply,) = made("Stop", last_assistant_message="All  done.\n")
    assert (reply.key, reply.key_text) == ("reply:p1", "All done.")
    assert made("Stop") == [] and made("Stop", last_assistant_message=" ") == []
    (without,) = drafts({"session_id": "s", "hook_event_name": "Stop", "last_assistant_message": "x"}, HERE)
    assert without.key is None
    (before,) = made("PreCompact", trigger="auto")
    assert (
        before.kind == CHECKPOINT and before.body["name"] == "before auto compaction" and before.body["type"] == "auto"
    )
    checkpoint, end = made("SessionEnd", reason="clear")
    assert checkpoint.kind == CHECKPOINT and (end.body["change"], end.body["reason"]) == ("end", "clear")


def test_every_sample_of_the_real_client_is_understood(shared: Path) -> None:
    silent = {"PermissionRequest", "PreToolUse", "PostToolBatch"}
    for path in sorted((shared / "client-samples" / "hooks").glob("*.json")):
        found = drafts(json.loads(path.read_text()), HERE)
        event = path.name.partition(".")[0]
        ours = "session-memory__session_" in path.name
        assert bool(found) == (event not in silent and not ours and path.name != "SessionStart.compact.json"), path.name
        assert all(each.body["session"] for each in found)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6)  # fmt: skip
MEMBERS = ["session_id", "agent_id", "agent_type", "prompt", "prompt_id", "tool_name", "tool_input", "tool_response", "tool_use_id",
           "error", "source", "trigger", "compact_summary", "last_assistant_message", "reason", "duration_ms"]  # fmt: skip


@given(
    st.sampled_from(["SessionStart", "UserPromptSubmit", "PostToolUse", "PostToolUseFailure", "SubagentStart", "SubagentStop", "Stop",
                     "PreCompact", "PostCompact", "SessionEnd", "Unheard"]),
    st.dictionaries(st.sampled_from(MEMBERS), JSON),
)  # fmt: skip
def test_no_payload_breaks_the_reading(event: str, members: dict[str, Any]) -> None:
    for each in drafts({**BASE, **members, "hook_event_name": event}, HERE):
        assert each.kind in (EVENT, SESSION, CHECKPOINT) and each.body["session"] == payloads.session_of(
            {**BASE, **members, "hook_event_name": event}
        )
