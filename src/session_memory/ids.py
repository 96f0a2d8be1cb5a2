"""The only room that reads the clock or makes random ids; times are milliseconds since 1970, UTC.

Standard library only and light: the hooks import this before anything else.
"""

from __future__ import annotations

import os
import time

MAX_MS = 1 << 42  # writers refuse later times: 48-bit ids and 13-digit clocks must hold them
MIN_MS = 1_000_000_000_000  # 2001-09-09: below it a clock has fewer than 13 digits


def now_ms() -> int:
    """Wall clock, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds that only go forward: for deadlines and durations, never for records."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Wait; here because this room owns time."""
    time.sleep(seconds)


def new_id(ms: int) -> str:
    """A record id: 48 bits of milliseconds and 80 random bits, 32 hex digits; unique even with a frozen clock."""
    return f"{ms & 0xFFFFFFFFFFFF:012x}{os.urandom(10).hex()}"


def new_origin() -> str:
    """An origin id: 64 random bits, 16 hex digits."""
    return os.urandom(8).hex()


def new_salt() -> str:
    """16 random bytes as 32 hex digits: the first member of every body."""
    return os.urandom(16).hex()


def at_text(ms: int) -> str:
    """`2026-11-22T14:20:57.123Z`: UTC, milliseconds, 24 characters, so that it sorts as text."""
    seconds, rest = divmod(ms, 1000)
    t = time.gmtime(seconds)
    return f"{t.tm_year:04d}-{t.tm_mon:02d}-{t.tm_mday:02d}T{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}.{rest:03d}Z"


def at_ms(text: str) -> int:
    """The inverse of `at_text`. Raises ValueError for any other form."""
    if len(text) != 24 or text[10] != "T" or text[19] != "." or text[23] != "Z":
        raise ValueError(f"not a log time: {text!r}")
    year, month, day = int(text[0:4]), int(text[5:7]), int(text[8:10])
    seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return (_days(year, month, day) * 86_400 + seconds) * 1000 + int(text[20:23])


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar (shifted so that a year starts in March)."""
    y = year - (month <= 2)
    era = y // 400
    year_of_era = y - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def hlc_text(ms: int, counter: int) -> str:
    """`1795357257123.0000`: fixed width, so that it sorts as text. Raises ValueError out of range."""
    if not MIN_MS <= ms < MAX_MS:
        raise ValueError(f"clock out of range: {ms} ms")
    return f"{ms:013d}.{counter:04d}"


def hlc_number(hlc: str) -> int:
    """A hybrid logical clock as one integer: ms * 10,000 + counter."""
    return int(hlc[:13]) * 10_000 + int(hlc[14:])


def next_hlc(highest: str, wall_ms: int) -> str:
    """The hybrid logical clock of a new record: the wall clock, but always after `highest` ("" when there is none)."""
    if not highest:
        return hlc_text(wall_ms, 0)
    ms, counter = int(highest[:13]), int(highest[14:])
    if wall_ms > ms:
        return hlc_text(wall_ms, 0)
    return hlc_text(ms + 1, 0) if counter == 9999 else hlc_text(ms, counter + 1)


def local_text(ms: int) -> str:
    """`2026-11-22 14:20` in the zone of this machine: for people, never for records."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))
