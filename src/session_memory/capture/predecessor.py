"""A home of the product before this one as drafts: its unversioned log line by line, its tables row by row, its checkpoint files.

Ids are those it gave, kept as `source.id`; times are its own. It knew no projects, so what it holds is found from every one.
Its log is the truth for events (its index pointed into it by offsets, and wrongly when several processes wrote).
"""

from __future__ import annotations

import json
import os

from session_memory import ids, paths
from session_memory.errors import InvalidInput
from session_memory.model.record import (
    CHECKPOINT,
    DOCUMENT,
    ENTITY,
    EVENT,
    EVERYWHERE,
    LEARNING,
    RELATION,
    SESSION,
    Draft,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    Row = Mapping[str, Any]

TABLES = ("sessions", "learnings", "entities", "entity_relations", "ingested_documents", "checkpoints")
CLIENT = "session-memory before 1"
PROJECT_NAME = "earlier work"
KEY = "predecessor"
UNKNOWN_SESSION = "predecessor"
LONGEST_LINE = 64 * 1024 * 1024


class Lines:
    """The events of an `events.jsonl`, in order, with how far reading has come and what could not be read."""

    def __init__(self, path: str, categories: Iterable[str]) -> None:
        self.path = path
        self.offset = 0
        self.unreadable = 0
        self._categories = frozenset(categories)
        self._counts: dict[str, int] = {}
        self._last_ms: int | None = None

    def __iter__(self) -> Iterator[Draft]:
        fd = paths.open_file(self.path, os.O_RDONLY)
        with open(fd, "rb") as file:
            while True:
                raw = file.readline(LONGEST_LINE)
                if not raw:
                    return
                self.offset += len(raw)
                draft = self._draft(raw)
                if draft is not None:
                    yield draft
                elif raw.strip():
                    self.unreadable += 1

    def _draft(self, raw: bytes) -> Draft | None:
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            return None  # torn, glued together or garbled: counted
        if not isinstance(found, dict) or not found.get("id"):
            return None
        old = str(found["id"])
        # two events of one microsecond got one id: both are kept
        count = self._counts[old] = self._counts.get(old, 0) + 1
        category, data, tags = str(found.get("category") or ""), found.get("data"), found.get("tags")
        source: dict[str, Any] = {"client": CLIENT, "id": old}
        body: dict[str, Any] = {
            **_about(found.get("session_id")),
            "category": category,
            "type": str(found.get("type") or ""),
        }
        if category not in self._categories:
            body["category"] = "custom"
            source["category"] = category
        body["data"] = data if isinstance(data, dict) else {"value": data}
        body["stated_by"] = "import"
        if found.get("parent_id"):
            body["parent"] = str(found["parent_id"])
        if isinstance(tags, list) and tags:
            body["tags"] = [str(each) for each in tags]
        body["source"] = source
        self._last_ms = when(found.get("ts")) or when_of_id(old) or self._last_ms
        return Draft(EVENT, body, at_ms=self._last_ms, key=KEY, key_text=event_key(old, count))


def event_key(old: str, count: int = 1) -> str:
    """What the `count`-th event of an old id is known by."""
    return f"event:{old}" if count == 1 else f"event:{old}:{count}"


def when(text: object) -> int | None:
    """Milliseconds of `2025-03-04T05:06:07.123456Z`; None for anything else."""
    given = str(text or "").replace(" ", "T")
    whole, _dot, fraction = given.removesuffix("Z").removesuffix("+00:00").partition(".")
    try:
        return ids.at_ms(f"{whole}.{(fraction + '000')[:3]}Z")
    except ValueError:
        return None


def when_of_id(old: str) -> int | None:
    """The time in an id like `evt-20250304050607123456`; None when there is none."""
    digits = old.rpartition("-")[2]
    if len(digits) != 20 or not digits.isdigit():
        return None
    d = digits
    return when(f"{d[0:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z")


def sessions(rows: Iterable[Row]) -> Iterator[Draft]:
    """Its sessions: when they began and ended, and for which skill."""
    for row in rows:
        began, ended = when(row.get("started_at")), when(row.get("ended_at"))
        start = {
            **_about(row["id"]),
            "change": "start",
            "how": "startup",
            "client": CLIENT,
            "skill": row.get("skill_name"),
        }
        yield Draft(SESSION, _known(start), at_ms=began, key=KEY, key_text=f"session:{row['id']}")
        if ended is not None:
            yield Draft(
                SESSION, {**_about(row["id"]), "change": "end"}, at_ms=ended, key=KEY, key_text=f"end:{row['id']}"
            )


def learnings(rows: Iterable[Row]) -> Iterator[Draft]:
    """Its learnings, with the confidence and number of uses they had."""
    for row in rows:
        body = {
            **_about((_list(row.get("source_session_ids")) or [None])[0]),
            "learning": str(row["id"]), "category": str(row.get("category") or "pattern"),
            "title": str(row.get("title") or ""), "description": row.get("description"),
            "confidence": row.get("confidence"), "usage_count": row.get("usage_count"),
            "last_applied": row.get("last_applied"), "metadata": _object(row.get("metadata")),
            "stated_by": "import", "source": {"client": CLIENT, "id": str(row["id"])},
        }  # fmt: skip
        yield Draft(LEARNING, _known(body), at_ms=when(row.get("timestamp")), key=KEY, key_text=f"learning:{row['id']}")


def entities(rows: Iterable[Row], keyed: Callable[[str], str], at_ms: int | None) -> Iterator[Draft]:
    """Its entities. `keyed` hashes text with the home's secret: an entity's id is made from what it is."""
    for row in rows:
        body = {
            **_about(row.get("first_seen_session")),
            "entity": entity_id(row, keyed), "type": str(row.get("type") or "concept"), "name": str(row.get("name") or ""),
            "qualified_name": row.get("qualified_name"), "metadata": _object(row.get("metadata")),
            "stated_by": "import", "source": {"client": CLIENT, "id": str(row["id"])},
        }  # fmt: skip
        at = when_of_id(str(row.get("first_seen_event") or "")) or at_ms
        yield Draft(ENTITY, _known(body), at_ms=at, key=KEY, key_text=f"entity:{row['id']}")


def relations(
    rows: Iterable[Row], known: Mapping[str, str], keyed: Callable[[str], str], at_ms: int | None
) -> Iterator[Draft]:
    """Its relations. `known`: its entity ids -> ours; an end it did not have as an entity keeps the name it was called by."""
    for row in rows:
        ends = [known.get(str(row[name]), str(row[name])) for name in ("source_entity_id", "target_entity_id")]
        type_ = str(row.get("relation_type") or "")
        body = {
            **_about(row.get("session_id")),
            "relation": keyed("\0".join(("relation", *ends, type_))), "source_entity": ends[0], "target_entity": ends[1],
            "type": type_, "weight": row.get("weight"), "metadata": _object(row.get("metadata")),
            "stated_by": "import", "source": {"client": CLIENT, "id": str(row["id"])},
        }  # fmt: skip
        at = when_of_id(str(row.get("event_id") or "")) or at_ms
        yield Draft(RELATION, _known(body), at_ms=at, key=KEY, key_text=f"relation:{row['id']}")


def entity_id(row: Row, keyed: Callable[[str], str]) -> str:
    """An entity's id: project, type and qualified name (else name), keyed."""
    name = str(row.get("qualified_name") or row.get("name") or "")
    return keyed("\0".join(("entity", EVERYWHERE, str(row.get("type") or "concept"), name)))


def documents(rows: Iterable[Row]) -> Iterator[Draft]:
    """Its ingested documents; their text lies in its events."""
    for row in rows:
        body = {
            **_about(row.get("session_id")),
            "document": str(row["id"]), "name": str(row.get("filename") or ""), "path": row.get("file_path"),
            "type": row.get("file_type"), "title": row.get("title"), "chunks": row.get("chunk_count"),
            "words": row.get("word_count"), "pages": row.get("page_count"), "metadata": _object(row.get("metadata")),
            "stated_by": "import", "source": {"client": CLIENT, "id": str(row["id"])},
        }  # fmt: skip
        yield Draft(
            DOCUMENT, _known(body), at_ms=when(row.get("ingested_at")), key=KEY, key_text=f"document:{row['id']}"
        )


def checkpoints(rows: Iterable[Row], folder: str) -> Iterator[Draft]:
    """Its checkpoints: the rows of its index, filled from the files in `folder`; files without a row count as well."""
    files = dict(_files(folder))
    for row in [*rows, *({"id": each} for each in list(files))]:
        old = str(row["id"])
        content = files.pop(old, {})
        if not content and "name" not in row:
            continue  # a file whose row came before
        said = {**content, **{name: value for name, value in row.items() if value is not None}}
        state = content.get("plugin_state") or _object(row.get("state_snapshot"))
        body = {
            **_about(said.get("session_id")),
            "name": str(said.get("name") or old), "type": "auto" if said.get("type") == "auto" else "manual",
            "summary": said.get("summary"), "state": state or None, "progress": (state or {}).get("progress"),
            "event_count": said.get("event_count"), "skill": said.get("skill"),
            "source": {"client": CLIENT, "id": old},
        }  # fmt: skip
        at = when(said.get("timestamp")) or when_of_id(old)
        yield Draft(CHECKPOINT, _known(body), at_ms=at, key=KEY, key_text=f"checkpoint:{old}")


def _files(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("manual", "auto"):
        place = os.path.join(folder, kind)
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            try:
                fd = paths.open_file(os.path.join(place, name), os.O_RDONLY)
                with open(fd, "rb") as file:
                    content = json.loads(file.read())
            except (OSError, ValueError, RecursionError):
                continue  # empty or half written: its row says what is known
            # ours have an id of 32 digits and lie in the same folder
            if isinstance(content, dict) and str(content.get("id", "")).startswith("chk-"):
                yield str(content["id"]), content


def home_of(path: str) -> tuple[str, str, str]:
    """Its log, its index and its checkpoint folder below `path`: a home, its storage folder, or what we moved aside.

    Files that are not there are "". Raises InvalidInput (bad-home) when neither log nor index is.
    """
    for storage in (path, os.path.join(path, "storage")):
        log, index = os.path.join(storage, "events.jsonl"), os.path.join(storage, "index.sqlite")
        if os.path.isfile(log) or os.path.isfile(index):
            return (
                log if os.path.isfile(log) else "",
                index if os.path.isfile(index) else "",
                os.path.join(storage, "checkpoints"),
            )
    raise InvalidInput("bad-home", f"{path} holds no events.jsonl and no index.sqlite.", "Name the home folder itself.")


def _about(session: object) -> dict[str, Any]:
    return {"session": str(session or UNKNOWN_SESSION), "project": EVERYWHERE, "project_name": PROJECT_NAME}


def _known(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _object(text: object) -> dict[str, Any] | None:
    """A JSON object kept as text in a column; None when it is empty or none."""
    try:
        found = json.loads(str(text or "null"))
    except (ValueError, RecursionError):
        return {"text": str(text)}
    return found if isinstance(found, dict) and found else None


def _list(text: object) -> list[Any]:
    try:
        found = json.loads(str(text or "[]"))
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
