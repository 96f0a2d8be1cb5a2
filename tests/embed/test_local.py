"""The table that is shipped: words of like meaning are near, any text has a vector, and the tokenizer is BERT's."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.embed.local import WIDE, Local
from session_memory.embed.pieces import Pieces


@pytest.fixture(scope="module")
def local() -> Local:
    return Local()


def near(local: Local, one: str, other: str) -> float:
    rows = local.encode([one, other])
    return float(rows[0] @ rows[1])


@pytest.mark.parametrize(
    ("said", "meant", "other"),
    [
        ("the car will not start", "my vehicle has engine trouble", "we baked bread on Sunday"),
        ("delete the file", "remove a document", "the weather is sunny"),
        ("the test crashed", "a failure in the unit tests", "she sings in a choir"),
        ("getUserName", "name of the user", "colour of the sky"),
    ],
)
def test_like_meaning_is_nearer_than_unlike(local: Local, said: str, meant: str, other: str) -> None:
    assert near(local, said, meant) > near(local, said, other) + 0.1


def test_a_text_of_no_known_word_is_no_direction(local: Local) -> None:
    rows = local.encode(["", "🎉", "word"])
    assert not rows[0].any() and not rows[1].any() and abs(np.linalg.norm(rows[2]) - 1) < 1e-5


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_a_vector_of_length_one_or_none(text: str) -> None:
    row = shared.encode([text])[0]
    assert row.shape == (WIDE,) and (not row.any() or abs(float(np.linalg.norm(row)) - 1) < 1e-4)


def test_pieces_are_the_longest_that_are_known() -> None:
    known = {
        piece: n for n, piece in enumerate(["un", "##aff", "##able", "run", "##ning", "user", "name", "日", "cafe"])
    }
    found = Pieces(known).numbers
    assert found("Unaffable, running!") == [0, 1, 2, 3, 4] and found("userName") == [5, 6]
    assert found("日本 café unknown" + "x" * 50) == [7, 8]


def test_an_idle_memory_does_not_load_numpy() -> None:
    code = "import sys, session_memory.memory, session_memory.mcp_server.server; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


shared = Local()
