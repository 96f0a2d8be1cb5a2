"""The optional scanner finds what our rules do not know, and is missed quietly where it is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from session_memory.actions import scanner
from session_memory.log.redact import Redactor
from session_memory.memory import Memory

UNKNOWN_TO_US = "endpoint uses " + "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2  # made up


def test_both_look_and_neither_marks_twice(home: str) -> None:
    found = scanner.load()
    if found is None:
        pytest.skip("the extra `redact` is not installed here")
    both, ours = Redactor(b"k" * 32, scanner=found), Redactor(b"k" * 32)
    token = "glpat-" + "aB3dE6gH9jK2mN5pQ8sT"
    for text in (f"token {token} twice {token}", UNKNOWN_TO_US):
        clean, _count = both.redact(text)
        assert token not in clean and len(clean) <= len(ours.redact(text)[0]) + 40
        assert both.redact(clean) == (clean, 0)
    with Memory(home, cwd=home) as memory:
        memory.events.record("finding", "x", {"text": f"with {token}"})
    assert token.encode() not in Path(home, "storage", "events.jsonl").read_bytes()


def test_without_the_package_nothing_is_missed_but_its_rules(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.setitem(sys.modules, "betterleaks", None)
    assert scanner.load() is None
    with Memory(home, cwd=home) as memory:
        told = [each for each in memory.doctor.examine() if each.area == "secrets"]
    assert told[0].level == "note" and "pip install" in told[0].fix
