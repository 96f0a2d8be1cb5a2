"""The two pipes to the client: every line is read, and every request is answered, even before the SDK is loaded.

Standard library only. A reader thread takes lines from a private duplicate of stdin; stdin itself then reads nothing
and stdout points at stderr, so that whatever prints cannot reach the protocol. Until the SDK serves, the handshake and
the lists are answered from a snapshot made at build time; everything else waits its turn. Lines the SDK would leave
without an answer (lone surrogates, nesting it cannot parse, no JSON at all) are repaired or refused here.
"""

from __future__ import annotations

import json
import os
import re
import select
import threading
from collections.abc import Callable
from typing import Any

from session_memory import ids
from session_memory.model.values import canonical

MOST_LINE = 8 * 1024 * 1024
READ = 1 << 16
MOST_DEPTH = 180  # what the SDK can parse, a little below its limit
LAST_ANSWERS = 10.0  # seconds that requests still running may take once stdin has ended, while somebody reads
PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
VERSION_MEMBER = "io.modelcontextprotocol/protocolVersion"
ID = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\]{1,200}")')

Parse = Callable[[bytes], Any]  # the SDK's parser: a message, or ValueError

HOOK_TOOL = "prompt_recall"  # called by the client itself at every prompt
TOLD_NOTHING = {"content": [{"type": "text", "text": "{}"}], "isError": False}


