"""What recall is measured on: conversations with questions (LoCoMo) and coding sessions with questions, as opened memories.

Neither is part of the repository. LoCoMo is CC BY-NC 4.0: for evaluation only. Where the material is absent the
benchmarks say so and stop.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from session_memory import paths
from session_memory.log.journal import Journal
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft

SHARED = Path(os.environ.get("SESSION_MEMORY_SHARED") or Path(__file__).resolve().parents[3] / "shared")
CONVERSATIONS = SHARED / "recall-bench" / "data" / "locomo_gt_dev.json"
LABELS = SHARED / "labels" / "dev"
TRANSCRIPTS = SHARED / "transcripts"


def there(*places: Path) -> None:
    """Stop with a sentence where the material is not on this machine."""
    for place in places:
        if not place.exists():
            sys.exit(f"{place.name} is not on this machine; nothing was measured.")


def said(turn: dict[str, Any]) -> str:
    """The one text every system is given for a turn."""
    return f"{turn['speaker']}: {turn['text']}" + (f" [shared {turn['caption']}]" if turn.get("caption") else "")


def conversations(path: Path, keep: Path) -> Iterator[tuple[dict[str, Any], Memory, dict[str, str]]]:
    """Each conversation with its memory (filled as `session_record` would, kept in `keep`), and event id -> turn id."""
    for found in json.loads(path.read_text())["convs"]:
        home, project = keep / found["conv"], keep / "nowhere"
        project.mkdir(parents=True, exist_ok=True)
        if not home.exists():
            drafts = [
                Draft(EVENT, {"session": f"{found['conv']}-{turn['session']}", "project": "dir:talk", "category": "message",
                              "type": "turn", "stated_by": "model",
                              "data": {"text": said(turn), "speaker": turn["speaker"], "ref": turn["id"]}})
                for turn in found["docs"]
            ]  # fmt: skip
            Journal(paths.Home(str(home))).append(drafts, stated=False)
        with Memory(str(home), cwd=str(project)) as memory:
            rows = memory.opened.read().rows("SELECT lower(hex(id)), data ->> 'ref' FROM event")
            yield found, memory, dict(rows)


def sessions(keep: Path) -> Iterator[tuple[dict[str, Any], Memory]]:
    """Each labelled coding session with a memory that holds it alone, subagents included, as `import` brings it in."""
    for file in sorted(LABELS.glob("*.json")):
        found = json.loads(file.read_text())
        home, project = keep / found["session"], keep / "nowhere"
        project.mkdir(parents=True, exist_ok=True)
        fresh = not home.exists()
        with Memory(str(home), cwd=str(project)) as memory:
            if fresh:
                memory.imports.claude_code(str(TRANSCRIPTS / found["file"]))
            yield found, memory


def normal(text: str) -> str:
    """One space between words, no case: how texts are compared."""
    return re.sub(r"\s+", " ", text).strip().lower()
