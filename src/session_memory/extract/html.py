"""HTML as Markdown: headings, paragraphs, lists, tables and code stay; scripts, styles and forms go."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from session_memory.extract.limits import MOST_TEXT, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PIECE = 65_536  # characters between two words of progress
SILENT = frozenset(("script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea", "math"))
BLOCKS = frozenset(
    "p div section article main header footer nav aside ul ol li dl dt dd table tr blockquote figure figcaption address form"
    " fieldset details summary hr body html".split()
)
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
VOID = frozenset("br hr img input meta link area base col embed source track wbr".split())


def markdown(text: str, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """`{text, title, pages}`. Raises RefusedError when it is longer than we keep."""
    reader = _Reader()
    for start in range(0, len(text), PIECE):
        reader.feed(text[start : start + PIECE])
        progress(min(start + PIECE, len(text)), len(text))
    reader.close()
    reader.end_block()
    made = "\n\n".join(reader.blocks)
    if len(made) > MOST_TEXT:
        raise RefusedError("too-large", f"The page holds more than {MOST_TEXT:,} characters.", "Split it.")
    return {"text": made, "title": " ".join("".join(reader.title).split()) or None, "pages": None}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self.title: list[str] = []
        self._said: list[str] = []
        self._prefix = ""
        self._silent: list[str] = []  # open elements whose text is not read
        self._code = 0
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # its signature
        if tag in SILENT:
            self._silent.append(tag)
        elif tag == "title":
            self._in_title = True
        elif tag == "pre":
            self.end_block()
            self._code += 1
        elif tag in HEADINGS:
            self.end_block()
            self._prefix = HEADINGS[tag]
        elif tag in ("td", "th"):
            self._said.append(" | " if self._said else "")
        elif tag in BLOCKS and not self._code:
            self.end_block()
            self._prefix = "- " if tag == "li" else ""
        elif tag == "br":
            self._said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            if tag in self._silent:
                del self._silent[self._silent.index(tag) :]
        elif tag == "title":
            self._in_title = False
        elif tag == "pre" and self._code:
            self.end_block()
            self._code -= 1
        elif (tag in BLOCKS or tag in HEADINGS) and not self._code:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._silent:
            self._said.append(data)

    def end_block(self) -> None:
        """What was said since the last block is one."""
        text = "".join(self._said).replace("\f", " ")
        self._said.clear()
        prefix, self._prefix = self._prefix, ""
        if self._code:
            if text.strip():
                self.blocks.append(f"```\n{text.strip(chr(10)).replace('```', '` ` `')}\n```")
            return
        plain = " ".join(text.split())
        if plain and not prefix and plain.startswith(("#", "```", "~~~")):
            plain = "\\" + plain  # prose that would look like a heading or code
        if plain:
            self.blocks.append(prefix + plain)
