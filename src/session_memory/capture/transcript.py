"""Claude Code transcripts read as drafts: what was said and done, when it happened, and where it stands.

Tolerant: unknown records, broken lines and half lines are counted in `skipped`, never an error. The facts the reading
rests on (messages that exist only in the queue, decisions inside tool results, failures behind a pipe) are tests.
"""

from __future__ import annotations

import os

from session_memory import ids
from session_memory.capture import clients, labelled, prompts, tools
from session_memory.errors import InvalidInput
from session_memory.model.pattern import later
from session_memory.model.record import EVENT, SESSION, Draft
from session_memory.quick_json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# records of the client's own bookkeeping: nothing anybody said or did
SILENT = frozenset(
    "progress file-history-snapshot attachment system last-prompt tools-used cost-state mode permission-mode atis-latch"
    " api-request api-request-shape api-request-blob summary custom-title agent-name pr-link".split()
)
# cheap test that a line is one of these before it is parsed: raw quotes cannot occur inside a JSON string
PROGRESS = b'"type":"progress","data":'
PROMPT = later(rb'"promptId":"([^"]{1,100})"')
NOT_TYPED = (b'"tool_result"', b'"isMeta":true', b'"isCompactSummary":true', b"<local-command-", b"<bash-std")
SPOKEN = (b'"type":"user"', b'"type":"assistant"')


def find_transcripts(path: str) -> list[str]:
    """The session transcripts at `path`: one file, a project folder, or a projects root; oldest first.

    Raises InvalidInput (bad-transcript).
    """
    if os.path.isfile(path) and path.endswith(".jsonl"):
        return [path]
    found: list[str] = []
    if os.path.isdir(path):
        for folder in [path, *sorted(each.path for each in os.scandir(path) if each.is_dir())]:
            found += [each.path for each in os.scandir(folder) if each.is_file() and each.name.endswith(".jsonl")]
    if not found:
        raise InvalidInput(
            "bad-transcript", f"{path} holds no Claude Code transcript.",
            "Give a .jsonl file, a project folder, or the folder ~/.claude/projects.",
        )  # fmt: skip
    return sorted(found, key=lambda each: (os.stat(each).st_mtime, each))


def subagents_of(path: str) -> list[str]:
    """The transcripts of a session's subagents."""
    folder = os.path.join(path.removesuffix(".jsonl"), "subagents")
    if not os.path.isdir(folder):
        return []
    return sorted(each.path for each in os.scandir(folder) if each.name.endswith(".jsonl"))


def is_typed(raw: bytes) -> bool:
    """Whether a line looks like what somebody typed; cheap, and sure enough to find where turns begin."""
    return SPOKEN[0] in raw and not any(sign in raw for sign in NOT_TYPED)


def copied_until(path: str) -> int:
    """The offset up to which a transcript repeats another one: a forked session begins with a copy of its parent's records.

    The copies keep their own uuid and time, but all bear the id of the first prompt of the fork: of several typed texts
    with one prompt's id only the last was typed here. 0 for a session that is no fork.
    """
    typed: dict[bytes, tuple[int, int]] = {}  # prompt's id -> how many typed texts, where the last of them begins
    at = 0
    with open(path, "rb") as file:
        for raw in file:
            if is_typed(raw):
                found = PROMPT.search(raw)
                if found:
                    typed[found.group(1)] = (typed.get(found.group(1), (0, 0))[0] + 1, at)
            at += len(raw)
    return max((last for count, last in typed.values() if count > 1), default=0)


