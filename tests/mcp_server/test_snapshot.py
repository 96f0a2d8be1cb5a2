"""What is answered early is what the server itself answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.mcp_server.raw_client import RawClient, server

from session_memory.mcp_server import snapshot, stdio
from session_memory.version import VERSION


def test_the_stored_snapshot_is_what_the_server_answers() -> None:
    stored = Path(stdio.SNAPSHOT).read_text(encoding="utf-8")
    assert stored == snapshot.text(snapshot.make())
    assert json.loads(stored)["version"] == VERSION


def test_no_list_promises_to_change() -> None:
    assert '"listChanged":true' not in Path(stdio.SNAPSHOT).read_text(encoding="utf-8")


def test_early_answers_and_later_ones_are_the_same(home: str) -> None:
    with RawClient(server(home)) as client:
        early = [client.request(method)["result"] for method in ("server/discover", "tools/list", "prompts/list")]
        client.call("session_status")
        assert [client.request(m)["result"] for m in ("server/discover", "tools/list", "prompts/list")] == early


def test_a_snapshot_of_another_version_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    path.write_text('{"version": "0.0.0"}')
    assert stdio._load(str(path)) is None
    path.write_text("{half")
    assert stdio._load(str(path)) is None
    assert stdio._load(stdio.SNAPSHOT) is not None


def test_a_client_of_the_older_era_is_answered_early_and_served_after(home: str) -> None:
    with RawClient(server(home), era="legacy") as client:
        early = client.request("tools/list")["result"]
        assert client.request("ping")["result"] == {}
        assert client.call("session_status")["structuredContent"]["event_count"] == 0
        assert client.request("tools/list")["result"] == early
        assert not client.seen
