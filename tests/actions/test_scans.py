"""A secret that was recorded before its rule came is found and leaves no byte; what was said around it stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from session_memory.actions.events import Query
from session_memory.cli.main import main
from session_memory.memory import Memory

SECRET = "zebra-4711-quagga"


def everywhere(home: str) -> list[Path]:
    return [path for path in Path(home).rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_what_a_new_rule_finds_is_replaced_by_a_redacted_copy_with_proof(
    home: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "login", {"text": f"the door opens with {SECRET} only"}, key="mine")
        memory.events.record("finding", "other", {"text": "nothing here"})
        at = memory.events.query(Query(type="login")).events[0]["timestamp"]
    assert main(["scan", "--home", home]) == 0 and "no secret" in capsys.readouterr().out
    Path(home, "config.json").write_text(json.dumps({"redaction": {"patterns": [r"zebra-\d+-\w+"]}}))
    assert main(["scan", "--home", home]) == 1 and "1 own" in capsys.readouterr().out and everywhere(home)
    assert main(["scan", "--fix", "--home", home]) == 0
    assert "found in none" in capsys.readouterr().out and everywhere(home) == []
    with Memory(home, cwd=home) as memory:
        events = memory.events.query(Query(scope="all", type="login")).events
        assert [(each["timestamp"], each["data"]["text"].partition("[")[0]) for each in events] == [
            (at, "the door opens with ")
        ]
        assert memory.health.verify().green
    assert main(["scan", "--json", "--home", home]) == 0 and json.loads(capsys.readouterr().out)["records"] == 0
    assert main(["scan", "--fix", "--home", home]) == 0 and "no secret" in capsys.readouterr().out
