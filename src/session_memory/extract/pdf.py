"""The text of a PDF, page by page. Runs in the child only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.extract.limits import MOST_PAGES, MOST_TEXT, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

MOST_STREAM = 20_000_000  # bytes that one compressed part of it may hold


def read(file: IO[bytes], progress: Callable[[int, int], None]) -> dict[str, Any]:
    """`{text, title, pages}`, form feeds between pages. Raises RefusedError; whatever pypdf raises means a damaged file."""
    import pypdf
    from pypdf import filters

    for name in ("ZLIB_MAX_OUTPUT_LENGTH", "LZW_MAX_OUTPUT_LENGTH", "RUN_LENGTH_MAX_OUTPUT_LENGTH"):
        setattr(filters, name, MOST_STREAM)
    reader = pypdf.PdfReader(file)
    if reader.is_encrypted:
        raise RefusedError("encrypted-document", "The PDF is encrypted.", "Save a copy without a password.")
    total = len(reader.pages)
    if total > MOST_PAGES:
        raise RefusedError("too-large", f"The PDF has {total:,} pages; the limit is {MOST_PAGES:,}.", "Split it.")
    if total == 0:
        raise RefusedError("damaged-document", "The PDF has no pages; it may be cut off.", "Save it again.")
    pages: list[str] = []
    room = MOST_TEXT
    for number in range(total):
        text = reader.pages[number].extract_text().replace("\f", " ").strip()
        room -= len(text)
        if room < 0:
            raise RefusedError("too-large", f"The PDF holds more than {MOST_TEXT:,} characters.", "Split it.")
        pages.append(text)
        progress(number + 1, total)
    title = reader.metadata.title if reader.metadata else None
    return {"text": "\f".join(pages), "title": title if isinstance(title, str) else None, "pages": total}
