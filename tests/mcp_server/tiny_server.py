"""A server of three tools for tests of the wire: one echoes, one prints to stdout, one is slow. First argument: how."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

from session_memory.mcp_server import stdio


def build() -> Any:
    how = sys.argv[1]
    if how == "slow-import":
        time.sleep(1.5)
    if how == "broken":
        raise ImportError("no such package")
    from mcp.server.mcpserver import MCPServer

    server: MCPServer[Any] = MCPServer("tiny", version="1", log_level="ERROR", subscriptions=False)

    @server.tool()
    async def echo(value: Any = None) -> str:
        return repr(value)

    @server.tool()
    async def loud() -> str:
        print("this must not reach the wire", flush=True)
        os.write(1, b"nor this\n")
        return "quiet"

    @server.tool()
    async def slow() -> str:
        await asyncio.sleep(0.3)
        return "done"

    return server


if __name__ == "__main__":
    if sys.argv[1] == "sdk":
        build().run("stdio")
    else:
        stdio.run(build, stdio.SNAPSHOT if sys.argv[1] == "broken" else None)
