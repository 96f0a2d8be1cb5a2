"""One writer at a time: an advisory lock on a file, with a deadline, gone with the process that held it."""

from __future__ import annotations

import errno
import os

from session_memory import ids, paths
from session_memory.errors import LogUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # some network drives

try:
    import fcntl

    def _try(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in NO_LOCKS:
                raise LogUnavailable(
                    "log-unlockable",
                    f"The home's file system cannot lock files ({error.strerror}).",
                    "Put the home on a local disk (--home or SESSION_MEMORY_HOME).",
                ) from error
            raise
        return True

except ImportError:  # pragma: no cover  # Windows: a lock on the first byte does the same
    import msvcrt

    def _try(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # exists on Windows only
        except OSError:
            return False
        return True


def _release(fd: int) -> None:
    """Close the lock file, which lets it go."""
    try:  # noqa: SIM105  # contextlib would cost every hook its import
        os.close(fd)
    except OSError:
        pass  # it is let go whatever close says, and nothing was ever written through it


FIRST_WAIT, LONGEST_WAIT = 0.0002, 0.005  # seconds between tries: short, so that no waiter starves


class Lock:
    """A context manager. Raises LogUnavailable: log-busy when `deadline` seconds pass, log-unwritable without access,
    log-unlockable where the file system has no locks."""

    __slots__ = ("_deadline", "_fd", "_path")

    def __init__(self, path: str, deadline: float) -> None:
        self._path = path
        self._deadline = deadline
        self._fd = -1

    def __enter__(self) -> Lock:
        try:
            fd = paths.open_file(self._path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise LogUnavailable(
                "log-unwritable",
                f"The lock file {os.path.basename(self._path)} cannot be opened ({error.strerror}).",
                "Check that the home folder exists and is writable.",
            ) from error
        try:
            self._wait(fd)
        except BaseException:
            _release(fd)
            raise
        self._fd = fd
        return self

    def _wait(self, fd: int) -> None:
        end, wait = ids.monotonic() + self._deadline, FIRST_WAIT
        while not _try(fd):
            if ids.monotonic() >= end:
                raise LogUnavailable(
                    "log-busy",
                    f"Another process held {os.path.basename(self._path)} for more than {self._deadline:g} s.",
                    "Try again; if it goes on, look for a stopped session-memory process.",
                )
            ids.pause(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fd, self._fd = self._fd, -1
        _release(fd)


class Holder:
    """The process that holds a lock: its id, its name, and whether it is stopped (SIGSTOP, Ctrl-Z, a debugger)."""

    __slots__ = ("name", "pid", "stopped")

    def __init__(self, pid: int, name: str, *, stopped: bool) -> None:
        self.pid = pid
        self.name = name
        self.stopped = stopped


def holder(path: str) -> Holder | None:
    """Who holds the lock at `path`, where the system tells (Linux); None when nobody does or it does not tell."""
    try:
        inode = os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii", errors="replace") as file:
            rows = [line.split() for line in file if " FLOCK " in line and "->" not in line]
        pid = next((int(row[4]) for row in rows if row[5].rpartition(":")[2] == str(inode)), 0)
        if pid <= 0:
            return None
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            told = file.read()
    except OSError:
        return None
    name, _bracket, rest = told.partition("(")[2].rpartition(")")
    return Holder(pid, name, stopped=rest.split()[0] in ("T", "t"))
