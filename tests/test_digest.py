"""The sums are those of the library, whichever module they come from, and hooks do not load OpenSSL for them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from session_memory import digest

SRC = Path(__file__).resolve().parent.parent / "src"


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=64), st.integers(1, 64))
def test_sums_are_the_librarys(content: bytes, key: bytes, size: int) -> None:
    assert digest.sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()
    ours, theirs = (each(content, key=key, digest_size=size).hexdigest() for each in (digest.blake2b, hashlib.blake2b))
    assert ours == theirs


def test_a_python_without_its_own_modules_uses_the_library() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('_sha2', '_sha256')))\n"
        f"sys.path.insert(0, {str(SRC)!r})\n"
        "from session_memory import digest; print(digest.sha256(b'x').hexdigest())"
    )
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == hashlib.sha256(b"x").hexdigest()


def test_it_does_not_load_openssl() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r})\n"
        "from session_memory.log import journal; print('_hashlib' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"
