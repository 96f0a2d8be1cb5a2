"""Transcripts become records whole: what was said, done and decided, with the traps that real ones hold."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory import ids
from session_memory.actions.events import Query
from session_memory.actions.imports import Imported
from session_memory.capture.payload import Around, drafts
from session_memory.capture.transcript import Transcript, find_transcripts, subagents_of
from session_memory.errors import InvalidInput
from session_memory.memory import Memory
from session_memory.model.record import EVENT, SESSION, Draft

SESSION_ID = "5e551011-0000-4000-8000-000000000001"


class Builder:
    """A transcript written record by record."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def add(self, type_: str, **more: Any) -> dict[str, Any]:
        number = len(self.records) + 1
        record = {
            "parentUuid": None, "isSidechain": False, "cwd": "/gone/shop", "sessionId": SESSION_ID, "gitBranch": "main",
            "type": type_, "uuid": f"u{number}", "timestamp": f"2026-02-11T20:31:{number:02d}.000Z", **more,
        }  # fmt: skip
        self.records.append(record)
        return record

    def user(self, content: Any, **more: Any) -> dict[str, Any]:
        return self.add("user", message={"role": "user", "content": content}, **more)

    def assistant(self, *blocks: dict[str, Any]) -> dict[str, Any]:
        return self.add("assistant", message={"id": "m1", "role": "assistant", "content": list(blocks)})

    def tool(self, name: str, given: dict[str, Any], output: Any, *, error: bool = False, result: Any = None) -> None:
        used = f"toolu_{len(self.records)}"
        self.assistant({"type": "tool_use", "id": used, "name": name, "input": given})
        block = {"type": "tool_result", "tool_use_id": used, "content": output, "is_error": error}
        self.user([block], toolUseResult=result)

    def queue(self, operation: str, content: str = "") -> None:
        record = self.add("queue-operation", operation=operation, content=content)
        del record["uuid"], record["parentUuid"]

    def bytes(self) -> bytes:
        return b"".join(
            json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for each in self.records
        )

    def write(self, folder: Path) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{SESSION_ID}.jsonl"
        path.write_bytes(self.bytes())
        return str(path)


def every_trap() -> Builder:
    made = Builder()
    made.add("file-history-snapshot", snapshot={})
    made.add("progress", data={"type": "hook_progress"})
    made.user("Add rate limits <system-reminder>hidden</system-reminder>", promptId="p1")
    made.assistant(
        {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "On it."}, {"type": "text", "text": "\n\n"}
    )
    made.tool("Edit", {"file_path": "/gone/shop/a.py", "old_string": "x", "new_string": "y"}, "edited")
    made.tool("Bash", {"command": "pytest"}, "Exit code 1\n2 failed", error=True)
    made.tool("Bash", {"command": "mix test 2>&1 | tail -3"}, "12 tests, 3 failures")
    made.tool("Bash", {"command": "git log | grep failed"}, "3 failed attempts, says a message")
    made.tool("Bash", {"command": "rm -r x"}, "The user doesn't want to proceed with this tool use. The tool use was rejected"
              " ... the user said:\nnever delete x", error=True, result="User rejected tool use")  # fmt: skip
    made.tool("AskUserQuestion", {"questions": []}, "answered", result={"answers": {"Which store?": "SQLite"}})
    made.tool("ExitPlanMode", {"plan": "1. do"}, "User has approved your plan.")
    made.tool("Bash", {"command": "git commit"}, "pre-commit: denied", error=True)
    made.queue("enqueue", "check again")
    made.queue("remove")
    made.queue("enqueue", "typed twice")
    made.user("typed twice")
    made.queue("enqueue", "<task-notification>\n<task-id>b1</task-id>\n</task-notification>")
    made.user("<command-name>/compact</command-name>\n<command-args>and continue with limits</command-args>")
    made.user("<local-command-stdout>Compacted</local-command-stdout>")
    made.user([{"type": "text", "text": "Base directory for this skill"}], isMeta=True)
    made.user("This session is being continued. Summary: limits", isCompactSummary=True)
    made.user("<session-memory-ab12>our own words</session-memory-ab12>")
    made.user([{"type": "image", "source": {}}, {"type": "text", "text": "see the picture"}])
    made.add("brand-new-type", value=1)
    made.add("system", subtype="turn_duration")
    return made


