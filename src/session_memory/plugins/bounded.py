"""Calling foreign code with an end: when its time is over it is stopped, and where it cannot be, it is left behind.

In the main thread a timer of the system interrupts it wherever it is: in a loop, asleep, waiting, in a regular
expression. Elsewhere (another thread, Windows) it runs in a thread of its own, which is told to stop and not waited for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
AGAIN = 0.05  # seconds after which code that swallows the first interruption meets the next
GRACE = 0.2  # seconds a thread is given to obey


class Overrun(BaseException):
    """The time was over. No `Exception`: code that catches those goes on too long as well."""


def bounded(function: Callable[[], Result], seconds: float) -> Result:
    """What `function` returns. Raises what it raises, and Overrun."""
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _by_timer(function, seconds)
    return _by_thread(function, seconds)


def _by_timer(function: Callable[[], Result], seconds: float) -> Result:
    running = True

    def ring(*_words: Any) -> None:
        if running:
            raise Overrun

    before = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        return function()
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)


def _by_thread(function: Callable[[], Result], seconds: float) -> Result:
    returned: list[Result] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            returned.append(function())
        except BaseException as error:  # plugin isolation: handed to whoever asked
            raised.append(error)

    thread = threading.Thread(target=work, name="plugin", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _interrupt(thread)
        raise Overrun
    if raised:
        raise raised[0]
    return returned[0]


def _interrupt(thread: threading.Thread) -> None:
    """Raise Overrun in a thread at its next step of Python; what waits in the system goes on waiting, harmlessly."""
    import ctypes

    number = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Overrun))
    thread.join(GRACE)
