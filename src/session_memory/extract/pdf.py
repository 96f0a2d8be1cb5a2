"""The text of a PDF, page by page. Runs in the child only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.extract.limits import MOST_PAGES, MOST_TEXT, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    from pypdf import PdfReader

MOST_STREAM = 20_000_000  # bytes that one compressed part of it may hold
LIMITS: dict[str, Any] = dict.fromkeys(
    ("zlib_maximum_output_length", "lzw_maximum_output_length", "run_length_maximum_output_length",
     "array_based_stream_maximum_output_length", "maximum_declared_stream_length"), MOST_STREAM,
)  # fmt: skip


def read(file: IO[bytes], progress: Callable[[int, int], None]) -> dict[str, Any]:
    """`{text, title, pages}`, form feeds between pages. Raises RefusedError; whatever pypdf raises means a damaged file."""
    import pypdf

    with pypdf.apply_configuration(**LIMITS):
        reader = pypdf.PdfReader(file)
        if reader.is_encrypted:
            raise RefusedError("encrypted-document", "The PDF is encrypted.", "Save a copy without a password.")
        total = len(reader.pages)
        if total > MOST_PAGES:
            raise RefusedError("too-large", f"The PDF has {total:,} pages; the limit is {MOST_PAGES:,}.", "Split it.")
        if total == 0:
            raise RefusedError("damaged-document", "The PDF has no pages; it may be cut off.", "Save it again.")
        text = "\f".join(_pages(reader, total, progress))
        title = reader.metadata.title if reader.metadata else None
    return {"text": text, "title": title if isinstance(title, str) else None, "pages": total}


def _pages(reader: PdfReader, total: int, progress: Callable[[int, int], None]) -> list[str]:
    pages: list[str] = []
    room = MOST_TEXT
    for number in range(total):
        text = reader.pages[number].extract_text().replace("\f", " ").strip()
        room -= len(text)
        if room < 0:
            raise RefusedError("too-large", f"The PDF holds more than {MOST_TEXT:,} characters.", "Split it.")
        pages.append(text)
        progress(number + 1, total)
    return pages
