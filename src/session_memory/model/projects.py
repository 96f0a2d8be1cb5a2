"""Which project keys mean one project: what was said about each key, followed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    When = tuple[int, str]  # clock and id of the record that says so
    Said = Mapping[str, tuple[str | None, When]]  # key -> the key it belongs to (None: taken back), said last when

ALIAS, UNALIAS = "alias", "unalias"  # the two things a `project` record can say


def whole(key: str, said: Said) -> str:
    """The key that stands for all that mean the same project as `key`.

    Where two devices said opposite things (A is B, B is A), the last word of that circle names it: the answer depends on
    what was said only, never on the order in which it came in.
    """
    path = [key]
    while True:
        target = said[path[-1]][0] if path[-1] in said else None
        if target is None:
            return path[-1]
        if target in path:
            circle = path[path.index(target) :]
            last = max(circle, key=lambda each: said[each][1])
            return said[last][0] or last
        path.append(target)
