"""A client without hooks and without a session id of its own (Claude Desktop): the server starts a session by itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from tests.stories.test_it_remembers import ERAS, tool

from session_memory.memory import Memory


def desktop(home: str, folder: Path) -> StdioServerParameters:
    """How Claude Desktop starts a server: nothing of a project, a session or a client stands in the environment."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "session_memory", "serve", "--home", home], cwd=str(folder),
        env={"PYTHONPATH": os.environ["PYTHONPATH"], "HOME": os.environ["HOME"]},
    )  # fmt: skip


async def worked(client: Client, title: str) -> dict[str, Any]:
    """Record, ask and hand over without a session_init; returns what was kept."""
    empty = await tool(client, "session_status")
    assert empty["active"] is False
    kept: dict[str, Any] = await tool(client, "session_record", category="decision", type="x", data={"title": title})
    assert kept["stored"] == "log" and kept["indexed"]
    again = await tool(
        client, "session_record", category="question", type="question_raised", data={"question": f"{title}?"}
    )
    assert again["session_id"] == kept["session_id"]
    status = await tool(client, "session_status")
    assert status["active"] and status["session_id"] == kept["session_id"] and status["event_count"] == 2
    found = await tool(client, "session_query", keyword=title, scope="session")
    assert {each["id"] for each in found["events"]} == {kept["event_id"], again["event_id"]}
    handoff = await tool(client, "session_handoff")
    assert title in handoff and kept["session_id"] in handoff.splitlines()[-1]
    return kept


@pytest.mark.parametrize("era", ERAS)
def test_record_query_and_handoff_work_without_a_start_and_two_servers_are_two_sessions(
    home: str, tmp_path: Path, era: str
) -> None:
    async def story() -> None:
        async with Client(desktop(home, tmp_path), mode=era) as one, Client(desktop(home, tmp_path), mode=era) as two:
            first, second = await worked(one, "Kingfisher"), await worked(two, "Dragonfly")
            assert first["session_id"] != second["session_id"]
            both = await tool(two, "session_query", category="decision")  # of the project, so of both
            assert [each["data"]["title"] for each in both["events"]] == ["Dragonfly", "Kingfisher"]
            assert (await tool(one, "session_status"))["session_id"] == first["session_id"]  # none takes the other's

    anyio.run(story)
    with Memory(home, cwd=str(tmp_path)) as memory:
        found = memory.sessions.listed(everywhere=True, limit=9)
        assert [(each["how"], each["event_count"]) for each in found] == [("implicit", 2)] * 2
        assert memory.health.verify().green
