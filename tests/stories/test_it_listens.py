"""Everything is recorded by itself through the real Claude Code: restarts, forks, failures, subagents, compaction, crashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stories.client import OURS, ROOT, Client, Model, binary, text, use

from session_memory.actions.events import Query
from session_memory.memory import Memory


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    found = binary()
    model = Model()
    try:
        yield Client(tmp_path, found, model)
    finally:
        model.close()


def imported(client: Client) -> dict[str, Any]:
    """What `import claude-code` says, run as the user would."""
    done = subprocess.run(
        [sys.executable, "-m", "session_memory", "import", "claude-code", "--json"], cwd=client.project, capture_output=True,
        text=True, check=True, env={**os.environ, "HOME": str(client.user)},
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def sessions(client: Client) -> dict[str, dict[str, Any]]:
    with Memory(str(client.home), cwd=str(client.project)) as memory:
        return {each["id"]: each for each in memory.sessions.listed(everywhere=True, limit=50)}


def test_two_runs_are_recorded_whole_and_an_import_afterwards_changes_nothing(client: Client) -> None:
    first = client.say(
        "Never edit billing. <private>my wife's name</private>",
        use("Bash", "Let me look.", command="echo found it", description="look"),
        use("Bash", command="echo broken >&2; exit 3", description="fail"),
        use("Agent", description="sub", prompt="look around", subagent_type="general-purpose", run_in_background=False),
        use("Bash", command="echo from below", description="sub"),
        text("the sub agent is done"),
        use(f"{OURS}session_record", category="decision", type="api", data={"title": "Answer 429"}),
        text("All is done."),
    )
    second = client.say("And now?", text("Nothing more."))
    assert client.trouble() == "" and first != second
    told = client.events()
    for expected in (
        ("message", "user_prompt", "Never edit billing. [PRIVATE]"), ("tool_response", "Bash", "found it"),
        ("tool_response", "Bash", "from below"), ("message", "reply", "the sub agent is done"), ("decision", "api", "Answer 429"),
        ("message", "reply", "All is done."), ("message", "user_prompt", "And now?"), ("message", "reply", "Nothing more."),
    ):  # fmt: skip
        assert told.count(expected) == 1, (expected, told)
    failed = [
        each for each in client.records() if each.get("category") == "tool_response" and each["data"].get("ok") is False
    ]
    assert len(failed) == 1 and failed[0]["data"]["exit_code"] == 3 and failed[0]["data"]["duration_ms"] >= 0
    below = {
        each["session"] for each in client.records() if each["kind"] == "event" and "from below" in str(each["data"])
    }
    assert len(below) == 1 and below.pop().startswith(f"{first}/agent-")
    assert not [each for each in told if "session_record" in each[1]]  # our own tool's call is its event, once
    before = client.records()
    assert "Let me look." in str(before) and "look around" in str(
        before
    )  # between two tools; what the subagent was asked
    assert imported(client)["new"] == 0 and client.records() == before
    assert not [path for path in client.home.rglob("*") if path.is_file() and b"my wife" in path.read_bytes()]


def test_resume_fork_and_clear_make_a_tree(client: Client) -> None:
    first = client.say("One", text("answer one"))
    assert client.say("Two", text("answer two"), options=("--resume", first)) == first
    fork = client.say("In the fork", text("answer of the fork"), options=("--resume", first, "--fork-session"))
    last = client.say(
        ["Before", "/clear", "After"], text("b"),
        use(f"{OURS}session_record", category="decision", type="x", data={"title": "After the clear"}), text("a"),
    )  # fmt: skip
    imported(client)
    found = sessions(client)
    assert found[fork]["how"] == "fork" and found[fork]["parent_session"] == first
    assert found[last]["how"] == "clear"
    cleared = found[last]["parent_session"]
    assert cleared not in (first, fork) and found[cleared]["how"] == "startup"
    records = client.records()
    assert {each["session"] for each in records if each.get("category") == "decision"} == {
        last
    }  # the server went along
    for session, words in ((first, ["One", "Two"]), (fork, ["In the fork"]), (cleared, ["Before"]), (last, ["After"])):
        said = [
            each["data"]["text"] for each in records if each.get("type") == "user_prompt" and each["session"] == session
        ]
        assert said == words
    assert client.trouble() == ""


def test_a_compaction_keeps_its_summary_once_and_leaves_a_checkpoint(client: Client) -> None:
    first = client.say("Use JWT, never sessions.", text("noted"))
    client.model.summary = "<analysis>hm</analysis><summary>1. Intent\nThe user wants JWT.</summary>"
    client.say("/compact keep the JWT decision", options=("--resume", first))
    client.say("Go on", text("going on"), options=("--resume", first))
    imported(client)
    with Memory(str(client.home), cwd=str(client.project)) as memory:
        summaries = memory.events.query(Query(type="compact_summary", scope="all")).events
        assert len(summaries) == 1 and "The user wants JWT." in summaries[0]["data"]["text"]
        checkpoints = [each for each in client.records() if each["kind"] == "checkpoint"]
        assert "before manual compaction" in [each["name"] for each in checkpoints]
        prompts = memory.events.query(Query(categories=["message"], scope="all", order="oldest")).events
        commands = [each["data"] for each in prompts if each["type"] == "command"]
        assert commands == [{"name": "/compact", "args": "keep the JWT decision"}]
        assert "JWT" in memory.handoffs.resume_any("latest").text
    assert client.trouble() == ""


def test_what_a_killed_client_could_not_tell_is_completed_at_the_next_start(client: Client) -> None:
    client.say("The first one", text("fine"))
    killed = client.say(
        "Look at it", use("Bash", "Between two tools.", command="echo seen by nobody", description="x"), text("never said", wait=30),
        kill=0.5,
    )  # fmt: skip
    before = client.events()
    assert ("message", "reply", "Between two tools.") not in before
    client.say(
        "Back again", use("Bash", command="sleep 3", description="time for the server"),
        use(f"{OURS}session_record", category="finding", type="x", data={"title": "alive"}), text("good"),
    )  # fmt: skip
    told = client.events()
    for expected in (
        ("message", "reply", "Between two tools."),
        ("tool_response", "Bash", "seen by nobody"),
        ("message", "user_prompt", "Look at it"),
    ):
        assert told.count(expected) == 1, (expected, told)
    assert killed in sessions(client) and client.trouble() == ""


def test_a_plugin_installed_from_a_folder_records_at_once_with_an_empty_home(client: Client) -> None:
    client.run("plugin", "validate", "--strict", "--profile", "directory", str(ROOT))
    client.run("plugin", "marketplace", "add", str(ROOT))
    client.run("plugin", "install", "session-memory@session-memory")
    client.plugin = []
    client.say(
        "Recorded by itself",
        use(f"{OURS}session_record", category="decision", type="x", data={"title": "By tool"}),
        text("yes"),
    )
    told = client.events()
    for expected in (
        ("message", "user_prompt", "Recorded by itself"),
        ("decision", "x", "By tool"),
        ("message", "reply", "yes"),
    ):
        assert told.count(expected) == 1
    first = json.dumps(client.model.requests[0])
    assert f"{OURS}session_record" in first and "Session Memory keeps" in first
    kept = [path for path in (client.user / ".claude" / "plugins" / "data").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"Recorded by itself" in path.read_bytes()]


def test_secrets_and_our_own_blocks_are_in_no_file(client: Client) -> None:
    secrets = ["ghp_" + "a1B2" * 9, "AKIA" + "QWERTYUIOP23ABCD", "Tr0ub4dor+3xQ9"]
    client.say(
        f"My token is {secrets[0]} <session-memory nonce='1'>injected earlier</session-memory>",
        use("Bash", command=f"echo password={secrets[2]} {secrets[1]}", description="x"),
        use("Write", file_path=str(client.project / "a.env"), content=f"TOKEN={secrets[0]}\n"),
        text(f"Your token is {secrets[0]}"),
    )
    imported(client)
    for path in (path for path in client.home.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for secret in (*secrets, "injected earlier", "dummy-key-for-loopback"):
            assert secret.encode() not in content, (path, secret)
    assert len([each for each in client.events() if each[0] == "message"]) == 2


def test_the_user_can_switch_it_off(client: Client) -> None:
    client.say("Not this one", text("no"), SESSION_MEMORY_OFF="1")
    client.say("But this one", text("yes"))
    imported(client)
    told = [each[2] for each in client.events()]
    assert "But this one" in told and "Not this one" not in told and "no" not in told
