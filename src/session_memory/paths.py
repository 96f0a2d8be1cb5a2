"""The only room that makes paths and opens our files: private (0700, 0600), never through a symbolic link.

Standard library only and light (no pathlib): the hooks import it.
"""

from __future__ import annotations

import errno
import os
import stat

from session_memory.errors import InvalidInput

NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
DEFAULT_HOME = "~/.claude/session-memory"


class Home:
    """Where everything of one memory lies. All members are absolute paths as strings.

    The four relative names come from config.json and have been checked by `inside`.
    """

    __slots__ = (
        "blobs", "brief", "checkpoints", "clients", "clock", "config", "events", "forgotten", "golden", "gone", "handoffs",
        "hook_log", "index", "index_lock", "next", "origin", "origins", "paused", "plugins", "predecessor", "root", "secret",
        "segments", "spool", "storage", "store_lock", "sync_key", "sync_lock", "sync_state", "torn", "trusted", "vectors",
        "vectors_lock",
    )  # fmt: skip

    def __init__(
        self,
        root: str,
        events_file: str = "storage/events.jsonl",
        index_file: str = "storage/index.sqlite",
        checkpoints_dir: str = "storage/checkpoints",
        handoffs_dir: str = "handoffs",
    ) -> None:
        self.root = root
        self.config = os.path.join(root, "config.json")
        self.plugins = os.path.join(root, "plugins")
        self.trusted = os.path.join(root, "trusted.json")
        self.paused = os.path.join(root, "paused.json")
        self.hook_log = os.path.join(root, "hook.log")
        self.events = inside(root, events_file)
        self.storage = os.path.dirname(self.events)
        self.segments = os.path.join(self.storage, "segments")
        self.origins = os.path.join(self.storage, "origins")
        self.origin = os.path.join(self.storage, "origin.json")
        self.next = os.path.join(self.storage, "next.jsonl")
        self.clock = os.path.join(self.storage, "clock")
        self.forgotten = os.path.join(self.storage, "forgotten.json")
        self.gone = os.path.join(self.storage, "blobs.gone")
        self.predecessor = os.path.join(self.storage, "predecessor")
        self.clients = os.path.join(self.storage, "clients")
        self.blobs = os.path.join(self.storage, "blobs")
        self.spool = os.path.join(self.storage, "spool")
        self.torn = os.path.join(self.storage, "events.torn")
        self.secret = os.path.join(self.storage, "secret")
        self.sync_key = os.path.join(self.storage, "sync.key")
        self.sync_state = os.path.join(self.storage, "sync.json")
        self.sync_lock = os.path.join(self.storage, "sync.lock")
        self.store_lock = os.path.join(self.storage, "store.lock")
        self.index = inside(root, index_file)
        self.index_lock = os.path.join(self.storage, "index.lock")
        self.vectors = os.path.join(self.storage, "vectors.sqlite")
        self.golden = os.path.join(self.storage, "golden.json")
        self.vectors_lock = os.path.join(self.storage, "vectors.lock")
        self.brief = os.path.join(self.storage, "brief")
        self.checkpoints = inside(root, checkpoints_dir)
        self.handoffs = inside(root, handoffs_dir)

    def brief_of(self, project: str) -> str:
        """The brief's file of a project: named for people, and by a hash that keeps like-named projects apart."""
        from session_memory.digest import sha256

        return os.path.join(self.brief, f"{safe_name(project, 40)}-{sha256(project.encode()).hexdigest()[:12]}.json")


def home_root(given: str | None, environment: str | None) -> str:
    """The home folder: `--home`, else SESSION_MEMORY_HOME, else `~/.claude/session-memory`, absolute."""
    return os.path.abspath(os.path.expanduser(given or environment or DEFAULT_HOME))


def inside(root: str, relative: str) -> str:
    """`root/relative`, refused when it is absolute, empty or climbs out (`..`). Raises InvalidInput."""
    parts = relative.replace("\\", "/").split("/")
    if not relative.strip() or os.path.isabs(relative) or ".." in parts or "\0" in relative:
        raise InvalidInput(
            "bad-path", f"{relative!r} does not stay inside the home folder.", "Use a relative path without '..'."
        )
    return os.path.join(root, *[p for p in parts if p not in ("", ".")])


def linked(root: str, relative: str) -> str:
    """The first folder on the way from `root` to `root/relative` that is a symbolic link; "" when there is none."""
    path = root
    for part in relative.replace("\\", "/").split("/"):
        path = os.path.join(path, part)
        if os.path.islink(path):
            return os.path.relpath(path, root)
    return ""


