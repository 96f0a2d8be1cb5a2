"""A regular expression that is compiled when it is first used: a hook is a new process every time and needs few of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, AnyStr

METHODS = ("match", "fullmatch", "search", "sub", "findall", "finditer")


class _Later:
    """Stands for the compiled expression and, once asked for anything, has its methods."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(name)
        import re  # not before an expression is asked: most hooks ask none

        compiled = re.compile(self._pattern, self._flags)
        for each in METHODS:
            setattr(self, each, getattr(compiled, each))
        return getattr(compiled, name)


def later(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The expression, as `re.compile` gives it; an error in it shows at its first use, so tests use them all."""
    return _Later(pattern, flags)  # type: ignore[return-value]  # it has the methods that are used
