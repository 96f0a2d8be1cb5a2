"""Redaction: secrets are replaced before the first write, on every path, by a mark that equal secrets share.

`[REDACTED:kind:1a2b]`: the four digits are a keyed hash, so that one can see that two places held the same secret, but
guess nothing back. Redacting twice changes nothing.
"""

from __future__ import annotations

from session_memory.digest import blake2b
from session_memory.errors import InvalidInput
from session_memory.log.redact_rules import BESIDE, HOLLOW, RULES, TELLING, UNBROKEN
from session_memory.model.pattern import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Scanner = Callable[[str], list[tuple[str, str]]]
    Words = Sequence[tuple[str, int]]

SHORTEST_KNOWN = 8
LEAST_ENTROPY = (
    2.0  # bits a character, of a long assigned value: below it, it is a ruler or a mask (four letters in turn)
)
NAME_LIKE = later(r"[A-Za-z_$][A-Za-z_$.\-]*")
MARK = "[REDACTED:"
MANY, LONG = 16, 20_000  # texts of a value that are asked together first; characters beyond which no word is counted
SHORTEST = 8  # characters below which no rule can match
REMEMBERED, MOST_REMEMBERED = 40, 5_000  # characters of a text whose outcome is remembered; how many texts
GUESSED = (
    "assignment",
    "option",
    "short-name",
)  # kinds known by the name beside the value: the value must look like one
HOLLOW_KINDS = (*GUESSED, "url-password", "connection", "authorization", "curl-user", "netrc", "command", "stored-auth")
WORDS = tuple((word, number) for number, (_kind, words, _pattern) in enumerate(RULES) for word in words)


class Redactor:
    """Replaces secrets in texts and in whole JSON values.

    secret: keys the marks. patterns: the user's own regular expressions. known: exact values, replaced wherever they
    occur, also base64- or URL-encoded. scanner: another product's eyes, [(kind, secret)] of a text; asked after our rules.
    Raises InvalidInput (bad-settings) for a pattern that is no expression.
    """

    def __init__(
        self, secret: bytes, patterns: Sequence[str] = (), known: Sequence[str] = (), scanner: Scanner | None = None
    ) -> None:
        self._secret = secret
        self._scanner = scanner
        self._compiled: dict[int, re.Pattern[str]] = {}
        self._own: list[re.Pattern[str]] = []
        for pattern in patterns:
            import re

            try:
                self._own.append(re.compile(pattern))
            except re.error as error:
                raise InvalidInput(
                    "bad-settings", f"redaction.patterns: {pattern[:80]!r} is no regular expression ({error}).",
                    "Correct it in config.json.",
                ) from error  # fmt: skip
        self._known = _forms(known)
        self._clean: dict[str, tuple[str, int]] = {}

    def redact(self, value: Any) -> tuple[Any, int]:
        """`value` (JSON) with every secret replaced, keys included, and how many there were."""
        texts = list(_texts(value))
        return self._redact(value, "", _possible(texts) if len(texts) >= MANY else WORDS)

    def redact_text(self, text: str) -> tuple[str, int]:
        """One text with every secret replaced, and how many there were."""
        return self._redact_text(text, WORDS)

    def _redact(self, value: Any, name: str, words: Words) -> tuple[Any, int]:
        if isinstance(value, str):
            if name in TELLING and _bare(value):
                return self._mark(name.replace("_", "-"), value), 1
            return self._redact_text(value, words)
        if isinstance(value, dict):
            result: dict[str, Any] = {}
            total = 0
            for key, inner in value.items():
                clean_key, in_key = self._redact_text(key, words)
                result[clean_key], count = self._redact(inner, key.lower(), words)
                total += in_key + count
            return result, total
        if isinstance(value, list):
            pairs = [self._redact(inner, name, words) for inner in value]
            return [pair[0] for pair in pairs], sum(pair[1] for pair in pairs)
        return value, 0

    def _redact_text(self, text: str, words: Words) -> tuple[str, int]:
        if len(text) <= REMEMBERED:  # names and labels come again and again
            known = self._clean.get(text)
            if known is None:
                known = self._search(text, words)
                if len(self._clean) < MOST_REMEMBERED:
                    self._clean[text] = known
            return known
        return self._search(text, words)

    def _search(self, text: str, words: Words) -> tuple[str, int]:
        count = 0
        for form in self._known:
            if form in text:
                count += text.count(form)
                text = text.replace(form, self._mark("known", form))
        if len(text) >= SHORTEST:
            low = text.lower()
            if "<private>" in low:
                import re

                text, some = re.subn(r"(?is)<private>.*?(?:</private>|\Z)", "[PRIVATE]", text)
                count += some
            for number in sorted({number for word, number in words if word in low}):
                text, some = self._apply(number, RULES[number][0], text)
                count += some
        if self._scanner is not None and len(text) >= SHORTEST:
            for kind, found in self._scanner(text):
                if found in text and MARK not in found and not _hollow(found):
                    count += text.count(found)
                    text = text.replace(found, self._mark(kind, found))
        for own in self._own:
            text, some = own.subn(lambda match: self._mark("own", match.group()), text)
            count += some
        return text, count

    def _apply(self, number: int, kind: str, text: str) -> tuple[str, int]:
        if not _may_hold(kind, text):
            return text, 0
        pattern = self._compiled.get(number)
        if pattern is None:
            import re

            pattern = self._compiled[number] = re.compile(RULES[number][2])
        some = 0

        def replace(match: re.Match[str]) -> str:
            nonlocal some
            whole = match.group()
            group = 1 if match.re.groups and match.group(1) is not None else 0
            found = match.group(group)
            if MARK in whole or (kind in GUESSED and not _likely(found)) or _hollow(found, kind):
                return whole
            some += 1
            start = match.start(group) - match.start()
            return whole[:start] + self._mark(kind, found) + whole[start + len(found) :]

        return pattern.sub(replace, text), some

    def _mark(self, kind: str, found: str) -> str:
        digest = blake2b(found.encode("utf-8", "replace"), key=self._secret[:64], digest_size=2).hexdigest()
        return f"{MARK}{kind}:{digest}]"


