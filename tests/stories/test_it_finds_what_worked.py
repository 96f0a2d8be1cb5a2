"""Two sessions as the client's hooks tell them; then a person and a model ask what worked, through the real programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from tests.hooks.test_record import hook
from tests.stories.test_it_remembers import parameters, tool

ERROR = "Error: listen EADDRINUSE: address already in use :::3000"
GOLDEN = Path(__file__).resolve().parent / "golden"


class Work:
    """A client at work: every call goes through the recording hook, as a process of its own."""

    def __init__(self, home: str, project: Path, session: str) -> None:
        self.home, self.project, self.session = home, project, session
        self.number = 0

    def _tell(self, event: str, **more: Any) -> None:
        payload = {"hook_event_name": event, "session_id": self.session, "cwd": str(self.project), **more}
        done = hook(self.home, payload)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def says(self, text: str) -> None:
        self.number += 1
        self._tell("UserPromptSubmit", prompt=text, prompt_id=f"{self.session}-{self.number}")

    def uses(self, name: str, given: dict[str, Any], output: str = "", failed: bool = False) -> None:
        self.number += 1
        event, key = ("PostToolUseFailure", "error") if failed else ("PostToolUse", "tool_response")
        response: Any = output if failed else {"stdout": output, "stderr": ""}
        self._tell(
            event,
            tool_name=name,
            tool_input=given,
            tool_use_id=f"toolu_{self.session}_{self.number}",
            **{key: response},
        )

    def runs(self, line: str, output: str = "", failed: bool = False) -> None:
        self.uses("Bash", {"command": line}, output, failed)

    def edits(self, path: str, old: str, new: str) -> None:
        self.uses("Edit", {"file_path": str(self.project / path), "old_string": old, "new_string": new}, "done")


def asks(home: str, project: Path, *words: str, status: int = 0) -> str:
    """What a person reads, with ids, times and sizes that differ from run to run made alike."""
    done = subprocess.run(
        [sys.executable, "-m", "session_memory", *words, "--home", home], capture_output=True, text=True, cwd=project,
        stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    if "--json" in words:
        return done.stdout
    text = re.sub(r"\b[0-9a-f]{16}\b", "<id>", done.stdout)
    text = re.sub(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2})?", "<when>", text)
    text = re.sub(r"(?m)^([> ]) \d{2}:\d{2} ", r"\1 <at> ", text)
    text = text.replace("<when> to <when>", "<when>")  # it was midnight
    return re.sub(r"p95 [+-]?\d+ ms", "p95 <n> ms", text)


@pytest.fixture
def worked(home: str, tmp_path: Path) -> Path:
    project = tmp_path / "shop"
    project.mkdir()
    one = Work(home, project, "monday")
    one.says("the server does not come up any more, please look")
    one.runs("npm start", f"Exit code 1\n> shop@1.0.0 start\n{ERROR}\n    at Server.setupListenHandle", failed=True)
    one.runs("npm install", "up to date in 2s")
    one.runs("npm start", f"Exit code 1\n{ERROR}", failed=True)
    one.runs("lsof -i :3000", "node 4711 LISTEN")
    one.edits("src/port.ts", "const port = 3000", "const port = Number(process.env.PORT ?? 3000)")
    one.runs("PORT=3001 npm start | head -5", "listening on 3001")
    one.runs("npm test -- --run src/port.test.ts", "1 passed")
    one.runs("git add -A && git commit -m 'Take the port from the environment'",
             "[main 1a2b3c4] Take the port from the environment\n 1 file changed")  # fmt: skip
    one.runs("git push", "Exit code 128\nfatal: The current branch main has no upstream branch.", failed=True)
    one.runs("git push --set-upstream origin main", "branch 'main' set up to track 'origin/main'.")
    two = Work(home, project, "tuesday")
    two.says("make src/port.ts refuse ports below 1024")
    two.edits("src/port.ts", "return port", "if (port < 1024) throw new Error('low')\n  return port")
    two.runs("npm test -- --run", "Exit code 1\n FAIL src/port.test.ts", failed=True)
    two.runs("npm test -- --run", "2 passed")
    two.runs("git push", "main -> main")
    return project


def test_a_person_reads_what_worked(home: str, worked: Path) -> None:
    told = {
        "how": asks(home, worked, "how", "git push") + asks(home, worked, "how", "npm", "test"),
        "fix": asks(home, worked, "fix", ERROR.replace("3000", "8080")),
        "fix-near": asks(home, worked, "fix", "fatal: The current branch dev has no upstream branch.", status=1),
        "blame": asks(home, worked, "blame", "port.ts", "--order", "oldest"),
        "search-nothing": asks(home, worked, "search", "enviroment databse", status=1).partition("Nearest")[0],
    }
    for name, text in told.items():
        assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), f"{name}:\n{text}"
    assert "never run in this project" in asks(home, worked, "how", "cargo", status=1)
    assert "Nothing shaped" in asks(home, worked, "blame", "nosuch.ts", status=1)


def test_an_event_leads_to_what_stood_beside_it(home: str, worked: Path) -> None:
    case = json.loads(asks(home, worked, "fix", ERROR, "--json"))["cases"][0]
    lines = json.loads(
        asks(home, worked, "timeline", case["met"]["id"][:16], "--before", "2", "--after", "2", "--json")
    )
    assert [each["type"] for each in lines["events"]] == ["Bash"] * 5 and lines["events"][2]["here"]
    shown = asks(home, worked, "timeline", case["met"]["id"][:16], "--before", "1", "--after", "1")
    assert "> <at>" in shown and "session-memory show ID" in shown
    assert "listen EADDRINUSE" in asks(home, worked, "show", lines["events"][2]["id"])

    async def story() -> None:
        async with Client(parameters(home, worked)) as client:
            beside = await tool(client, "session_query", around=case["met"]["id"], limit=4)
            assert [each["id"] for each in beside["events"]] == [each["id"] for each in lines["events"]]
            assert all(set(each) >= {"size", "role", "text"} and "data" not in each for each in beside["events"])
            taught = await tool(client, "session_query", keyword="enviroment")
            assert taught["words"] == {"enviroment": 0} and "environment" in taught["spellings"]["enviroment"]
            known = await tool(client, "session_query", keyword="environment")
            assert "words" not in known  # an answer that finds something stays lean
            near = await tool(client, "session_semantic_search", query="enviroment")
            assert all(each["near"] for each in near["results"]) and near["spellings"]["enviroment"]

    anyio.run(story)


def test_every_filter_of_a_query_holds_through_the_server(home: str, worked: Path) -> None:
    async def story() -> None:
        async with Client(parameters(home, worked)) as client:
            await tool(client, "session_init", session_id="wednesday")
            await tool(
                client, "session_record", category="finding", type="bug", data={"text": "a port of old"}, tags=["net"]
            )
            await tool(client, "session_checkpoint", name="the move")
            await tool(client, "session_record", category="decision", type="api", data={"text": "a port of now"})

            async def found(**given: Any) -> set[str]:
                page = await tool(client, "session_query", keyword="port", **given)
                return {f"{each['category']}/{each['session_id']}" for each in page["events"]}

            assert await found(category="finding") == {"finding/wednesday"} == await found(tags=["net"])
            assert await found(categories=["finding", "decision"]) == {"finding/wednesday", "decision/wednesday"}
            assert await found(type="api") == {"decision/wednesday"}
            assert await found(type="Edit", category="tool_call", file="src/port.ts") == {
                "tool_call/monday",
                "tool_call/tuesday",
            }
            assert await found(session_id="monday", type="user_prompt") == set()  # it does not say so
            assert await found(session_id="tuesday", type="user_prompt") == {"message/tuesday"}
            assert await found(scope="session") == {"finding/wednesday", "decision/wednesday"}
            assert await found(time_range={"after": "since the checkpoint the move"}) == {"decision/wednesday"}
            assert await found(time_range={"after": "last week", "before": "yesterday"}) == set()
            assert await found(branch="nosuch") == set()

    anyio.run(story)


def test_golden_questions_are_asked_again_after_a_rebuild(home: str, worked: Path) -> None:
    case = json.loads(asks(home, worked, "fix", ERROR, "--json"))["cases"][0]
    assert "No golden question" in asks(home, worked, "eval", "run", status=1)
    asks(home, worked, "eval", "add", "what helped against the port in use?", "--expect", case["next"][0]["id"])
    asks(home, worked, "eval", "add", "how was the branch pushed first", "--expect", "000000", status=1)
    first = asks(home, worked, "eval", "run")
    assert first.startswith("1 question: ") and "The first run" in first
    again = asks(home, worked, "rebuild")
    assert "The index was made again" in again and "Nothing changed since <when>" in again
    file = Path(home, "storage", "golden.json")
    file.write_text(re.sub(r'"rank": \d+', '"rank": 1', file.read_text()))
    rank = json.loads(asks(home, worked, "eval", "list", "--json"))[0]["rank"]
    assert rank == 1
    told = json.loads(asks(home, worked, "rebuild", "--json"))["golden"]
    assert told["lower"] is (told["results"][0]["rank"] != 1)
    listed = asks(home, worked, "eval", "list")
    assert "what helped against the port in use?" in listed
    assert "Removed: " in asks(
        home, worked, "eval", "remove", json.loads(asks(home, worked, "eval", "list", "--json"))[0]["id"]
    )
    assert asks(home, worked, "verify").endswith("green\n")
