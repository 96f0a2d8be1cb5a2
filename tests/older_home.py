"""Makes a home as the product before this one left it: our own content in its file formats."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

TABLES = """
CREATE TABLE events (id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, category TEXT NOT NULL, type TEXT, session_id TEXT NOT NULL,
  parent_id TEXT, jsonl_offset INTEGER NOT NULL, jsonl_length INTEGER NOT NULL);
CREATE TABLE checkpoints (id TEXT PRIMARY KEY, name TEXT, timestamp TEXT NOT NULL, type TEXT NOT NULL, session_id TEXT NOT NULL,
  event_count INTEGER, state_snapshot TEXT, summary TEXT, file_path TEXT);
CREATE TABLE sessions (id TEXT PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, skill_name TEXT, plugin_name TEXT,
  current_phase TEXT, event_count INTEGER DEFAULT 0, last_checkpoint_id TEXT);
CREATE TABLE learnings (id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, category TEXT NOT NULL, title TEXT NOT NULL,
  description TEXT, context_hash TEXT, source_session_ids TEXT, confidence REAL DEFAULT 0.7, usage_count INTEGER DEFAULT 0,
  last_applied TEXT, metadata TEXT);
CREATE TABLE entities (id TEXT PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, qualified_name TEXT,
  first_seen_session TEXT, first_seen_event TEXT, metadata TEXT);
CREATE TABLE entity_relations (id TEXT PRIMARY KEY, source_entity_id TEXT NOT NULL, target_entity_id TEXT NOT NULL,
  relation_type TEXT NOT NULL, session_id TEXT, event_id TEXT, weight REAL DEFAULT 1.0, metadata TEXT);
CREATE TABLE ingested_documents (id TEXT PRIMARY KEY, filename TEXT NOT NULL, file_type TEXT NOT NULL, file_hash TEXT NOT NULL,
  file_path TEXT NOT NULL, ingested_at TEXT NOT NULL, session_id TEXT NOT NULL, chunk_count INTEGER DEFAULT 0,
  word_count INTEGER DEFAULT 0, page_count INTEGER, title TEXT, metadata TEXT);
