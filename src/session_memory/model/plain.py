"""Recorded text made harmless for terminals, for Markdown of ours and for models."""

from __future__ import annotations

from session_memory.model.pattern import later

# control characters except newline and tab; escape sequences; direction overrides; zero-width characters; BOM
ESCAPES = later(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
UNSEEN = later(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
# letters and marks that Python calls printable although nobody sees them: fillers, joiners, selectors of a variant
BLANK = dict.fromkeys(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10),
     *range(0xE0100, 0xE01F0))
)  # fmt: skip
# Cyrillic and Greek letters that look like Latin ones, and the Latin ones
ALIKE = str.maketrans(
    "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u03c5\u0475\u0461\u0445\u0443"
    "\u03b1\u03b5\u03b9\u03ba\u03bf\u03c1\u03c7\u03f2\u0131\u0578\u057d\u0433",
    "acdehijlopqsuvwxyaeikopxcinur",
)
SAME_LETTER = str.maketrans(
    "\u017f\u0131\u0130\u212a", "siik"
)  # what (?i) takes for these letters, beside their capitals
FENCE = later(r"(?i)<(/?)\s*(session-memory|system-reminder|system|function_calls|antml)")
LINE_START = later(r"(?m)^(\s{0,3})(#{1,6}(?:\s|$)|```|~~~|---|===|>)")
STARTS = ("#", "```", "~~~", "---", "===", ">")

ROLE = later(r"(?i)\A(human|assistant|system|user|developer):")  # a turn of somebody's, at the beginning of a line
ENTITY = later(r"(?i)(&)(?=#|[a-z]{2,8};)")
LINK = later(r"(?i)(\bwww(?=\.)|\b(?:javascript|vbscript|mailto|data)(?=:\S))")
LINKS = ("www.", "javascript:", "vbscript:", "mailto:", "data:")
SOURCE = later(r"(?i)(\()(?=(?:user|model|rule|tool|import),)")  # what would look like the source of a statement
SOURCES = ("(user,", "(model,", "(rule,", "(tool,", "(import,")


def plain(text: str) -> str:
    """`text` without what a terminal would obey or a reader could not see; our own fences are broken open."""
    # most texts hold none of it, and an expression that nobody asks need not be compiled
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n")
    if not cleaned.replace("\n", "").replace("\t", "").isprintable():
        cleaned = UNSEEN.sub("", ESCAPES.sub("", cleaned))
    return FENCE.sub(r"‹\1\2", cleaned) if "<" in cleaned else cleaned


def seen(text: str) -> str:
    """`plain` text of nothing but what a reader sees, and line breaks: no joiners, fillers, surrogates or private characters."""
    shown = plain(text)
    if shown.isascii():
        return shown
    return "".join(c for c in shown if c.isprintable() or c.isspace()).translate(BLANK)


def folded(text: str) -> str:
    """`seen` text in small letters on one line, with a space at both ends, to look for words in: letters that only look like
    others, accents and wide forms count as the plain letter."""
    shown = seen(text).lower()
    if not shown.isascii():
        import unicodedata

        apart = unicodedata.normalize("NFKD", shown).lower().translate(ALIKE)
        shown = "".join(c for c in apart if not unicodedata.combining(c))
    return f" {' '.join(shown.split())} "


def quoted(text: str, room: int) -> str:
    """`plain` text inside our Markdown: it cannot start a heading, fence or quote, and has at most `room` characters."""
    cleaned = plain(text)
    if any(sign in cleaned for sign in STARTS):
        cleaned = LINE_START.sub(r"\1\\\2", cleaned)
    return shortened(cleaned.strip(), room)


def in_line(text: str, room: int) -> str:
    """`plain` text on one line of our Markdown, at most `room` characters."""
    return shortened(" ".join(quoted(text, 8 * room).split()), room)


def shortened(text: str, room: int) -> str:
    """`text` cut at a word where it is longer than `room` characters, with an ellipsis."""
    if len(text) <= room:
        return text
    head = text[: room - 1]
    space = head.rfind(" ", room // 2)
    return (head[:space] if space > 0 else head).rstrip() + "…"


def neutral(text: str, room: int, *, keep: bool = False) -> str:
    """Recorded text on one line that can neither end the fence nor be obeyed, clicked or shown as markup.

    keep: with the space or full stop it begins with.
    """
    said = in_line(seen(text[: 64 * room]), room)
    for sign, shown in (
        ("<", "‹"),
        ("＜", "‹"),
        ("﹤", "‹"),
        ("](", "] ("),
        ("][", "] ["),
        ("]:", "] :"),
        ("![", "! ["),
        ("://", ":∕∕"),
        ("`!", "` !"),
    ):
        said = said.replace(sign, shown)
    if ":" in said[:10]:
        said = ROLE.sub(r"\1 :", said)
    low = said.translate(SAME_LETTER).lower()
    for pattern, signs in ((ENTITY, ("&",)), (LINK, LINKS), (SOURCE, SOURCES)):
        if any(sign in low for sign in signs):
            said = pattern.sub(r"\1 ", said)
    return (" " + said if keep and text[:1] == " " else said) if said else ""
