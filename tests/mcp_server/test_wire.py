"""Every request is answered, whatever the line; nothing but the protocol reaches stdout; the process ends when it should."""

from __future__ import annotations

import json
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.mcp_server.raw_client import RawClient

from session_memory.mcp_server.wire import Wire

TINY = str(Path(__file__).with_name("tiny_server.py"))


def tiny(how: str = "plain", era: str = "modern") -> RawClient:
    return RawClient([sys.executable, TINY, how], era=era)


def hostile(client: RawClient, chance: random.Random, number: int) -> tuple[bytes, Any, bool]:
    """A line, the id its answer must carry, and whether it must be an error."""
    request = f"h{number}"

    def call(raw: str) -> bytes:
        good = client.line("tools/call", {"name": "echo", "arguments": {"value": "@@"}}, request)
        return good.replace(b'"@@"', raw.encode("utf-8", "surrogatepass"))

    depth = chance.choice([260, 400, 5_000, 100_000])
    kinds: list[tuple[bytes, Any, bool]] = [
        (call(r'"\ud83d"'), request, False),
        (call(r'"a\udc00b\ud83d\ude00"'), request, False),
        (call(r'"\u0000\u001b[31m\u202e"'), request, False),
        (call("[" * depth + "]" * depth), request, True),
        (call('{"a":' * depth + "1" + "}" * depth), request, True),
        (call('"\xff"').replace(b"\xc3\xbf", b"\xff"), request, True),
        (call("NaN"), request, False),
        (call("1e999"), request, False),
        (call("1" + "0" * 400), request, False),
        (call('{"a":1,"a":2}'), request, False),
        (call('"x"')[: chance.randrange(5, 60)], None, True),
        (b"[1,2]", None, True),
        (b"[]", None, True),
        (b"42", None, True),
        (b"null", None, True),
        (b'"text"', None, True),
        (b"garbage", None, True),
        (b"{}", None, True),
        (json.dumps({"jsonrpc": "2.0", "id": request}).encode(), request, True),
        (json.dumps({"jsonrpc": "2.0", "id": None, "method": "tools/list"}).encode(), None, True),
        (json.dumps({"jsonrpc": "2.0", "id": [1], "method": "tools/list"}).encode(), None, True),
        (json.dumps({"jsonrpc": "2.0", "id": request, "method": 5}).encode(), request, True),
        (json.dumps({"jsonrpc": "2.0", "id": request, "method": "tools/list", "params": [1]}).encode(), request, True),
        (json.dumps({"id": request, "method": "tools/list"}).encode(), request, True),
        (client.line("no/such/method", {}, request), request, True),
        (client.line("tools/call", {"name": "nothing"}, request), request, True),
        (client.line("tools/call", {"name": 7}, request), request, True),
        (client.line("tools/list", {}, request) + b"\r", request, False),
        (b"\xef\xbb\xbf" + client.line("tools/list", {}, request), request, False),
        (b" \t " + client.line("tools/list", {}, request), request, False),
    ]
    return kinds[number % len(kinds)]


@pytest.mark.fault(55, 56, 57, 58, 59)
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_hundreds_of_hostile_lines_are_all_answered_and_the_next_request_works(era: str) -> None:
    chance = random.Random(5)
    with tiny(era=era) as client:
        for number in range(300):
            line, request, fails = hostile(client, chance, number)
            client.send(line)
            answer = client.answer(request)
            failed = "error" in answer or answer.get("result", {}).get("isError", False)
            assert failed == fails, (line[:200], answer)
            assert "Traceback" not in json.dumps(answer) and "site-packages" not in json.dumps(answer)
            if number % 10 == 0:
                assert client.call("echo", value="ok")["content"][0]["text"] == "'ok'"
        assert not client.seen
        assert client.close() == 0


