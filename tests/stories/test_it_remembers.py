"""The whole promise: a real server records a piece of work, is killed, and a new one knows everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from tests.mcp_server.raw_client import RawClient, server

from session_memory.memory import Memory

ERAS = ["2026-07-28", "legacy"]


def parameters(home: str, project: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "session_memory", "serve", "--home", home],
        env={"PYTHONPATH": os.environ["PYTHONPATH"], "CLAUDE_PROJECT_DIR": str(project), "HOME": os.environ["HOME"]},
        cwd=str(project),
    )


async def tool(client: Client, called: str, /, **arguments: Any) -> Any:
    result = await client.call_tool(called, arguments)
    text = "".join(getattr(block, "text", "") for block in result.content)
    assert not result.is_error, text
    return result.structured_content if result.structured_content is not None else text


async def first_session(client: Client) -> dict[str, Any]:
    """Record through the calls of the contract; returns what a later session must find."""
    begun = await tool(client, "session_init", skill_name="feature-work", session_id="first")
    assert begun["status"] == "new" and begun["plugin"] == "generic"
    assert (await tool(client, "session_init", session_id="first"))["status"] == "existing"
    said: dict[str, Any] = {}
    for name, category, type_, data in [
        ("rule", "decision", "constraint", {"text": "Never log request bodies"}),
        ("decision", "decision", "architecture", {"title": "Token bucket per key", "rationale": "Fixed windows double",
                                                  "alternatives": ["fixed window"]}),
        ("bug", "finding", "bug", {"id": "F1", "severity": "high", "title": "Retry-After in milliseconds"}),
        ("small", "finding", "gap", {"id": "F2", "severity": "low", "title": "Typo in the readme"}),
        ("q1", "question", "question_raised", {"id": "Q1", "question": "Do health checks count?"}),
        ("q2", "question", "question_raised", {"id": "Q2", "question": "Keep the old endpoint?"}),
        ("a2", "question", "question_answered", {"id": "Q2", "answer": "Until March"}),
        ("block", "finding", "blocker", {"title": "Staging database is down"}),
        ("step", "phase", "next_step", {"text": "Send Retry-After in seconds"}),
    ]:  # fmt: skip
        kept = await tool(client, "session_record", category=category, type=type_, data=data, tags=["limits", name])
        assert kept["stored"] == "log" and kept["indexed"] and kept["session_id"] == "first"
        said[name] = kept["event_id"]
    made = await tool(client, "session_checkpoint", name="bucket works", summary="41 tests green")
    assert made["event_count"] == 9 and os.path.exists(made["file_path"])
    said["checkpoint"] = made["checkpoint_id"]
    last = await tool(client, "session_record", category="decision", type="api", data={"title": "429 names the limit"})
    said["late"] = last["event_id"]
    return said


QUERIES: list[dict[str, Any]] = [
    {},
    {"category": "finding"},
    {"categories": ["decision", "question"], "order": "oldest"},
    {"type": "constraint"},
    {"tags": ["q1", "bug"]},
    {"keyword": "retry-after milliseconds"},
    {"keyword": "Q2"},
    {"time_range": {"after": "2020-01-01T00:00:00+02:00", "before": "2120-01-01"}},
    {"time_range": {"after": "2120-01-01", "before": "2020-01-01"}},
    {"session_id": "first"},
    {"scope": "all", "limit": 3},
]


async def answers(client: Client) -> list[Any]:
    found = []
    for query in QUERIES:
        page = await tool(client, "session_query", **query)
        found.append(([event["id"] for event in page["events"]], page["total_count"]))
    return found


async def second_session(client: Client, said: dict[str, Any]) -> None:
    text = await tool(client, "session_resume", use_latest=True)
    for words in ["Never log request bodies", "Token bucket per key", "Fixed windows double", "high: Retry-After",
                  "Do health checks count?", "Staging database is down", "Send Retry-After in seconds", "41 tests green",
                  "429 names the limit"]:  # fmt: skip
        assert words in text
    assert "Keep the old endpoint?" not in text
    assert text.rstrip().splitlines()[-1].endswith(f"parent first · checkpoint {said['checkpoint']}")
    handoff = await tool(client, "session_handoff")
    section = handoff.split("## Open questions")[1].split("##")[0]
    assert "Q1" in section and "Q2" not in section
    assert handoff.index("high: Retry-After") < handoff.index("low: Typo")
    as_json = await tool(client, "session_handoff", format="json", include_findings=False)
    assert [each["question"] for each in as_json["open_questions"]] == ["Do health checks count?"]
    assert "findings" not in as_json
    listed = await tool(client, "session_list_checkpoints")
    assert [each["checkpoint_id"] for each in listed["checkpoints"]] == [said["checkpoint"]]
    status = await tool(client, "session_status", session_id="first")
    assert status["events_by_category"] == {"decision": 3, "finding": 3, "phase": 1, "question": 3}
    assert status["health"]["index"]["ok"] and status["health"]["features_off"]
    near = await tool(
        client, "session_semantic_search", query="throttling callers by a quota each", category="decision"
    )
    assert near["mode"] == "words and meaning" and "Token bucket" in near["results"][0]["snippet"]
    lineage = await tool(client, "session_query", scope="lineage")
    assert lineage["total_count"] == 10


async def surfaces(client: Client) -> None:
    """Prompts, resources, templates and completions."""
    assert {prompt.name for prompt in (await client.list_prompts()).prompts} == {"resume", "handoff", "recall"}
    assert {str(each.uri) for each in (await client.list_resources()).resources} == {
        "memory://handoffs/latest", "memory://project/summary",
    }  # fmt: skip
    templates = (await client.list_resource_templates()).resource_templates
    assert {each.uri_template for each in templates} == {"memory://sessions/{id}", "memory://checkpoints/{id}"}
    recall = await client.get_prompt("recall", {"topic": "token bucket"})
    assert "Token bucket per key" in str(recall.messages[0].content)
    summary = (await client.read_resource("memory://project/summary")).contents[0]
    assert "Do health checks count?" in getattr(summary, "text", "")
    session = (await client.read_resource("memory://sessions/first")).contents[0]
    assert json.loads(getattr(session, "text", ""))["session"]["id"] == "first"
    assert "# Handoff" in getattr((await client.read_resource("memory://handoffs/latest")).contents[0], "text", "")


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_a_new_server_knows_what_a_killed_one_acknowledged(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "quota"
    project.mkdir()

    async def story() -> None:
        async with Client(parameters(home, project), mode=era) as client:
            said = await first_session(client)
            before = await answers(client)
            _kill(home)
        async with Client(parameters(home, project), mode=era) as client:
            assert await answers(client) == before
            await second_session(client, said)
            assert (await answers(client))[1:] == before[1:]
            await surfaces(client)

    anyio.run(story)
    with Memory(home, cwd=str(project)) as memory:
        assert memory.health.verify().green


def _kill(home: str) -> None:
    """SIGKILL to the server of this home."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if home.encode() in words and b"serve" in words:
            os.kill(int(pid), signal.SIGKILL)


