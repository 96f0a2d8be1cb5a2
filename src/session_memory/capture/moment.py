"""The moment a session begins: what is known of its project, of git since, and of the conversation it goes on with.

Asked by the hook, and by whoever wants to see beforehand what the hook would say.
"""

from __future__ import annotations

import os

from session_memory import git, ids
from session_memory.capture import brief
from session_memory.model.context import Here
from session_memory.model.notes import COMMIT
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from session_memory.model.notes import Note
    from session_memory.paths import Home

MOST_TRANSCRIPT = 512 * 1024  # newest bytes of a transcript that a summary is looked for in
MOST_HEAD = 16 * 1024  # bytes of its beginning, where a fork says what it comes from


class Beginning:
    """A session that begins. source: startup, resume, clear, compact or fork. before: the session its client had before.
    cwd: where it works; root: the project's folder. transcript: the client's file, where it says."""

    __slots__ = ("before", "branch", "cwd", "project", "root", "session", "source", "transcript")

    def __init__(
        self, source: str, session: str, project: str, cwd: str, *, root: str = "", branch: str = "", before: str = "",
        transcript: str = "",
    ) -> None:  # fmt: skip
        self.source = source
        self.session = session
        self.project = project
        self.cwd = cwd
        self.root = root or cwd
        self.branch = branch
        self.before = before
        self.transcript = transcript


def of(home: Home, begins: Beginning, budget: int) -> tuple[list[Note], Here]:
    """The project's notes (oldest first) and the moment they are told in. Raises OSError."""
    known = brief.load(home, begins.project, begins.session)
    roots = {**known.roots, begins.session: begins.root}
    compact = begins.source == "compact"
    moves = git.moves_since(begins.cwd, ids.at_ms(known.last)) if known.last and not compact else []
    here = Here(
        begins.source, begins.session, ids.now_ms(), lineage=_lineage(begins, known.session), roots=roots,
        git=[] if compact else _news(moves, known.notes, known.branch, begins.branch),
        summary=(known.summary or _summary(begins.transcript)) if compact else "", budget=budget, there=_there,
    )  # fmt: skip
    return known.notes, here


def _lineage(begins: Beginning, newest: str) -> list[str]:
    """The sessions whose conversation this one holds beside its own."""
    if begins.source != "fork":
        return []
    return [each for each in (begins.before, _forked_from(begins.transcript)) if each] or [newest]


def _forked_from(transcript: str) -> str:
    """The session that a fork's transcript names, if it is written already."""
    try:
        with open(transcript, "rb") as file:
            head = file.read(MOST_HEAD)
    except OSError:
        return ""
    for raw in head.split(b"\n"):
        if b'"forkedFrom"' in raw:
            try:
                named = loads(raw).get("forkedFrom")
            except ValueError:
                return ""  # the line goes on behind what was read
            return str(named.get("sessionId", "")) if isinstance(named, dict) else ""
    return ""


def _news(moves: list[str], notes: list[Note], before: str, now: str) -> list[str]:
    """What git did since, without the commits that were seen being made; and a branch that is another one."""
    seen = {note["hash"][:7] for note in notes if note["what"] == COMMIT}
    found = [each for each in moves if each.split(" ", 1)[0] not in seen]
    if before and now and before != now:
        found.append(f"on branch {now}; the last work was on {before}")
    return found


def _summary(transcript: str) -> str:
    """The newest summary of a compaction in the transcript: clients that tell no hook of it write it there."""
    from session_memory.capture import prompts, tools

    try:
        with open(transcript, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - MOST_TRANSCRIPT))
            lines = file.read().split(b"\n")
    except OSError:
        return ""
    for raw in reversed(lines):
        if b'"isCompactSummary":true' in raw:
            try:
                message = loads(raw.decode("utf-8", "replace")).get("message")
            except ValueError:
                continue
            if isinstance(message, dict):
                return prompts.summary(tools.result_text(message.get("content")))
    return ""


def _there(path: str) -> bool:
    """Whether a file is there; of one whose folder's folder is not there (another machine's) nothing is said."""
    return os.path.exists(path) or not os.path.isdir(os.path.dirname(os.path.dirname(path)))
