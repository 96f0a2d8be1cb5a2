"""A recorded session cut at a moment: its notes until then, and what its agent used before and after.

The material (transcripts and labels of real sessions) is not part of the repository; without it there is nothing to measure.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from session_memory import ids
from session_memory.capture.transcript import Transcript
from session_memory.model import shell
from session_memory.model.context import Context, Here, compose
from session_memory.model.notes import TASK, Reader, event_of
from session_memory.model.record import EVENT

SHARED = Path(os.environ.get("SESSION_MEMORY_SHARED") or Path(__file__).resolve().parents[3] / "shared")
COMPACTION, END = "compaction", "end"
DAY_MS = 86_400_000


@dataclass
class Session:
    """One labelled session. events: oldest first, each with the line of the file it stands on."""

    name: str
    labels: list[dict[str, Any]]
    events: list[dict[str, Any]]
    boundary: str  # when it was compacted
    summary: str
    cwd: str
    lines: dict[str, int] = field(default_factory=dict)  # id of an event -> line

    def until(self, moment: str) -> list[dict[str, Any]]:
        return [each for each in self.events if moment == END or each["timestamp"] <= self.boundary]

    def after(self) -> list[dict[str, Any]]:
        return [each for each in self.events if each["timestamp"] > self.boundary]

    def notes(self, moment: str) -> list[dict[str, Any]]:
        reader = Reader()
        return [note for event in self.until(moment) for note in reader.read(event)]

    def held(self, moment: str) -> list[dict[str, Any]]:
        """The labels that hold at a moment."""
        return [each for each in self.labels if each["at_compaction" if moment == COMPACTION else "at_end"] == "valid"]

    def told(self, moment: str, source: str) -> Context:
        """What is told at a moment; a start and a clear are another session, an hour later. The working tree is not there:
        files whose label holds no more are taken as gone."""
        until = self.until(moment)
        now = ids.at_ms(until[-1]["timestamp"]) + 3_600_000
        gone = {each["text"] for each in self.labels if each["type"] == "file" and each["at_end"] == "no_longer"}
        another = source in ("startup", "clear")
        here = Here(
            source, "another" if another else self.name, now, roots={self.name: self.cwd},
            summary=self.summary if source == "compact" and moment == COMPACTION else "",
            there=lambda path: moment != END or not any(path.endswith(f"/{each}") for each in gone),
        )  # fmt: skip
        return compose(self.notes(moment), here, "0000")


def sessions() -> list[Session]:
    """The labelled sessions; none where the material is not there."""
    found = []
    for file in sorted((SHARED / "labels" / "dev").glob("*.json")):
        said = json.loads(file.read_text())
        path = SHARED / "transcripts" / said["file"]
        if path.is_file():
            found.append(_session(said, path))
    return found


def _session(said: dict[str, Any], path: Path) -> Session:
    where: dict[str, int] = {}
    boundary = ""
    last = said["compact_summary"][0]["line"]
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        record = json.loads(raw)
        if record.get("uuid"):
            where[record["uuid"]] = number
        if number <= last and record.get("timestamp"):
            boundary = max(boundary, record["timestamp"])
    transcript = Transcript(str(path))
    events, lines, summary = [], {}, ""
    for draft in transcript:
        if draft.kind != EVENT:
            continue
        at = draft.at_ms or 0
        event = event_of(draft.id or ids.new_id(at), ids.at_text(at), draft.body)
        source = draft.body["source"]
        lines[event["id"]] = source.get("line") or where.get(source.get("uuid"), 0)
        if event["type"] == "compact_summary":
            summary = event["data"]["text"]
        events.append(event)
    events.sort(key=lambda each: each["timestamp"])
    return Session(
        said["session"][:8], said["facts"], _renamed(events, said["session"]), boundary, summary, transcript.cwd, lines
    )


def _renamed(events: list[dict[str, Any]], session: str) -> list[dict[str, Any]]:
    return [{**each, "session_id": each["session_id"].replace(session, session[:8])} for each in events]


def key(session: Session, moment: str, line: dict[str, Any]) -> str:
    """How a told line is named in the table of verdicts: where it stands, and a hash of its words without its age and id."""
    words = (
        line["text"].rpartition(" (")[0] or line["text"]
        if line["section"] not in ("files", "commands")
        else line["text"]
    )
    digest = hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()[:6]
    return f"{session.name} {moment} {line['section']} {session.lines.get(line['ids'][0], 0)} {digest}"


def files_of(events: list[dict[str, Any]]) -> set[str]:
    """The files that tool calls named."""
    return {str(file) for each in events if each["category"] == "tool_call" for file in each["data"].get("files", ())}


def edited(events: list[dict[str, Any]]) -> set[str]:
    calls = [each for each in events if each["type"] in ("Edit", "Write", "MultiEdit", "NotebookEdit")]
    return files_of(calls)


def commands_of(session: Session, events: list[dict[str, Any]]) -> list[list[str]]:
    """The commands worth knowing that were run, as words without what changes from call to call."""
    tasks = frozenset(note["task"] for note in session.notes(END) if note["what"] == TASK)
    found = []
    for event in events:
        given = event["data"].get("input")
        if event["category"] == "tool_call" and event["type"] == "Bash" and isinstance(given, dict):
            for words in shell.parts(str(given.get("command", ""))):
                common = shell.usual(words, tasks)
                if common:
                    found.append(common.split())
    return found


def program(words: list[str]) -> str:
    """Program and subcommand."""
    return " ".join(words[:1] + [each for each in words[1:2] if not each.startswith("-")])
