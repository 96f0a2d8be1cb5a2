"""Checkpoints: name a position with its state, list them, find the one that is meant, and make them by themselves."""

from __future__ import annotations

import json
import os
from typing import Any

from session_memory import git, ids, paths
from session_memory.actions.opened import Opened
from session_memory.actions.sessions import Sessions
from session_memory.actions.states import States
from session_memory.errors import InvalidInput, NotFound
from session_memory.index import checkpoints as checkpoint_rows
from session_memory.index import search as event_rows
from session_memory.model.record import CHECKPOINT, Draft
from session_memory.plugins.fold import at_checkpoint

MOST_LISTED = 200
LONGEST_NAME = 200


class Checkpoints:
    """What can be done with checkpoints."""

    def __init__(self, opened: Opened, sessions: Sessions, states: States) -> None:
        self._opened = opened
        self._sessions = sessions
        self._states = states

    def create(
        self, name: str | None = None, summary: str | None = None, *, type_: str = "manual",
        session_id: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Record a checkpoint and write its file; returns what `session_checkpoint` returns.

        Raises NotFound (unknown-session), InvalidInput (bad-argument), LogUnavailable.
        """
        opened = self._opened
        opened.must_record()
        session = self._sessions.meant(session_id) if session_id else self._sessions.current()
        assert session is not None  # `current` starts one, `meant` finds the named one or raises
        state = self._states.of(session)
        label = (name or "").strip() or f"{type_}-{ids.at_text(ids.now_ms())[:19]}"
        if len(label) > LONGEST_NAME:
            raise InvalidInput(
                "bad-argument", f"name has {len(label)} characters; the limit is {LONGEST_NAME}.", "Use a short label."
            )
        branch, commit = git.head(opened.cwd)
        body: dict[str, Any] = {
            "session": session,
            "project": self._sessions.project_of(opened.read(), session),
            "name": label,
            "type": type_,
            "summary": summary or "",
            "plugin": state.plugin.name,
            "progress": state.folded.progress,
            "event_count": len(state.events),
            "position": state.events[-1]["id"] if state.events else None,
            "branch": branch,
            "commit": commit,
        }
        body["state"], failed = at_checkpoint(state.plugin, body, state.folded)
        if failed:
            opened.warn(f"The plugin {state.plugin.name} failed at a checkpoint, which was made all the same: {failed}")
        draft = Draft(CHECKPOINT, {member: value for member, value in body.items() if value not in (None, "")})
        record = opened.keep([draft]).records[0]
        path = self._write_file(record.id, {**(record.body or {}), "id": record.id, "timestamp": record.at})
        if type_ == "auto":
            self._roll(session)
        kept = record.body or {}
        return {
            "checkpoint_id": record.id,
            "name": kept.get("name", label),
            "timestamp": record.at,
            "type": type_,
            "session_id": session,
            "event_count": body["event_count"],
            "file_path": path,
        }

    def listed(
        self, *, session_id: str | None = None, type_: str | None = None, limit: int = 20, everywhere: bool = False
    ) -> dict[str, Any]:
        """Checkpoints newest first, as `session_list_checkpoints` returns them. Raises InvalidInput, NotFound."""
        if not 1 <= limit <= MOST_LISTED:
            raise InvalidInput("bad-argument", f"limit is {limit}.", f"Use 1 to {MOST_LISTED}.")
        opened = self._opened
        session = self._sessions.meant(session_id) if session_id else None
        database = opened.read()
        project = None if session or everywhere else self._sessions.project_of(database, opened.session)
        found, total = checkpoint_rows.listed(
            database, auto_kept=opened.settings.auto_checkpoint_max_count, project=project, session=session,
            type_=type_, limit=limit,
        )  # fmt: skip
        shown = [
            {
                "checkpoint_id": each["id"],
                "name": each["name"],
                "type": each["type"],
                "timestamp": ids.at_text(each["at"]),
                "session_id": each["session"],
                "event_count": each.get("event_count", 0),
                "summary": str(each.get("summary", ""))[:200],
            }
            for each in found
        ]
        return {"checkpoints": shown, "total_count": total}

    def meant(self, checkpoint_id: str | None, name: str | None) -> tuple[dict[str, Any] | None, int]:
        """The checkpoint of an id or name, else the newest of the project; and how many bear the name.

        None when there is none at all. Raises NotFound (unknown-checkpoint).
        """
        database = self._opened.read()
        project = self._sessions.project_of(database, self._opened.session)
        if checkpoint_id:
            found = checkpoint_rows.by_id(database, checkpoint_id)
            if found is None:
                raise _unknown(f"No checkpoint has the id {checkpoint_id[:80]!r}.")
            return found, 1
        if name:
            named = checkpoint_rows.by_name(database, name, project) or checkpoint_rows.by_name(database, name, None)
            if not named:
                raise _unknown(f"No checkpoint is named {name[:80]!r}.")
            return named[0], len(named)
        return checkpoint_rows.newest(database, project=project), 1

    def automatic(self) -> dict[str, Any] | None:
        """An automatic checkpoint of the attached session, if anything happened since its last one."""
        session = self._opened.session
        if session is None or self._opened.paused():
            return None
        database = self._opened.read()
        last = checkpoint_rows.newest(database, session=session)
        new = event_rows.extent(database, event_rows.Filter(session=session))[1]
        if new == 0 or (last is not None and last["hlc"] >= new):
            return None
        return self.create(type_="auto", session_id=session)

    def _write_file(self, checkpoint_id: str, content: dict[str, Any]) -> str:
        """The checkpoint as a file for people and other programs: a view, whole or absent."""
        folder = os.path.join(self._opened.home.checkpoints, paths.safe_name(str(content.get("type", "manual"))))
        path = os.path.join(folder, f"{paths.safe_name(str(content.get('name', '')))}-{checkpoint_id}.json")
        try:
            paths.make_dir(folder)
            paths.write_whole(path, json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")
        except OSError as error:
            # the record is in the log; the file is only its view
            self._opened.warn(f"The checkpoint's file could not be written ({error.strerror}); the checkpoint is kept.")
        return path

    def _roll(self, session: str) -> None:
        """Remove the files of automatic checkpoints that no longer count."""
        database = self._opened.read()
        kept, _total = checkpoint_rows.listed(
            database, auto_kept=self._opened.settings.auto_checkpoint_max_count, project=None, session=session,
            type_="auto", limit=10_000,
        )  # fmt: skip
        names = {each["id"] for each in kept}
        folder = os.path.join(self._opened.home.checkpoints, "auto")
        try:
            for file in os.listdir(folder):
                checkpoint_id = file.removesuffix(".json")[-32:]
                found = checkpoint_rows.by_id(database, checkpoint_id)
                if found is not None and found["session"] == session and checkpoint_id not in names:
                    os.unlink(os.path.join(folder, file))
        except FileNotFoundError:
            pass  # another process was first; or there is no folder, because no file could be written
        except OSError as error:
            self._opened.warn(f"Old automatic checkpoints' files could not be removed ({error.strerror}).")


def _unknown(what: str) -> NotFound:
    return NotFound("unknown-checkpoint", what, "List them with session_list_checkpoints.")
