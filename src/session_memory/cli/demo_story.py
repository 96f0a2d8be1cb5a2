"""The piece of work the demo records: an afternoon on a small made-up service, as a model would note it."""

from __future__ import annotations

from typing import Any

SKILL = "feature-work"
# (category, type, data): what session_record is given, in this order
BEFORE: list[tuple[str, str, dict[str, Any]]] = [
    ("decision", "constraint", {"text": "Never write request bodies to the access log: they hold patient names.",
                                "said_by": "user"}),
    ("decision", "architecture", {"title": "Rate limit with a token bucket per API key",
                                  "rationale": "A fixed window lets a client send twice the limit around the minute.",
                                  "alternatives": ["fixed window", "sliding log in Redis"]}),
    ("finding", "bug", {"id": "F1", "severity": "high", "title": "Retry-After is sent in milliseconds",
                        "file": "src/limits/bucket.py", "line": 88}),
    ("question", "question_raised", {"id": "Q1", "question": "Should internal health checks count against the limit?"}),
    ("question", "question_raised", {"id": "Q2", "question": "Do we keep the old /v1/quota endpoint?"}),
    ("question", "question_answered", {"id": "Q2", "answer": "Yes, until March: two customers poll it."}),
    ("finding", "blocker", {"title": "The staging database refuses connections since the certificate was renewed"}),
    ("phase", "next_step", {"text": "Send Retry-After in seconds and cover it in tests/limits/test_headers.py"}),
]  # fmt: skip
CHECKPOINT = ("token bucket works", "Bucket and middleware done, 41 tests green; headers still wrong.")
LAST_WORDS: tuple[str, str, dict[str, Any]] = (
    "decision", "api", {"title": "Answer 429 with a JSON body that names the limit",
                        "rationale": "Support asked for it: clients print the body, nobody reads headers."},
)  # fmt: skip
IN_FLIGHT: tuple[str, str, dict[str, Any]] = (
    "finding", "note", {"title": "This event is being written when the power of kill -9 strikes",
                        "text": "It was never acknowledged, so nobody counts on it. " * 6},
)  # fmt: skip
MARK = "the power of kill -9"  # in the bytes of IN_FLIGHT only
SEARCHES = ("why token bucket", "Retry-After", "src/limits/bucket.py")
