"""How sure a learning is, from what was stated and what became of it: a rule that knows no order, so devices add up."""

from __future__ import annotations

WEIGHT = 4.0  # what was stated counts like so many outcomes
OUTCOMES = ("success", "partial", "failed")
CONFIDENT = 0.7  # from here on a learning is shown without being asked for
HALF = 0.5  # how far age can lower a rank
OLD_MS = 730 * 24 * 60 * 60 * 1000  # the age at which it has done so


def after(given: float, success: int, partial: int, failed: int) -> float:
    """The confidence after these outcomes: the mean of a Beta distribution whose prior is what was stated.

    (given x 4 + successes + half the partial ones) / (4 + all outcomes); without outcomes what was given.
    """
    stated = min(1.0, max(0.0, given))
    outcomes = success + partial + failed
    return (stated * WEIGHT + success + partial / 2) / (WEIGHT + outcomes) if outcomes else stated


def freshness(age_ms: int) -> float:
    """What a rank is multiplied by: 1 for today's, 0.5 for what was neither stated nor used for two years. Never the confidence."""
    return 1.0 - HALF * min(1.0, max(0.0, age_ms / OLD_MS))
