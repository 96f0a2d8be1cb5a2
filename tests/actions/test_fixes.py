"""What helped against an error: read from what sessions did after it, proved where the command ran again without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.actions.test_invocations import START, keep, ran

from session_memory.errors import InvalidInput
from session_memory.memory import Memory

ERROR = "Error: listen EADDRINUSE: address already in use :::3000"
HOUR = 3_600_000


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def failed(line: str, output: str) -> list[dict[str, Any]]:
    return ran(line, output=output, ok=False, exit_code=1)


def edited(path: str) -> list[dict[str, Any]]:
    given = {"file_path": path, "old_string": "a", "new_string": "b"}
    return [
        {"category": "tool_call", "type": "Edit", "data": {"input": given, "files": [path]}},
        {"category": "tool_response", "type": "Edit", "data": {"ok": True, "output": "done"}, "answers": True},
    ]


def test_what_was_done_until_the_same_command_passed_is_told(memory: Memory) -> None:
    made = keep(
        memory, *failed("npm start", f"node:events\n{ERROR}\n at Server"), *ran("lsof -i :3000"), *ran("npm install"),
        *failed("npm start", ERROR), *ran("ls"), *edited("src/port.ts"), *ran("npm start | head"), *ran("git push"),
    )  # fmt: skip
    found = memory.fixes.fix(ERROR)
    assert (found["met"], found["exact"], found["sessions"]) == (2, 2, 1)
    case = found["cases"][0]
    assert [each["text"] for each in case["vain"]] == ["lsof -i :3000", "npm install"]
    assert [(each["what"], each["text"]) for each in case["next"]] == [("edited", "src/port.ts")]
    assert (case["passed"]["text"], case["passed"]["ended"]) == ("npm start", "ok")
    assert case["met"]["id"] == made[7] and case["met"]["ran"] == "npm start" and case["next"][0]["id"] == made[10]


def test_the_same_error_with_another_port_is_met_and_called_what_it_is(memory: Memory) -> None:
    keep(memory, *failed("npm start", ERROR), *edited("src/port.ts"))
    found = memory.fixes.fix(ERROR.replace("3000", "8080"))
    assert (found["met"], found["exact"]) == (1, 0) and found["cases"][0]["met"]["level"] == "form"
    assert found["cases"][0]["met"]["line"] == ERROR


def test_what_helped_in_several_sessions_is_counted_once_each(memory: Memory) -> None:
    for number in range(3):
        keep(memory, *failed("npm start", ERROR), *ran("kill-port 3000"), *ran("kill-port 3000"), *ran("npm start"),
             session=f"s{number}", begin=START + number * HOUR)  # fmt: skip
    keep(memory, *failed("npm start", ERROR), session="s9", begin=START + 9 * HOUR)
    found = memory.fixes.fix(ERROR, limit=2)
    assert [(each["text"], each["sessions"], each["passed"]) for each in found["next"]] == [("kill-port 3000", 3, 3)]
    assert [case["session_id"] for case in found["cases"]] == ["s9", "s2"] and found["more_cases"] == 2
    assert found["cases"][0]["next"] == [] and found["cases"][0]["passed"] is None  # nothing came after it there


def test_a_near_miss_is_shown_and_not_called_a_match(memory: Memory) -> None:
    keep(memory, *failed("npm start", ERROR))
    found = memory.fixes.fix("Error: listen EACCES: permission denied 0.0.0.0:80")
    assert found["met"] == 0 and found["cases"] == [] and found["next"] == []
    assert [each["line"] for each in found["near"]] == [ERROR]


def test_an_error_that_is_only_quoted_was_not_met(memory: Memory) -> None:
    keep(memory, *ran("cat old.log", output=ERROR), *ran("grep -r EADDRINUSE .", output=ERROR),
         {"category": "message", "type": "reply", "data": {"text": ERROR}})  # fmt: skip
    found = memory.fixes.fix(ERROR)
    assert (found["met"], found["quoted"], found["near"]) == (0, 3, [])


def test_a_finding_written_afterwards_is_a_deed_and_no_second_meeting(memory: Memory) -> None:
    keep(memory, *failed("npm start", ERROR), *edited("src/port.ts"),
         {"category": "finding", "type": "bug", "data": {"text": f"{ERROR}: the old server was still up"}})  # fmt: skip
    found = memory.fixes.fix(ERROR)
    assert found["met"] == 1
    assert [each["what"] for each in found["cases"][0]["next"]] == ["edited", "noted"]
    keep(
        memory,
        {"category": "finding", "type": "bug", "data": {"text": ERROR}},
        *ran("npm ci"),
        session="s2",
        begin=START + HOUR,
    )
    found = memory.fixes.fix(ERROR)
    assert found["sessions"] == 2 and found["cases"][0]["next"][0]["text"] == "npm ci"


def test_a_prompt_that_pastes_the_error_is_a_meeting(memory: Memory) -> None:
    keep(memory, {"category": "message", "type": "user_prompt", "data": {"text": f"I get\n{ERROR}\nhelp"}, "stated_by": "user"},
         *edited("a.ts"))  # fmt: skip
    case = memory.fixes.fix(ERROR)["cases"][0]
    assert case["met"]["role"] == "user" and case["next"][0]["text"] == "a.ts"


def test_another_failure_of_the_same_command_is_no_return_of_the_error(memory: Memory) -> None:
    keep(memory, *failed("npm start", ERROR), *edited("a.ts"), *failed("npm start", "SyntaxError: Unexpected token"))
    assert memory.fixes.fix(ERROR)["cases"][0]["passed"]["ended"] == "failed"


@pytest.mark.parametrize("text", ["", "   ", "!!!", "\n\n"])
def test_what_holds_no_word_is_said_to_be_no_error(memory: Memory, text: str) -> None:
    with pytest.raises(InvalidInput):
        memory.fixes.fix(text)


@pytest.mark.parametrize(
    "text",
    [
        "123 456",
        "エラー: ファイルが見つかりません",
        "خطأ: الملف غير موجود",
        "“Ошибка” № 5 🚀 crash",
        "long error " * 500,
        '"half a quote AND (',
    ],
)
def test_errors_in_any_script_are_met_again(memory: Memory, text: str) -> None:
    keep(memory, *failed("run it", f"first\n{text}\nlast"))
    assert memory.fixes.fix(text)["met"] == 1
