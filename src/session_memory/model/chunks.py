"""A document's text cut into chunks: never across a heading, between paragraphs where that fits, never inside code that fits.

Pure: the log keeps the text whole, and every index cuts it the same way.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SIZE, SMALLEST, LARGEST = 2_000, 50, 10_000  # characters of a chunk: as a rule, at least, at most
OVERLAP = 200
MOST_PATH = 200  # characters of the headings above a chunk
HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*\Z")
FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")


class Chunk(NamedTuple):
    """One piece: its text, the headings it stands under (`A > B`), and its page (from 1) where there are pages."""

    text: str
    heading: str | None
    page: int | None


class _Block(NamedTuple):
    text: str
    heading: str | None
    page: int | None
    code: bool


def chunks(text: str, kind: str, size: int = SIZE, overlap: int = OVERLAP) -> list[Chunk]:
    """The chunks of a text of this kind: markdown, pages (form feeds between them), code or text.

    size: most characters of a chunk; overlap: how many of them may repeat the end of the one before.
    """
    blocks = _markdown(text) if kind == "markdown" else _code(text) if kind == "code" else _paragraphs(text)
    made: list[Chunk] = []
    held: list[_Block] = []
    used = 0
    carried = ""  # what the next chunk repeats

    def close(*, repeat: bool) -> None:
        nonlocal used, carried
        if held:
            whole = "\n\n".join(each.text for each in held)
            made.append(Chunk(f"{carried}\n\n{whole}" if carried else whole, held[0].heading, held[0].page))
            carried = _end(whole, overlap) if repeat and not held[-1].code else ""
        elif not repeat:
            carried = ""
        held.clear()
        used = len(carried) + 2 if carried else 0

    for block in blocks:
        if held and block.heading != held[0].heading:
            close(repeat=False)
        elif not held and made and made[-1].heading != block.heading:
            carried, used = "", 0
        for piece in _pieces(block, size - (overlap + 2 if overlap else 0)) if len(block.text) > size else [block]:
            if held and used + len(piece.text) + 2 > size:
                close(repeat=True)
            if carried and used + len(piece.text) + 2 > size:
                carried, used = "", 0
            held.append(piece)
            used += len(piece.text) + 2
    close(repeat=False)
    return made


def _markdown(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    above: list[tuple[int, str]] = []
    said: list[str] = []
    fence = ""

    def end(*, code: bool = False) -> None:
        whole = "\n".join(said).strip("\n").rstrip()
        if whole:
            blocks.append(_Block(whole, _path(above), None, code))
        said.clear()

    for line in text.replace("\f", "\n").split("\n"):
        mark = FENCE.match(line)
        if fence:
            said.append(line)
            if mark and mark.group(1).startswith(fence) and not line.strip().strip(fence[0]):
                end(code=True)
                fence = ""
            continue
        heading = HEADING.match(line)
        if mark:
            end()
            fence = mark.group(1)
            said.append(line)
        elif heading:
            end()
            level = len(heading.group(1))
            while above and above[-1][0] >= level:
                above.pop()
            above.append((level, heading.group(2)))
            said.append(line)
            end()
        elif line.strip():
            said.append(line)
        else:
            end()
    end(code=bool(fence))
    return blocks


def _path(above: list[tuple[int, str]]) -> str | None:
    return " > ".join(title for _level, title in above)[:MOST_PATH] or None


def _paragraphs(text: str) -> list[_Block]:
    blocks = []
    paged = "\f" in text
    for number, page in enumerate(text.split("\f"), 1):
        for each in re.split(r"\n[ \t]*\n", page):
            if each.strip():
                blocks.append(_Block(each.strip("\n"), None, number if paged else None, False))
    return blocks


def _code(text: str) -> list[_Block]:
    """Pieces that begin where a line without indentation follows an empty one."""
    blocks: list[_Block] = []
    said: list[str] = []
    empty = False
    for line in text.replace("\f", "\n").split("\n"):
        if empty and line[:1].strip() and said:
            whole = "\n".join(said).strip("\n")
            if whole:
                blocks.append(_Block(whole, None, None, True))
            said = []
        said.append(line)
        empty = not line.strip()
    whole = "\n".join(said).strip("\n")
    return [*blocks, _Block(whole, None, None, True)] if whole.strip() else blocks


def _pieces(block: _Block, size: int) -> list[_Block]:
    """A block that is too long, cut at lines (code) or sentences, else at spaces, else anywhere."""
    parts = block.text.splitlines(keepends=True) if block.code else _kept(SENTENCE, block.text)
    found: list[str] = []
    for part in parts:
        for cut in _cut(part, size):
            if found and len(found[-1]) + len(cut) <= size:
                found[-1] += cut
            else:
                found.append(cut)
    return [block._replace(text=each.strip("\n") if block.code else each.strip()) for each in found if each.strip()]


def _kept(pattern: re.Pattern[str], text: str) -> list[str]:
    """`pattern.split`, with what separates kept at the end of each part."""
    ends = [match.end() for match in pattern.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)])]


def _cut(text: str, size: int) -> list[str]:
    found = []
    while len(text) > size:
        at = max(text.rfind(" ", size // 2, size), text.rfind("\n", size // 2, size)) + 1
        at = at if at > 0 else size
        found.append(text[:at])
        text = text[at:]
    return [*found, text]


def _end(text: str, overlap: int) -> str:
    """The last words of a text, at most `overlap` characters."""
    if overlap <= 0 or len(text) <= overlap:
        return ""
    tail = text[-overlap:]
    space = max(tail.find(" "), tail.find("\n"))
    return tail[space + 1 :].strip() if space >= 0 else ""