def events(drafts: list[Draft]) -> list[tuple[str, str, Any]]:
    return [(d.body["category"], d.body["type"], d.body["data"]) for d in drafts if d.kind == EVENT]


def test_every_trap_is_read_as_what_it_is(tmp_path: Path) -> None:
    transcript = Transcript(every_trap().write(tmp_path))
    drafts = list(transcript)
    found = events(drafts)
    assert [each for each in found if each[0] == "message"] == [
        ("message", "user_prompt", {"text": "Add rate limits"}),
        ("message", "thinking", {"text": "hm"}),
        ("message", "reply", {"text": "On it."}),
        ("message", "answer", {"text": "never delete x"}),
        ("message", "answer", {"text": "Which store?\n-> SQLite"}),
        ("message", "plan_approval", {"text": "User has approved your plan.", "approved": True}),
        ("message", "user_prompt", {"text": "typed twice"}),
        ("message", "command", {"name": "/compact", "args": "and continue with limits"}),
        ("message", "local_output", {"text": "Compacted"}),
        ("message", "compact_summary", {"text": "This session is being continued. Summary: limits"}),
        ("message", "user_prompt", {"text": "see the picture"}),
        ("message", "user_prompt", {"text": "check again"}),
        ("message", "notification", {"text": "<task-notification>\n<task-id>b1</task-id>\n</task-notification>"}),
    ]
    outcomes = [each[2] for each in found if each[0] == "tool_response"]
    assert [(each.get("ok"), each.get("exit_code"), each.get("rejected"), each.get("hidden_failure")) for each in outcomes] == [
        (True, None, None, None), (False, 1, None, None), (False, None, None, True), (True, None, None, None),
        (None, None, True, None), (True, None, None, None), (True, None, None, None), (False, None, None, None),
    ]  # fmt: skip
    assert outcomes[0]["files"] == ["/gone/shop/a.py"]
    calls = {d.id for d in drafts if d.kind == EVENT and d.body["category"] == "tool_call"}
    assert all(d.body["parent"] in calls for d in drafts if d.kind == EVENT and d.body["category"] == "tool_response")
    assert transcript.skipped["unknown record brand-new-type"] == 1 and transcript.skipped["text"] == 1
    assert transcript.skipped["injected text"] == 1 and transcript.skipped["client text"] == 1


def test_who_said_it_when_and_where_it_stands_are_kept(tmp_path: Path) -> None:
    drafts = list(Transcript(every_trap().write(tmp_path)))
    start = drafts[0]
    assert start.kind == SESSION and start.body["how"] == "import" and start.body["cwd"] == "/gone/shop"
    prompt = next(d for d in drafts if d.kind == EVENT)
    assert prompt.at_ms == 1770841863000 and prompt.key == "user_prompt:p1"
    assert prompt.body["source"] == {"client": "claude-code", "uuid": "u3", "prompt_id": "p1"}
    queued = next(d for d in drafts if d.kind == EVENT and d.body["data"].get("text") == "check again")
    assert queued.body["source"]["line"] > 20 and "uuid" not in queued.body["source"]
    assert queued.body["stated_by"] == "user"
    keys = [d.key for d in drafts if d.kind == EVENT]
    assert len(keys) == len(set(keys)) and keys == [
        d.key for d in Transcript(every_trap().write(tmp_path)) if d.kind == EVENT
    ]


