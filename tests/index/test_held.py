"""What was put in is given back by row, whatever the order, and nothing else is held."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from session_memory.index.held import Held

rows = st.lists(st.integers(0, 500), max_size=30, unique=True)


@given(st.lists(rows, max_size=8), rows)
def test_values_are_those_of_their_rows(puts: list[list[int]], asked: list[int]) -> None:
    held, known = Held(3), set()  # type: Held, set[int]
    for some in puts:
        lacks = held.lacks(np.array(some, np.int64))
        assert lacks.tolist() == sorted(set(some) - known)
        held.put(lacks, np.array([[n % 100, n // 100, 7] for n in lacks], np.int8).reshape(-1, 3))
        known |= set(some)
        assert len(held) == len(known)
    there = [n for n in asked if n in known]
    assert held.lacks(np.array(asked, np.int64)).tolist() == sorted(set(asked) - known)
    if there:
        assert held.take(np.array(there, np.int64)).tolist() == [[n % 100, n // 100, 7] for n in there]
