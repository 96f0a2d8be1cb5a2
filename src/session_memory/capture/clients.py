"""Running clients: which session each works in now. `/clear` gives a client a new session; its server is not told.

The hooks note it under the client's process id, and the server, a child of that process, looks it up. A list of all the
sessions it has had guards against a process id that is used again.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.paths import Home

CLIENT = "claude-code"  # as records name it
MOST = 200  # sessions of one client, the newest
OLD = 64  # files that are kept: of clients that were killed nobody removes theirs


def note(home: Home, pid: str, session: str) -> str:
    """Note that the client works in `session` from now on; returns the session before it, "" without one. Raises OSError."""
    if not pid.isdigit():
        return ""
    known = sessions(home, pid)
    if known[-1:] == [session]:
        return known[-2] if len(known) > 1 else ""
    paths.make_dir(home.clients)
    paths.write_whole(_file(home, pid), dumps([*known[-MOST:], session]).encode(), lasting=False)
    return known[-1] if known else ""


def begin(home: Home, pid: str, session: str) -> None:
    """Note a client that has just started: what an earlier one of this process id had is no concern of its. Raises OSError."""
    if pid.isdigit():
        paths.make_dir(home.clients)
        paths.write_whole(_file(home, pid), dumps([session]).encode(), lasting=False)
        _tidy(home)


def current(home: Home, pid: str, started: str) -> str:
    """The session that the client with this process id works in now; `started`, what it told its server at the start,
    where nothing newer is known."""
    known = sessions(home, pid)
    return known[-1] if started in known else started


def sessions(home: Home, pid: str) -> list[str]:
    """All sessions a client has had, the newest last."""
    try:
        with open(paths.open_file(_file(home, pid), os.O_RDONLY), encoding="utf-8") as file:
            known = loads(file.read())
    except (OSError, ValueError):
        return []  # it has no hooks, or another product's; then its server knows the first session only
    return [each for each in known if isinstance(each, str)] if isinstance(known, list) else []


def _file(home: Home, pid: str) -> str:
    return os.path.join(home.clients, f"{pid}.json")


def _tidy(home: Home) -> None:
    found = [each.path for each in os.scandir(home.clients) if each.name.endswith(".json")]
    if len(found) > OLD:
        for path in sorted(found, key=lambda each: os.stat(each).st_mtime)[: len(found) - OLD]:
            os.unlink(path)
