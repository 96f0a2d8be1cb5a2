"""A person at a terminal: what is typed while the model works, `/clear`, `/compact` and `/exit`, each kept exactly once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stories.client import OURS, Client, Model, binary, text, use
from tests.stories.terminal import SECONDS, Terminal
from tests.stories.test_it_listens import imported, sessions

from session_memory.memory import Memory


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    found = binary()
    model = Model()
    try:
        terminal = Terminal(Client(tmp_path, found, model), tmp_path)
        yield terminal
        terminal.close()
    finally:
        model.close()


EXPECTED = (  # of the first session, then of the one after /clear
    [
        ("message", "user_prompt", "The first thing"), ("tool_response", "Bash", "went on"),
        ("message", "user_prompt", "Typed while it worked"), ("message", "reply", "Answer to both"),
        ("message", "user_prompt", "The second thing"), ("message", "user_prompt", "Typed when nothing was to come"),
        ("message", "reply", "Answer to the second"), ("message", "reply", "Answer to the third"),
    ],
    [
        ("message", "user_prompt", "After the clear"), ("decision", "drink", "Tea, not coffee"),
        ("message", "reply", "It is noted"), ("message", "user_prompt", "And after the compaction"), ("message", "reply", "Still here"),
    ],
)  # fmt: skip


def heard(client: Client, said: str) -> None:
    """Wait until the hooks have recorded what was typed."""
    end = time.monotonic() + SECONDS
    while not any(each[2] == said for each in client.events()):
        assert time.monotonic() < end, f"{said!r} was never recorded"
        time.sleep(0.1)


def test_what_is_typed_is_kept_once_wherever_it_was_typed(terminal: Terminal) -> None:
    client = terminal.client
    client.model.turns.extend([
        use("Bash", command="until [ -e go ]; do sleep 0.1; done; echo went on", description="wait"), text("Answer to both"),
    ])  # fmt: skip
    terminal.start()
    terminal.type("The first thing")
    terminal.wait("until .* -e go")
    terminal.type("Typed while it worked")
    heard(client, "Typed while it worked")
    client.project.joinpath("go").touch()  # it goes into the turn that runs
    terminal.wait("Answer to both")
    client.model.turns.extend([text("Answer to the second", wait=5), text("Answer to the third")])
    terminal.type("The second thing")
    heard(client, "The second thing")
    terminal.type("Typed when nothing was to come")  # it waits for a turn of its own
    terminal.wait("Answer to the third")
    terminal.type("/clear")
    terminal.wait_without("Answer to")
    client.model.turns.extend([
        use(f"{OURS}session_record", category="decision", type="drink", data={"title": "Tea, not coffee"}), text("It is noted"),
    ])  # fmt: skip
    terminal.type("After the clear")
    terminal.wait("It is noted")
    client.model.summary = "<analysis>hm</analysis><summary>1. Intent\nThe user wants tea.</summary>"
    terminal.type("/compact keep the tea")
    terminal.wait("Compacted|compacted")
    client.model.turns.extend([text("Still here")])
    terminal.type("And after the compaction")
    terminal.wait("Still here")
    terminal.type("/exit")
    assert terminal.ended()

    found = sessions(client)
    assert len(found) == 2 and client.trouble() == ""
    after = next(each for each in found.values() if each["how"] == "clear")
    first = found[after["parent_session"]]
    assert first["how"] == "startup" and after["ended"] and first["ended"]

    def told() -> list[list[tuple[str, str, str]]]:
        """What the log holds of both sessions; a key counts once (two hooks tell a compaction's summary)."""
        events = [each for each in client.records() if each["kind"] == "event"]
        keys = [each["key"] for each in events]
        fresh = [each for number, each in enumerate(events) if each["key"] is None or each["key"] not in keys[:number]]
        return [
            [(each["category"], each["type"], str(each["data"].get("text") or each["data"].get("output") or each["data"].get("title") or ""))
             for each in fresh if each["session"] == session["id"]]
            for session in (first, after)
        ]  # fmt: skip

    def once() -> None:
        for expected, here in zip(EXPECTED, told()):
            for each in expected:
                assert here.count(each) == 1, (each, here)
        summaries = [each for here in told() for each in here if each[1] == "compact_summary"]
        assert len(summaries) == 1 and "The user wants tea." in summaries[0][2]
        checkpoints = [each["name"] for each in client.records() if each["kind"] == "checkpoint"]
        assert checkpoints.count("before manual compaction") == 1

    once()
    before = len(client.records())
    imported(client)
    once()
    new = [each for each in client.records()[before:] if each["kind"] == "event"]
    assert {each["type"] for each in new} <= {"command", "local_output"}, new  # of slash commands no hook is told
    commands = [each["data"] for each in client.records() if each.get("type") == "command"]
    assert commands.count({"name": "/compact", "args": "keep the tea"}) == 1
    assert imported(client)["new"] == 0
    with Memory(str(client.home), cwd=str(client.project)) as memory:
        assert memory.health.verify().green
        assert "Tea, not coffee" in memory.handoffs.resume_any("latest").text
