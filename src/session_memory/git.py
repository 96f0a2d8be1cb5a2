"""The only room that asks git: head and remote read from the files by hand, history by a bounded call of the program."""

from __future__ import annotations

import os

from session_memory.settings import child_environment

SECONDS = 5.0  # a call of git may take
REFLOG_BYTES = 32 * 1024  # newest bytes of a reflog that are read
MOST_COMMITS = 300  # whose files are looked at


class Commit:
    """One commit: `sha` short, `at` ms since 1970 (when it was committed)."""

    __slots__ = ("at", "author", "sha", "subject")

    def __init__(self, sha: str, author: str, at: int, subject: str) -> None:
        self.sha = sha
        self.author = author
        self.at = at
        self.subject = subject


class Changes:
    """What changed since a commit. `reason` says why it cannot be told; paths are relative to the checkout's top."""

    __slots__ = ("behind", "commits", "dirty", "files", "more_commits", "reason")

    def __init__(self, reason: str = "") -> None:
        self.commits: list[Commit] = []  # newest first
        self.more_commits = 0
        self.behind = 0  # commits of then that the branch no longer has: rebased, amended, or another branch
        self.files: dict[str, tuple[str, Commit]] = {}  # path -> A, M or D since then; the last commit that touched it
        self.dirty: dict[str, str] = {}  # path (a new folder ends with /) -> letters of git status
        self.reason = reason


def head(cwd: str) -> tuple[str | None, str | None]:
    """Branch and commit of the checkout around `cwd`; None for what is not there (detached, unborn, no repository)."""
    found = _folders(cwd)
    if found is None:
        return None, None
    own, common = found
    text = _read(os.path.join(own, "HEAD"))
    if text is None:
        return None, None
    if not text.startswith("ref: "):
        return None, text or None
    ref = text[5:]
    branch = ref[len("refs/heads/") :] if ref.startswith("refs/heads/") else ref
    commit = _read(os.path.join(own, *ref.split("/"))) or _read(os.path.join(common, *ref.split("/")))
    return branch, commit or _packed(common, ref)


def project_key(cwd: str) -> tuple[str, str]:
    """Key and name of the project `cwd` belongs to.

    `git:host/owner/name` by the remote (origin, else the first), `root:<commit>` by the first commit where there is no
    remote, `dir:<real path>` elsewhere. The same for every worktree, sub-folder and machine of a repository.
    """
    found = _folders(cwd)
    if found is not None:
        common = found[1]
        url = _remote(os.path.join(common, "config"))
        if url:
            return f"git:{url}", url.rsplit("/", 1)[-1]
        top = os.path.dirname(common) if os.path.basename(common) == ".git" else common
        root = first_commit(cwd)
        name = os.path.basename(top).removesuffix(".git") or top
        if root:
            return f"root:{root}", name
        return f"dir:{os.path.realpath(top)}", name
    path = os.path.realpath(cwd)
    return f"dir:{path}", os.path.basename(path) or path


def moves_since(cwd: str, at_ms: int, most: int = 4) -> list[str]:
    """What the reflog of the checkout tells since a time, the newest last: commits, checkouts, merges, resets. No program runs."""
    found = _folders(cwd)
    if found is None:
        return []
    try:
        with open(os.path.join(found[0], "logs", "HEAD"), "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - REFLOG_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []  # git was told to keep no reflog, or nothing was committed yet
    moves = []
    for line in lines:
        head, tab, said = line.partition("\t")
        words = head.split(" ")
        if tab and len(words) > 4 and words[-2].isdigit() and int(words[-2]) * 1000 > at_ms:
            moves.append(f"{words[1][:7]} {said}")
    more = len(moves) - most
    return ([f"{more} earlier moves"] if more > 0 else []) + moves[-most:]


def first_commit(cwd: str) -> str | None:
    """The commit with which the history of the checkout around `cwd` begins; None without one. Runs git."""
    root = _run(cwd, "rev-list", "--max-parents=0", "HEAD")
    return root.split()[-1] if root and root.split() else None


def root(cwd: str) -> str | None:
    """The folder that holds the checkout `cwd` lies in; None where there is none."""
    folder = os.path.realpath(cwd)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def shared_folder(cwd: str) -> str | None:
    """The git folder that all worktrees of the checkout around `cwd` share; None outside of one."""
    found = _folders(cwd)
    return found[1] if found else None


def has_remote(common: str) -> bool:
    """Whether the repository of this git folder names a remote that others could reach."""
    return _remote(os.path.join(common, "config")) is not None


def top(cwd: str) -> str | None:
    """The folder of the checkout around `cwd`; None outside of one, or in a bare repository."""
    folder = os.path.realpath(cwd)
    while not os.path.exists(os.path.join(folder, ".git")):
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)
    return folder


