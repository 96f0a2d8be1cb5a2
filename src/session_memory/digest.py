"""SHA-256 and BLAKE2b as Python itself brings them: loading OpenSSL for the same sums takes longer than the rest of a hook."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        try:
            from _sha2 import sha256  # Python 3.12 and later
        except ImportError:
            from _sha256 import sha256
    except ImportError:  # another Python, or one that was built without its own
        from hashlib import blake2b, sha256

__all__ = ["blake2b", "sha256"]
