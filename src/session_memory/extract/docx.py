"""The text of a DOCX as Markdown. Runs in the child only.

A DOCX is a zip of XML: its sizes are judged by the zip's own table before anything is unpacked (the zip reader never
gives more than the table says), and every XML part is parsed without document type and entities before mammoth sees it.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from session_memory.extract import html
from session_memory.extract.limits import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

MOST_PARTS = 2_000
MOST_UNPACKED, MOST_XML, MOST_RATIO = 100_000_000, 12_000_000, 200  # bytes of all, bytes of its XML, unpacked to packed
SMALL = 1_000_000  # bytes below which a ratio says nothing


def read(file: IO[bytes], progress: Callable[[int, int], None]) -> dict[str, Any]:
    """`{text, title, pages}` as Markdown. Raises RefusedError; BadZipFile and the like mean a damaged file."""
    import mammoth

    content = file.read()
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise RefusedError(
            "encrypted-document", "The document is encrypted, or of Word before 2007.", "Save it again as DOCX."
        )
    _check(content)
    progress(1, 3)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        lean = _without_media(packed)
    found = mammoth.convert_to_html(lean, convert_image=lambda _image: [], ignore_empty_paragraphs=True)
    progress(2, 3)
    return html.markdown(found.value, lambda done, total: None)


def _check(content: bytes) -> None:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        unpacked, held = sum(each.file_size for each in parts), max(1, sum(each.compress_size for each in parts))
        xml = [each for each in parts if each.filename.lower().endswith((".xml", ".rels"))]
        if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or sum(each.file_size for each in xml) > MOST_XML:
            raise RefusedError(
                "too-large", f"The document unpacks to {unpacked:,} bytes.", "Split it, or save it as text."
            )
        if unpacked > SMALL and unpacked / held > MOST_RATIO:
            raise RefusedError(
                "too-large", f"The document unpacks to {unpacked // held} times its size.", "It looks like a zip bomb."
            )
        if "word/document.xml" not in packed.namelist():
            raise RefusedError("damaged-document", "The file is a zip, but no Word document.", "Save it again as DOCX.")
        for each in xml:
            try:
                with packed.open(each) as part:
                    for _event, element in iterparse(part, forbid_dtd=True):
                        element.clear()
            except DefusedXmlException as error:
                raise RefusedError(
                    "hostile-document",
                    f"{each.filename} in it declares a document type or entities.",
                    "Word writes none.",
                ) from error


def _without_media(packed: zipfile.ZipFile) -> io.BytesIO:
    """The same document without pictures and fonts: nothing of them is read."""
    lean = io.BytesIO()
    with zipfile.ZipFile(lean, "w") as made:
        for each in packed.infolist():
            if each.filename.lower().endswith((".xml", ".rels")):
                made.writestr(each, packed.read(each))
    lean.seek(0)
    return lean
