"""The system calls of the log's floor, one by one: counted, failed, cut short, or the last thing a process ever does."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Callable, Iterator
from typing import Any

NAMES = (
    "open",
    "write",
    "pread",
    "fsync",
    "replace",
    "mkdir",
    "unlink",
    "ftruncate",
    "link",
    "listdir",
    "stat",
    "lseek",
    "fstat",
    "close",
)
READS = ("pread", "listdir", "stat", "fstat", "lseek")


@contextlib.contextmanager
def watched(
    decide: Callable[[int, str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any],
    names: tuple[str, ...] = NAMES,
) -> Iterator[list[str]]:
    """While this is open every call goes through `decide(number, name, real, words, more)`; yields the names called."""
    called: list[str] = []
    real = {name: getattr(os, name) for name in names}

    def wrap(name: str) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            called.append(name)
            return decide(len(called), name, real[name], words, more)

        return call

    for name in names:
        setattr(os, name, wrap(name))
    try:
        yield called
    finally:
        for name in names:
            setattr(os, name, real[name])


def passing(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
    """Nothing happens."""
    return real(*words, **more)


def _fail(error: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> None:
    if name == "close":
        real(*words)  # on Linux the descriptor is gone even when close reports an error
    raise OSError(error, os.strerror(error))


def failing(which: int, error: int, *, persistent: bool = False) -> Callable[..., Any]:
    """The call of this number fails (and with `persistent` all after it), before it does anything."""

    def decide(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
        if number == which or (persistent and number > which):
            _fail(error, name, real, words)
        return real(*words, **more)

    return decide


def failing_often(chance: random.Random, part: float, errors: tuple[int, ...]) -> Callable[..., Any]:
    """Some calls fail at random."""

    def decide(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
        if chance.random() < part:
            _fail(chance.choice(errors), name, real, words)
        return real(*words, **more)

    return decide


def killing(which: int, *, before: bool) -> Callable[..., Any]:
    """The call of this number is the last: killed before it, or when it is done."""

    def decide(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
        if number == which and before:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*words, **more)
        finally:
            if number == which:
                os.kill(os.getpid(), signal.SIGKILL)

    return decide


def stuttering(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...], more: dict[str, Any]) -> Any:
    """Every write takes a few bytes only."""
    return real(words[0], memoryview(words[1])[:7]) if name == "write" else real(*words, **more)


def in_child(run: Callable[[], list[str]]) -> tuple[list[str], bool]:
    """What `run` acknowledges in a forked process before it ends; and whether it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            said = "\n".join(run())
            os.write(write, said.encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        told = file.read().decode()
    _pid, status = os.waitpid(child, 0)
    return [each for each in told.split("\n") if each], os.WIFSIGNALED(status)