@pytest.mark.fault(55, 58, 59)
def test_hostile_lines_are_answered_while_the_packages_are_still_loading() -> None:
    chance = random.Random(6)
    with tiny("slow-import") as client:
        expected = []
        for number in range(60):
            line, request, fails = hostile(client, chance, number)
            client.send(line)
            expected.append((request, fails))
        for request, fails in expected:
            answer = client.answer(request)
            assert ("error" in answer or answer.get("result", {}).get("isError", False)) == fails
        assert client.call("echo", value=1)["content"][0]["text"] == "1"


@pytest.mark.fault(59)
def test_a_line_of_twenty_megabytes_is_refused_by_its_id() -> None:
    with tiny() as client:
        client.send(client.line("tools/call", {"name": "echo", "arguments": {"value": "x" * 20_000_000}}, "big"))
        assert "8 MiB" in client.answer("big")["error"]["message"]
        assert client.call("echo", value="next")["content"][0]["text"] == "'next'"


@pytest.mark.fault(55)
def test_a_repaired_surrogate_arrives_as_the_replacement_character() -> None:
    with tiny() as client:
        client.send(
            client.line("tools/call", {"name": "echo", "arguments": {"value": "@@"}}, 1).replace(b"@@", rb"\ud83d")
        )
        assert client.answer(1)["result"]["content"][0]["text"] == "'\ufffd'"


@pytest.mark.fault(69)
def test_what_a_tool_prints_does_not_reach_the_wire() -> None:
    with tiny() as client:
        assert client.call("loud")["content"][0]["text"] == "quiet"
        assert client.call("echo", value=2)["content"][0]["text"] == "2"
        assert not client.seen
        client.close()


@pytest.mark.fault(75)
def test_when_the_packages_cannot_be_loaded_calls_say_so_and_lists_still_work() -> None:
    with tiny("broken") as client:
        result = client.call("session_status")
        assert result["isError"] and "[import-failed]" in result["content"][0]["text"]
        assert client.request("tools/list")["result"]["tools"]
        assert "error" in client.request("prompts/get", {"name": "resume"})
        assert client.close() == 0


@pytest.mark.fault(68)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["plain", "slow-import", "broken"])
def test_a_signal_ends_the_process(how: str, number: signal.Signals) -> None:
    with tiny(how) as client:
        if how == "plain":
            client.call("echo", value=1)
        client.process.send_signal(number)
        assert client.process.wait(timeout=30) in (0, -number)


@pytest.mark.fault(68)
@pytest.mark.parametrize("how", ["plain", "slow-import", "broken"])
def test_the_end_of_stdin_ends_the_process(how: str) -> None:
    with tiny(how) as client:
        assert client.close() == 0


def test_requests_before_the_end_of_stdin_are_still_answered() -> None:
    with tiny("slow-import") as client:
        client.send(client.line("tools/call", {"name": "slow", "arguments": {}}, "last"))
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.answer("last")["result"]["content"][0]["text"] == "done"
        assert client.process.wait(timeout=30) == 0


@pytest.mark.fault(68)
def test_a_client_that_stops_reading_ends_the_process() -> None:
    with tiny() as client:
        client.call("echo", value=1)
        assert client.process.stdout is not None
        client.process.stdout.close()
        client.send(client.line("tools/call", {"name": "echo", "arguments": {}}, "x"))
        assert client.process.wait(timeout=30) == 0


@pytest.mark.fault(68)
def test_an_answer_counts_as_given_only_once_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """When stdin has ended, nothing waits any more means that the process ends: the last answer must be out by then."""
    wire = object.__new__(Wire)
    wire._waiting, wire._told = {"1", "2"}, {"2"}
    written: list[tuple[bytes, bool]] = []
    monkeypatch.setattr(Wire, "_write", lambda self, line: written.append((line, "1" in self._waiting)))
    wire.send(b"answer", "1")
    wire.send(b"told already", "2")
    wire.send(b"a notification", None)
    assert written == [(b"answer", True), (b"a notification", False)]
    assert not wire._waiting and not wire._told