def make_dir(path: str) -> None:
    """Create a private folder (and its parents), so that they survive power loss; refuse a symbolic link or another
    owner's. Raises InvalidInput (bad-home), OSError."""
    if not os.path.isdir(path):
        _make(path)
    check_private(path)


def make_parents(path: str) -> None:
    """Create a folder and its parents if they are missing; one that is there may be anybody's. Raises OSError."""
    if not os.path.isdir(path):
        _make(path)


def _make(path: str) -> None:
    parent = os.path.dirname(path)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return  # another process was first
    except FileNotFoundError:
        if parent == path:
            raise
        _make(parent)
        _make(path)
        return
    sync_dir(parent)


def check_private(path: str) -> None:
    """Refuse a folder that is a link, belongs to someone else or that others may write. Raises InvalidInput."""
    state = os.lstat(path)
    if stat.S_ISLNK(state.st_mode):
        raise InvalidInput("bad-home", f"{path} is a symbolic link.", "Point the home at the real folder.")
    if not hasattr(os, "getuid"):
        return
    if state.st_uid != os.getuid():
        raise InvalidInput("bad-home", f"{path} belongs to another user.", "Choose a home of your own (--home).")
    if state.st_mode & 0o022:
        raise InvalidInput("bad-home", f"Others may write to {path}.", f"Run: chmod 700 {path}")
    if state.st_mode & 0o077:
        os.chmod(path, 0o700)  # readable by others is tightened, not refused: nothing can have been planted


def open_file(path: str, flags: int) -> int:
    """Open one of our files with mode 0600, never through a symbolic link; returns a descriptor."""
    return os.open(path, flags | NOFOLLOW, 0o600)


def sync_dir(path: str) -> None:
    """Make a created, renamed or removed name in `path` survive power loss."""
    if os.name == "nt":
        return  # Windows has no descriptor for a folder; its rename is journalled
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))  # a parent of the home may well be a link
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(fd: int) -> None:
    """The platform's strongest flush: F_FULLFSYNC on macOS, fsync elsewhere."""
    try:
        import fcntl

        full = getattr(fcntl, "F_FULLFSYNC", None)
    except ImportError:
        full = None
    if full is None:
        os.fsync(fd)
    else:
        fcntl.fcntl(fd, full)


def write_whole(path: str, content: bytes, *, lasting: bool = True) -> None:
    """Replace a file so that a crash leaves the old one or the new one, whole: temp, fsync, rename, fsync of the folder.

    lasting: whether it must survive power loss; what describes running processes need not, and a flush takes long.
    """
    folder, name = os.path.split(path)
    temp = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    fd = open_file(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            write_all(fd, content)
            if lasting:
                sync_file(fd)
        finally:
            os.close(fd)
        os.replace(temp, path)
    except BaseException:
        if os.path.lexists(temp):
            os.unlink(temp)
        raise
    if lasting:
        sync_dir(folder)


def move(source: str, target: str) -> None:
    """Give a file or folder another name, so that the change survives power loss; never over an existing one.

    Only under the store lock: between the look and the rename nobody else may make `target`. Raises OSError.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.replace(source, target)
    sync_dir(os.path.dirname(target))
    if os.path.dirname(source) != os.path.dirname(target):
        sync_dir(os.path.dirname(source))


def make_private(path: str) -> None:
    """Close a file or folder of ours to everybody else. Raises OSError."""
    os.chmod(path, 0o700 if os.path.isdir(path) else 0o600)


def read_at(fd: int, count: int, offset: int) -> bytes:
    """Up to `count` bytes from `offset`, wherever the descriptor stands. Raises OSError."""
    if hasattr(os, "pread"):
        return os.pread(fd, count, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, count)


def add_line(path: str, line: bytes, most: int) -> None:
    """Add a line to a file that keeps only its newer half once it has more than `most` bytes. Raises OSError."""
    fd = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        write_all(fd, line)
        size = os.fstat(fd).st_size
        rest = read_at(fd, most // 2, size - most // 2) if size > most else b""
    finally:
        os.close(fd)
    if rest:
        write_whole(path, rest.partition(b"\n")[2])


def write_all(fd: int, content: bytes) -> None:
    """Write every byte; os.write may take fewer. Raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def safe_name(text: str, limit: int = 60) -> str:
    """A label as part of a file name: letters, digits, dot, dash and underscore; never a path, never hidden, never empty."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-.")[:limit].strip("-.") or "unnamed"
