"""A turn that ends is read back: what was said in it is told as an import tells it, and nothing twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.capture.test_transcript import SESSION_ID, Builder

from session_memory.capture import between
from session_memory.capture.payload import Around
from session_memory.capture.payload import drafts as told
from session_memory.capture.transcript import Transcript
from session_memory.model.record import Draft

HERE = Around("p", "shop", "/gone/shop")


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def turns() -> Builder:
    made = Builder()
    made.user("First", promptId="p1")
    made.assistant(text("Of the first turn."))
    made.user("Second", promptId="p2")
    made.assistant({"type": "thinking", "thinking": "Where is it?"}, text("Let me look.\n\nNEXT: read the log"))
    made.tool("Bash", {"command": "ls"}, "a.py")
    made.assistant(text("There it is.\n\nDECISION: keep a.py as it is"))
    return made


def stopped(path: str, **more: Any) -> dict[str, Any]:
    last = "There it is.\n\nDECISION: keep a.py as it is"
    return {"hook_event_name": "Stop", "session_id": SESSION_ID, "transcript_path": path, "prompt_id": "p2",
            "last_assistant_message": last, **more}  # fmt: skip


def shape(draft: Draft) -> tuple[Any, ...]:
    body = draft.body
    return draft.key, draft.key_text, body["session"], body["type"], json.dumps(body["data"])


def test_what_stands_between_the_tools_of_the_turn_is_told_and_the_rest_is_not(tmp_path: Path) -> None:
    found = between.drafts(stopped(turns().write(tmp_path)), "p")
    assert [(each.body["type"], next(iter(each.body["data"].values()))) for each in found] == [
        ("thinking", "Where is it?"), ("reply", "Let me look.\n\nNEXT: read the log"), ("next_step", "read the log"),
    ]  # fmt: skip
    assert {each.body["project"] for each in found} == {"p"} and all(each.at_ms for each in found)


def test_an_import_of_the_same_transcript_makes_the_same_drafts(tmp_path: Path) -> None:
    path = turns().write(tmp_path)
    of_hook = [shape(each) for each in told(stopped(path), HERE)]
    of_import = [shape(each) for each in Transcript(path) if each.body.get("category") in ("message", "phase", "decision")
                 and each.body["type"] != "user_prompt"]  # fmt: skip
    assert len(of_hook) == len(set(of_hook)) and of_import[0][3:] == ("reply", '{"text": "Of the first turn."}')
    assert set(of_import[1:]) == set(of_hook)  # the first turn was told when it ended


def test_a_reply_that_is_not_on_disk_yet_is_told_by_the_payload_alone(tmp_path: Path) -> None:
    made = turns()
    made.records.pop()
    kinds = [each.body["type"] for each in told(stopped(made.write(tmp_path)), HERE)]
    assert kinds.count("reply") == 2


def test_of_a_fork_nothing_is_told_that_it_copied(tmp_path: Path) -> None:
    made = turns()
    for record in made.records:
        if "promptId" in record:
            record["promptId"] = "p2"  # copies bear the id of the fork's first prompt
    found = between.drafts(stopped(made.write(tmp_path)), "p")
    assert "Of the first turn." not in str([each.body for each in found])


def test_a_subagent_is_read_from_its_beginning_with_what_it_was_asked(tmp_path: Path) -> None:
    made = Builder()
    made.user("Look around", promptId="p2", isSidechain=True, agentId="a1")
    made.assistant(text("Looking."))
    made.assistant(text("Found it."))
    for record in made.records:
        record.update(isSidechain=True, agentId="a1")
    payload = stopped("", hook_event_name="SubagentStop", agent_id="a1", agent_type="Explore",
                      agent_transcript_path=made.write(tmp_path), last_assistant_message="Found it.")  # fmt: skip
    found = between.drafts(payload, "p")
    assert [(each.body["type"], each.body["data"]["text"], each.body["stated_by"]) for each in found] == [
        ("user_prompt", "Look around", "model"), ("reply", "Looking.", "model"),
    ]  # fmt: skip
    assert {each.body["session"] for each in found} == {f"{SESSION_ID}/agent-a1"}


@pytest.mark.parametrize("more", [{"prompt_id": "p9"}, {"prompt_id": ""}, {"transcript_path": "/gone/x.jsonl"},
                                  {"transcript_path": None}])  # fmt: skip
def test_without_its_turn_nothing_is_told_but_the_last_reply(tmp_path: Path, more: dict[str, Any]) -> None:
    payload = stopped(turns().write(tmp_path), **more)
    assert between.drafts(payload, "p") == []
    assert [each.body["type"] for each in told(payload, HERE)] == ["reply", "stated"]


def test_a_turn_longer_than_what_is_read_back_is_left_to_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = turns().write(tmp_path)
    monkeypatch.setattr(between, "MOST", 600)
    assert between.drafts(stopped(path), "p") == []
