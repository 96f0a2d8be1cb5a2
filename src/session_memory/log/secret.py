"""The home's secret: what texts are hashed with where a plain hash could be guessed back after they are forgotten.

A home that joins others takes their secret over, and keeps its own behind it in the same file, one a line: what it banned
before stays banned, and what it wrote before is known again.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.digest import blake2b
from session_memory.model.values import clean_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

BYTES = 32


def load(home: Home) -> bytes:
    """The secret's 32 bytes; made at the first call, mode 0600. Raises OSError."""
    try:
        return _read(home.secret)
    except FileNotFoundError:
        _make(home.secret)
        return _read(home.secret)


def older(home: Home) -> list[bytes]:
    """Secrets that were this home's before, or came with the present one. Raises OSError."""
    try:
        fd = paths.open_file(home.secret, os.O_RDONLY)
    except FileNotFoundError:
        return []
    with open(fd, "rb") as file:
        lines = file.read().decode("ascii").split()
    return [bytes.fromhex(each) for each in lines[1:]]


def adopt(home: Home, secrets: list[bytes]) -> None:
    """Make the first of these the home's secret; the others and those that the home has are kept behind it. Raises OSError."""
    every = [*secrets, load(home), *older(home)]
    paths.write_whole(home.secret, "\n".join(dict.fromkeys(each.hex() for each in every)).encode("ascii"))


def keyed(secret: bytes, text: str) -> str:
    """BLAKE2b-128 of `text` keyed with the secret: 32 hex digits."""
    return blake2b(clean_text(text).encode("utf-8"), key=secret, digest_size=16).hexdigest()


def _read(path: str) -> bytes:
    fd = paths.open_file(path, os.O_RDONLY)
    try:
        return bytes.fromhex(os.read(fd, 2 * BYTES).decode("ascii"))
    finally:
        os.close(fd)


def _make(path: str) -> None:
    """Whole or not at all, and the first of several makers wins: a link, unlike a rename, never replaces."""
    temp = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    fd = paths.open_file(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        paths.write_all(fd, os.urandom(BYTES).hex().encode("ascii"))
        paths.sync_file(fd)
    finally:
        os.close(fd)
    try:
        os.link(temp, path)
    except FileExistsError:
        pass  # another process was first: its secret is the home's
    finally:
        os.unlink(temp)
    paths.sync_dir(os.path.dirname(path))
