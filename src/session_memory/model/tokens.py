"""How many tokens a text costs, estimated without a tokenizer: about four characters of Latin text, one of CJK."""

from __future__ import annotations

CHARACTERS = 4
WIDE = "\u2e7f"  # behind it CJK begins


def estimate(text: str) -> int:
    """Tokens of `text`, rounded up. An upper half of real counts: budgets are kept rather than hit."""
    wide = sum(1 for c in text if c > WIDE) if max(text, default="") > WIDE else 0
    return (len(text) - wide + CHARACTERS - 1) // CHARACTERS + wide
