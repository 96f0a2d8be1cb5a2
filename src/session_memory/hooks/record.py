"""The door for what the client reports: a hook's payload on stdin becomes records; always exit 0, nothing on stdout.

`python3 -I -S record.py`, before anything is installed: standard library only, nothing but the log's floor is loaded.
"""

from __future__ import annotations

import os
import sys

from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from session_memory.capture.consent import Consent
    from session_memory.capture.payload import Around
    from session_memory.model.record import Draft
    from session_memory.paths import Home
    from session_memory.settings import Environment, Settings

MOST = 50 * 1024 * 1024  # bytes of a payload that are read
SECONDS = 8  # this process lives at most; the client waits for no hook of ours longer than for its own timeout
MOST_LOG = 256 * 1024  # bytes of hook.log
BEGINNING = ("startup", "clear", "resume", "fork", "compact")


class LateError(Exception):
    """This process has lived too long."""


class Call:
    """One call of a hook that may be kept: its payload, the home and its settings, and where it happens."""

    __slots__ = ("around", "consent", "home", "payload", "root", "settings", "where")

    def __init__(
        self, payload: dict[str, Any], home: Home, around: Environment, settings: Settings, consent: Consent, where: Around
    ) -> None:  # fmt: skip
        self.payload = payload
        self.home = home
        self.around = around
        self.root = home.root
        self.settings = settings
        self.consent = consent
        self.where = where

    def keep(self, more: Sequence[Draft] = ()) -> None:
        """Keep what the payload says, and these. Raises SessionMemoryError, OSError."""
        from session_memory import settings
        from session_memory.capture import payload as payloads
        from session_memory.log.journal import HOOK_DEADLINE, Journal

        told = [each for each in payloads.drafts(self.payload, self.where) if self._allowed(each)]
        kept = [draft for draft in map(self.consent.kept, told) if draft is not None]
        if kept or more:
            Journal(
                self.home, durability=self.settings.durability, deadline=HOOK_DEADLINE, patterns=self.settings.redaction_patterns,
                known=settings.secret_values(), warn=lambda text: log(self.root, text),
            ).append([*kept, *more])  # fmt: skip

    def _allowed(self, draft: Draft) -> bool:
        """Whether recording was not paused when it happened, for what is told later than it happened."""
        body, at_ms = draft.body, draft.at_ms
        return at_ms is None or self.consent.allows(body["session"], body["project"], self.where.cwd, at_ms)


def called(payload: dict[str, Any], home_given: str | None = None) -> Call | None:
    """A payload as a call; None when nothing of it may be kept. Raises SessionMemoryError, OSError.

    home_given: the home that stands in the command; SESSION_MEMORY_HOME wins over it.
    """
    from session_memory import git, paths, settings
    from session_memory.capture import clients, project
    from session_memory.capture import payload as payloads
    from session_memory.capture.consent import Consent
    from session_memory.errors import InvalidInput

    around = settings.environment()
    root = paths.home_root(around.home, home_given)
    session = payload.get("session_id")
    cwd = payload.get("cwd")
    if not isinstance(session, str) or not isinstance(cwd, str) or not session:
        return None
    found = settings.load(root)
    if found.unsafe:
        raise InvalidInput("bad-settings", f"config.json cannot be used: {'; '.join(found.unsafe)}.")
    home = paths.Home(root, found.events_file, found.index_file, found.checkpoints_dir, found.handoffs_dir)
    consent = Consent(root, found)
    if around.off:
        consent.leave_out(session)
        return None
    before = _noted(payload, home, around, clients)
    folder = around.project_dir or cwd
    key, name = project.of(home, folder)
    if not (consent.allows(session, key, folder) and consent.allows(session, key, cwd)):
        return None
    branch, commit = git.head(cwd)
    return Call(payload, home, around, found, consent, payloads.Around(key, name, cwd, branch, commit, before))


def record(payload: dict[str, Any], home_given: str | None = None) -> None:
    """Keep what a payload says, where it may be kept. Raises SessionMemoryError, OSError."""
    call = called(payload, home_given)
    if call is not None:
        call.keep()


def _noted(payload: dict[str, Any], home: Home, around: Environment, clients: Any) -> str:
    """Note which session the client works in; returns the one before it."""
    if payload.get("hook_event_name") != "SessionStart" or not around.client_pid:
        return ""
    if payload.get("source") == "startup":
        clients.begin(home, around.client_pid, payload["session_id"])
        return ""
    return str(clients.note(home, around.client_pid, payload["session_id"]))


def read(stream: Any) -> dict[str, Any]:
    """The payload. Raises ValueError for anything but a JSON object of a bearable size."""
    content = stream.read(MOST + 1)
    if len(content) > MOST:
        raise ValueError(f"the payload has more than {MOST:,} bytes")
    found = loads(content.decode("utf-8", "replace"))
    if not isinstance(found, dict):
        raise ValueError("the payload is no JSON object")  # noqa: TRY004  # what is wrong is the text, not a type of ours
    return found


def log(root: str, text: str) -> None:
    """A line in hook.log: the one place where a hook can say what went wrong."""
    from session_memory import ids, paths

    try:
        paths.make_dir(root)
        paths.add_line(os.path.join(root, "hook.log"), f"{ids.at_text(ids.now_ms())} {text}\n".encode(), MOST_LOG)
    except Exception:
        return  # the disk that refuses the record refuses its trouble too; the session must not notice


def limited() -> None:
    """End this process in time, whatever holds it up; what it was about to write is then written whole or not at all."""
    signals = _signals()

    def too_long(number: int, frame: object) -> None:
        raise LateError(f"this call took more than {SECONDS} s and was not kept; the transcript completes it")

    if hasattr(signals, "SIGALRM"):
        signals.signal(signals.SIGALRM, too_long)
        signals.alarm(SECONDS)


def unlimited() -> None:
    """Whoever goes on in this process after a hook is not ended."""
    signals = _signals()
    if hasattr(signals, "SIGALRM"):
        signals.alarm(0)


def _signals() -> Any:
    """The interpreter's own signals: the library's module first makes names of all their numbers, which takes a while."""
    try:
        import _signal as signals  # type: ignore[import-not-found]
    except ImportError:
        import signal as signals
    return signals


def guarded(run: Any, home_given: str | None = None) -> int:
    """Run a hook; whatever goes wrong stands in hook.log, and the client's session goes on. Returns 0."""
    try:
        limited()
        run()
    except Exception as error:  # a hook's door: a memory that cannot record must not disturb the work
        try:
            from session_memory import paths, settings

            root = paths.home_root(settings.environment().home, home_given)
            log(root, f"{type(error).__name__}: {error}"[:2000])
        except Exception:  # it cannot even be said where its trouble belongs; silence is all that is left
            return 0
    finally:
        unlimited()
    return 0


def main(home_given: str | None = None) -> int:
    """Record the payload on stdin."""
    return guarded(lambda: record(read(sys.stdin.buffer), home_given), home_given)
