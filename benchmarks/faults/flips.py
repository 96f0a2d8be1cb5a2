"""Single bits that flip in a log at rest: is each found and named, and are all other lines served."""

from __future__ import annotations

import random
import tempfile

from session_memory import paths
from session_memory.log import reader
from session_memory.log.journal import Journal
from session_memory.log.verify import verify
from session_memory.model.record import Draft


def flips(count: int) -> tuple[str, bool]:
    """`count` flips, one at a time, in a log of forty records."""
    chance = random.Random(count)
    located = served = 0
    with tempfile.TemporaryDirectory() as folder:
        place = paths.Home(f"{folder}/home")
        Journal(place).append([Draft("event", {"session": "s", "data": {"text": f"text {n} é"}}) for n in range(40)])
        with open(place.events, "rb") as file:
            content = file.read()
        for _ in range(count):
            bit = chance.randrange(8 * (len(content) - 1))
            spoilt = bytearray(content)
            spoilt[bit // 8] ^= 1 << (bit % 8)
            with open(place.events, "wb") as file:
                file.write(spoilt)
            line = content[: bit // 8].count(b"\n") + 1
            report = verify(place)
            located += bool(
                {fault.number for fault in report.faults} & {line, line + 1} or (report.torn and line == 41)
            )
            served += sum(each.line is not None for each in reader.places(place.events)) >= 39
    return f"{count:,} flips: {located:,} located, every other line served in {served:,}", located == served == count
