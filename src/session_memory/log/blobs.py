"""Bodies too long for a line: one file each, named by the hash of salt and content, written before the line that names it.

A blob file is 16 random bytes and the content (ADR 0001): its name confirms no guess about what it holds, and no two
records share one. The line's body is then `{"salt":…,"blob":{"sha":…,"bytes":…}}`.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.digest import sha256
from session_memory.errors import LogUnavailable
from session_memory.model.pattern import later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

SALT_BYTES = 16
NAME = later(r"[0-9a-f]{64}")


def write(home: Home, content: bytes) -> str:
    """Keep `content`; returns the name (64 hex digits). On disk, with its name, before this returns. Raises OSError."""
    paths.make_dir(home.blobs)
    salted = os.urandom(SALT_BYTES) + content
    name = sha256(salted).hexdigest()
    paths.write_whole(os.path.join(home.blobs, name), salted)
    return name


def read(home: Home, name: str) -> bytes:
    """The content. Raises LogUnavailable (log-damaged) when the file is gone or is not what was written."""
    path = os.path.join(home.blobs, paths.safe_name(name, 64))
    try:
        fd = paths.open_file(path, os.O_RDONLY)
    except OSError as error:
        raise LogUnavailable("log-damaged", f"The long body {name[:12]}… is missing ({error.strerror}).") from error
    with open(fd, "rb") as file:
        salted = file.read()
    if sha256(salted).hexdigest() != name:
        raise LogUnavailable("log-damaged", f"The long body {name[:12]}… was changed on disk.")
    return salted[SALT_BYTES:]


def unnamed(home: Home, named: set[str], older_than_ms: int) -> list[str]:
    """Blob files that no line names, last changed before `older_than_ms`: their writer died before its line."""
    try:
        names = os.listdir(home.blobs)
    except FileNotFoundError:
        return []
    found = []
    for name in sorted(set(names) - named):
        path = os.path.join(home.blobs, name)
        if NAME.fullmatch(name) and os.lstat(path).st_mtime * 1000 < older_than_ms:
            found.append(path)
    return found
