"""Amounts as people read them: bytes, counted nouns, spans of time."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return ""


def plural(count: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def span(ms: int) -> str:
    """How long, in its largest unit: `3 days`, `5 hours`, `less than an hour`."""
    hours = ms // 3_600_000
    for unit, length in (("year", 8_766), ("month", 730), ("week", 168), ("day", 24), ("hour", 1)):
        if hours >= length * (2 if unit in ("week", "month") else 1):
            return plural(hours // length, unit)
    return "less than an hour"
