"""An entry: a draft made ready before the lock is taken, everything but its place: redacted, salted, its long body kept."""

from __future__ import annotations

import os

from session_memory import ids
from session_memory.errors import InvalidInput
from session_memory.log import blobs, line, secret
from session_memory.model.record import FORGET
from session_memory.model.values import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.log.forgotten import Bans
    from session_memory.log.redact import Redactor
    from session_memory.model.record import Draft
    from session_memory.paths import Home

MAX_BODY = 10 * 1024 * 1024
HEADER_ROOM = 700  # bytes a header can take beside its key: so much less than MAX_LINE a body may have


class Entry:
    """What `Journal` stamps and writes. `text` are the body's bytes, salt included; `blob` is the long body's file;
    `stands`: its line is in the log or the spool, or may be; `banned`: it was forgotten before, and only its place is kept."""

    __slots__ = ("at_ms", "banned", "blob", "body", "id", "key", "kind", "stands", "text")

    def __init__(
        self, draft: Draft, key: str | None, body: dict[str, Any], text: bytes, blob: str, *, banned: bool
    ) -> None:
        self.kind = draft.kind
        self.id = draft.id or ids.new_id(ids.now_ms())
        self.key = key
        self.at_ms = draft.at_ms
        self.body: dict[str, Any] | None = body
        self.text = text
        self.blob = blob
        self.stands = False
        self.banned = banned


def make(home: Home, secret_bytes: bytes, redactor: Redactor, draft: Draft, bans: Bans) -> tuple[Entry, int]:
    """The entry of a draft, and how many secrets were replaced in it. Raises InvalidInput (too-large), OSError."""
    if "salt" in draft.body:
        raise InvalidInput("bad-line", "A body may not have a member named salt: it belongs to the log.")
    body, count = redactor.redact(canonical(draft.body))
    if draft.kind != FORGET:
        body = bans.clean_body(body)
    key = key_of(secret_bytes, draft)
    text, blob = line.body_bytes(body, ids.new_salt()), ""
    if len(text) > MAX_BODY:
        raise InvalidInput(
            "too-large",
            f"The record has {len(text):,} bytes; the limit is {MAX_BODY:,}.",
            "Record a summary and the path of the file instead.",
        )
    banned = bans.bans(draft.id or "", key) or any(bans.bans("", key_of(each, draft)) for each in bans.older)
    if len(text) > line.MAX_LINE - HEADER_ROOM and not banned:  # only the place of a banned one is kept
        blob = blobs.write(home, line.body_bytes(body, ids.new_salt()))
        text = line.body_bytes({"blob": {"sha": blob, "bytes": len(text)}}, ids.new_salt())
    return Entry(draft, key, body, text, blob, banned=banned), count


def drop(home: Home, entries: list[Entry]) -> None:
    """Remove the long bodies of entries that stand nowhere."""
    for each in entries:
        if each.blob and not each.stands:
            try:
                os.unlink(os.path.join(home.blobs, each.blob))
            except OSError:
                continue  # nobody names it: `doctor --fix` removes it later


def key_of(secret_bytes: bytes, draft: Draft) -> str | None:
    """The key as it will stand in the line; None for a draft without one."""
    if draft.key is None:
        return None
    key = draft.key
    if draft.key_text is not None:
        key += ":" + secret.keyed(secret_bytes, draft.key_text)
    return key if line.is_key(key) else "hashed:" + secret.keyed(secret_bytes, key)
