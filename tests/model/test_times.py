"""Times as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.errors import InvalidInput
from session_memory.ids import at_text
from session_memory.model.times import read_time


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("2026-11-22T14:20:57.123Z", "2026-11-22T14:20:57.123Z", "2026-11-22T14:20:57.123Z"),
        ("2026-11-22T14:20:57.1239Z", "2026-11-22T14:20:57.123Z", "2026-11-22T14:20:57.123Z"),
        ("2026-11-22T14:20:57", "2026-11-22T14:20:57.000Z", "2026-11-22T14:20:57.999Z"),
        ("2026-11-22 14:20", "2026-11-22T14:20:00.000Z", "2026-11-22T14:20:59.999Z"),
        ("2026-11-22T16:20:57+02:00", "2026-11-22T14:20:57.000Z", "2026-11-22T14:20:57.999Z"),
        ("2026-11-22T09:50:57-0430", "2026-11-22T14:20:57.000Z", "2026-11-22T14:20:57.999Z"),
        ("2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-22T23:59:59.999Z"),
        (1_700_000_000, "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20.000Z"),
        ("1700000000.5", "2023-11-14T22:13:20.500Z", "2023-11-14T22:13:20.500Z"),
        (1_700_000_000_123, "2023-11-14T22:13:20.123Z", "2023-11-14T22:13:20.123Z"),
    ],
)
def test_forms_of_a_time(value: Any, start: str, end: str) -> None:
    assert (at_text(read_time(value)), at_text(read_time(value, end=True))) == (start, end)


@pytest.mark.fault(50)
@pytest.mark.parametrize("value", ["yesterday", "", "2026-13-01", "2026-02-30", "nan", "1e400", True, "2026-11-22T25:00Z",
                                   "2026-11-22T14:20+99:00"])  # fmt: skip
def test_anything_else_is_an_error_that_says_so(value: Any) -> None:
    with pytest.raises(InvalidInput, match="is not a time"):
        read_time(value)


@pytest.mark.fault(50)
@given(st.text() | st.floats() | st.integers())
def test_no_value_raises_anything_else(value: Any) -> None:
    try:
        assert isinstance(read_time(value), int)
    except InvalidInput as error:
        assert error.code == "bad-time"
