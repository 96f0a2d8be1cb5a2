"""What the user lets us keep: pauses (a span of time stays out for ever), excluded tools and paths.

Private words are not its business: the log takes them out of everything it keeps. Asked by the hooks for what happens now
and by imports for what happened then: what was said during a pause does not come back with the client's transcript.
"""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.errors import InvalidInput, LogUnavailable
from session_memory.log.lock import Lock
from session_memory.model.event import LABELLED
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any

    from session_memory.model.record import Draft
    from session_memory.settings import Settings

    Span = tuple[int, int | None, str | None]  # from, to (None: open), project (None: everything)

FILE = "paused.json"  # its name for people; paths.py says where it lies
LOCK_SECONDS = 2.0
MOST_SESSIONS = 1000  # ids of sessions that were switched off, the newest
SWITCH_OF = {"tool_call": "capture.tool_calls", "tool_response": "capture.tool_calls"}
SAID_IN = {"answer": "AskUserQuestion", "plan_approval": "ExitPlanMode"}  # what the user said inside a tool's result
REPLIES = ("reply", "thinking", "compact_summary")  # types of what the model said


class Consent:
    """The rules of one home."""

    def __init__(self, root: str, settings: Settings) -> None:
        """Raises InvalidInput (bad-settings) when the list of pauses cannot be read: better nothing than too much."""
        self._path = paths.Home(root).paused
        self._settings = settings
        self._exclude: tuple[str, ...] = tuple(settings.value("capture.exclude"))
        self._spans, self._sessions = _read(self._path)

    def excludes(self, path: str) -> bool:
        """Whether the user keeps what lies at a path out of the memory."""
        return self._excluded([path])

    def allows(self, session: str, project: str, cwd: str, at_ms: int | None = None) -> bool:
        """Whether anything of a session may be kept that happens (or happened) at that time."""
        if session.partition("/")[0] in self._sessions or (cwd and self._excluded([cwd, os.path.join(cwd, "")])):
            return False
        at = ids.now_ms() if at_ms is None else at_ms
        return not any(
            start <= at and (end is None or at < end) and whose in (None, project) for start, end, whose in self._spans
        )

    def kept(self, draft: Draft) -> Draft | None:
        """The draft; None when it is not to be kept."""
        body = draft.body
        category, type_ = body.get("category"), body.get("type", "")
        switch = SWITCH_OF.get(category or "")
        if category == "message":
            switch = "capture.responses" if type_ in REPLIES else "capture.prompts"
        elif draft.key == LABELLED:
            switch = "capture.responses"  # what a reply states is part of it
        if switch and not self._settings.value(switch):
            return None
        if self._exclude and switch == "capture.tool_calls":
            data = body.get("data") or {}
            if self._excluded([type_, *data.get("files", ())]):
                return None
        if type_ in SAID_IN and self._excluded([SAID_IN[type_]]):
            return None
        return draft

    def paused(self, project: str | None = None) -> dict[str, Any] | None:
        """The pause that holds now, for everything or the project: {from, to, project}; None without one."""
        now = ids.now_ms()
        for start, end, whose in self._spans:
            if start <= now and (end is None or now < end) and whose in (None, project):
                return {"from": start, "to": end, "project": whose}
        return None

    def pause(self, project: str | None, milliseconds: int | None) -> None:
        """Keep nothing from now on, for a time or until `resume`; in place of a pause of the same that holds already.

        Raises OSError, LogUnavailable.
        """
        with _Changing(self):
            now = ids.now_ms()
            self._end([span for span in self._running(now) if span[2] == project], now)
            self._spans.append((now, None if milliseconds is None else now + milliseconds, project))

    def close(self, project: str | None, until_ms: int) -> None:
        """Keep out everything that happened before this time, of a project or of all: it was forgotten. Raises as `pause`."""
        with _Changing(self):
            self._spans.append((0, until_ms, project))

    def resume(self, project: str | None) -> bool:
        """End the pauses of the project, or every one; whether there was any. Raises as `pause`."""
        with _Changing(self):
            now = ids.now_ms()
            running = [span for span in self._running(now) if project is None or span[2] == project]
            self._end(running, now)
        return bool(running)

    def leave_out(self, session: str) -> None:
        """Never keep anything of this session, its transcript included. Raises as `pause`."""
        if session not in self._sessions:
            with _Changing(self):
                self._sessions = [*self._sessions[-MOST_SESSIONS + 1 :], session]

    def _running(self, now: int) -> list[Span]:
        return [span for span in self._spans if span[1] is None or now < span[1]]

    def _end(self, spans: list[Span], now: int) -> None:
        """What was said while they held stays out: a pause that ends is cut, not removed."""
        self._spans = [(each[0], max(now, each[0] + 1), each[2]) if each in spans else each for each in self._spans]

    def _excluded(self, names: Sequence[str]) -> bool:
        if not self._exclude:
            return False
        import fnmatch  # only for those who exclude something

        for pattern in self._exclude:
            wanted = os.path.expanduser(pattern)
            for name in names:
                short = os.path.basename(name) if "/" not in wanted else name
                if fnmatch.fnmatchcase(name, wanted) or fnmatch.fnmatchcase(short, wanted):
                    return True
        return False

    def reload(self) -> None:
        """Read the list again. Raises as the constructor."""
        self._spans, self._sessions = _read(self._path)

    def write(self) -> None:
        """Write the list. Raises OSError."""
        spans = [{"from": start, "to": end, "project": whose} for start, end, whose in self._spans]
        import json  # with a layout for people

        text = json.dumps({"spans": spans, "sessions": self._sessions}, indent=1)
        paths.write_whole(self._path, text.encode() + b"\n")

    def lock(self) -> Lock:
        """The lock under which the list is changed. Raises OSError."""
        folder = os.path.dirname(self._path)
        paths.make_dir(folder)
        return Lock(os.path.join(folder, "paused.lock"), LOCK_SECONDS)


class _Changing:
    """A change of the list, as it stands and with no other change in between."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._lock = consent.lock()

    def __enter__(self) -> None:
        self._lock.__enter__()
        try:
            self._consent.reload()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._consent.write()
        finally:
            self._lock.__exit__(kind, error, trace)


def _read(path: str) -> tuple[list[Span], list[str]]:
    try:
        with open(paths.open_file(path, os.O_RDONLY), encoding="utf-8") as file:
            found = loads(file.read())
        spans = [
            (int(each["from"]), None if each["to"] is None else int(each["to"]), each["project"])
            for each in found["spans"]
        ]
        return spans, [str(each) for each in found["sessions"]]
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise LogUnavailable(
            "log-unwritable",
            f"{FILE} in the home, which says when nothing may be recorded, cannot be read ({error.strerror}).",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            "bad-settings",
            f"{FILE} in the home, which says when nothing may be recorded, cannot be read ({error}).",
            f"Correct or remove {path}; nothing is recorded until then.",
        ) from error
