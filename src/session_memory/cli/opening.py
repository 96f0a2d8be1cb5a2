"""How commands open the memory: for the folder they run in, as the client `cli`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from session_memory import paths
from session_memory.memory import Memory

if TYPE_CHECKING:
    import argparse


def open_memory(args: argparse.Namespace) -> Memory:
    """The memory of `--home` (or the usual one). Raises what `Memory` raises.

    A home that was named and is not there is made, as a new user needs it, but never without a word: it may be a slip.
    """
    home = getattr(args, "home", None)
    new = home is not None and not os.path.isdir(paths.home_root(home, None))
    memory = Memory(home, client="cli")
    if new:
        sys.stderr.write(f"A new, empty memory was made: {memory.opened.home.root}\n")
    return memory
