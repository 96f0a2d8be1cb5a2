"""Blocks give back what was put in, in their order, and only to the index that numbered their events."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.index import blocks
from session_memory.index.database import open_vectors


def block(first: int, count: int, wide: int = 2) -> blocks.Block:
    chance = random.Random(first)
    rows = np.zeros(count, blocks.NUMBERS)
    rows["n"] = range(first, first + count)
    rows["session"], rows["length"] = first % 7, chance.random()
    rows["hash"] = np.frombuffer(chance.randbytes(count * blocks.HASH), blocks.NUMBERS["hash"])
    signs = np.frombuffer(chance.randbytes(count * wide * 8), np.uint64).reshape(count, wide)
    return blocks.Block(rows, signs)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(1, 4), st.data())
def test_blocks_come_back_as_they_were_from_wherever_one_begins(
    tmp_path_factory: object, sizes: list[int], wide: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("blocks")  # type: ignore[attr-defined]
    with open_vectors(str(folder / "vectors.sqlite")) as kept:
        ends, made = [0], []
        for size in sizes:
            made.append(block(ends[-1] + 1, size, wide))
            blocks.write(kept, "m", "index", ends[-1], made[-1])
            ends.append(ends[-1] + size)
        begin = data.draw(st.integers(0, len(sizes)))
        found = list(blocks.read(kept, "m", "index", ends[begin]))
        assert len(found) == len(sizes) - begin
        for one, other in zip(found, made[begin:]):
            assert one.rows.tobytes() == other.rows.tobytes() and (one.signs == other.signs).all()
        assert not list(blocks.read(kept, "other", "index", 0))
        assert ends[begin] + 1 in ends or not list(blocks.read(kept, "m", "index", ends[begin] + 1))


def test_blocks_of_another_index_are_not_read_and_go(tmp_path: Path) -> None:
    with open_vectors(str(tmp_path / "vectors.sqlite")) as kept:
        blocks.write(kept, "m", "old", 0, block(1, 3))
        assert not list(blocks.read(kept, "m", "new", 0))
        blocks.write(kept, "m", "new", 0, block(1, 5))
        assert [len(each.rows) for each in blocks.read(kept, "m", "new", 0)] == [5]
        assert kept.execute("SELECT count(*) FROM block").fetchall() == [(1,)]


def test_a_block_that_another_process_cut_otherwise_is_passed_over(tmp_path: Path) -> None:
    with open_vectors(str(tmp_path / "vectors.sqlite")) as kept:
        blocks.write(kept, "m", "index", 0, block(1, 3))
        blocks.write(kept, "m", "index", 0, block(1, 5))  # an event between had gone for this process
        blocks.write(kept, "m", "index", 3, block(4, 4))
        assert [int(each.rows["n"][-1]) for each in blocks.read(kept, "m", "index", 0)] == [3, 7]


def test_a_block_that_is_cut_short_ends_the_reading(tmp_path: Path) -> None:
    with open_vectors(str(tmp_path / "vectors.sqlite")) as kept:
        for first in (1, 4, 7):
            blocks.write(kept, "m", "index", first - 1, block(first, 3))
        for damage in ("content = substr(content, 1, 120)", "rows = 0"):
            kept.execute(f"UPDATE block SET {damage} WHERE before = 3")
            assert len(list(blocks.read(kept, "m", "index", 0))) == 1
