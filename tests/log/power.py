"""Power loss on paper: what was written and flushed is recorded call by call, and every disk that may be left is made for real.

The disk is a strict one: flushing a file makes its bytes safe but not its name; names are safe once their folder was
flushed; of what came later any beginning may be there, the last write torn or as zeros; with `holes` also any part of it.
A rename is one change (as in journalling file systems).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

Op = tuple[Any, ...]
CALLS = ("open", "write", "fsync", "replace", "mkdir", "unlink", "ftruncate", "link")


class Recorder:
    """The operations of one process below `root`, in order: a `decide` for `calls.watched`."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.ops: list[Op] = []
        self._fds: dict[int, tuple[str, str, int]] = {}  # descriptor -> ("file" or "folder", path, number of the file)
        self._files: dict[str, int] = {}  # path -> number of the file that bears it
        self._count = 0

    def acknowledged(self, record: str, *, stated: bool) -> None:
        self.ops.append(("told", record, stated))

    def __call__(
        self, number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]
    ) -> Any:
        if name == "open":
            return self._open(real, *words)
        if name == "write":
            return self._write(real, *words)
        result = real(*words, **more)
        if name in ("fsync", "ftruncate"):
            held = self._fds.get(words[0])
            if held is not None and held[0] == "folder":
                self.ops.append(("flush folder", held[1]))
            elif held is not None:
                self.ops.append(("flush", held[2]) if name == "fsync" else ("cut", held[2], words[1]))
        elif name in ("replace", "link"):
            self.ops.append((name, words[0], words[1], self._files.get(words[0])))
            self._renamed(name, words[0], words[1])
        elif name == "mkdir":
            self.ops.append(("mkdir", words[0]))
        elif name == "unlink":
            self._files.pop(words[0], None)
            self.ops.append(("unlink", words[0]))
        return result

    def _renamed(self, name: str, source: str, target: str) -> None:
        moved = {path: file for path, file in self._files.items() if path == source or path.startswith(source + os.sep)}
        for path, file in moved.items():
            if name == "replace":
                del self._files[path]
            self._files[target + path[len(source) :]] = file

    def _open(self, real: Callable[..., int], path: str, flags: int, mode: int = 0o777) -> int:
        there = os.path.lexists(path)
        fd = real(path, flags, mode)
        if path.startswith(self.root):
            if os.path.isdir(path):
                self._fds[fd] = ("folder", path, 0)
            else:
                if not there:
                    self._count += 1
                    self._files[path] = self._count
                    self.ops.append(("create", path, self._count))
                self._fds[fd] = ("file", path, self._files[path])
        else:
            self._fds.pop(fd, None)
        return fd

    def _write(self, real: Callable[..., int], fd: int, content: Any) -> int:
        held = self._fds.get(fd)
        at = 0 if held is None else max(os.lseek(fd, 0, os.SEEK_CUR), os.fstat(fd).st_size if "torn" in held[1] else 0)
        done = real(fd, content)
        if held is not None and held[0] == "file":
            self.ops.append(("write", held[2], at, bytes(content[:done])))
        return done


class Disk:
    """What may be left after the first `until` operations."""

    def __init__(self, ops: list[Op], until: int) -> None:
        self.files: dict[int, tuple[bytes, list[Op]]] = {}  # number -> (safe content, what came after)
        self.names: list[tuple[bool, str, Op]] = []  # (safe, folder, change)
        self.stated: set[str] = set()
        self.told: set[str] = set()
        for op in ops[:until]:
            self._take(op)

    def _take(self, op: Op) -> None:
        kind = op[0]
        if kind == "told":
            self.told.add(op[1])
            if op[2]:
                self.stated.add(op[1])
        elif kind in ("write", "cut"):
            self.files[op[1]][1].append(op)
        elif kind == "flush":
            safe, later = self.files[op[1]]
            self.files[op[1]] = (_applied(safe, later), [])
        elif kind == "flush folder":
            self.names = [(safe or folder == op[1] or _touches(change, op[1]), folder, change)
                          for safe, folder, change in self.names]  # fmt: skip
        else:
            if kind == "create":
                self.files[op[2]] = (b"", [])
            self.names.append((False, os.path.dirname(op[2] if kind in ("replace", "link") else op[1]), op))

    def left(self, chance: random.Random, *, holes: bool) -> dict[str, bytes | None]:
        """One disk: path -> content, None for a folder."""
        tree: dict[str, int | None] = {}
        cut: dict[str, int] = {}  # folder -> how many of its unsafe changes are there
        for folder in {folder for safe, folder, _change in self.names if not safe}:
            unsafe = sum(1 for safe, place, _change in self.names if place == folder and not safe)
            cut[folder] = chance.choice([0, unsafe, chance.randint(0, unsafe)])
        for safe, folder, change in self.names:
            if not safe:
                if cut[folder] == 0:
                    continue
                cut[folder] -= 1
            _rename(tree, change)
        contents = {number: self._content(number, chance, holes=holes) for number in self.files}
        return {path: None if number is None else contents[number] for path, number in tree.items()}

    def _content(self, number: int, chance: random.Random, *, holes: bool) -> bytes:
        safe, later = self.files[number]
        if not later:
            return safe
        if holes:
            return _applied(safe, [op for op in later if chance.random() < 0.7])
        count = chance.choice([0, len(later), chance.randint(0, len(later))])
        result = _applied(safe, later[:count])
        if count < len(later) and later[count][0] == "write" and chance.random() < 0.6:
            _kind, _number, at, content = later[count]
            part = chance.randint(0, len(content))
            torn = b"\0" * part if chance.random() < 0.4 else content[:part]
            result = _applied(result, [("write", number, at, torn)])
        return result


def _touches(change: Op, folder: str) -> bool:
    return change[0] in ("replace", "link") and os.path.dirname(change[1]) == folder


def _applied(content: bytes, later: list[Op]) -> bytes:
    held = bytearray(content)
    for op in later:
        if op[0] == "cut":
            held = held[: op[2]] + bytearray(max(0, op[2] - len(held)))
        else:
            held.extend(bytes(max(0, op[2] - len(held))))
            held[op[2] : op[2] + len(op[3])] = op[3]
    return bytes(held)


def _rename(tree: dict[str, int | None], change: Op) -> None:
    """One change of names, if the folder it happens in is there."""
    kind, path = change[0], change[1]
    target = change[2] if kind in ("replace", "link") else path
    parent = os.path.dirname(target)
    if parent not in tree and not _is_root(tree, parent):
        return
    if kind == "create":
        tree[path] = change[2]
    elif kind == "mkdir":
        tree[path] = None
    elif kind == "unlink":
        tree.pop(path, None)
    elif path in tree:
        for each in [each for each in tree if each == path or each.startswith(path + os.sep)]:
            number = tree[each]
            if kind == "replace":
                del tree[each]
            tree[target + each[len(path) :]] = number


def _is_root(tree: dict[str, int | None], folder: str) -> bool:
    return not any(folder.startswith(each + os.sep) for each in tree) and os.path.isdir(folder)


def made(left: dict[str, bytes | None], root: str, target: str) -> None:
    """Put a disk that may be left below `target`, for real."""
    os.makedirs(target, mode=0o700)
    for path in sorted(left):
        content = left[path]
        place = target + path[len(root) :]
        if content is None:
            os.makedirs(place, mode=0o700, exist_ok=True)
        elif os.path.isdir(os.path.dirname(place)):
            with open(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(content)
