"""The short way gives and raises what `json` gives and raises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory import quick_json
from session_memory.quick_json import dumps, loads

SRC = Path(__file__).resolve().parent.parent / "src"
texts = st.text(st.characters(codec="utf-8")) | st.sampled_from(["\ud800", "\u2028", '"\\\x00\x1f'])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def outcome(read: Any, given: Any) -> Any:
    try:
        return read(given)
    except (ValueError, RecursionError, TypeError) as error:
        return type(error), str(error)


@given(values)
def test_what_is_written_is_what_json_writes(value: Any) -> None:
    assert dumps(value) == json.dumps(value)
    assert dumps(value, ascii=False, compact=True) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(values, st.sampled_from(["", " ", "\n\t\r "]))
def test_what_was_written_is_read(value: Any, around: str) -> None:
    text = around + json.dumps(value) + around
    assert loads(text) == json.loads(text) == value
    assert loads(text.encode()) == value


@given(st.text(st.sampled_from('{}[]",:0123456789.eE+-truefalsn \n\\u')) | st.binary(max_size=12))
def test_any_text_is_read_or_refused_as_json_does(text: str | bytes) -> None:
    assert repr(outcome(loads, text)) == repr(outcome(json.loads, text))


@pytest.mark.parametrize(
    "text", ["[1] x", "", "\ufeff{}", b"\xff\xfe1\x00", "[" * 100_000, '{"a":1,}', "NaN", "-Infinity", " \x0b1"]
)
def test_what_is_odd_is_left_to_json(text: str | bytes) -> None:
    assert repr(outcome(loads, text)) == repr(outcome(json.loads, text))


def test_what_json_cannot_write_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": float("inf")})
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        dumps({"a": {1}})


def test_another_python_uses_json_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_json, "_scan", None)
    assert (
        loads('{"a": [1, "é"]}') == {"a": [1, "é"]} and dumps({"a": ["é"]}, ascii=False, compact=True) == '{"a":["é"]}'
    )
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(float("nan"))


def test_what_is_wrong_is_said_where_json_was_not_loaded_before() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r})\n"
        "from session_memory.quick_json import loads\n"
        "try: loads('{\"a\": tru')\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Expecting value")


@pytest.mark.parametrize("hook", ["record", "context"])
def test_an_ordinary_call_of_a_hook_loads_neither_json_nor_regular_expressions(
    home: str, tmp_path: Path, hook: str
) -> None:
    payload = {
        "hook_event_name": "SessionStart" if hook == "context" else "PostToolUse", "session_id": "s", "cwd": str(tmp_path),
        "source": "startup", "tool_name": "Edit", "tool_use_id": "t1", "tool_input": {"file_path": str(tmp_path / "a.py")},
        "tool_response": {"filePath": "a.py", "originalFile": ""},
    }  # fmt: skip
    code = (
        f"import os, sys; sys.path.insert(0, {str(SRC)!r})\n"
        f"from session_memory.hooks import {hook}\n"
        f"{hook}.main({home!r})\n"
        "print([name for name in ('re', 'json', 'enum', 'functools') if name in sys.modules], file=sys.stderr)"
    )
    for _again in range(2):  # the first start greets, and makes the home
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code], input=json.dumps(payload), capture_output=True,
                              text=True, check=True)  # fmt: skip
    assert done.stderr.strip() == "[]"
    assert (Path(home) / "storage" / "events.jsonl").read_text().count('"kind":"') > 1
