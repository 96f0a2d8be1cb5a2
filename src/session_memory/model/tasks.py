"""Tasks: what became of those that were shown, begun and closed, and which are in progress. Standard library only."""

from __future__ import annotations

from session_memory.model.notes import COMMIT, EDIT, ITEM, PLAN, TASK, TODO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_memory.model.notes import Note


LISTED_DONE = ("completed", "deleted", "done")


class Tasks:
    """What became of the tasks that were shown, begun and closed; which of them are in progress."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self.shown: dict[str, Note] = {}
        self.state: dict[str, Note] = {}
        self.committed = self.edited = ""  # when the last commit, and the last edit, was made
        self._plan: Note | None = None
        self._listed: dict[str, str] = {}  # the client's own task list since the plan: item -> status
        for note in notes:
            if note["what"] == COMMIT:
                self.committed = max(self.committed, note["at"])
            elif note["what"] == EDIT:
                self.edited = max(self.edited, note["at"])
            elif note["what"] == PLAN:
                self._plan, self._listed = note, {}
            elif note["what"] == TODO:
                self._listed = dict(note["items"])
            elif note["what"] == ITEM:
                self._listed[note["number"]] = note.get("status") or self._listed.get(note["number"], "")
            elif note["what"] == TASK and note["change"] == "show":
                self.shown[note["task"]] = note
            elif note["what"] == TASK:
                # closed while edits wait to be committed: its rules hold until they are
                held = note.get("held") or (note["change"] == "closed" and self.edited > self.committed)
                self.state.pop(note["task"], None)  # in the order of what happened last
                self.state[note["task"]] = {**note, "held": held}

    def begun(self) -> list[str]:
        """Tasks that were begun and are not closed, the newest first."""
        return [name for name, note in newest(self.state) if note["change"] == "open"]

    def in_progress(self) -> list[str]:
        """Those whose rules hold now: begun; closed while the work is not committed; else the one shown last; and what they are
        part of."""
        found = self.begun()
        if not found:
            closed = [(name, note) for name, note in newest(self.state) if note["change"] == "closed"]
            found = [name for name, note in closed[:1] if note["held"] and note["at"] > self.committed]
        if not found:
            found = [name for name, _note in newest(self.shown) if self._open(name)][:1]
        whole = [name for each in found for name in self.shown if name != each and _part_of(each, name)]
        return list(dict.fromkeys([*found, *whole]))

    def plan(self) -> Note | None:
        """The approved plan that is carried out: until its list is done; without one, until what was edited is committed."""
        if self._plan is None:
            return None
        if self._listed:
            done = all(status in LISTED_DONE for status in self._listed.values())
        else:
            done = self.committed > self._plan["at"] and self.committed > self.edited
        return None if done else self._plan

    def _open(self, name: str) -> bool:
        known = self.state.get(name)
        return known is None or known["change"] != "closed"


def newest(named: dict[str, Note]) -> list[tuple[str, Note]]:
    """Notes by name, the newest first; of one call's the last one."""
    return sorted(named.items(), key=lambda each: str(each[1]["at"]))[::-1]


def _part_of(part: str, whole: str) -> bool:
    return part.startswith((f"{whole}.", f"{whole}/"))
