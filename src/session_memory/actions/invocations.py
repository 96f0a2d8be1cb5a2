"""Invocations: how a command was really run here, how each run ended, and which options were used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from session_memory.errors import InvalidInput
from session_memory.index import invocations as rows
from session_memory.model import invocations as model
from session_memory.model.invocations import FAILED, OK, UNKNOWN, Invocation

if TYPE_CHECKING:
    from session_memory.actions.opened import Opened
    from session_memory.actions.projects import Projects

MOST_FLAGS = 12
MOST_RUNS = 20  # of one wording


class Invocations:
    """What was run."""

    def __init__(self, opened: Opened, projects: Projects) -> None:
        self._opened = opened
        self._projects = projects

    def how(
        self, command: str, *, everywhere: bool = False, project: str | None = None, limit: int = 10
    ) -> dict[str, Any]:
        """Real runs of a command: {command, runs, ok, failed, unknown, first, last, flags, groups, more_groups, capped}.

        flags: [{flag, runs, failed}], the most used first. groups: by wording, the one that was run last first, each
        {wording, runs, ok, failed, unknown, first, last, latest: [run]}; a run is {typed, ended, exit_code, id, timestamp,
        role, session_id}. A command nobody ran in a shell may be a tool: its calls are told the same way, its arguments as
        flags. capped: only the newest 20,000 calls that hold its words were looked at.

        Raises InvalidInput (bad-argument), NotFound (unknown-project), IndexUnavailable.
        """
        if limit < 1:
            raise InvalidInput("bad-argument", f"limit is {limit}.", "Use 1 or more.")
        asked = model.wanted(command)
        if not any(c.isalnum() for c in command) or not asked:
            raise InvalidInput(
                "bad-argument", "There is no command in that.", "For example: session-memory how 'git push'"
            )
        database = self._opened.read()
        projects = self._projects.scope(project, everywhere=everywhere)
        words = [each for each in asked if any(c.isalnum() for c in each)]
        found: list[Invocation] = []
        calls = rows.calls(database, words, projects)
        for _tool, data, outcome, turn in calls:
            if not outcome.get("rejected"):
                found += model.runs(model.line_of(data), asked, outcome, turn)[::-1]
        tool_only = not found and len(asked) == 1
        if tool_only:
            for tool, data, outcome, turn in rows.of_tool(database, asked[0], projects):
                if not outcome.get("rejected"):
                    found.append(model.of_tool(tool, data, outcome, turn))
        groups = model.grouped(found)
        options = [(each.ended, each.words[1:] if tool_only else model.flags(each.words)) for each in found]
        used = Counter(flag for _ended, flags in options for flag in flags)
        failed = Counter(flag for ended, flags in options if ended == FAILED for flag in flags)
        return {
            "command": " ".join(asked),
            **_summed(found),
            "flags": [{"flag": name, "runs": n, "failed": failed[name]} for name, n in used.most_common(MOST_FLAGS)],
            "groups": [
                {"wording": each.wording, **_summed(each.runs), "latest": [_told(one) for one in each.runs[:MOST_RUNS]]}
                for each in groups[:limit]
            ],
            "more_groups": max(0, len(groups) - limit),
            "capped": len(calls) == rows.MOST,
        }


def _summed(found: list[Invocation]) -> dict[str, Any]:
    counts = Counter(each.ended for each in found)
    when = [each.turn.timestamp for each in found]
    ends = {"first": min(when), "last": max(when)} if when else {}
    return {"runs": len(found), "ok": counts[OK], "failed": counts[FAILED], "unknown": counts[UNKNOWN], **ends}


def _told(run: Invocation) -> dict[str, Any]:
    code = {} if run.code is None else {"exit_code": run.code}
    return {"typed": run.typed, "ended": run.ended, **code, **vars(run.turn)}
