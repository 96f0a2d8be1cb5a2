"""What a document may cost: bytes, characters, pages, memory and time; and how a reader says no."""

from __future__ import annotations

MOST_BYTES = 25_000_000  # of a file
MOST_PLAIN_BYTES = 10_000_000  # of a file that is text already
MOST_TEXT = 5_000_000  # characters of what is read out of it
MOST_PAGES = 2_000
MOST_MEMORY = 400_000_000  # address space of the child, most of it the interpreter and its libraries
MOST_CPU_SECONDS = 120
STALLED_SECONDS = 20.0  # without a page read


class RefusedError(Exception):
    """A reader does not read on: the code, what is wrong and what to do, as errors.py has them."""

    def __init__(self, code: str, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.fix = fix
