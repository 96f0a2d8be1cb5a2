"""What a user record says: typed words, a slash command, a notification of the client, or nothing of anybody's."""

from __future__ import annotations

import re

from session_memory.model.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMAND = re.compile(r"(?s)<command-name>\s*(.*?)\s*</command-name>")
ARGUMENTS = re.compile(r"(?s)<command-args>\s*(.*?)\s*</command-args>")
SHELL = re.compile(r"(?s)<bash-input>\s*(.*?)\s*</bash-input>")
INJECTED = re.compile(r"(?s)<(system-reminder|session-memory)\b[^>]*>.*?</\1[^>]*>")
OUTPUT = re.compile(r"(?s)<(local-command-stdout|local-command-stderr|bash-stdout|bash-stderr)>(.*?)</\1>")
MACHINE = ("<local-command-caveat>", "[Request interrupted")
BY_CLIENT = ("notification", "local_output")  # types of what the client says in the user's place


def read(text: str) -> tuple[str, dict[str, Any]] | str:
    """(event type, data) of a user's text, or the reason why there is none."""
    said = INJECTED.sub("", text).strip()
    if not said:
        return "injected text"
    if said.startswith("<task-notification>"):
        return "notification", {"text": said}
    if said.startswith(MACHINE):
        return "client text"
    output = "\n".join(found[1] for found in OUTPUT.findall(said)).strip()
    if OUTPUT.match(said):  # what a local command or its hooks printed: the model saw it
        return ("local_output", {"text": plain(output)}) if plain(output).strip() else "empty output"
    command = COMMAND.search(said)
    if command:
        arguments = ARGUMENTS.search(said)
        return "command", {"name": command.group(1), "args": arguments.group(1) if arguments else ""}
    shell = SHELL.match(said)
    if shell:
        return "command", {"name": "!", "args": shell.group(1)}
    return "user_prompt", {"text": said}


def answers(result: Any) -> str:
    """Questions put to the user with the answers given, as text; empty when the result holds none."""
    if not isinstance(result, dict) or not isinstance(result.get("answers"), dict):
        return ""
    return "\n".join(f"{question}\n-> {answer}" for question, answer in result["answers"].items())
