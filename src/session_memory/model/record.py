"""A record: one immutable statement of the log. A draft: what a writer asks the log to keep."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Body = dict[str, Any]

# Kinds this version gives a meaning to. Lines of other kinds are kept, verified and skipped.
ORIGIN, FORGET, SESSION, EVENT, CHECKPOINT, HANDOFF, RESUME, INJECTION = (
    "origin", "forget", "session", "event", "checkpoint", "handoff", "resume", "injection",
)  # fmt: skip
LEARNING, ENTITY, RELATION, DOCUMENT = "learning", "entity", "relation", "document"
PROJECT = "project"  # two keys are one project: body alias, project, change (alias or unalias)
OUTCOME = "outcome"  # what became of a learning: used with success, in part or in vain, shown, or merged into another
GOLDEN = "golden"  # a question of the user's and the events that answer it: golden, data.question, expect, change (add, remove)
EVERYWHERE = "any:"  # the project of what came from homes that knew no projects: found from every one


class Draft:
    """What a writer asks the log to keep. The log adds origin, seq, hlc, salt, sum and chain.

    kind: one of the kinds above. body: JSON values only, without the salt.
    at_ms: when it happened; None = now (a live record).
    key: idempotency key in clear, made of opaque ids only, such as `tool_call:toolu_01Ab`; None = none.
    key_text: text that must not stand in clear (typed by a caller, or content): the log appends its keyed hash to `key`.
    id: 32 hex digits, when another draft of the same batch refers to it; None = made by the log.
    """

    __slots__ = ("at_ms", "body", "id", "key", "key_text", "kind")

    def __init__(
        self,
        kind: str,
        body: Body,
        *,
        at_ms: int | None = None,
        key: str | None = None,
        key_text: str | None = None,
        id: str | None = None,
    ) -> None:
        self.kind = kind
        self.body = body
        self.at_ms = at_ms
        self.key = key
        self.key_text = key_text
        self.id = id


class Record:
    """One line of the log, read. `at` and `hlc` are the texts of the line; body is None once forgotten, else without salt."""

    __slots__ = ("at", "body", "hlc", "id", "key", "kind", "origin", "seq", "v")

    def __init__(
        self,
        v: int,
        kind: str,
        id: str,
        origin: str,
        seq: int,
        at: str,
        hlc: str,
        key: str | None,
        body: Body | None,
    ) -> None:
        self.v = v
        self.kind = kind
        self.id = id
        self.origin = origin
        self.seq = seq
        self.at = at
        self.hlc = hlc
        self.key = key
        self.body = body
