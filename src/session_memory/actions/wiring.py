"""Wiring: make a client start our server and hooks, and take that back exactly; each change planned, shown, backed up."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from session_memory import ids, paths
from session_memory.actions.clients import DESKTOP, HOOK_TOOL, NAME, is_ours, ours
from session_memory.errors import InvalidInput

CLIENTS = ("claude-code", "claude-desktop")
# what each hook of Claude Code makes a record of; hooks/hooks.json, for the plugin, names the same
ANSWERING = {
    "SessionStart": "The session, how it began (startup, resume, clear, fork) and where. Answers with what the session should know,"
    " records what it answered, and greets at the very first start.",
    "PreCompact": "An automatic checkpoint before the context is compacted. Asks for labelled lines in the summary.",
}
RECORDING = {
    "UserPromptSubmit": "What was typed, and slash commands with their arguments. Beside it the running server is asked what is"
    " remembered of the prompt's subject; mostly nothing is told.",
    "Stop": "The model's replies and thoughts of the turn; what stood between tool calls is read from the transcript.",
    "SubagentStart": "A subagent's session, under its parent.",
    "SubagentStop": "What the subagent was asked, its replies and its end; at a compaction, the summary.",
    "PostCompact": "The compaction's summary, and what it states in labelled lines.",
    "SessionEnd": "An automatic checkpoint, and the end with its reason.",
}
BESIDE = {  # run beside the work: the client does not wait for them
    "PostToolUse": "A tool call: input, output, outcome, duration, files; answers to questions and plans inside it.",
    "PostToolUseFailure": "A tool call that failed, was interrupted or was rejected by the user.",
}
TIMEOUT = 10
# at a prompt the running server is asked as well: a tool call costs no process, and where no server runs there is no recall
RECALLING = "UserPromptSubmit"
RECALL: dict[str, Any] = {
    "type": "mcp_tool", "server": NAME, "tool": HOOK_TOOL,
    "input": {"prompt": "${prompt}", "session_id": "${session_id}"}, "timeout": 5, "onFailure": "continue",
}  # fmt: skip
HOOK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "hooks", "run.py").replace(os.sep, "/")
NAME_OF_NOTE = "installed.json"  # in the home: file -> {backup, sum of what we wrote}


@dataclass(frozen=True)
class Change:
    """One file of a client: how it is and how it will be; None for a file that is not there."""

    path: str
    before: str | None
    after: str | None


class Wiring:
    """The clients' configuration, for one home."""

    def __init__(self, home: paths.Home) -> None:
        self._home = home
        self._note = os.path.join(home.root, NAME_OF_NOTE)

    def install(self, client: str) -> list[Change]:
        """What would change to make the client start us; empty when it does already. Raises InvalidInput."""
        if client == "claude-desktop":
            return _changed([_edited(_files(client)[0], self._with_server)])
        code, hooks = _files(client)
        return _changed([_edited(code, self._with_server), _edited(hooks, self._with_hooks)])

    def uninstall(self, client: str) -> list[Change]:
        """What would change to take it back: a file nobody has changed since becomes what it was, byte by byte; from
        another one only our entries go. Raises InvalidInput."""
        noted = self._noted()
        changes = []
        for path in _files(client):
            text = _text(path)
            known = noted.get(path)
            if text is not None and known is not None and known["sum"] == _sum(text):
                backup = known["backup"]
                changes.append(Change(path, text, _text(backup) if backup else None))
            else:
                changes.append(_edited(path, self._without))
        return _changed(changes)

    def apply(self, changes: list[Change]) -> list[str]:
        """Make the changes of an installation; each file is kept beside it first. Returns the backups. Raises OSError.

        Installed once more over what we wrote ourselves, the first backup stays the one that `uninstall` gives back.
        """
        noted, backups = self._noted(), []
        for change in changes:
            known = noted.get(change.path)
            ours_still = known is not None and change.before is not None and known["sum"] == _sum(change.before)
            backup = known["backup"] if known is not None and ours_still else ""
            if change.before is not None and not ours_still:
                backup = f"{change.path}.before-{NAME}-{ids.now_ms()}"
                _write(backup, change.before)
                backups.append(backup)
            assert change.after is not None  # an installation removes no file
            _write(change.path, change.after)
            noted[change.path] = {"backup": backup, "sum": _sum(change.after)}
        self._remember(noted)
        return backups

    def undo(self, changes: list[Change]) -> list[str]:
        """Make the changes of `uninstall`. A file that others have changed since is kept beside it first. Raises OSError."""
        noted, backups = self._noted(), []
        for change in changes:
            known = noted.pop(change.path, None)
            if known is None or change.before is None or known["sum"] != _sum(change.before):
                backups.append(f"{change.path}.before-{NAME}-{ids.now_ms()}")
                _write(backups[-1], change.before or "")
            if change.after is None:
                os.unlink(change.path)
            else:
                _write(change.path, change.after)
        self._remember(noted)
        return backups

    def _remember(self, noted: dict[str, dict[str, str]]) -> None:
        paths.make_dir(self._home.root)
        _write(self._note, json.dumps(noted, indent=1) + "\n")

    def server(self) -> dict[str, Any]:
        """The server's entry, for any client."""
        return {"command": sys.executable, "args": [os.path.join(self._home.root, "server.py")]}

    def _with_server(self, config: dict[str, Any]) -> dict[str, Any]:
        servers = config.get("mcpServers")
        servers = dict(servers) if isinstance(servers, dict) else {}
        kept = {name: each for name, each in servers.items() if not (name == NAME or ours(each))}
        return {**config, "mcpServers": {**kept, NAME: self.server()}}

    def _with_hooks(self, config: dict[str, Any]) -> dict[str, Any]:
        plugins = config.get("enabledPlugins")
        if isinstance(plugins, dict) and any(on and name.startswith(f"{NAME}@") for name, on in plugins.items()):
            raise InvalidInput(
                "bad-client-config",
                "The plugin session-memory is enabled in Claude Code: it brings server and hooks itself.",
                "Nothing is to be done; to wire it by hand instead: claude plugin uninstall session-memory",
            )
        # a client is started without our variables: another home than the usual one has to stand in the command
        elsewhere = "" if self._home.root == paths.home_root(None, None) else f' "{self._home.root}"'
        hooks = self._without(config).get("hooks")
        wanted: dict[str, Any] = dict(hooks) if isinstance(hooks, dict) else {}
        for event in (*ANSWERING, *RECORDING, *BESIDE):
            name = "context" if event in ANSWERING else "record"
            command = f'"{sys.executable}" -I -S "{HOOK}" {name}{elsewhere}'
            hook: dict[str, Any] = {"type": "command", "command": command, "timeout": TIMEOUT}
            group: dict[str, Any] = {"hooks": [hook, *([RECALL] if event == RECALLING else [])]}
            if event in BESIDE:
                hook["async"] = True
                group = {"matcher": "*", **group}
            others = wanted.get(event)
            wanted[event] = [*(others if isinstance(others, list) else []), group]
        return {**config, "hooks": wanted}

    def _without(self, config: dict[str, Any]) -> dict[str, Any]:
        """A configuration without the server and the hooks of this home; those of other products and homes stay."""
        kept = dict(config)
        servers, hooks = kept.get("mcpServers"), kept.get("hooks")
        if isinstance(servers, dict):
            mine = self.server()["args"]
            kept["mcpServers"] = {
                name: each for name, each in servers.items()
                if not (name == NAME and isinstance(each, dict) and each.get("args") == mine)
            }  # fmt: skip
        if isinstance(hooks, dict):
            events = {event: _others(groups) for event, groups in hooks.items()}
            kept["hooks"] = {event: groups for event, groups in events.items() if groups != [] or hooks[event] == []}
            if hooks and not kept["hooks"]:
                del kept["hooks"]
        return kept

    def _noted(self) -> dict[str, dict[str, str]]:
        text = _text(self._note)
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return {}  # then our entries are taken out one by one
        return {path: each for path, each in found.items() if isinstance(each, dict)} if isinstance(found, dict) else {}