CREATE TABLE sync_state (id TEXT PRIMARY KEY, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL);
CREATE VIRTUAL TABLE events_fts USING fts5 (id, category, type, content, tokenize='porter unicode61');
"""
SESSION = "sess-20250304050000000001"


def stamp(second: int) -> str:
    return f"2025-03-04T05:{second // 60:02d}:{second % 60:02d}.123456Z"


def event(number: int, category: str, type_: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": f"evt-20250304050{number // 60:01d}{number % 60:02d}123456", "ts": stamp(number), "category": category,
        "type": type_, "data": data, "session_id": SESSION, "parent_id": None, "tags": [], **more,
    }  # fmt: skip


EVENTS = [
    event(1, "decision", "architecture", {"title": "Use SQLite", "rationale": "one file, no server"}, tags=["storage"]),
    event(2, "finding", "bug", {"description": "Login fails for names with café", "severity": "HIGH"}),
    event(3, "question", "clarification", {"question": "Which port should the proxy use?"}),
    event(4, "question", "clarification", {"question": "Keep Python 3.9?", "status": "open"}),
    event(5, "question", "answered", {"answer": "No, 3.10 and up."}, parent_id="evt-20250304050004123456"),
    event(6, "tool_call", "bash", {"command": "pytest -q tests/auth"}),
    event(7, "document", "chunk", {"document_id": "doc-1", "content": "The retention policy is ninety days."}),
    event(8, "phase", "phase_start", {"phase": "ANALYZE"}),
    event(9, "custom", "note", "only a text"),
]
OLD_KEYS = ["evt-20250304050001123456"]


def make(root: Path, *, extra: list[dict[str, Any] | str] | None = None) -> Path:
    """A home with every kind of thing in it; `extra`: more lines of the log, raw where they are text."""
    storage = root / "storage"
    for name in ("checkpoints/auto", "checkpoints/manual"):
        (storage / name).mkdir(parents=True)
    for name in ("handoffs", "plugins"):
        (root / name).mkdir()
    index = sqlite3.connect(storage / "index.sqlite")
    index.executescript(TABLES)
    with open(storage / "events.jsonl", "w") as file:
        for each in [*EVENTS, *(extra or [])]:
            line = each if isinstance(each, str) else json.dumps(each)
            if not isinstance(each, str):
                index.execute(
                    "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (each["id"], each["ts"], each["category"], each["type"], SESSION, each["parent_id"], file.tell(), len(line)),
                )  # fmt: skip
            file.write(line + "\n")
    index.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, 'speckit-generator', 'speckit', NULL, 9, NULL)",
        (SESSION, stamp(0), stamp(60)),
    )
    index.execute(
        "INSERT INTO learnings VALUES ('learn-1', ?, 'anti-pattern', 'Never mock the clock', 'Freeze it instead.', NULL, ?, 0.85, 3, ?, ?)",
        (stamp(10), json.dumps([SESSION]), stamp(20), json.dumps({"seen": 3})),
    )  # fmt: skip
    for id_, type_, name in (("module:auth", "module", "auth"), ("service:proxy", "service", "proxy")):
        index.execute(
            "INSERT INTO entities VALUES (?, ?, ?, ?, ?, NULL, ?)",
            (id_, type_, name, f"app.{name}", SESSION, '{"lang": "py"}'),
        )
    index.execute(
        "INSERT INTO entity_relations VALUES ('rel-1', 'service:proxy', 'module:auth', 'depends_on', ?, NULL, 0.5, NULL)",
        (SESSION,),
    )
    index.execute(
        "INSERT INTO ingested_documents VALUES ('doc-1', 'policy.md', 'markdown', 'ff', '/docs/policy.md', ?, ?, 1, 6, NULL, 'Policy', '{}')",
        (stamp(7), SESSION),
    )  # fmt: skip
    for number, (id_, name, kind) in enumerate(
        [
            ("chk-20250304050030123456", "before-refactor", "manual"),
            ("chk-20250304050040123456", "checkpoint-9", "auto"),
        ]
    ):
        content = {
            "id": id_, "name": name, "timestamp": stamp(30 + 10 * number), "type": kind, "session_id": SESSION,
            "skill": "speckit-generator", "plugin_state": {"phase": "plan", "progress": 0.4, "custom_data": {"tasks": ["T1"]}},
            "event_count": 9, "summary": "Half of the plan is done",
        }  # fmt: skip
        path = storage / "checkpoints" / kind / f"{name}-174106000{number}.json"
        path.write_text(json.dumps(content, indent=2))
        index.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, 9, ?, ?, ?)",
            (
                id_,
                name,
                content["timestamp"],
                kind,
                SESSION,
                json.dumps(content["plugin_state"]),
                content["summary"],
                str(path),
            ),
        )
    (storage / "checkpoints" / "auto" / "empty-1.json").touch()  # a full disk left this
    index.commit()
    index.close()
    (root / "config.json").write_text(json.dumps({
        "auto_checkpoint_interval_minutes": 7, "features": {"learning": {"enabled": True}, "entities": {"enabled": False}},
    }))  # fmt: skip
    (root / "server.py").write_text("print('the old server')\n")
    (root / "plugins" / "base.py").write_text("class SessionPlugin:\n    pass\n")
    (root / "plugins" / "generic.py").write_text(
        "from plugins.base import SessionPlugin\nclass G(SessionPlugin):\n    pass\n"
    )
    (root / "plugins" / "mine.py").write_text(
        "from plugins.base import SessionPlugin\nclass Mine(SessionPlugin):\n    pass\n"
    )
    os.chmod(root, 0o755)
    return root
