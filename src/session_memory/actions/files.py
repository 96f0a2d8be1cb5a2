"""Files: which decisions, findings, edits, commits and prompts shaped one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from session_memory.errors import InvalidInput
from session_memory.index import files as rows
from session_memory.model import shaping
from session_memory.model.event import role_of

if TYPE_CHECKING:
    from session_memory.actions.opened import Opened
    from session_memory.actions.projects import Projects
    from session_memory.index.database import Database

    Event = dict[str, Any]

ORDERS = ("newest", "oldest")
LONGEST = 300  # characters of a turn's text
MOST_PATHS = 12


class Files:
    """What is known of files."""

    def __init__(self, opened: Opened, projects: Projects) -> None:
        self._opened = opened
        self._projects = projects

    def blame(
        self, path: str, *, everywhere: bool = False, project: str | None = None, order: str = "newest", limit: int = 20
    ) -> dict[str, Any]:
        """What shaped a file: {file, paths, total_count, capped, counts, turns}; a file is meant by its path or the end of it.

        capped: only the newest 20,000 events that hold the words of the path were looked at. paths: the files that end so, each
        with the number of its edits. counts: turns by what they are. turns: {what, text, path, id, timestamp, role, session_id};
        what: `edit` | `command` | `decision` | `finding` | `question` | `note` | `commit` (the session's first after the edit, or
        one that names it) | `prompt` (one that names it, or, with `before`: the number of edits, that the session worked on when
        it edited it). Paths of files that were renamed are not guessed.

        Raises InvalidInput (bad-argument), NotFound (unknown-project), IndexUnavailable.
        """
        wanted = shaping.plain_path(path)
        if not any(c.isalnum() for c in wanted):
            raise InvalidInput(
                "bad-argument", "There is no file name in that.", "For example: session-memory blame src/auth.ts"
            )
        if order not in ORDERS:
            raise InvalidInput("bad-argument", f"order is {order[:60]!r}.", f"Use one of: {', '.join(ORDERS)}.")
        if limit < 1:
            raise InvalidInput("bad-argument", f"limit is {limit}.", "Use 1 or more.")
        database = self._opened.read()
        naming = rows.naming(database, wanted, self._projects.scope(project, everywhere=everywhere))
        turns: dict[str, dict[str, Any]] = {}
        edits: list[tuple[Event, str]] = []
        for event in naming:
            turn = _own(event, wanted)
            if turn is not None:
                turns[event["id"]] = turn
                if turn["what"] in ("edit", "command"):
                    edits.append((event, turn["path"]))
        _around(database, edits, turns)
        found = sorted(turns.values(), key=lambda each: (each["timestamp"], each["id"]), reverse=order == "newest")
        paths = Counter(turn["path"] for turn in found if turn["what"] == "edit")
        return {
            "file": wanted, "paths": dict(paths.most_common(MOST_PATHS)), "total_count": len(found),
            "capped": len(naming) == rows.MOST,
            "counts": dict(Counter(turn["what"] for turn in found)), "turns": found[:limit],
        }  # fmt: skip


def _own(event: Event, wanted: str) -> dict[str, Any] | None:
    """What an event that holds the words of the path says of the file; None where it only looks at it."""
    category = event["category"]
    if category == "tool_call":
        path = shaping.edits(event, wanted)
        if path:
            return _turn(event, "edit", shaping.change_of(event["data"]), path)
        command = shaping.changes(event, wanted)
        if command:
            return _turn(event, "command", command, wanted)
        commit = shaping.commit_of(event) if shaping.named_in(event["text"], wanted) else ""
        return _turn(event, "commit", commit, wanted) if commit else None
    path = shaping.named_in(event["text"], wanted)
    if not path:
        return None
    what = (
        "prompt" if category == "message" else category if category in ("decision", "finding", "question") else "note"
    )
    text = str(event["data"].get("text") or "") if category == "message" else shaping.statement(event)
    return _turn(event, what, text, path)


def _around(database: Database, edits: list[tuple[Event, str]], turns: dict[str, dict[str, Any]]) -> None:
    """Add the prompts that the edits were made for, and the commits that came next."""
    commits: dict[int, list[Event]] = {}
    for event, path in edits:
        prompt = rows.asked_before(database, event["place"])
        if prompt is not None:
            text = str(prompt["data"].get("text") or " ".join(str(each) for each in prompt["data"].values()))
            turn = turns.setdefault(prompt["id"], _turn(prompt, "prompt", text, path))
            turn["before"] = turn.get("before", 0) + 1
        session = event["place"][0]
        if session not in commits:
            commits[session] = [each for each in rows.commits(database, session) if shaping.commit_of(each)]
        following = [each for each in commits[session] if each["place"][1:] > event["place"][1:]]
        if following:
            turns.setdefault(following[0]["id"], _turn(following[0], "commit", shaping.commit_of(following[0]), path))


def _turn(event: Event, what: str, text: str, path: str) -> dict[str, Any]:
    said = " ".join(text.split())
    return {
        "what": what, "text": said if len(said) <= LONGEST else said[: LONGEST - 1] + "…", "path": path, "id": event["id"],
        "timestamp": event["timestamp"], "role": role_of(event), "session_id": event["session_id"],
    }  # fmt: skip
