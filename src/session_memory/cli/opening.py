"""How commands open the memory: for the folder they run in, as the client `cli`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_memory.memory import Memory

if TYPE_CHECKING:
    import argparse


def open_memory(args: argparse.Namespace) -> Memory:
    """The memory of `--home` (or the usual one). Raises what `Memory` raises."""
    return Memory(getattr(args, "home", None), client="cli")