def _others(groups: Any) -> Any:
    """The groups of an event's hooks without our own."""
    if not isinstance(groups, list):
        return groups
    left = []
    for group in groups:
        hooks = group.get("hooks") if isinstance(group, dict) else None
        if not isinstance(hooks, list):
            left.append(group)
            continue
        others = [each for each in hooks if not is_ours(each)]
        if others or not hooks:
            left.append({**group, "hooks": others})
    return left


def _edited(path: str, edit: Any) -> Change:
    text = _text(path)
    try:
        config = json.loads(text) if text and text.strip() else {}
        if not isinstance(config, dict):
            raise ValueError("it holds no object")  # noqa: TRY004  # what is wrong is the file
    except ValueError as error:
        raise InvalidInput(
            "bad-client-config",
            f"{path} is no JSON that can be changed safely ({error}).",
            "Correct it; nothing was changed.",
        ) from error
    after = edit(config)
    if after == config:
        return Change(path, text, text)
    lines = (text or "").splitlines()
    # indented as it is, so that the diff is small
    indent = len(lines[1]) - len(lines[1].lstrip(" ")) if len(lines) > 1 else 0
    return Change(path, text, json.dumps(after, indent=indent or 2, ensure_ascii=False) + "\n")


def _changed(changes: list[Change]) -> list[Change]:
    return [each for each in changes if each.before != each.after]


def _files(client: str) -> list[str]:
    """The files that make a client start us."""
    user = os.path.expanduser("~")
    if client == "claude-desktop":
        return [_desktop()]
    return [os.path.join(user, ".claude.json"), os.path.join(user, ".claude", "settings.json")]


def _desktop() -> str:
    """Where Claude Desktop keeps its configuration: the file that is there, else the place of this platform."""
    user = os.path.expanduser("~")
    found = [os.path.join(user, *place.split("/")) for place in DESKTOP]
    usual = {"darwin": 0, "win32": 2}.get(sys.platform, 1)
    return next((path for path in found if os.path.exists(path)), found[usual])


def _write(path: str, text: str) -> None:
    paths.make_parents(os.path.dirname(path))
    paths.write_whole(path, text.encode("utf-8", "surrogateescape"))


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