@pytest.mark.fault(16)
def test_the_same_questions_get_the_same_answers_after_the_index_was_deleted(home: str, tmp_path: Path) -> None:
    project = tmp_path / "quota"
    project.mkdir()

    async def story() -> None:
        async with Client(parameters(home, project)) as client:
            await first_session(client)
            before = await answers(client)
            for name in os.listdir(os.path.join(home, "storage")):
                if name.startswith("index.sqlite"):
                    os.unlink(os.path.join(home, "storage", name))
            assert await answers(client) == before
            with open(os.path.join(home, "storage", "index.sqlite"), "wb") as file:
                file.write(b"garbage" * 1000)
            assert await answers(client) == before

    anyio.run(story)


@pytest.mark.fault(51, 52, 54)
def test_errors_say_what_to_do_and_never_show_our_insides(home: str) -> None:
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("session_record", {"category": "decisions", "type": "a", "data": {}}, "Did you mean 'decision'"),
        ("session_record", {"category": "decision", "type": "a"}, "missing-argument"),
        ("session_record", {"category": "decision", "type": "a", "data": {}, "tag": []}, "Did you mean 'tags'"),
        ("session_record", {"category": "decision", "type": "a", "data": "text"}, "bad-argument"),
        ("session_query", {"limit": 0}, "bad-argument"),
        ("session_query", {"limit": 2**63}, "bad-argument"),
        ("session_query", {"offset": -1}, "bad-argument"),
        ("session_query", {"time_range": {"after": "whenever"}}, "bad-time"),
        ("session_query", {"cursor": "abc"}, "bad-cursor"),
        ("session_query", {"scope": "everything"}, "bad-argument"),
        ("session_query", {"session_id": "nobody"}, "unknown-session"),
        ("session_resume", {"checkpoint_name": "../../etc"}, "unknown-checkpoint"),
        ("session_resume", {}, "no-checkpoint"),
        ("session_handoff", {"budget_tokens": 1}, "bad-argument"),
    ]
    with RawClient(server(home)) as client:
        for name, arguments, expected in wrong:
            result = client.call(name, **arguments)
            text = result["content"][0]["text"]
            assert result["isError"] and expected in text, (name, arguments, text)
            assert "Traceback" not in text and "pydantic" not in text and home not in text
        assert "error" in client.request("tools/call", {"name": "session_recrod", "arguments": {}})


