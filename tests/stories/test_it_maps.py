"""A piece of work draws its own map: stated and mentioned things and documents, through the real client, across a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from tests.extract.test_reading import long_pdf, pdf
from tests.stories.test_it_remembers import ERAS, _kill, parameters, tool

from session_memory.memory import Memory

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("entity_query", {"entity_type": "function", "related_to": "authentication"}),
    ("entity_query", {"related_to": "src/auth.ts", "depth": 2}),
    ("entity_query", {"related_to": "handleAuth", "relation_types": ["uses"]}),
    ("entity_query", {"related_to": "handleAuth", "as_of": "2026-01-15"}),
    ("entity_query", {"name_pattern": "*auth*"}),
    ("session_query", {"keyword": "rotation of signing keys"}),
    ("session_query", {"type": "document", "order": "oldest"}),
    ("session_query", {}),
]


async def asked(client: Client) -> list[Any]:
    return [await tool(client, name, **arguments) for name, arguments in ASKED]


def related(answer: Any) -> set[tuple[str, str, str]]:
    return {(each["source"], each["type"], each["target"]) for each in answer["relations"]}


@pytest.mark.fault(1)
@pytest.mark.parametrize("era", ERAS)
def test_the_map_of_a_killed_session_is_the_map_of_the_next(home: str, tmp_path: Path, era: str) -> None:
    project = tmp_path / "shop"
    (project / "src").mkdir(parents=True)
    (project / "notes.md").write_text("# Keys\n\n## Rotation\n\nThe rotation of signing keys happens on Mondays.\n")
    (project / "spec.pdf").write_bytes(pdf(["Tokens live an hour", "Refresh tokens live a week"]))

    async def story() -> None:
        async with Client(parameters(home, project), mode=era) as client:
            await tool(client, "session_init", skill_name="feature-work", session_id="first")
            made = await tool(
                client,
                "entity_create",
                entity_type="function",
                name="handleAuth",
                qualified_name="src/auth.ts:handleAuth",
            )
            assert made["status"] == "created"
            linked = await tool(
                client, "entity_link", source="handleAuth", target="JWT", relation_type="uses", valid_from="2026-01-01"
            )
            assert [each["name"] for each in linked["created_entities"]] == ["JWT"]
            found = await tool(client, "entity_query", entity_type="function", related_to="authentication")
            assert [(each["name"], each["matched_by"]) for each in found["entities"]] == [("handleAuth", "text")]
            path = str(project / "src" / "auth.ts")
            await tool(client, "session_record", category="tool_call", type="Edit", data={
                "input": {"file_path": path, "new_string": "import { verify } from './keys'\nexport function handleAuth() {}\nclass Guard {}"},
                "files": [path]})  # fmt: skip
            await tool(client, "session_record", category="decision", type="api",
                       data={"title": "Opaque tokens", "rationale": "JWT cannot be revoked; src/auth.ts checks a table"})  # fmt: skip
            swapped = await tool(
                client, "entity_link", source="handleAuth", target="token table", relation_type="uses", supersedes="JWT"
            )
            assert swapped["closed"] == linked["relation_id"]
            for name, chunks in (("notes.md", 2), ("spec.pdf", 1)):
                read = await tool(client, "session_ingest", file_path=name)
                assert (read["status"], read["chunks"]) == ("new", chunks)
            before = await asked(client)
            _kill(home)
        async with Client(parameters(home, project), mode=era) as client:
            after = await asked(client)
            assert after == before
            around, uses, past, keys = after[1], after[2], after[3], after[5]
            assert {("auth.ts", "owns", "handleAuth"), ("auth.ts", "owns", "Guard"), ("auth.ts", "imports", "src/keys"),
                    ("auth.ts", "decided_by", "Opaque tokens"), ("handleAuth", "uses", "token table")} <= related(around)  # fmt: skip
            assert related(uses) == {("handleAuth", "uses", "token table")}
            assert ("handleAuth", "uses", "JWT") in related(past) and (
                "handleAuth",
                "uses",
                "token table",
            ) not in related(past)
            assert keys["events"][0]["data"]["title"] == "Keys > Rotation"
            assert after[6]["total_count"] == 3 and after[7]["total_count"] == 2
            assert (await tool(client, "session_ingest", file_path="spec.pdf"))["status"] == "unchanged"
            (project / "notes.md").write_text("# Keys\n\nNobody rotates anything.\n")
            assert (await tool(client, "session_ingest", file_path="notes.md"))["status"] == "replaced"
            assert "Mondays" not in str(await tool(client, "session_query", keyword="rotation of signing keys mondays"))
            _kill(home)
        async with Client(parameters(home, project), mode=era) as client:
            assert [
                each["data"]["text"] for each in (await tool(client, "session_query", keyword="rotates"))["events"]
            ] == ["# Keys\n\nNobody rotates anything."]
            assert await tool(client, "entity_query", **ASKED[1][1]) == before[1]

    anyio.run(story)
    with Memory(home, cwd=str(project)) as memory:
        assert memory.health.verify().green
        memory.health.rebuild()
        assert memory.health.verify().green


@pytest.mark.parametrize("era", ERAS)
def test_a_book_of_three_hundred_pages_tells_how_far_it_is_and_other_calls_go_on(
    home: str, tmp_path: Path, era: str
) -> None:
    (tmp_path / "book.pdf").write_bytes(long_pdf())
    told: list[tuple[float, float | None]] = []
    meanwhile: list[str] = []

    async def heard(done: float, total: float | None, _message: str | None) -> None:
        told.append((done, total))

    async def story() -> None:
        async with Client(parameters(home, tmp_path), mode=era) as client:

            async def reads() -> None:
                answer = await client.call_tool("session_ingest", {"file_path": "book.pdf"}, progress_callback=heard)
                assert answer.structured_content is not None and answer.structured_content["pages"] == 300
                meanwhile.append("read")

            async with anyio.create_task_group() as group:
                group.start_soon(reads)
                while not told:
                    await anyio.sleep(0.01)
                await tool(client, "session_status")
                meanwhile.append("status")
            found = await tool(client, "session_query", keyword="217th page says line 3")
            assert found["events"]

    anyio.run(story)
    assert meanwhile == ["status", "read"]
    assert told == sorted(told) and told[-1] == (300, 300) and 50 <= len(told) <= 101
