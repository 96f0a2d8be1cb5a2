"""Which clients start our server, as their configuration says: read, never changed here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

NAME = "session-memory"
HOOK_PLACE = "session_memory/hooks/run.py"  # ends every command of our hooks, wherever the package lies
HOOK_TOOL = "prompt_recall"  # the tool that one hook calls; mcp_server/wire.py knows it by the same name
ROOT = "${CLAUDE_PLUGIN_ROOT}"  # in a plugin's files: its folder
# where clients keep their configuration, relative to the user's home (Windows: %APPDATA%)
DESKTOP = (
    "Library/Application Support/Claude/claude_desktop_config.json",
    ".config/Claude/claude_desktop_config.json",
    "AppData/Roaming/Claude/claude_desktop_config.json",
)
MOST = 20_000_000  # bytes of a configuration that are read


@dataclass
class Installed:
    """What Claude Code runs of ours: hook commands by event, the server's command; `root` is the plugin's folder."""

    how: str
    root: str = ""
    hooks: dict[str, list[str]] = field(default_factory=dict)
    server: list[str] = field(default_factory=list)


def installed() -> Installed | None:
    """What Claude Code has installed for this user, as a plugin or by hand; None when nothing is."""
    user = os.path.join(os.path.expanduser("~"), ".claude")
    settings = _read(os.path.join(user, "settings.json"))
    plugins = settings.get("enabledPlugins")
    for name, on in plugins.items() if isinstance(plugins, dict) else ():
        if on and name.startswith(f"{NAME}@"):
            known = _read(os.path.join(user, "plugins", "installed_plugins.json")).get("plugins", {}).get(name)
            root = str(known[0].get("installPath", "")) if isinstance(known, list) and known else ""
            found = Installed("plugin", root, _hooks(_read(os.path.join(root, "hooks", "hooks.json")), root))
            server = _read(os.path.join(root, ".mcp.json")).get("mcpServers", {}).get(NAME, {})
            found.server = (
                [str(server["command"]), *(each.replace(ROOT, root) for each in server["args"])] if server else []
            )
            return found
    hooks = _hooks(settings, "")
    servers = _read(os.path.join(os.path.expanduser("~"), ".claude.json")).get("mcpServers")
    server = servers.get(NAME) if isinstance(servers, dict) else None
    command = [str(server.get("command")), *map(str, server.get("args", []))] if isinstance(server, dict) else []
    return Installed("by hand", "", hooks, command) if hooks or command else None


def _hooks(config: dict[str, Any], root: str) -> dict[str, list[str]]:
    """Our commands by event."""
    found: dict[str, list[str]] = {}
    events = config.get("hooks")
    for event, groups in events.items() if isinstance(events, dict) else ():
        for group in groups if isinstance(groups, list) else ():
            for hook in group.get("hooks", []) if isinstance(group, dict) else ():
                command = str(hook.get("command", "")) if isinstance(hook, dict) else ""
                if HOOK_PLACE in command:
                    found.setdefault(event, []).append(command.replace(ROOT, root) if root else command)
    return found


def is_ours(hook: object) -> bool:
    """Whether a hook's entry is one of ours: it runs our file, or calls the tool that is made for it."""
    if not isinstance(hook, dict):
        return False
    return HOOK_PLACE in str(hook.get("command")) or (hook.get("type") == "mcp_tool" and hook.get("tool") == HOOK_TOOL)


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
    """Whether a configuration has a server of our name, or one that runs our program under another. The plugin's own file,
    which lies in our repository, makes nobody start anything there."""
    servers = config.get("mcpServers") if isinstance(config, dict) else None
    if not isinstance(servers, dict):
        return False
    return any((name == NAME or ours(server)) and ROOT not in str(server) for name, server in servers.items())


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
