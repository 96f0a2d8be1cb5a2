"""JSON values that every reader understands the same way: what a body is turned into before it is hashed and written.

Python, jq and orjson disagree on lone surrogates, huge integers, NaN and deep nesting; a log outlives its writer,
so the writer settles these (the rules stand in docs/adr/0001-line-format.md).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 62
MAX_INTEGER = 1 << 53  # beyond it a double, and so jq and JavaScript, rounds
TOO_DEEP = "[left out: nested deeper than 62]"


def canonical(value: Any, depth: int = 0) -> Any:
    """`value` with only strings, finite numbers, booleans, None, lists and string-keyed dicts, at most 62 deep.

    Tuples and sets become lists; anything else becomes its text. Raises nothing.
    """
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -MAX_INTEGER < value < MAX_INTEGER else _big(value)
    if kind is float:
        return value if value - value == 0 else str(value)  # NaN and infinities differ from themselves here
    if depth >= MAX_DEPTH and isinstance(value, (dict, list, tuple, set, frozenset)):
        return TOO_DEEP
    if isinstance(value, dict):
        return {clean_text(k if type(k) is str else str(k)): canonical(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(v, depth + 1) for v in value]
    if isinstance(value, (set, frozenset)):
        return [canonical(v, depth + 1) for v in sorted(value, key=str)]
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, int):
        return canonical(int(value))
    if isinstance(value, float):
        return canonical(float(value))
    return clean_text(str(value))


def _big(value: int) -> str:
    # Python refuses to print integers of more than 4,300 digits, and printing them takes quadratic time
    return hex(value) if value.bit_length() > 4096 else str(value)


def clean_text(text: str) -> str:
    """`text` with split surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
