"""`serve`: the MCP server on stdin and stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory serve"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the common ones."""


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Serve, with arguments that only the parser understands."""
    return start(getattr(args, "home", None))


def home_of(words: list[str]) -> tuple[bool, str | None]:
    """Whether these words are plain enough to start without the parser, and the home they name.

    The client waits for the first answer; loading the parser would take half as long as everything else.
    """
    if len(words) == 2 and words[0] == "--home":
        return True, words[1]
    if len(words) == 1 and words[0].startswith("--home="):
        return True, words[0].partition("=")[2]
    return not words, None


def start(home: str | None) -> int:
    """Serve until stdin ends."""
    from session_memory.mcp_server import stdio
    from session_memory.mcp_server.switched import tools_off

    servers: list[Any] = []

    def build() -> Any:
        from session_memory.mcp_server.server import OpenLater, Server

        servers.append(Server(OpenLater(home)))
        return servers[0]

    def started(loop: Any) -> None:
        servers[0].keep_up(loop)
        servers[0].keep_checkpoints(loop)
        servers[0].keep_exchanging(loop)
        servers[0].complete_history(loop)

    stdio.run(build, stdio.SNAPSHOT, started, tools_off(home))
    return 0
