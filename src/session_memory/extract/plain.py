"""Files that are text already: decoded, or refused when they are not."""

from __future__ import annotations

import codecs

from session_memory.extract.limits import MOST_TEXT, RefusedError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNTYPED = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b\x08") | {127}  # bytes that no text holds
MOST_UNTYPED = 0.001  # part of them that a text may hold all the same


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, what its first bytes say, or Windows' Latin. Raises RefusedError for binary files."""
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MOST_TEXT:
        raise RefusedError(
            "too-large", f"The file holds {len(text):,} characters; the limit is {MOST_TEXT:,}.", "Split it."
        )
    return text


def _decoded(content: bytes) -> str:
    refused = RefusedError(
        "not-a-document", "The file holds binary data, not text.", "Give it the ending of what it is."
    )
    for mark, encoding in MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise refused from error
    wrong = sum(content.count(bytes((each,))) for each in UNTYPED)
    if content.count(0) or wrong > len(content) * MOST_UNTYPED:
        raise refused
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