def changes_since(cwd: str, commit: str | None, limit: int = MOST_COMMITS) -> Changes:
    """Commits and files since `commit`, and files not committed now; asks git three times at most."""
    if _folders(cwd) is None:
        return Changes("this folder is no git repository")
    changes = Changes()
    status = _run(cwd, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal")
    changes.dirty = {each[3:]: each[:2].strip() for each in (status or "").split("\0") if len(each) > 3}
    if not commit or not set(commit) <= set("0123456789abcdef"):  # a record's word is never taken for an option
        changes.reason = "no commit was noted then" if status is not None else "git did not answer"
        return changes
    counted = (_run(cwd, "rev-list", "--left-right", "--count", f"{commit}...HEAD", "--") or "").split()
    if len(counted) != 2:
        gone = f"commit {commit[:8]} is not in this checkout (rebased away, or a shallow clone)"
        changes.reason = gone if status is not None else "git did not answer"
        return changes
    changes.behind, count = int(counted[0]), int(counted[1])
    log = _run(
        cwd, "log", "-z", "--name-status", "--no-renames", "--no-show-signature", "--no-ext-diff",
        "--format=%x00%h%x00%aN%x00%ct%x00%s", f"--max-count={limit}", f"{commit}..HEAD", "--",
    ) if count else ""  # fmt: skip
    if log is None:
        changes.reason = f"git did not answer in time; there are {count} commits since {commit[:8]}"
        return changes
    _read_log(log, changes)
    changes.more_commits = max(0, count - len(changes.commits))
    return changes


def _read_log(log: str, changes: Changes) -> None:
    """Take the commits in, newest first: each four fields, then pairs of a letter and a path; an empty field parts them."""
    fields = iter(log.split("\0")[1:])
    oldest: dict[str, str] = {}  # what the first commit that touched a path did to it
    for sha in fields:
        author, at, subject = next(fields, ""), next(fields, ""), next(fields, "")
        if not sha:
            break
        commit = Commit(sha, author, int(at) * 1000 if at.isdigit() else 0, subject)
        changes.commits.append(commit)
        for letter in iter(lambda: next(fields, ""), ""):
            path, oldest_letter = next(fields, ""), letter.strip()[:1]
            changes.files.setdefault(path, (oldest_letter, commit))
            oldest[path] = oldest_letter
    for path, (newest, commit) in list(changes.files.items()):
        if oldest[path] == "A" and newest == "D":
            del changes.files[path]  # came and went
        elif oldest[path] == "A" or newest != "D":
            changes.files[path] = ("A" if oldest[path] == "A" else "M", commit)


def normalised(url: str) -> str | None:
    """A remote URL as `host/owner/name`: https, ssh and scp forms of one repository give the same text; None for a local path."""
    text = url.strip()
    if "://" in text:
        scheme, _, rest = text.partition("://")
        if scheme == "file":
            return None
        place, _, path = rest.partition("/")
    elif ":" in text and "/" not in text.partition(":")[0] and len(text.partition(":")[0]) > 1:
        place, _, path = text.partition(":")
    else:
        return None
    host = place.rpartition("@")[2].lower()
    name, _, port = host.partition(":")
    if port in ("", "22", "443", "80"):
        host = name
    path = path.strip("/").removesuffix(".git").strip("/")
    return f"{host}/{path}" if host and path else None


def _folders(cwd: str) -> tuple[str, str] | None:
    """The checkout's own git folder and the one it shares with its worktrees."""
    folder = os.path.realpath(cwd)
    while True:
        dot = os.path.join(folder, ".git")
        if os.path.isdir(dot):
            return dot, dot
        if os.path.isfile(dot):
            return _linked(folder, dot)
        if os.path.isfile(os.path.join(folder, "HEAD")) and os.path.isdir(os.path.join(folder, "objects")):
            return folder, folder  # a bare repository
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _linked(folder: str, dot: str) -> tuple[str, str] | None:
    text = _read(dot) or ""
    if not text.startswith("gitdir:"):
        return None
    own = os.path.normpath(os.path.join(folder, text[len("gitdir:") :].strip()))
    common = _read(os.path.join(own, "commondir"))
    return own, os.path.normpath(os.path.join(own, common)) if common else own


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None  # absent is an answer: not every ref is a file


def _packed(common: str, ref: str) -> str | None:
    for line in (_read(os.path.join(common, "packed-refs")) or "").splitlines():
        sha, _, name = line.partition(" ")
        if name == ref:
            return sha
    return None


def _remote(config: str) -> str | None:
    """The normalised URL of `origin`, else of the first remote."""
    urls: dict[str, str] = {}
    section = ""
    for line in (_read(config) or "").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section.startswith('[remote "') and text.partition("=")[0].strip() == "url":
            found = normalised(text.partition("=")[2])
            if found:
                urls.setdefault(section[9:].rstrip('"]'), found)
    return urls.get("origin") or next(iter(urls.values()), None)


def _run(cwd: str, *words: str) -> str | None:
    """What git printed; None when it failed, took too long or is not installed."""
    import subprocess

    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager", *words]
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False,
            env=child_environment(quiet),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