def _may_hold(kind: str, text: str) -> bool:
    """Whether a text that holds a kind's word has what the kind needs beside it."""
    if kind in BESIDE and not any(sign in text for sign in BESIDE[kind]):
        return False
    if kind not in UNBROKEN or len(text) > LONG:
        return True
    return max(map(len, text.split()), default=0) >= UNBROKEN[kind]


def _possible(texts: list[str]) -> Words:
    """The words of rules that stand in any of these texts: each of them need be asked for these only."""
    low = "\n".join(texts).lower()
    return [each for each in WORDS if each[0] in low]


def _texts(value: Any) -> Iterator[str]:
    """Every string of a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _forms(known: Sequence[str]) -> list[str]:
    """The values and how else they are written, longest first, so that none is cut by a shorter one."""
    import binascii

    forms: dict[str, None] = {}
    for value in known:
        if len(value) < SHORTEST_KNOWN:
            continue
        forms[value] = None
        forms[binascii.b2a_base64(value.encode(), newline=False).decode().rstrip("=")] = None
        forms["".join(c if c.isalnum() or c in "-._~" else f"%{ord(c):02X}" for c in value if ord(c) < 256)] = None
        forms[value.replace("\\", "\\\\").replace('"', '\\"')] = None
    return sorted(forms, key=len, reverse=True)


def _bare(value: str) -> bool:
    """Whether the value of a telling member is a secret rather than a sentence, a name or a placeholder."""
    return (
        len(value) >= SHORTEST_KNOWN and not value.startswith(MARK) and " " not in value.strip() and not _hollow(value)
    )


def _hollow(value: str, kind: str = "assignment") -> bool:
    if kind not in HOLLOW_KINDS:
        return False
    low = value.lower()
    return any(word in low for word in HOLLOW) or len(set(low)) < 4


def _likely(value: str) -> bool:
    """Whether an assigned value looks made by a machine: mixed, not a number, not a name or a path."""
    if value.isdigit() or NAME_LIKE.fullmatch(value) or value.startswith(("/", "./", "http", "$", "%", "&", "*")):
        return False
    if not any(c.isdigit() for c in value) and not any(c in "!@#%^*+=?" for c in value[1:]):
        return False
    if any(c in "|=" for c in value[:-2]) and not any(c.isdigit() for c in value):
        return False
    return _entropy(value) >= LEAST_ENTROPY or len(value) < 16


def _entropy(value: str) -> float:
    import math  # few texts need it

    counts = [value.count(c) for c in set(value)]
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
