"""The same error is known again with other numbers and paths; another error never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model import failures

TRACEBACK = """Traceback (most recent call last):
  File "/home/a/shop/app.py", line 12, in <module>
    main()
ModuleNotFoundError: No module named 'redis'
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TRACEBACK, "ModuleNotFoundError: No module named 'redis'"),
        ("> shop@1.0.0 build\n> tsc\n\nsrc/a.ts(3,5): error TS2345: Argument\n\nFound 1 error.", "src/a.ts(3,5): error TS2345: Argument"),
        ("  something odd  \n", "something odd"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_line_that_tells_is_found_in_what_was_pasted(text: str, line: str) -> None:
    assert failures.telling(text) == line


@pytest.mark.parametrize(
    ("met", "asked"),
    [
        ("Error: listen EADDRINUSE: address already in use :::3000", "Error: listen EADDRINUSE: address already in use :::8080"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/tmp/a/x.json'", "FileNotFoundError: [Errno 2] No such file or directory: 'data/y.json'"),
        ("segfault at 0x7ffee3a1 in libfoo", "segfault at 0xdeadbeef in libfoo"),
        ("object 3f2a9bc1d cannot be read", "object 0badcafe1 cannot be read"),
        ("src/a.ts(12,5): error TS2345: Argument of type", "lib/b.ts(99,17): error TS2345: Argument of type"),
        ("Timed out after 30s waiting for worker", "Timed out after 1.5s waiting for worker"),
        ("C:\\Users\\a\\x.py: bad magic number", "/srv/app/x.py: bad magic number"),
    ],
)  # fmt: skip
def test_other_numbers_paths_and_addresses_are_the_same_error(met: str, asked: str) -> None:
    assert failures.met(f"before\n  {met}  and more\nafter", asked) == ("form", f"{met} and more")
    assert failures.met(f"x {met}", met) == ("exact", f"x {met}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("error TS2345: Argument of type", "error TS2322: Argument of type"),
        ("[Errno 13] Permission denied: '/a/b'", "[Errno 2] Permission denied: '/a/b'"),
        ("server answered HTTP 404 for /a/b", "server answered HTTP 500 for /a/b"),
        ("process ended with exit code 1 at last", "process ended with exit code 137 at last"),
        ("No module named 'redis'", "No module named 'requests'"),
        ("fatal: The current branch main has no upstream branch", "fatal: The current branch dev has no upstream branch"),
        ("Cannot read properties of undefined (reading 'map')", "Cannot read properties of undefined (reading 'id')"),
        ("failed to fetch https://a.example/x", "failed to fetch https://b.example/x"),
        ("read/write error on device", "input/output error on device"),
        ("python3.11 not found", "python3.12 not found"),
        ("assert 3 == 4", "assert 5 == 6"),  # nothing is left of it without its numbers
    ],
)  # fmt: skip
def test_another_error_is_not_the_same(one: str, other: str) -> None:
    assert failures.met(one, one) == ("exact", one)
    assert failures.met(one, other) is None and failures.met(other, one) is None


def test_letters_in_another_case_and_other_spaces_are_the_same() -> None:
    assert failures.met("  KEYERROR:   'Port'", "KeyError: 'port'") == ("exact", "KEYERROR: 'Port'")


@given(st.text(max_size=300))
def test_every_error_is_met_in_itself(text: str) -> None:
    line = failures.telling(text)
    failures.words(line)
    if line.strip():
        assert failures.met(f"{line}\nrest", line) is not None
