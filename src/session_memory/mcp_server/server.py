"""The MCP server: our tools on the official SDK, with lean schemas, arguments refused by name, and errors a model can act on."""

from __future__ import annotations

import difflib
import json
import sys
import traceback
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, ToolAnnotations
from pydantic import ValidationError

from session_memory.errors import InvalidInput, SessionMemoryError
from session_memory.mcp_server import (
    checkpoints,
    context,
    documents,
    entities,
    events,
    handoffs,
    learnings,
    prompts,
    recall,
    resources,
    sessions,
    sync,
)  # fmt: skip
from session_memory.mcp_server.answers import REPORT, ToolSpec, failed
from session_memory.mcp_server.instructions import INSTRUCTIONS
from session_memory.mcp_server.switched import tools_off
from session_memory.model.features import SWITCHED
from session_memory.settings import environment
from session_memory.version import VERSION

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from session_memory.actions.sync import Job
    from session_memory.memory import Memory

NAME = "session-memory"
STEP_SECONDS = 0.02  # between two steps of completing the history: calls come first
LOOK_SECONDS = 1.0  # between two looks whether an automatic checkpoint is due


class OpenLater:
    """The memory, opened at the first call that needs it: the handshake never waits for a disk."""

    def __init__(self, home: str | None) -> None:
        self._home = home
        self._memory: Memory | None = None

    def __call__(self) -> Memory:
        """The memory, opened now if it is not yet. Raises what `Memory` raises."""
        if self._memory is None:
            from session_memory.memory import Memory

            self._memory = Memory(self._home, client="mcp")
        return self._memory

    def tools_off(self) -> frozenset[str]:
        """The tools of features that are switched off; asked without opening anything."""
        return tools_off(self._home)

    def opened(self) -> Memory | None:
        """The memory if it is open."""
        return self._memory


