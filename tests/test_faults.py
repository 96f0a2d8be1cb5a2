"""Every row of the fault matrix has a test, and every test that names a row names one that exists."""

from __future__ import annotations

import pytest
from scripts.faults import covered
from tests.fault_rows import LATER, ROWS


@pytest.mark.parametrize("row", sorted(ROWS))
def test_every_row_has_a_test(row: int) -> None:
    assert covered().get(row), ROWS[row][1]


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert set(covered()) <= set(ROWS)
    assert not set(ROWS) & set(LATER) and set(ROWS) | set(LATER) == set(range(1, 83))
