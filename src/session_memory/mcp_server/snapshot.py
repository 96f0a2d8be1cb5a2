"""The snapshot: what our own server answers to the handshake and the lists, asked once at build time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from session_memory.mcp_server.wire import VERSION_MEMBER
from session_memory.settings import child_environment
from session_memory.version import VERSION

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = ("2026-07-28",)
LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
ASK = (
    "import os\n"
    "from session_memory.mcp_server import stdio\n"
    "from session_memory.mcp_server.server import OpenLater, Server\n"
    "stdio.run(lambda: Server(OpenLater(os.devnull), everything=True), None)"  # no home: nobody's settings
)
CLIENT = {"name": "snapshot", "version": "1"}


def make() -> dict[str, Any]:
    """Ask the server, without a snapshot, in every protocol version; equal tables are stored once."""
    tables: list[Any] = []
    methods: dict[str, dict[str, int]] = {}
    for version in (*HANDSHAKE, *MODERN):
        for method, result in _asked(version).items():
            if result not in tables:
                tables.append(result)
            methods.setdefault(version, {})[method] = tables.index(result)
    return {
        "version": VERSION,
        "latest_handshake": HANDSHAKE[-1],
        "handshakes": list(HANDSHAKE),
        "methods": methods,
        "tables": tables,
    }


def text(snapshot: dict[str, Any]) -> str:
    """As it is stored: one table a line, so that a change shows in a diff."""
    head = {name: value for name, value in snapshot.items() if name != "tables"}
    tables = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in snapshot["tables"])
    return json.dumps(head, separators=(",", ":"))[:-1] + f',"tables":[\n{tables}\n]}}\n'


def _asked(version: str) -> dict[str, Any]:
    modern = version in MODERN
    meta = {VERSION_MEMBER: version, "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": CLIENT}  # fmt: skip
    first = "server/discover" if modern else "initialize"
    opening: dict[str, Any] = {"_meta": meta} if modern else {
        "protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT,
    }  # fmt: skip
    asked = [{"jsonrpc": "2.0", "id": 0, "method": first, "params": opening}]
    if not modern:
        asked.append({"jsonrpc": "2.0", "method": "notifications/initialized"})
    for number, method in enumerate(LISTS, 1):
        asked.append({"jsonrpc": "2.0", "id": number, "method": method, "params": {"_meta": meta} if modern else {}})
    process = subprocess.run(
        [sys.executable, "-c", ASK], input="".join(json.dumps(each) + "\n" for each in asked).encode(),
        stdout=subprocess.PIPE, timeout=120, check=True, env=child_environment({}),
    )  # fmt: skip
    answers = {each["id"]: each for each in map(json.loads, process.stdout.splitlines()) if "id" in each}
    names = dict(enumerate((first, *LISTS)))
    return {names[number]: answer["result"] for number, answer in answers.items()}