class Server(MCPServer[Any]):
    """`MCPServer` whose calls are checked and answered our way. Tools run on the event loop: one thread, no locks."""

    def __init__(self, memory: OpenLater, *, everything: bool = False) -> None:
        """everything: the tools of features that are switched off as well, for the snapshot."""
        super().__init__(
            NAME, title="Session Memory", version=VERSION, instructions=INSTRUCTIONS, log_level="ERROR",
            subscriptions=False,  # our lists never change, and a client that is told so asks for them at once
        )  # fmt: skip
        self._memory = memory
        self._off = frozenset() if everything else memory.tools_off()
        for room in (sessions, events, recall, checkpoints, handoffs, learnings, entities, documents, context, sync):
            for tool in room.tools(memory):
                if tool.function.__name__ not in self._off:
                    self._add(tool)
        resources.add(self, memory)
        prompts.add(self, memory)

    def _add(self, tool: ToolSpec) -> None:
        self.add_tool(
            tool.function,
            name=tool.function.__name__,
            title=tool.title,
            description=tool.function.__doc__,
            annotations=ToolAnnotations(
                read_only_hint=tool.reads, destructive_hint=False, idempotent_hint=tool.reads, open_world_hint=False
            ),
            structured_output=False,
            meta={"ui": {"visibility": ["app"]}} if tool.hidden else None,
        )
        added = self._tool_manager.get_tool(tool.function.__name__)
        assert added is not None
        added.parameters = lean(added.parameters)

    def keep_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Apply what the hooks record meanwhile, and keep the briefs of the projects up to date; on the loop, like every call."""

        def look() -> None:
            loop.call_later(LOOK_SECONDS, look)
            memory = self._memory.opened()
            if memory is None:
                return
            try:
                memory.contexts.keep_up()
            except SessionMemoryError as error:
                memory.opened.warn(f"What hooks recorded could not be indexed yet: {error}")

        loop.call_later(LOOK_SECONDS, look)

    def keep_checkpoints(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make an automatic checkpoint every few minutes when something new happened; on the loop, like every call."""

        last = loop.time()

        def look() -> None:
            nonlocal last
            loop.call_later(LOOK_SECONDS, look)
            memory = self._memory.opened()
            if memory is not None:
                memory.meaning.go_on()
            if memory is None or loop.time() - last < memory.opened.settings.auto_checkpoint_seconds:
                return
            last = loop.time()
            try:
                memory.checkpoints.automatic()
            except SessionMemoryError as error:
                memory.opened.warn(f"No automatic checkpoint: {error}")

        loop.call_later(LOOK_SECONDS, look)

    def keep_exchanging(self, loop: asyncio.AbstractEventLoop) -> None:
        """Exchange with other devices, where that is on, after a checkpoint, a handoff or the end of a session.

        The calls are made in a thread; what they brought is applied on the loop. What fails stands in `sync_status`.
        """
        busy = False

        def look() -> None:
            nonlocal busy
            loop.call_later(LOOK_SECONDS, look)
            memory = self._memory.opened()
            if memory is None or busy:
                return
            try:
                job = memory.sync.due()
            except (SessionMemoryError, OSError) as error:
                memory.opened.warn(f"No exchange with other devices: {error}")
                return
            if job is not None:
                busy = True
                loop.run_in_executor(None, job.run).add_done_callback(lambda _done: ended(memory, job))

        def ended(memory: Memory, job: Job) -> None:
            nonlocal busy
            busy = False
            try:
                memory.sync.finish(job)
            except SessionMemoryError:
                return  # noted for `sync_status`; the next moment tries again

        loop.call_later(LOOK_SECONDS, look)

    def complete_history(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bring in what the client's hooks could not tell before, in small steps between calls."""

        def step(steps: Iterator[None]) -> None:
            memory = self._memory.opened()
            try:
                next(steps)
            except StopIteration:
                return
            except (SessionMemoryError, OSError) as error:
                if memory is not None:
                    memory.opened.warn(f"What was missed could not be completed: {error}")
                return
            loop.call_later(STEP_SECONDS, step, steps)

        if environment().client_session is None:
            return  # another client: it keeps no transcripts that we know of

        def begin() -> None:
            try:
                step(self._memory().starts.missed())
            except (SessionMemoryError, OSError):
                return  # the first call says what is wrong with the home

        loop.call_later(LOOK_SECONDS, begin)

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> CallToolResult:
        """Run a tool; whatever goes wrong becomes an answer the model can act on."""
        tool = self._tool_manager.get_tool(name)
        if tool is None and name in self._off:
            feature = next(each for each, tools in SWITCHED.items() if name in tools)
            return failed(f"{name} is not there: {feature} is false in config.json. [feature-off]")
        if tool is None:
            near = difflib.get_close_matches(name, [each.name for each in self._tool_manager.list_tools()], 1)
            raise MCPError(
                INVALID_PARAMS, f"Unknown tool {name[:80]!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            )
        given = {key: value for key, value in arguments.items() if value is not None}
        try:
            checked = _checked(tool, given)
            REPORT.set(getattr(context, "report_progress", None))
            result: CallToolResult = await tool.fn(**checked)
        except SessionMemoryError as error:
            return failed(str(error))
        except Exception as error:  # the server's outermost call: a fault of ours must not end the session
            return failed(self._told(name, error))
        return result

    def _told(self, name: str, error: Exception) -> str:
        """What to say of an error that no room has turned into a sentence."""
        memory = self._memory.opened()
        try:
            told = memory.health.mend(error) if memory is not None else None
        except SessionMemoryError as worse:
            return str(worse)
        if told is not None and told.code == "index-damaged":
            return f"{told.what} It has been made again from the log: call {name} once more. [{told.code}]"
        if told is not None:
            return str(told)
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
        return (
            f"{name} failed inside the server ({type(error).__name__}). Try again; the reason is on stderr. [internal]"
        )


def _checked(tool: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the function takes them. Raises InvalidInput with the argument's name."""
    known = list(tool.parameters.get("properties", {}))
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(
                "unknown-argument",
                f"{tool.name} has no argument {name[:60]!r}.",
                f"{hint}It takes: {', '.join(known) or 'none'}.",
            )
    for name in tool.parameters.get("required", []):
        if name not in given:
            raise InvalidInput("missing-argument", f"{tool.name} needs the argument {name!r}.", _takes(tool, name))
    try:
        validated: dict[str, Any] = tool.fn_metadata.validate_arguments(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the arguments"
        raise InvalidInput(
            "bad-argument",
            f"{place} is wrong: {first['msg']}.",
            _takes(tool, str(first["loc"][0]) if first["loc"] else ""),
        ) from None
    return validated


def _takes(tool: Any, name: str) -> str:
    schema = tool.parameters.get("properties", {}).get(name)
    return f"It takes {json.dumps(schema)}." if schema else ""


def lean(schema: dict[str, Any]) -> dict[str, Any]:
    """A tool's input schema without what costs tokens and says nothing: titles, null alternatives, empty defaults; nor that other
    arguments are not allowed: whoever gives one is told so by name."""

    def strip(part: Any) -> Any:
        if isinstance(part, list):
            return [strip(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:  # the definitions do not go along: what they say stands where it is meant
            return {
                k: v for k, v in strip(schema["$defs"][part["$ref"].rpartition("/")[2]]).items() if k != "description"
            }
        kept = {
            k: strip(v) for k, v in part.items() if k != "title" and not (k == "default" and v in (None, "", [], 0))
        }
        options = [each for each in kept.get("anyOf", []) if each != {"type": "null"}]
        if "anyOf" in kept and len(options) == 1:
            del kept["anyOf"]
            kept.update(options[0])
        elif "anyOf" in kept:
            kept["anyOf"] = options
        if kept.get("additionalProperties") is True:
            del kept["additionalProperties"]
        return kept

    properties = {name: strip(part) for name, part in schema.get("properties", {}).items()}
    result: dict[str, Any] = {"type": "object", "properties": properties}
    if schema.get("required"):
        result["required"] = schema["required"]
    return result