def test_a_long_output_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    made = Builder()
    made.tool("Bash", {"command": "cat"}, "begin" + "x" * 50_000 + "end")
    data = events(list(Transcript(made.write(tmp_path))))[1][2]
    assert data["output"].startswith("begin") and data["output"].endswith("end")
    assert data["cut"] == 50_008 - 20_000 and len(data["output"]) < 20_100


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_cut_at_any_byte_it_is_read_as_far_as_it_goes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    path = Path(every_trap().write(folder))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    transcript = Transcript(str(path))
    list(transcript)
    assert transcript.offset == whole[:cut].rfind(b"\n") + 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(
    st.binary(max_size=60),
    st.recursive(st.none() | st.integers() | st.text() | st.sampled_from(["user", "assistant", "tool_result", "text"]),
                 lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from(
                     ["type", "message", "content", "uuid", "timestamp", "sessionId", "attachment", "operation", "id"]), i,
                     max_size=5), max_leaves=10).map(lambda value: json.dumps(value).encode()),
), max_size=8))  # fmt: skip
def test_no_garbage_raises(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("garbage") / "x.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    list(Transcript(str(path)))


def test_subagents_go_under_their_parent(tmp_path: Path) -> None:
    main = Path(every_trap().write(tmp_path))
    folder = main.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    agent = Builder()
    agent.user("look around", isSidechain=True, agentId="a1")
    (folder / "agent-a1.jsonl").write_bytes(agent.bytes())
    found = subagents_of(str(main))
    start, prompt = list(Transcript(found[0]))
    assert start.body["how"] == "subagent" and start.body["parent_session"] == SESSION_ID
    assert prompt.body["session"] == f"{SESSION_ID}/agent-a1" and prompt.body["stated_by"] == "model"
    assert find_transcripts(str(tmp_path)) == [str(main)]


@pytest.mark.parametrize("what", ["nothing", "empty folder", "other file"])
def test_a_path_without_transcripts_says_what_to_give(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty folder":
        path.mkdir()
    elif what == "other file":
        path.write_text("x")
    with pytest.raises(InvalidInput, match="bad-transcript"):
        find_transcripts(str(path))


def test_an_import_is_searchable_and_a_second_one_changes_nothing(home: str, tmp_path: Path) -> None:
    every_trap().write(tmp_path / "projects" / "-gone-shop")
    with Memory(home, cwd=str(tmp_path)) as memory:
        first = memory.imports.claude_code(str(tmp_path / "projects"))
        size = (Path(home) / "storage" / "events.jsonl").stat().st_size
        second = memory.imports.claude_code(str(tmp_path / "projects"))
        assert first.new == 29 and (second.new, second.known) == (0, 29)
        assert (Path(home) / "storage" / "events.jsonl").stat().st_size == size
        page = memory.events.query(Query(keyword="check again", scope="all"))
        assert page.events[0]["data"]["text"] == "check again" and page.events[0]["timestamp"].startswith(
            "2026-02-11T20:31"
        )
        session = memory.sessions.listed(everywhere=True, limit=5)[0]
        assert (session["id"], session["title"], session["project_name"]) == (SESSION_ID, "Add rate limits", "shop")
        assert memory.health.verify().green


def test_the_real_transcripts_come_in_whole(home: str, shared: Path, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        report = memory.imports.claude_code(str(shared / "transcripts"))
        assert report.new > 1_100 and not report.troubles
        assert not [why for why in report.skipped if why.startswith(("unknown", "broken"))]
        counts: dict[tuple[str, str], int] = {}
        sources: set[Any] = set()
        cursor = None
        while True:
            page = memory.events.query(Query(scope="all", limit=200, cursor=cursor))
            for event in page.events:
                side = event["session_id"].partition("/")[0][:4]
                if "/" not in event["session_id"]:
                    counts[side, event["category"]] = counts.get((side, event["category"]), 0) + 1
                sources.add(event["source"].get("uuid") or f"line:{event['source'].get('line')}")
            cursor = page.next_cursor
            if cursor is None:
                break
        for side, calls in (("258c", 186), ("ae4a", 242)):
            assert counts[side, "tool_call"] == counts[side, "tool_response"] == calls
        assert memory.health.verify().green
        evidence = [
            proof["uuid"]
            for file in (shared / "labels" / "dev").glob("*.json")
            for part in ("facts", "questions")
            for each in json.loads(file.read_text())[part]
            for proof in [*each.get("evidence", []), *each.get("expected", [])]
        ]
        covered = sum(1 for uuid in evidence if uuid in sources)
        assert covered == len(evidence), f"{covered} of {len(evidence)}"
        before = Path(memory.opened.home.events).read_bytes()
        assert memory.imports.claude_code(str(shared / "transcripts")).new == 0
        assert Path(memory.opened.home.events).read_bytes() == before  # a second time changes nothing


def test_a_fork_tells_only_what_was_said_in_it_and_names_the_session_it_began_with(home: str, tmp_path: Path) -> None:
    parent, fork = Builder(), Builder()
    parent.user("first thing", promptId="p1")
    parent.assistant({"type": "text", "text": "first answer"})
    for each in parent.records:
        copy = {**each, "sessionId": "fork-session"}
        fork.records.append({**copy, "promptId": "p2"} if each["type"] == "user" else copy)
    fork.user("in the fork", promptId="p2", sessionId="fork-session")
    fork.records[-1]["uuid"] = "u90"
    fork.assistant({"type": "text", "text": "second answer"})
    fork.records[-1].update(uuid="u91", sessionId="fork-session")
    folder = tmp_path / "projects"
    Path(parent.write(folder)).touch()
    (folder / "fork-session.jsonl").write_bytes(fork.bytes())
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert memory.imports.claude_code(str(folder)).new == 4
        events = memory.events.query(Query(scope="all", order="oldest")).events
        assert [(e["data"]["text"], e["session_id"]) for e in events] == [
            ("first thing", SESSION_ID), ("first answer", SESSION_ID),
            ("in the fork", "fork-session"), ("second answer", "fork-session"),
        ]  # fmt: skip
        found = {each["id"]: each for each in memory.sessions.listed(everywhere=True, limit=9)}
        assert found["fork-session"]["parent_session"] == SESSION_ID and "parent_session" not in found[SESSION_ID]
        assert memory.imports.claude_code(str(folder)).new == 0


def test_a_fork_whose_parent_is_gone_brings_the_copy(home: str, tmp_path: Path) -> None:
    fork = Builder()
    fork.user("first thing", promptId="p2")
    fork.assistant({"type": "text", "text": "first answer"})
    fork.user("in the fork", promptId="p2")
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert memory.imports.claude_code(fork.write(tmp_path / "projects")).new == 3
        assert memory.imports.claude_code(str(tmp_path / "projects")).new == 0


def test_our_own_tools_and_bare_client_commands_are_not_told_again(tmp_path: Path) -> None:
    told = Builder()
    told.user("go", promptId="p1")
    told.tool("mcp__plugin_session-memory_session-memory__session_record", {"category": "decision"}, "{}")
    told.tool("mcp__session-memory__session_query", {"keyword": "x"}, "{}")
    told.queue("enqueue", "/clear")
    told.queue("enqueue", "/compact keep it")
    told.user("<command-name>/compact</command-name><command-args>keep it</command-args>", promptId="p2")
    drafts = [each for each in Transcript(told.write(tmp_path)) if each.kind == EVENT]
    assert [(each.body["type"], each.key) for each in drafts] == [
        ("user_prompt", "user_prompt:p1"),
        ("command", "user_prompt:p2"),
    ]


def test_history_before_the_memory_began_waits_to_be_asked_for(home: str, tmp_path: Path) -> None:
    told = Builder()
    told.user("go", promptId="p1")
    path = told.write(tmp_path / "projects")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record("finding", "x", {"text": "the memory begins"})
        found = Imported()
        assert list(memory.imports.missed(str(tmp_path / "projects"), found)) == [] and found.new == 0
        assert list(memory.imports.missed(str(tmp_path / "nowhere"), found)) == []
        later = time.time() + 1  # the file system's clock may tick behind ours
        os.utime(path, (later, later))  # it goes on
        assert list(memory.imports.missed(str(tmp_path / "projects"), found)) and found.new == 1
        again = Imported()
        assert list(memory.imports.missed(str(tmp_path / "projects"), again)) == []  # it has been read to its end
        told.user("more", promptId="p2")
        told.write(tmp_path / "projects")
        assert list(memory.imports.missed(str(tmp_path / "projects"), again)) and again.new == 1


def test_what_was_said_in_a_pause_or_is_excluded_or_private_does_not_come_in(home: str, tmp_path: Path) -> None:
    told = Builder()
    told.user("before <private>my word</private> after", promptId="p1")
    told.tool("Read", {"file_path": "/gone/shop/keys/private.pem"}, "very secret")
    told.user("in the pause", promptId="p2")
    told.user("at the end", promptId="p3")
    told.records[3]["timestamp"], told.records[4]["timestamp"] = "2026-02-12T10:00:00.000Z", "2026-02-13T10:00:00.000Z"
    Path(home).mkdir(mode=0o700)
    (Path(home) / "config.json").write_text(json.dumps({"capture": {"exclude": ["*.pem"]}}))
    spans = [{"from": 1770854400000, "to": 1770940800000, "project": None}]  # 2026-02-12, all day
    (Path(home) / "paused.json").write_text(json.dumps({"spans": spans, "sessions": []}))
    with Memory(home, cwd=str(tmp_path)) as memory:
        report = memory.imports.claude_code(told.write(tmp_path / "projects"))
        texts = [each["data"].get("text") for each in memory.events.query(Query(scope="all", order="oldest")).events]
        assert texts == ["before [PRIVATE] after", "at the end"] and report.left_out == 1
    for word in (b"my word", b"very secret", b"in the pause"):
        assert not [path for path in Path(home).rglob("*") if path.is_file() and word in path.read_bytes()]


def test_what_a_hook_of_an_older_client_told_without_a_prompt_s_id_is_not_told_again(home: str, tmp_path: Path) -> None:
    told = Builder()
    told.user("said once")
    told.assistant({"type": "text", "text": "answered once"})
    now = ids.at_text(ids.now_ms())
    for each in told.records:
        each["timestamp"] = now
    payload = {"session_id": SESSION_ID, "hook_event_name": "UserPromptSubmit", "prompt": "said once"}
    stop = {"session_id": SESSION_ID, "hook_event_name": "Stop", "last_assistant_message": "answered once"}
    with Memory(home, cwd=str(tmp_path)) as memory:
        for each in (payload, stop):
            memory.opened.journal.append(drafts(each, Around("p", "p", "/p")))
        assert memory.imports.claude_code(told.write(tmp_path / "projects")).new == 0


@pytest.mark.parametrize("absorbed", [True, False])
def test_what_is_typed_while_the_model_works_is_one_event_for_hook_and_transcript(
    home: str, tmp_path: Path, absorbed: bool
) -> None:
    told = Builder()
    told.user("the first", promptId="p1")
    told.queue("enqueue", "typed  meanwhile")
    told.assistant({"type": "text", "text": "answered"})
    if absorbed:  # it goes into the turn that runs, else it begins the next one
        told.add("attachment", attachment={"type": "queued_command", "prompt": "typed  meanwhile"})
    else:
        told.user("typed  meanwhile", promptId="p2", promptSource="queued")
    told.user("in other words for its hook", promptId="p3")
    payloads = [("p1", "the first"), ("p1", "typed  meanwhile"), ("p3", "in other words")]
    now = ids.now_ms()
    for each in told.records:
        each["timestamp"] = ids.at_text(now)
    with Memory(home, cwd=str(tmp_path)) as memory:
        for prompt, text in payloads:
            given = {
                "session_id": SESSION_ID,
                "hook_event_name": "UserPromptSubmit",
                "prompt_id": prompt,
                "prompt": text,
            }
            memory.opened.journal.append(drafts(given, Around("p", "p", "/p")))
        assert memory.imports.claude_code(told.write(tmp_path / "projects")).new == 1  # the reply
        found = memory.events.query(Query(type="user_prompt", scope="all", order="oldest")).events
        assert sorted(each["data"]["text"] for each in found) == ["in other words", "the first", "typed  meanwhile"]
