"""The only room that asks git: head and remote read from the files by hand, history by a bounded call of the program."""

from __future__ import annotations

import os

from session_memory.settings import child_environment

SECONDS = 5.0  # a call of git may take
MOST_FILES = 40


class Changes:
    """What changed since a commit. `reason` says why nothing can be told; then the lists are empty."""

    __slots__ = ("commits", "dirty", "files", "more_commits", "more_files", "reason")

    def __init__(self, reason: str = "") -> None:
        self.commits: list[tuple[str, str]] = []  # short hash, subject; newest first
        self.more_commits = 0
        self.files: list[tuple[str, str]] = []  # status letter, path: committed since
        self.more_files = 0
        self.dirty: list[tuple[str, str]] = []  # status letter, path: not committed now
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
        root = _run(cwd, "rev-list", "--max-parents=0", "HEAD")
        name = os.path.basename(top).removesuffix(".git") or top
        if root:
            return f"root:{root.split()[-1]}", name
        return f"dir:{os.path.realpath(top)}", name
    path = os.path.realpath(cwd)
    return f"dir:{path}", os.path.basename(path) or path


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


def changes_since(cwd: str, commit: str | None, limit: int = 20) -> Changes:
    """Commits and files since `commit`, and files not committed now."""
    if _folders(cwd) is None:
        return Changes("this folder is no git repository")
    changes = Changes()
    status = _run(cwd, "status", "--porcelain", "--untracked-files=normal")
    if status is None:
        return Changes("git did not answer")
    changes.dirty = [(line[:2].strip() or "?", line[3:]) for line in status.splitlines()[:MOST_FILES]]
    if not commit:
        changes.reason = "no commit was noted then"
        return changes
    log = _run(cwd, "log", "--format=%h%x09%s", f"--max-count={limit + 1}", f"{commit}..HEAD", "--")
    if log is None:
        changes.reason = f"commit {commit[:8]} is not in this checkout any more"
        return changes
    commits = [tuple(line.split("\t", 1)) for line in log.splitlines() if "\t" in line]
    changes.commits = [(sha, subject) for sha, subject in commits[:limit]]
    if len(commits) > limit:
        count = _run(cwd, "rev-list", "--count", f"{commit}..HEAD", "--")
        changes.more_commits = int(count) - limit if count and count.strip().isdigit() else 1
    files = (_run(cwd, "diff", "--name-status", commit, "HEAD", "--") or "").splitlines() if commits else []
    named = [tuple(line.split("\t", 1)) for line in files if "\t" in line]
    changes.files = [(letter, path) for letter, path in named[:MOST_FILES]]
    changes.more_files = max(0, len(named) - MOST_FILES)
    return changes


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

    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--no-pager", *words]
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False,
            env=child_environment(quiet),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
