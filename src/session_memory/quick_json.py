"""JSON through the interpreter's own reader and writer: the library's module loads regular expressions first, which takes a hook
longer than all that it does.

What it gives and raises is what `json` gives and raises: whatever the short way cannot do at once, `json` does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SPACE = " \t\n\r"


class _Plain:
    """How `json.loads` reads when it is told nothing else."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__


_scan: Any = None  # None: another Python, and `json` does all


def _refuse(value: object) -> Any:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


try:
    from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

    _scan = make_scanner(_Plain)  # type: ignore[arg-type]  # whatever has these members
except (ImportError, AttributeError, TypeError):
    pass


def loads(text: str | bytes) -> Any:
    """As `json.loads`. Raises ValueError, RecursionError."""
    if _scan is not None:
        try:
            given = text if isinstance(text, str) else text.decode("utf-8")
            start = len(given) - len(given.lstrip(SPACE))
            value, end = _scan(given, start)
            if end == len(given) or not given[end:].strip(SPACE):
                return value
        except (
            StopIteration,
            ValueError,
            SystemError,
        ):  # the last: the reader takes its error from a `json` that is loaded
            pass  # `json` says what is wrong, or knows another encoding
    import json

    return json.loads(text)


def dumps(value: Any, *, ascii: bool = True, compact: bool = False, nan: bool = False) -> str:  # the word for it
    """As `json.dumps`; ascii: escape everything else. compact: no spaces. nan: write what no other language reads, too.

    Raises ValueError, TypeError.
    """
    item, key = (",", ":") if compact else (", ", ": ")
    if _scan is not None:
        text = encode_basestring_ascii if ascii else encode_basestring
        encoder = make_encoder({}, _refuse, text, None, key, item, False, False, nan)
        return "".join(encoder(value, 0))
    import json

    return json.dumps(value, ensure_ascii=ascii, separators=(item, key), allow_nan=nan)