class Wire:
    """Reads, answers early, and hands everything else to the SDK once it is there."""

    def __init__(self, snapshot: dict[str, Any] | None) -> None:
        self._in, self._out = _claim()
        self._snapshot = snapshot or {}
        self._state = threading.Lock()
        self._writing = threading.Lock()
        self._backlog: list[bytes] = []
        self._parse: Parse | None = None
        self._deliver: Callable[[Any], None] | None = None
        self._waiting: set[str] = set()  # ids (as JSON) of requests that are not answered yet
        self._told: set[str] = set()  # ids whose answer the client has: the SDK's own is dropped
        self._legacy = ""  # protocol version agreed by an `initialize` that was answered early
        self._modern = False  # a request of the modern era waits: the SDK will serve that era
        self._failed = ""  # why the SDK will never serve

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="wire", daemon=True).start()

    def serve(self, parse: Parse, deliver: Callable[[Any], None]) -> None:
        """From now on lines go to the SDK; those that waited go first, in order."""
        with self._state:
            self._parse, self._deliver = parse, deliver
            for line in self._backlog:
                self._hand_over(line)
            self._backlog.clear()

    def fail(self, why: str) -> None:
        """The SDK will never serve: calls are answered with the reason, the lists go on from the snapshot."""
        with self._state:
            self._failed = why
            waiting, self._backlog = self._backlog, []
        for line in waiting:
            self._refuse(json.loads(line))

    def send(self, line: bytes, answered: str | None) -> None:
        """Write one message of the SDK; dropped when the client has that answer already."""
        if answered is not None and answered in self._told:
            self._told.discard(answered)
        else:
            self._write(line)
        if answered is not None:
            self._waiting.discard(answered)  # only now: when stdin has ended, the last of them ends the process

    # reading

    def _read(self) -> None:
        buffer = bytearray()
        head = b""  # the beginning of a line over the limit: its id may stand there
        skipping = False
        while True:
            chunk = os.read(self._in, READ)
            if not chunk:
                self._end()
            buffer += chunk
            *lines, rest = buffer.split(b"\n")
            for line in lines:
                if skipping:
                    skipping = False
                    self._error(INVALID_REQUEST, "The line is over the limit of 8 MiB.", _guess_id(head + bytes(line)))
                elif line.strip():
                    self._line(bytes(line).strip())
            buffer = rest
            if len(buffer) > MOST_LINE:  # drop the rest, but find the next line
                if not skipping:
                    head = bytes(buffer[:4096])
                skipping = True
                buffer = buffer[-4096:]

    def _line(self, line: bytes) -> None:
        with self._state:
            if self._deliver is not None:
                self._hand_over(line)
                return
        message = self._understood(line)
        if message is None:
            return
        if self._failed:
            if not self._early(message):
                self._refuse(message)
            return
        early = self._early(message)
        with self._state:
            if early and message.get("method") != "initialize":
                return
            self._note(message)
            if self._deliver is not None:  # the SDK came meanwhile
                self._hand_over(line)
            else:
                self._backlog.append(line)

    def _hand_over(self, line: bytes) -> None:
        assert self._parse is not None and self._deliver is not None  # only called once both are there
        try:
            message = self._parse(line)
        except ValueError:
            repaired = self._understood(line)
            if repaired is None:
                return
            try:
                message = self._parse(json.dumps(repaired).encode())
            except ValueError:
                self._error(INVALID_REQUEST, "This is not a JSON-RPC 2.0 request.", repaired.get("id"))
                return
        if getattr(message, "id", None) is None and b'"id"' in line and self._understood(line) is None:
            return  # the SDK takes a request whose id is null or a list for a notification
        self._count(message)
        self._deliver(message)

    def _count(self, message: Any) -> None:
        """Remember a request until it is answered; a cancelled one may never be."""
        request = getattr(message, "id", None)
        method = getattr(message, "method", None)
        if request is not None and method is not None:
            self._waiting.add(json.dumps(request))
        elif method == "notifications/cancelled":
            params = getattr(message, "params", None)
            if isinstance(params, dict):
                self._waiting.discard(json.dumps(params.get("requestId")))

    def _note(self, message: dict[str, Any]) -> None:
        if "id" in message and "method" in message:
            self._waiting.add(json.dumps(message["id"]))
            self._modern = self._modern or bool(_version(message))

    def _understood(self, line: bytes) -> dict[str, Any] | None:
        """The line as a message with its surrogates repaired; None when it was answered with an error."""
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            self._error(PARSE_ERROR, f"The line is no UTF-8 ({error.reason} at byte {error.start}).", _guess_id(line))
            return None
        try:
            message = json.loads(text.removeprefix("\ufeff"))
        except RecursionError:
            self._error(INVALID_REQUEST, f"The request is nested deeper than {MOST_DEPTH} levels.", _guess_id(line))
            return None
        except ValueError as error:
            self._error(PARSE_ERROR, f"The line is no JSON ({error}).", None)
            return None
        if not isinstance(message, dict):
            self._error(INVALID_REQUEST, "A message is a JSON object; batches are not part of the protocol.", None)
            return None
        if _deep(message, MOST_DEPTH):
            self._error(INVALID_REQUEST, f"The request is nested deeper than {MOST_DEPTH} levels.", message.get("id"))
            return None
        if not isinstance(message.get("method"), str) and not (
            "id" in message and ("result" in message or "error" in message)
        ):
            self._error(INVALID_REQUEST, "The request names no method.", message.get("id"))
            return None
        if "method" in message and "id" in message and not _is_id(message["id"]):
            self._error(INVALID_REQUEST, "A request's id is a text or a whole number.", None)
            return None
        repaired: dict[str, Any] = canonical(message) if "\\u" in text else message
        return repaired

    # answering

    def _early(self, message: dict[str, Any]) -> bool:
        """Answer from the snapshot where that is what the SDK would say."""
        method, request = message.get("method"), message.get("id")
        results = self._snapshot.get("results", {})
        if request is None or not results:
            return False
        params = message.get("params") if isinstance(message.get("params"), dict) else {}
        assert isinstance(params, dict)  # the line above made it one
        version = _version(message)
        if method == "initialize" and not version and not self._modern and not self._legacy:
            asked = str(params.get("protocolVersion"))
            self._legacy = asked if asked in self._snapshot["handshakes"] else self._snapshot["latest_handshake"]
            self._told.add(json.dumps(request))
            self._result(request, results[self._legacy]["initialize"])
            return True
        if method == "ping" and self._legacy:
            self._result(request, {})
            return True
        if method == "tools/call" and params.get("name") == HOOK_TOOL:
            self._result(request, {**TOLD_NOTHING, **({"resultType": "complete"} if version else {})})
            return True  # a prompt waits for it: rather no recall than one that waits for imports
        known = results.get(version or self._legacy, {})
        if method not in known or method == "initialize" or params.get("cursor"):
            return False
        self._result(request, known[method])
        return True

    def _refuse(self, message: dict[str, Any]) -> None:
        request = message.get("id")
        if request is None or "method" not in message:
            return
        if message["method"] == "tools/call":
            result: dict[str, Any] = {"content": [{"type": "text", "text": self._failed}], "isError": True}
            if _version(message):
                result["resultType"] = "complete"
            self._result(request, result)
        elif message["method"] != "initialize":
            self._error(INTERNAL_ERROR, self._failed, request)

    def _result(self, request: Any, result: dict[str, Any]) -> None:
        self._write(json.dumps({"jsonrpc": "2.0", "id": request, "result": result}).encode())
        self._waiting.discard(json.dumps(request))

    def _error(self, code: int, text: str, request: Any) -> None:
        request = request if _is_id(request) else None
        self._write(json.dumps({"jsonrpc": "2.0", "id": request, "error": {"code": code, "message": text}}).encode())
        self._waiting.discard(json.dumps(request))

    def _write(self, line: bytes) -> None:
        view = memoryview(line + b"\n")
        with self._writing:
            try:
                while view:
                    view = view[os.write(self._out, view) :]
            except OSError:
                os._exit(0)  # nobody reads any more; everything acknowledged is in the log

    def _end(self) -> None:
        """stdin has ended: go at once, unless somebody still reads and waits for answers."""
        until = ids.monotonic() + LAST_ANSWERS
        while self._waiting and ids.monotonic() < until and not _reader_gone(self._out):
            ids.pause(0.005)
        os._exit(0)


def _claim() -> tuple[int, int]:
    """Private duplicates of stdin and stdout; the standard ones then lead nowhere and to stderr."""
    private_in, private_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        os.dup2(2, 1)
    except OSError:  # started without stderr
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.close(nothing)
    return private_in, private_out


def _reader_gone(fd: int) -> bool:
    """Whether the other end of the pipe is closed (only known where there is poll)."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _fd, events in poll.poll(0))


def _version(message: dict[str, Any]) -> str:
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    version = meta.get(VERSION_MEMBER) if isinstance(meta, dict) else None
    return version if isinstance(version, str) else ""


def _is_id(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _guess_id(line: bytes) -> Any:
    """The id of a line that cannot be parsed, from its beginning or its end."""
    for part in (line[:4096], line[-4096:]):
        found = ID.findall(part)
        if found:
            return json.loads(found[0])
    return None


def _deep(value: Any, most: int) -> bool:
    """Whether `value` nests deeper than `most` levels; without recursion."""
    level = [value]
    for _depth in range(most):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True
