"""Chunks lose nothing, are never too long, and keep to headings, paragraphs and code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.model.chunks import Chunk, chunks

PIECES = [
    "word ",
    "A sentence. ",
    "\n",
    "\n\n",
    "# One\n",
    "## Two\n",
    "### Three\n",
    "```\n",
    "    x = 1\n",
    "\f",
    "long" * 30,
    "日本語。",
    "é ",
]


def bare(text: str) -> str:
    return "".join(text.replace("\f", "").split())


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=60),
    st.sampled_from(["markdown", "pages", "code", "text"]),
    st.integers(50, 400),
    st.data(),
)
def test_nothing_is_lost_and_no_chunk_is_too_long(pieces: list[str], kind: str, size: int, data: st.DataObject) -> None:
    text = "".join(pieces)
    overlap = data.draw(st.integers(0, size // 2))
    made = chunks(text, kind, size, overlap)
    assert all(0 < len(each.text) <= size for each in made)
    assert bare("".join(each.text for each in chunks(text, kind, size, 0))) == bare(text)
    assert {each.heading for each in made} == {each.heading for each in chunks(text, kind, size, 0)}


def test_a_chunk_stands_under_its_headings_and_never_crosses_one() -> None:
    text = "before\n\n# Design\n\nWhy.\n\n## Log ##\n\nAppend only.\n\n## Index\n\n# End\n\ntail"
    assert chunks(text, "markdown", 2_000, 100) == [
        Chunk("before", None, None), Chunk("# Design\n\nWhy.", "Design", None),
        Chunk("## Log ##\n\nAppend only.", "Design > Log", None), Chunk("## Index", "Design > Index", None),
        Chunk("# End\n\ntail", "End", None),
    ]  # fmt: skip


def test_code_stays_whole_where_it_fits_and_its_lines_do_where_it_does_not() -> None:
    code = "```python\n" + "\n\n".join(f"# line {n}" for n in range(6)) + "\n```"
    made = chunks("words " * 10 + "\n\n" + code, "markdown", 90, 0)
    assert [each.text for each in made] == [("words " * 10).strip(), code]
    long = "```\n" + "\n".join(f"call_number({n})" for n in range(20)) + "\n```"
    lines = [line for each in chunks(long, "markdown", 80, 0) for line in each.text.split("\n")]
    assert lines == long.split("\n")


def test_source_is_cut_where_something_new_begins() -> None:
    source = "import os\n\n\ndef a():\n    x = 1\n\n    return x\n\n\ndef b():\n    return 2\n"
    assert [each.text for each in chunks(source, "code", 50, 0)] == [
        "import os\n\ndef a():\n    x = 1\n\n    return x", "def b():\n    return 2",
    ]  # fmt: skip


def test_pages_are_numbered_and_overlap_repeats_whole_words() -> None:
    made = chunks("one two three. four five six.\f\fseven eight", "pages", 50, 25)
    assert [(each.page, each.text) for each in made] == [(1, "one two three. four five six.\n\nseven eight")]
    made = chunks(
        "alpha beta gamma delta. epsilon zeta eta theta. iota kappa lambda mu. nu xi omicron pi.", "text", 60, 20
    )
    assert len(made) > 1
    for before, after in zip(made, made[1:]):
        repeated = after.text.split("\n\n")[0]
        assert before.text.endswith(repeated) and 0 < len(repeated) <= 20


@pytest.mark.parametrize("text", ["", " \n\n ", "\f\f", "```\n"])
def test_hardly_anything_gives_hardly_anything(text: str) -> None:
    assert len(chunks(text, "markdown")) <= 1
