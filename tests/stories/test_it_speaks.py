"""What reaches the model through the real Claude Code: after a restart, compactions, resume, clear and fork, and at a prompt."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stories.client import OURS, Client, Model, binary, text, use

SUMMARY = """<summary>1. Primary Request:
   The user wants limits on the API.
7. Pending Tasks:
   - finish the webhook
DECISION: count by API key | WHY: addresses are shared
</summary>"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    found = binary()
    model = Model()
    try:
        made = Client(tmp_path, found, model)
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=made.project, check=True)
        yield made
    finally:
        model.close()


def blocks(client: Client, since: int = 0) -> list[str]:
    """Our blocks in the newest request of the main conversation since a number of requests, in their order."""
    asked = [each for each in client.model.requests[since:] if each.get("tools")]
    said = "\n".join(_texts(asked[-1]["messages"])) if asked else ""
    return [found[0] for found in re.findall(r"(<session-memory (\w+)>.*?</session-memory \2>)", said, re.DOTALL)]


def _texts(messages: list[dict[str, Any]]) -> list[str]:
    found = []
    for message in messages:
        content = message["content"]
        for part in [{"text": content}] if isinstance(content, str) else content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                found.append(part["text"])
    return found


def injections(client: Client) -> list[tuple[str, str]]:
    return [(each["data"]["source"], each["data"]["text"]) for each in client.records() if each["kind"] == "injection"]


def items(block: str) -> list[str]:
    """The lines of a block without who, when and which event."""
    return [re.sub(r" \((?:user|model|tool), .*?\)$", "", line) for line in block.splitlines()[2:-1] if line]


def worked(client: Client) -> str:
    return client.say(
        "Never edit billing. Add limits to the API.",
        use("Write", file_path=str(client.project / "limits.py"), content="LIMIT = 5\n"),
        use("Bash", command="cat limits.py && echo MARKER-OF-OUTPUT", description="look"),
        use(f"{OURS}session_record", category="decision", type="api", data={"title": "Answer 429", "rationale": "clients retry"}),
        text("The limits are in place.\nQUESTION: which table holds them?"),
    )  # fmt: skip


def test_after_a_restart_the_model_reads_what_the_hook_recorded_to_have_said(client: Client) -> None:
    worked(client)
    before = len(client.model.requests)
    client.say("Go on.", text("going on"))
    (block,) = blocks(client, before)
    assert injections(client) == [("startup", block)]
    assert items(block) == [
        "## Rules the user set", "- Never edit billing.", "## Open questions", "- which table holds them?", "## Decisions",
        "- Answer 429. Why: clients retry", "## What the user asked last", "- … Add limits to the API.",
        "## Files edited (tool; * since the last commit)", "- limits.py*", "## The last session's last reply", "- The limits are in place.",
    ]  # fmt: skip
    assert client.trouble() == "" and "MARKER-OF-OUTPUT" not in block
    shown = subprocess.run(
        [__import__("sys").executable, "-m", "session_memory", "context", "--last", "--home", str(client.home)],
        cwd=client.project, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout == block + "\n"


def test_after_a_compaction_what_the_summary_dropped_is_told_and_its_labelled_lines_are_kept(client: Client) -> None:
    first = worked(client)
    client.model.summary = SUMMARY
    client.say("/compact", options=("--resume", first))
    asked = json.dumps(client.model.requests[-1])
    assert "DECISION: what | WHY: reason" in asked  # the summary was asked for labelled lines
    before = len(client.model.requests)
    client.say("Go on.", text("going on"), options=("--resume", first))
    told = [each for source, each in injections(client) if source == "compact"]
    assert len(told) == 1 and blocks(client, before)[-1] == told[0]
    lines = items(told[0])
    assert lines[:2] == ["## Rules the user set", "- Never edit billing."] and "- which table holds them?" in lines
    decisions = [each["data"] for each in client.records() if each.get("category") == "decision"]
    stated = [each for each in decisions if each.get("title") == "count by API key"]
    assert stated and stated[0]["rationale"] == "addresses are shared"
    assert client.trouble() == ""


def test_a_resumed_conversation_is_told_nothing_it_holds_a_cleared_one_everything_and_a_fork_nothing(
    client: Client,
) -> None:
    first = worked(client)
    before = len(client.model.requests)
    client.say("Go on.", text("going on"), options=("--resume", first))
    assert blocks(client, before) == [] and injections(client) == []
    client.say("In the fork.", text("forked"), options=("--resume", first, "--fork-session"))
    assert injections(client) == []
    before = len(client.model.requests)
    client.say(["Before.", "/clear", "After."], text("b"), text("a"))
    sources = [source for source, _text in injections(client)]
    assert sources == ["startup", "clear"]
    (block,) = blocks(client, before)
    assert block == injections(client)[-1][1] and "- Never edit billing." in items(block)


def test_a_prompt_about_what_was_decided_is_reminded_of_it_once(client: Client) -> None:
    worked(client)
    client.say(
        " ".join(f"Never break the rule with the number {n} of the long list." for n in range(12)), text("noted")
    )
    (client.home / "config.json").write_text(json.dumps({"context": {"budget_tokens": 250}}))
    before = len(client.model.requests)
    asked = "Should clients retry after a 429 answer?"
    client.say(
        ["Hello there.", asked, asked], text("hi", wait=5), text("yes"), text("yes again")
    )  # by then the server runs
    prompts = [told for source, told in injections(client) if source == "prompt"]
    assert len(prompts) == 1 and "- decision: Answer 429 Why: clients retry" in prompts[0]
    assert blocks(client, before)[-1] == prompts[0]
    assert not any(
        "prompt_recall" in each["name"] for request in client.model.requests for each in request.get("tools", [])
    )


def test_automatic_compaction_is_followed_by_the_same(client: Client) -> None:
    worked(client)
    client.model.summary = SUMMARY
    full = {**use("Bash", command="echo two", description="x"), "usage": {"input_tokens": 99_000}}
    last = use("Bash", command="echo three", description="x")
    client.say(
        "Work long.",
        use("Bash", command="echo one", description="x"),
        full,
        last,
        text("done"),
        options=("--autocompact", "100000"),
    )
    assert [source for source, _told in injections(client)].count("compact") >= 1
    told = next(each for source, each in injections(client) if source == "compact")
    assert items(told)[:2] == ["## Rules the user set", "- Never edit billing."]
