"""Runs the product's hook of this name; small, because Python compiles the file that it is told to run at every start."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src"))
sys.modules["_hashlib"] = (
    None  # Python's own SHA-256 gives the same sums; loading OpenSSL for it takes longer than the hook
)
try:
    import hashlib

    hashlib.sha256  # noqa: B018  # a Python built without its own has OpenSSL only
except (AttributeError, ImportError):
    sys.modules.pop("_hashlib")
    sys.modules.pop("hashlib", None)

from session_memory.hooks import record

record.main()
os._exit(0)  # nothing is left to be done, and taking an interpreter down in order costs as much as all of the above
