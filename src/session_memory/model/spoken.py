"""Times as people say them: `yesterday`, `last week`, `3 days ago`, `since Monday`, `in March`; days and weeks are UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

DAY = timedelta(days=1)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
UNITS = {
    "minute": 60,
    "min": 60,
    "m": 60,
    "hour": 3600,
    "h": 3600,
    "day": 86_400,
    "d": 86_400,
    "week": 604_800,
    "w": 604_800,
}
AGO = re.compile(r"(\d{1,4}|an?|one|two|three) ?(minute|min|hour|day|week|m|h|d|w)s? ago")
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
PAST = re.compile(r"(?:the )?(?:last|past) (\d{1,4}) ?(minute|min|hour|day|week)s?")
PHRASE = re.compile(
    r"\b(?:today|yesterday|(?:this|last) (?:week|month|year|" + "|".join(WEEKDAYS) + r")|(?:on|since|until) (?:"
    + "|".join(WEEKDAYS) + r")|in (?:" + "|".join(month for month in MONTHS if month != "may") + r")"
    r"|(?:\d{1,4}|an?|one|two|three) (?:minute|hour|day|week)s? ago|(?:the )?(?:last|past) \d{1,4} (?:minute|hour|day|week)s?"
    r"|\d{4}-\d{2}-\d{2})\b"
)  # fmt: skip


def spoken(text: str, now_ms: int) -> tuple[int, int] | None:
    """(first, last millisecond) of the time that words name, seen from `now_ms`; None when they name none."""
    low = re.sub(r"^(?:on|in|since|until) ", "", " ".join(text.lower().split()))
    now = datetime.fromtimestamp(now_ms / 1000, timezone.utc)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ago, past = AGO.fullmatch(low), PAST.fullmatch(low)
    if ago or past:
        amount, unit = (ago or past).groups()  # type: ignore[union-attr]  # one of them matched
        span = (NUMBERS.get(amount) or int(amount)) * UNITS[unit] * 1000
        if past:
            return now_ms - span, now_ms
        wide = UNITS[unit] * 1000  # `2 days ago` is that day, `3 hours ago` that hour
        if unit in ("day", "d"):
            return _span(today - DAY * (span // wide), DAY)
        return now_ms - span - wide // 2, now_ms - span + wide // 2
    if low == "now":
        return now_ms, now_ms
    if low in ("today", "yesterday"):
        return _span(today - DAY * (low == "yesterday"), DAY)
    which, _, unit = low.rpartition(" ")
    back = 1 if which == "last" else 0
    if unit in WEEKDAYS and which in ("", "last", "this"):
        days = (today.weekday() - WEEKDAYS.index(unit)) % 7 or (7 if which == "last" else 0)
        return _span(today - DAY * days, DAY)
    if unit in MONTHS and which in ("", "last"):
        year = today.year - (MONTHS.index(unit) + 1 > today.month - back)
        return _month(year, MONTHS.index(unit) + 1)
    if which not in ("this", "last"):
        return None
    if unit == "week":
        return _span(today - DAY * (today.weekday() + 7 * back), 7 * DAY)
    if unit == "month":
        first = today.replace(day=1) - DAY * back
        return _month(first.year, first.month)
    if unit == "year":
        first = datetime(today.year - back, 1, 1, tzinfo=timezone.utc)
        return _span(first, datetime(first.year + 1, 1, 1, tzinfo=timezone.utc) - first)
    return None


def _month(year: int, month: int) -> tuple[int, int]:
    first = datetime(year, month, 1, tzinfo=timezone.utc)
    return _span(first, (first + 32 * DAY).replace(day=1) - first)


def _span(first: datetime, wide: timedelta) -> tuple[int, int]:
    begin = int(first.timestamp() * 1000)
    return begin, begin + int(wide.total_seconds() * 1000) - 1


def within(text: str, now_ms: int) -> tuple[int, int] | None:
    """The time that a longer text mentions first; None when it mentions none."""
    found = PHRASE.search(text.lower())
    if found is None:
        return None
    named = spoken(found.group(), now_ms)
    if named is None and found.group()[:4].isdigit():
        try:
            return _span(datetime.strptime(found.group(), "%Y-%m-%d").replace(tzinfo=timezone.utc), DAY)
        except ValueError:
            return None
    return named
