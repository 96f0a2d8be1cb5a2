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
    """Only reached for `serve --help`-like calls; `start` is the way in."""
    return start(["--home", args.home] if getattr(args, "home", None) else [])


def start(words: list[str]) -> int:
    """Serve until stdin ends. Only `--home DIR` is understood here; anything else is shown by the parser."""
    home = None
    if words[:1] == ["--home"] and len(words) == 2:
        home = words[1]
    elif len(words) == 1 and words[0].startswith("--home="):
        home = words[0].partition("=")[2]
    elif words:
        from session_memory.cli.main import parser

        parser(["serve", *words]).parse_args(["serve", *words])
        return 2
    from session_memory.mcp_server import stdio

    servers: list[Any] = []

    def build() -> Any:
        from session_memory.mcp_server.server import OpenLater, Server

        servers.append(Server(OpenLater(home)))
        return servers[0]

    def started(loop: Any) -> None:
        servers[0].keep_checkpoints(loop)

    stdio.run(build, stdio.SNAPSHOT, started)
    return 0
