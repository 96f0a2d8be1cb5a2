"""Which clients start our server, as their configuration says: read, never changed here."""

from __future__ import annotations

import json
import os
from typing import Any

NAME = "session-memory"
# where clients keep their configuration, relative to the user's home (Windows: %APPDATA%)
DESKTOP = (
    "Library/Application Support/Claude/claude_desktop_config.json",
    ".config/Claude/claude_desktop_config.json",
    "AppData/Roaming/Claude/claude_desktop_config.json",
)
MOST = 20_000_000  # bytes of a configuration that are read


def wired(cwd: str) -> dict[str, list[str]]:
    """Client -> the places that make it start our server, for work in `cwd`."""
    user = os.path.expanduser("~")
    code = []
    whole = _read(os.path.join(user, ".claude.json"))
    if _names(whole):
        code.append("~/.claude.json (user)")
    project = whole.get("projects", {}) if isinstance(whole.get("projects"), dict) else {}
    if _names(project.get(cwd)):
        code.append("~/.claude.json (this project)")
    if _names(_read(os.path.join(cwd, ".mcp.json"))):
        code.append(".mcp.json of this project")
    for shown, path in (
        ("~/.claude/settings.json", os.path.join(user, ".claude", "settings.json")),
        (".claude/settings.json of this project", os.path.join(cwd, ".claude", "settings.json")),
    ):
        plugins = _read(path).get("enabledPlugins")
        if isinstance(plugins, dict) and any(on and name.startswith(f"{NAME}@") for name, on in plugins.items()):
            code.append(f"plugin in {shown}")
    desktop = [f"~/{place}" for place in DESKTOP if _names(_read(os.path.join(user, *place.split("/"))))]
    return {client: places for client, places in (("Claude Code", code), ("Claude Desktop", desktop)) if places}


def _names(config: object) -> bool:
    """Whether a configuration has a server of our name, or one that runs our program under another."""
    servers = config.get("mcpServers") if isinstance(config, dict) else None
    if not isinstance(servers, dict):
        return False
    return any(name == NAME or ours(server) for name, server in servers.items())


def ours(server: object) -> bool:
    """Whether a server's entry runs our program, or the one of the product before this one."""
    if not isinstance(server, dict):
        return False
    args = server.get("args")
    words = [server.get("command"), *(args if isinstance(args, list) else [])]
    return any(isinstance(word, str) and NAME in word for word in words)


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = json.loads(file.read(MOST))
    except (OSError, ValueError, RecursionError):
        return {}  # not there, or not ours to complain about
    return found if isinstance(found, dict) else {}
