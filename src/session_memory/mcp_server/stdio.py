"""Serving over stdio: the wire answers while the SDK is imported; then the SDK serves both protocol eras behind it."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from session_memory.mcp_server.wire import Wire
from session_memory.version import VERSION

if TYPE_CHECKING:
    import asyncio

    from mcp.server.mcpserver import MCPServer

    Build = Callable[[], MCPServer[Any]]
    Started = Callable[[asyncio.AbstractEventLoop], None]

SNAPSHOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "snapshot.json")


def run(
    build: Build, snapshot: str | None, started: Started = lambda loop: None, without: frozenset[str] = frozenset()
) -> None:
    """Serve until stdin ends; then the process ends. `build` imports the SDK and makes the server.

    snapshot: path of the answers that can be given before that; None, absent or of another version: no early answers.
    started: called on the event loop once the SDK serves. without: tools that are not to be listed.
    """
    wire = Wire(_load(snapshot, without))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # what was acknowledged is in the log
    wire.start()
    gc.disable()  # an import makes no garbage worth looking for; this saves a sixth of it
    try:
        server = build()
    except Exception as error:  # whatever is wrong with the installation, waiting calls must be answered
        traceback.print_exc(file=sys.stderr)
        wire.fail(
            f"Session Memory could not load its packages ({type(error).__name__}). Recorded events are safe."
            " Reinstall it, for example with: pip install --force-reinstall session-memory [import-failed]"
        )
        threading.Event().wait()  # the wire answers; it ends the process when stdin ends
    gc.freeze()
    gc.enable()

    import anyio

    anyio.run(_serve, wire, server, started)
    os._exit(0)


def _load(path: str | None, without: frozenset[str] = frozenset()) -> dict[str, Any] | None:
    """The snapshot, if it is there and of this version, without some tools."""
    try:
        with open(path or os.devnull, encoding="utf-8") as file:
            loaded = json.load(file)
    except (OSError, ValueError):
        return None  # the answers then come from the SDK, a little later
    if loaded.get("version") != VERSION:
        return None
    tables = loaded["tables"]
    for table in tables if without else ():
        if "tools" in table:
            table["tools"] = [each for each in table["tools"] if each["name"] not in without]
    loaded["results"] = {
        version: {method: tables[number] for method, number in methods.items()}
        for version, methods in loaded["methods"].items()
    }
    return dict(loaded)


async def _serve(wire: Wire, server: MCPServer[Any], started: Started) -> None:
    import asyncio

    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Any] = asyncio.Queue()

    def parse(line: bytes) -> Any:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)

    def deliver(message: Any) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, SessionMessage(message))

    low = server._lowlevel_server  # the one private name of the SDK that we use; a test names it
    wire.serve(parse, deliver)
    started(loop)
    await low.run(_Read(queue), _Write(wire), low.create_initialization_options())


class _Stream:
    """What the SDK's loops expect of a stream beside reading or writing."""

    async def aclose(self) -> None:
        return None

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class _Read(_Stream):
    def __init__(self, queue: asyncio.Queue[Any]) -> None:
        self._queue = queue

    async def receive(self) -> Any:
        return await self._queue.get()

    def __aiter__(self) -> _Read:
        return self

    async def __anext__(self) -> Any:
        return await self._queue.get()


class _Write(_Stream):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, item: Any, /) -> None:
        message = item.message
        answered = json.dumps(message.id) if not hasattr(message, "method") and hasattr(message, "id") else None
        self._wire.send(message.model_dump_json(by_alias=True, exclude_unset=True).encode(), answered)
