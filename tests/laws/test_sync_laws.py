"""Whatever happens to devices, calls and the remote: once all have exchanged again, they agree byte for byte and nothing is lost.

SESSION_MEMORY_SYNC_FUZZ=n runs n random histories instead of a few; SESSION_MEMORY_FUZZ_SEED says where they begin.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.sync_world import OPS, World, run

HISTORIES = int(os.environ.get("SESSION_MEMORY_SYNC_FUZZ") or 12)
FIRST_SEED = int(os.environ.get("SESSION_MEMORY_FUZZ_SEED") or 1)
MEMORY = "/dev/shm"
STEPS = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 3), st.integers(0, 420)), max_size=14)


def history(ops: list[tuple[str, int, int]], seed: int, homes: int) -> World:
    root = Path(tempfile.mkdtemp(dir=MEMORY if os.path.isdir(MEMORY) else None))
    try:
        return run(root, ops, seed, homes)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@settings(max_examples=12, deadline=None)
@given(ops=STEPS, homes=st.integers(2, 3))
def test_every_history_ends_in_agreement(ops: list[tuple[str, int, int]], homes: int) -> None:
    assert history(ops, 1, homes).broken == []


def test_long_random_histories_end_in_agreement() -> None:
    total: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        chance = random.Random(seed)
        ops = [(chance.choice(OPS), chance.randrange(4), chance.randrange(420)) for _ in range(30)]
        world = history(ops, seed, chance.randint(2, 3))
        assert world.broken == [], (seed, world.broken)
        total += world.count
        total["faults"] += world.wire.counted["faults"]
        total["histories"] += 1
    print(dict(total))
