"""A belief turns out wrong: the mark outlives a killed server, travels with every hit, and the handoff tells it apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from tests.stories.test_it_remembers import ERAS, _kill, parameters, tool


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n\n")[0]


async def decide(client: Client) -> dict[str, str]:
    said = {}
    for name, category, data in [
        ("redis", "decision", {"title": "Keep counters in Redis", "rationale": "fast"}),
        ("sqlite", "decision", {"title": "Keep counters in SQLite", "rationale": "no new service"}),
        ("window", "decision", {"title": "Fixed window of a minute"}),
        ("cause", "finding", {"title": "The proxy drops Retry-After", "severity": "high"}),
        ("question", "question", {"id": "Q1", "question": "Do health checks count?"}),
    ]:
        kept = await tool(client, "session_record", category=category, type="noted", data=data)
        said[name] = kept["event_id"]
    return said


async def mark(client: Client, event_id: str, type: str, **data: str) -> Any:
    return await tool(client, "session_record", category="decision", type=type, parent_id=event_id, data=data)


async def correct(client: Client, said: dict[str, str]) -> None:
    told = await mark(client, said["redis"][:14], "superseded", by=said["sqlite"][:14], note="one more thing to run")
    assert told["hint"] == f"Marked {said['redis'][:12]} (Keep counters in Redis) as superseded."
    await mark(client, said["window"], "rejected", note="doubles at the edge")
    await mark(client, said["cause"], "wrong", note="the client never asked for it")
    await mark(client, said["sqlite"], "accepted")
    missing = await mark(client, "f" * 32, "wrong")
    assert missing["stored"] == "log" and "No single event" in missing["hint"]


async def every_hit(client: Client, said: dict[str, str]) -> dict[str, str]:
    """Status by name, the same in whatever way an event is found."""
    ways: list[dict[str, Any]] = [
        {"type": "noted"}, {"keyword": "counters window Retry-After health"}, {"type": "noted", "include_data": False},
        {"categories": ["decision", "finding"], "type": "noted", "scope": "all", "order": "oldest"},
    ]  # fmt: skip
    seen = []
    for way in ways:
        page = await tool(client, "session_query", **way)
        seen.append({e["id"]: e["mark"]["status"] for e in page["events"] if "mark" in e})
    names = {event_id: name for name, event_id in said.items()}
    assert seen.count(seen[0]) == len(seen)
    return {names[event_id]: status for event_id, status in seen[0].items()}


def told_apart(text: str) -> None:
    aside, decisions = section(text, "Set aside, not to be repeated"), section(text, "Decisions")
    assert "superseded: Keep counters in Redis" in aside and "Instead: Keep counters in SQLite" in aside
    assert "rejected: Fixed window of a minute. Why: doubles at the edge" in aside
    assert "wrong: The proxy drops Retry-After. Why: the client never asked for it" in aside
    assert "Keep counters in SQLite" in decisions and "accepted" in decisions
    for gone in ("Redis", "Fixed window", "one more thing"):
        assert gone not in decisions
    assert "Retry-After" not in section(text, "Findings")
    assert "Do health checks count?" in section(text, "Open questions")


@pytest.mark.parametrize("era", ERAS)
def test_a_mark_survives_the_server_and_tells_the_next_session_what_not_to_repeat(
    home: str, tmp_path: Path, era: str
) -> None:
    project = tmp_path / "quota"
    project.mkdir()

    def command(*words: str) -> str:
        line = [sys.executable, "-m", "session_memory", *words, "--home", home]
        return subprocess.run(line, cwd=project, capture_output=True, text=True, check=True, timeout=60).stdout

    async def story() -> None:
        async with Client(parameters(home, project), mode=era) as client:
            said = await decide(client)
            await correct(client, said)
            _kill(home)
        statuses = {"redis": "superseded", "sqlite": "accepted", "window": "rejected", "cause": "wrong"}
        async with Client(parameters(home, project), mode=era) as client:
            assert await every_hit(client, said) == statuses
            recall = await client.get_prompt("recall", {"topic": "proxy drops"})
            assert "[wrong: the client never asked for it]" in str(recall.messages[0].content)
            session = (await tool(client, "session_query", type="noted", limit=1))["events"][0]["session_id"]
            viewed = (await client.read_resource(f"memory://sessions/{session}")).contents[0]
            assert len([e for e in json.loads(getattr(viewed, "text", ""))["newest_events"] if "mark" in e]) == 4
            told_apart(await tool(client, "session_resume", use_latest=True))
            told_apart(await tool(client, "session_handoff"))
            as_json = await tool(client, "session_handoff", format="json")
            assert {each["mark"]["status"] for each in as_json["set_aside"]} == {"superseded", "rejected", "wrong"}
            # the user knows better than the model: the newest mark counts, and a mark can be taken back
            command("mark", said["window"][:14], "accepted", "--note", "it is enough for us")
            command("mark", said["cause"][:14], "clear")
            assert await every_hit(client, said) == {"redis": "superseded", "sqlite": "accepted", "window": "accepted"}
            handoff = await tool(client, "session_handoff")
            assert "Fixed window of a minute (accepted by user" in section(handoff, "Decisions")
            assert "The proxy drops Retry-After" in section(handoff, "Findings")

    anyio.run(story)
