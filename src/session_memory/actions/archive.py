"""A copy of everything a memory cannot make again, in one file; it may be taken while others write.

The file is a gzipped tar. Of the log it holds each part up to its last whole line at the moment of copying, so a prefix
of what was recorded; long bodies are copied after the lines that name them. Index, brief and locks are left out: they
are made again. The spool is copied first: what is merged meanwhile then stands in both places and counts once.
"""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from typing import TYPE_CHECKING

from session_memory import paths
from session_memory.errors import InvalidInput
from session_memory.log import reader, spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from session_memory.paths import Home

    Progress = Callable[[int, int], None]

COMPRESSION = 1  # text shrinks to a fifth even so, at the speed of a disk
LEFT_OUT = (".tmp", ".lock")


def write(home: Home, file: BinaryIO, progress: Progress = lambda done, total: None) -> int:
    """Write the archive; returns the bytes of the log in it. Raises OSError."""
    done = 0
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION) as archive:
        for name in spool.names(home):
            _add_file(archive, home, os.path.join(home.spool, name))
        with reader.Logs(home) as logs:
            total = sum(log.size for log in logs)
            for log in logs:
                for part in log.parts:
                    size = part.size if part is not log.parts[-1] else _whole(part)
                    _add(
                        archive, _inside(home, os.path.join(home.storage, *part.name.split("/"))), _Range(part.fd, size)
                    )
                    done += size
                    progress(done, total)
        for path in _others(home):
            _add_file(archive, home, path)
    return done


def read(file: BinaryIO, root: str) -> list[str]:
    """Put an archive's files below `root`, an empty folder; returns their names. Raises InvalidInput (bad-backup), OSError."""
    names = []
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise InvalidInput("bad-backup", f"The backup holds {member.name[:80]!r}, which is no file.")
                target = paths.inside(root, member.name)
                paths.make_dir(os.path.dirname(target))
                fd = paths.open_file(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
                try:
                    while chunk := content.read(1 << 20):
                        paths.write_all(fd, chunk)
                    paths.sync_file(fd)
                finally:
                    os.close(fd)
                names.append(member.name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise InvalidInput("bad-backup", f"The backup cannot be read ({error}).", "Use another one.") from error
    for folder, _folders, _files in os.walk(root):
        paths.sync_dir(folder)
    return names


class _Range(io.RawIOBase):
    """The first `size` bytes of an open file, whatever is added meanwhile."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.size = size
        self._at = 0

    def read(self, count: int = -1) -> bytes:
        left = self.size - self._at
        chunk = paths.read_at(self._fd, left if count < 0 else min(count, left), self._at)
        self._at += len(chunk)
        return chunk


def _add(archive: tarfile.TarFile, name: str, content: _Range) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = content.size, 0o600
    archive.addfile(member, content)


def _add_file(archive: tarfile.TarFile, home: Home, path: str) -> None:
    try:
        fd = paths.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # merged, rolled or forgotten since it was listed
    try:
        _add(archive, _inside(home, path), _Range(fd, os.fstat(fd).st_size))
    finally:
        os.close(fd)


def _whole(part: reader.Part) -> int:
    """Bytes up to the end of the last whole line."""
    at = part.size
    while at > 0:
        start = max(0, at - reader.CHUNK)
        newline = paths.read_at(part.fd, at - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0


def _others(home: Home) -> Iterator[str]:
    """Everything else that cannot be made again."""
    yield from (home.config, home.trusted, home.paused, home.secret, home.origin, home.forgotten)
    for folder in (home.blobs, home.predecessor, home.plugins, home.handoffs, home.checkpoints):
        for place, _folders, files in os.walk(folder):
            for name in sorted(files):
                if not name.endswith((*LEFT_OUT, ".pyc")):
                    yield os.path.join(place, name)


def _inside(home: Home, path: str) -> str:
    return os.path.relpath(path, home.root).replace(os.sep, "/")
