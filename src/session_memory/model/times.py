"""Times as people and models write them, turned into milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from session_memory.errors import InvalidInput

FORM = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SECONDS_BELOW = 100_000_000_000  # a number above it is milliseconds: as seconds it would be the year 5138


def read_time(value: str | int | float, *, end: bool = False) -> int:
    """Milliseconds since 1970 of an ISO 8601 time, a date, or a number of seconds (or milliseconds).

    A time without a zone is UTC, as every timestamp we show is. A date means its first millisecond, or with `end` its
    last; a time without seconds or fractions likewise. Raises InvalidInput (bad-time).
    """
    if isinstance(value, bool):
        raise _wrong(value)
    if isinstance(value, (int, float)):
        return _number(float(value), value)
    text = value.strip()
    match = FORM.fullmatch(text)
    if match is None:
        try:
            return _number(float(text), value)
        except ValueError:
            raise _wrong(value) from None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=_zone(zone)
        )
        ms = int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        raise _wrong(value) from None
    if fraction:
        return ms + int(fraction[:3].ljust(3, "0"))
    if end:
        span = 86_400_000 if hour is None else 60_000 if second is None else 1000
        return ms + span - 1
    return ms


def read_span(value: str) -> int:
    """Milliseconds of a span such as `30m`, `2h`, `1.5d`. Raises InvalidInput (bad-time)."""
    match = SPAN.fullmatch(value.strip().lower())
    if match is None:
        raise InvalidInput("bad-time", f"{value[:60]!r} is no span of time.", "Use a number with s, m, h, d or w: 2h.")
    return int(float(match.group(1)) * UNITS[match.group(2)] * 1000)


def _zone(text: str | None) -> timezone:
    if text is None or text in ("Z", "z", "UTC"):
        return timezone.utc
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _number(number: float, shown: object) -> int:
    if not -SECONDS_BELOW * 1000 < number < SECONDS_BELOW * 1000:  # NaN fails too
        raise _wrong(shown)
    return int(number if abs(number) >= SECONDS_BELOW else number * 1000)


def _wrong(value: object) -> InvalidInput:
    return InvalidInput(
        "bad-time",
        f"{str(value)[:60]!r} is not a time.",
        "Use ISO 8601 such as 2026-11-22T14:20:57Z or 2026-11-22, or seconds since 1970.",
    )