@pytest.mark.fault(64)
def test_a_checkpoint_name_is_a_label_and_never_a_path(home: str, tmp_path: Path) -> None:
    names = ["../../../escape", "/absolute", "a/b", "x" * 200, "nul\0byte", "..", ".hidden", "日本語", "same", "same"]
    with RawClient(server(home)) as client:
        made = [client.call("session_checkpoint", name=name)["structuredContent"] for name in names]
        for each in made:
            path = os.path.realpath(each["file_path"])
            assert path.startswith(os.path.realpath(home) + os.sep) and os.path.exists(path)
        assert len({each["file_path"] for each in made}) == len(names)
        resumed = client.call("session_resume", checkpoint_name="same")["content"][0]["text"]
        assert "2 checkpoints bear this name" in resumed and made[-1]["checkpoint_id"] in resumed
    assert sorted(os.listdir(tmp_path)) == ["home"]


@pytest.mark.fault(60)
def test_answers_stay_within_their_size_however_large_the_events(home: str) -> None:
    with RawClient(server(home)) as client:
        for number in range(30):
            client.call("session_record", category="finding", type="bug",
                        data={"title": f"finding {number}", "text": "long words " * 2_000})  # fmt: skip
        page = client.call("session_query", limit=200)
        assert len(page["content"][0]["text"]) <= 16_000
        result = page["structuredContent"]
        assert result["has_more"] and result["total_count"] == 30 and result["events"][0]["data"]["cut"] > 0
        seen = [event["id"] for event in result["events"]]
        while result["has_more"]:
            result = client.call("session_query", limit=200, cursor=result["next_cursor"])["structuredContent"]
            seen += [event["id"] for event in result["events"]]
        assert len(seen) == 30 == len(set(seen))
        assert len(client.call("session_handoff", budget_tokens=100_000)["content"][0]["text"]) <= 16_000
        assert len(client.call("session_resume")["content"][0]["text"]) <= 16_000


def test_the_server_makes_automatic_checkpoints_by_itself_when_something_happened(home: str) -> None:
    os.makedirs(home, mode=0o700)
    Path(home, "config.json").write_text('{"auto_checkpoint_interval_minutes": 0.1}')
    with RawClient(server(home)) as client:
        client.call("session_record", category="finding", type="bug", data={"title": "new"})
        until = time.monotonic() + 60
        while time.monotonic() < until:
            listed = client.call("session_list_checkpoints")["structuredContent"]
            if listed["total_count"]:
                break
            time.sleep(0.2)
        assert [each["type"] for each in listed["checkpoints"]] == ["auto"]


def test_resume_says_what_git_has_seen_since_the_checkpoint(home: str, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()

    def git(*words: str) -> None:
        quiet = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *quiet, *words], cwd=project, check=True, capture_output=True)

    git("init", "-q")
    (project / "a.txt").write_text("one")
    git("add", ".")
    git("commit", "-qm", "first")
    with RawClient(server(home), cwd=str(project)) as client:
        client.call("session_record", category="decision", type="api", data={"title": "Answer 429"})
        client.call("session_checkpoint", name="before")
        (project / "b.txt").write_text("two")
        git("add", ".")
        git("commit", "-qm", "teach the bucket to leak")
        (project / "a.txt").write_text("changed")
        text = client.call("session_resume", checkpoint_name="before")["content"][0]["text"]
    since = text.split("## Changed since")[1].split("##")[0]
    assert "teach the bucket to leak" in since and "A b.txt" in since and "not committed: M a.txt" in since
    assert "first" not in since