class Transcript:
    """One file, read once by iterating: drafts of kind session and event, in the order of the file.

    `project` of every body is left empty: the caller knows what `cwd` belongs to. `skipped` counts by reason.
    start: where a line begins from which on it is read. copied: up to where it is a copy, for whoever knows.
    """

    def __init__(self, path: str, start: int = 0, copied: int | None = None) -> None:
        self.path = path
        self.skipped: dict[str, int] = {}
        self.session = ""
        self.cwd = ""
        self.offset = start  # behind the last whole line
        self._line = 0
        self._calls: dict[str, tuple[str, str, Any]] = {}  # tool_use_id -> event id, tool, input
        self._said: set[str] = set()  # texts of user records
        self._queued: list[tuple[int, dict[str, Any]]] = []
        self._waiting: dict[
            str, object
        ] = {}  # words in the client's queue -> the prompt's id of the turn they came into
        self._copied_until = copied_until(path) if copied is None else copied
        self._own: set[str] = set()  # ids of calls of our own tools
        self._prompt: object = None  # the id of the prompt that is being answered
        self._compaction = os.path.basename(path).startswith("agent-acompact")

    def __iter__(self) -> Iterator[Draft]:
        for record in self._records():
            if not self.session:
                yield from self._begin(record)
            self._prompt = record.get("promptId") or self._prompt
            yield from self._read(record)
        yield from self._unspoken()

    @property
    def forked(self) -> bool:
        """Whether it begins with a copy of another session's records."""
        return self._copied_until > 0

    def _records(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    self._skip("half line")
                    return
                self._line += 1
                self.offset += len(raw)
                if PROGRESS in raw and not any(sign in raw for sign in SPOKEN):
                    self._skip("progress")
                    continue
                try:
                    record = loads(raw.decode("utf-8", "replace"))
                except (ValueError, RecursionError):
                    self._skip("broken line")
                    continue
                if not isinstance(record, dict):
                    self._skip("broken line")
                    continue
                yield record

    def _skip(self, why: str) -> None:
        self.skipped[why] = self.skipped.get(why, 0) + 1

    def _begin(self, record: dict[str, Any]) -> Iterator[Draft]:
        """The session's first draft, once a record names it."""
        session, at = record.get("sessionId"), _ms(record)
        if not isinstance(session, str) or not session or at is None:
            return
        agent = record.get("agentId") if record.get("isSidechain") else None
        body: dict[str, Any] = {
            "session": session,
            "project": "",
            "change": "start",
            "how": "import",
            "client": clients.CLIENT,
        }
        if isinstance(agent, str):
            body.update(session=f"{session}/agent-{agent}", how="subagent", parent_session=session)
        forked = record.get("forkedFrom")
        if isinstance(forked, dict) and isinstance(forked.get("sessionId"), str):
            body.update(how="fork", parent_session=forked["sessionId"])
        self.session, self.cwd = body["session"], _text(record.get("cwd"))
        body.update(
            {name: value for name, value in (("cwd", self.cwd), ("branch", _text(record.get("gitBranch")))) if value}
        )
        if not self._compaction:
            yield Draft(SESSION, body, at_ms=at)

    def _read(self, record: dict[str, Any]) -> Iterator[Draft]:
        kind = _text(record.get("type"))
        if not self.cwd and record.get("cwd"):
            self.cwd = _text(record["cwd"])
        if kind == "queue-operation":
            self._queue(record)
        elif kind == "attachment" and _typed(record.get("attachment")):
            yield from self._user_text(record, _text(record["attachment"].get("prompt")), later=True)
        elif kind not in ("user", "assistant"):
            self._skip(kind if kind in SILENT else f"unknown record {kind[:40]}")
        elif self._compaction:
            yield from self._compaction_record(record)
        elif _ms(record) is None or not isinstance(record.get("message"), dict):
            self._skip("broken record")
        elif kind == "user":
            yield from self._user(record)
        else:
            yield from self._assistant(record)

    def _user(self, record: dict[str, Any]) -> Iterator[Draft]:
        content = record["message"].get("content")
        if record.get("isCompactSummary"):
            text = prompts.summary(tools.result_text(content))
            made = self._event(record, "message", "compact_summary", {"text": text}, "model", "compact_summary")
            if self._copied():
                made.key = f"uuid:{record.get('uuid')}"
            else:
                made.key_text = prompts.summary_key(self.session, text)
            yield made
            yield from self._stated(made, text)
            return
        if record.get("isMeta"):
            self._skip("client text")
            return
        if isinstance(content, str):
            yield from self._user_text(record, content)
            return
        texts = []
        for block in content if isinstance(content, list) else []:
            if not isinstance(block, dict):
                self._skip("broken record")
            elif block.get("type") == "tool_result":
                yield from self._result(record, block)
            elif block.get("type") == "text":
                texts.append(_text(block.get("text")))
            else:
                self._skip(f"{_text(block.get('type'))[:40] or 'unknown'} block")
        if texts:
            yield from self._user_text(record, "\n".join(texts))

    def _user_text(self, record: dict[str, Any], text: str, *, later: bool = False) -> Iterator[Draft]:
        """later: typed while the model worked, and known under the turn in which it was queued."""
        found = prompts.read(text)
        if isinstance(found, str):
            self._skip(found)
            return
        type_, data = found
        if type_ in prompts.TYPED:
            self._said.add(prompts.words(data))
        later = later or record.get("promptSource") == "queued"
        said = prompts.words(data)
        prompt = self._waiting.get(said, self._prompt) if later else record.get("promptId")
        key = None if self._copied() or record.get("isSidechain") else prompts.key(_text(prompt), type_)
        by = "tool" if type_ in prompts.BY_CLIENT else "model" if record.get("isSidechain") else "user"
        made = self._event(record, "message", type_, data, by, key or f"uuid:{record.get('uuid')}")
        made.key_text = said if key else None
        if later:
            made.body["source"]["queued"] = True
        yield made

    def _assistant(self, record: dict[str, Any]) -> Iterator[Draft]:
        content = record["message"].get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for number, block in enumerate(blocks if isinstance(blocks, list) else []):
            kind = block.get("type") if isinstance(block, dict) else None
            if kind == "text" and _text(block.get("text")).strip():
                said = block["text"].strip()
                key = None if self._copied() else prompts.reply_key(self._prompt)
                made = self._event(record, "message", "reply", {"text": said}, "model", key or _nth(record, number))
                made.key_text = prompts.normal(said) if key else None
                yield made
                yield from self._stated(made, said)
            elif kind == "thinking" and _text(block.get("thinking")).strip():
                said = block["thinking"].strip()
                yield self._event(record, "message", "thinking", {"text": said}, "model", _nth(record, number))
            elif kind == "tool_use" and isinstance(block.get("id"), str):
                if tools.is_ours(_text(block.get("name"))):
                    self._skip("our own tool")
                    self._own.add(block["id"])
                else:
                    yield self._call(record, block)
            else:
                self._skip(kind if kind in ("thinking", "text") else f"{_text(kind)[:40] or 'unknown'} block")

    def _stated(self, told: Draft, text: str) -> list[Draft]:
        """What a reply or summary states in labelled lines; a fork's copies are its parent's statements."""
        return [] if self._copied() else labelled.drafts(told, text)

    def _call(self, record: dict[str, Any], block: dict[str, Any]) -> Draft:
        tool, given, used = _text(block.get("name")) or "unknown", block.get("input"), block["id"]
        data: dict[str, Any] = {"input": given}
        files = tools.files_of(given)
        if files:
            data["files"] = files
        draft = self._event(record, "tool_call", tool, data, "tool", f"tool_call:{used}", tool_use_id=used)
        draft.id = ids.new_id(ids.now_ms())
        self._calls[used] = (draft.id, tool, given)
        return draft

    def _result(self, record: dict[str, Any], block: dict[str, Any]) -> Iterator[Draft]:
        used = _text(block.get("tool_use_id"))
        if used in self._own:
            return
        call, tool, given = self._calls.get(used, ("", "unknown", None))
        text = tools.result_text(block.get("content"))
        data = tools.outcome(tool, given, text, bool(block.get("is_error")))
        draft = self._event(record, "tool_response", tool, data, "tool", f"tool_response:{used}", tool_use_id=used)
        if call:
            draft.body["parent"] = call
        yield draft
        said = prompts.in_result(tool, data, text, record.get("toolUseResult"))
        if said is not None:
            yield self._event(record, "message", said[0], said[1], "user", f"{said[0]}:{used}", tool_use_id=used)

    def _queue(self, record: dict[str, Any]) -> None:
        if record.get("operation") == "enqueue" and _text(record.get("content")).strip() and _ms(record) is not None:
            self._queued.append((self._line, record))
            self._waiting[prompts.normal(record["content"])] = self._prompt
        else:
            self._skip("queue-operation")

    def _unspoken(self) -> Iterator[Draft]:
        """Messages typed while the model worked that never became a record of their own."""
        for number, record in self._queued:
            found = prompts.read(_text(record["content"]))
            data = {} if isinstance(found, str) else found[1]
            said = prompts.words(data)
            if not data or said in self._said or (said.startswith("/") and " " not in said):
                self._skip("queue-operation")
                continue
            type_ = found[0]
            self._line = number
            key = f"queued:{record.get('sessionId')}:{record.get('timestamp')}"
            by = "tool" if type_ in prompts.BY_CLIENT else "user"
            yield self._event(record, "message", type_, data, by, key)

    def _compaction_record(self, record: dict[str, Any]) -> Iterator[Draft]:
        """Of a compaction's own transcript only what stands nowhere else: feedback of hooks that the model saw."""
        content = record.get("message", {}).get("content") if isinstance(record.get("message"), dict) else None
        text = tools.result_text(content)
        if record.get("isMeta") and "hook additional context" in text and _ms(record) is not None:
            said = text.replace("<system-reminder>", "").replace("</system-reminder>", "").strip()
            self.session = _text(record.get("sessionId"))
            yield self._event(record, "message", "hook_feedback", {"text": said}, "tool", f"uuid:{record.get('uuid')}")
        else:
            self._skip("compaction's own record")

    def _copied(self) -> bool:
        return self.offset <= self._copied_until

    def _event(
        self, record: dict[str, Any], category: str, type_: str, data: dict[str, Any], by: str, key: str,
        tool_use_id: str = "",
    ) -> Draft:  # fmt: skip
        source: dict[str, Any] = {"client": clients.CLIENT}
        if isinstance(record.get("uuid"), str):
            source["uuid"] = record["uuid"]
        else:
            source["line"] = self._line
        for name, value in (
            ("tool_use_id", tool_use_id),
            ("prompt_id", record.get("promptId")),
            ("agent_id", record.get("agentId")),
        ):
            if isinstance(value, str) and value:
                source[name] = value
        if self._copied():
            source["copied"] = True
        body: dict[str, Any] = {
            "session": self.session or _text(record.get("sessionId")), "project": "", "category": category, "type": type_,
            "data": data, "stated_by": by, "source": source,
        }  # fmt: skip
        if _text(record.get("gitBranch")):
            body["branch"] = record["gitBranch"]
        return Draft(EVENT, body, at_ms=_ms(record), key=key)


def _nth(record: dict[str, Any], number: int) -> str:
    """The key of a record's block."""
    return f"uuid:{record.get('uuid')}" + (f":{number}" if number else "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _typed(attachment: object) -> bool:
    """Whether an attachment is a message the user typed while the model worked."""
    return (
        isinstance(attachment, dict)
        and attachment.get("type") == "queued_command"
        and bool(_text(attachment.get("prompt")))
    )


def _ms(record: dict[str, Any]) -> int | None:
    """When it happened; None for a record without a readable time."""
    try:
        ms = ids.at_ms(_text(record.get("timestamp")))
    except ValueError:
        return None
    return ms if 0 <= ms < ids.MAX_MS else None
