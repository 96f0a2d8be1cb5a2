"""Backups: a memory in one file, proved by restoring it; and a home made from one."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from session_memory import ids, paths, settings
from session_memory.actions import archive
from session_memory.errors import InvalidInput
from session_memory.log import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_memory.actions.opened import Opened
    from session_memory.paths import Home

    Progress = Callable[[int, int], None]


NOTE, MOST_NOTED = "backups.json", 200  # where they lie: what is forgotten later stands in them all the same


@dataclass
class Backup:
    """A backup that was made or restored: where it lies, its bytes, and the lines of the log that were proved in it."""

    path: str
    bytes: int
    lines: int
    forgotten: int


class Backups:
    """What can be done with them."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def make(self, path: str | None = None, progress: Progress = lambda done, total: None) -> Backup:
        """Write a backup to `path` (a file, or a folder to put it in; default: here). It appears only once it is proved.

        Raises InvalidInput (bad-path, bad-backup), OSError.
        """
        target = _target(path or self._opened.cwd)
        temp = f"{target}.{os.getpid()}.tmp"
        fd = paths.open_file(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            with open(fd, "r+b") as file:
                archive.write(self._opened.home, file, progress)
                file.flush()
                paths.sync_file(file.fileno())
                file.seek(0)
                proof = self._proved(file)
            paths.move(temp, target)
        except BaseException:
            if os.path.lexists(temp):
                os.unlink(temp)
            raise
        _note(self._opened.home, target)
        return Backup(target, os.stat(target).st_size, proof.lines, proof.forgotten)

    def _proved(self, file: Any) -> verify.Report:
        """Restore it to a temporary place and verify that."""
        home = self._opened.home
        with tempfile.TemporaryDirectory(prefix="session-memory-") as folder:
            root = os.path.join(folder, "home")
            archive.read(file, root)
            names = (os.path.relpath(path, home.root) for path in (home.events, home.index))
            report = verify.verify(paths.Home(root, *names))
        here = {str(fault) for fault in verify.verify(home).faults} if report.faults else set()
        worse = [fault for fault in report.faults if str(fault) not in here]  # a damaged line is copied as it is
        if worse:
            raise InvalidInput("bad-backup", f"The backup does not verify: {worse[0]}.", "Run: session-memory doctor")
        return report


def known(home: Home) -> list[str]:
    """The backups of this home that were made on this machine and are still there."""
    try:
        with open(paths.open_file(os.path.join(home.storage, NOTE), os.O_RDONLY), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return []  # none was noted
    return [each for each in found if isinstance(each, str) and os.path.exists(each)] if isinstance(found, list) else []


def _note(home: Home, path: str) -> None:
    kept = [*known(home)[-MOST_NOTED:], path]
    paths.write_whole(os.path.join(home.storage, NOTE), json.dumps(kept, indent=1).encode() + b"\n")


def restore(path: str, root: str, environ: Mapping[str, str] | None = None) -> Backup:
    """Make the home `root` from a backup; `root` must not exist, or be empty. Raises InvalidInput, OSError."""
    if os.path.isdir(root) and os.listdir(root):
        raise InvalidInput(
            "bad-home",
            f"{root} is not empty, and a backup never overwrites.",
            "Move it away first, or restore into another home: --home DIR",
        )
    parent = os.path.dirname(root)
    paths.make_parents(parent)
    temp = os.path.join(parent, f".{os.path.basename(root)}.{os.getpid()}.{ids.now_ms()}.restoring")
    paths.make_dir(temp)
    try:
        with open(path, "rb") as file:
            archive.read(file, temp)
        report = verify.verify(home_at(temp, environ))
    except BaseException:
        _remove(temp)
        raise
    if os.path.isdir(root):
        os.rmdir(root)
    paths.move(temp, root)
    return Backup(path, os.stat(path).st_size, report.lines, report.forgotten)


def home_at(root: str, environ: Mapping[str, str] | None = None) -> Home:
    """The home at a folder, laid out as its own config.json says."""
    found = settings.load(root, environ=environ)
    return paths.Home(root, found.events_file, found.index_file, found.checkpoints_dir, found.handoffs_dir)


def _target(path: str) -> str:
    stamp = ids.at_text(ids.now_ms())[:19].replace(":", "").replace("-", "")
    target = os.path.join(path, f"session-memory-{stamp}.tar.gz") if os.path.isdir(path) else path
    if os.path.lexists(target):
        raise InvalidInput("bad-path", f"{target} exists already.", "Name another file; a backup never overwrites.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(target))):
        raise InvalidInput("bad-path", f"The folder of {target} does not exist.", "Create it first.")
    return os.path.abspath(target)


def _remove(root: str) -> None:
    for place, folders, files in os.walk(root, topdown=False):
        for name in files:
            os.unlink(os.path.join(place, name))
        for name in folders:
            os.rmdir(os.path.join(place, name))
    os.rmdir(root)
