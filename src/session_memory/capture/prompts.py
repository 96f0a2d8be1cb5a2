"""What a user record says: typed words, a slash command, a notification of the client, or nothing of anybody's."""

from __future__ import annotations

from session_memory.capture.tools import said_by_user
from session_memory.model.pattern import later
from session_memory.model.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMMAND = later(r"(?s)<command-name>\s*(.*?)\s*</command-name>")
ARGUMENTS = later(r"(?s)<command-args>\s*(.*?)\s*</command-args>")
SHELL = later(r"(?s)<bash-input>\s*(.*?)\s*</bash-input>")
INJECTED = later(r"(?s)<(system-reminder|session-memory)\b[^>]*>.*?</\1[^>]*>")
OUTPUT = later(r"(?s)<(local-command-stdout|local-command-stderr|bash-stdout|bash-stderr)>(.*?)</\1>")
MACHINE = ("<local-command-caveat>", "[Request interrupted")
TYPED = ("user_prompt", "command")
SUMMARY = later(r"(?s)<summary>(.*?)(?:</summary>|\Z)")
AFTER_SUMMARY = "\n\nIf you need specific details from before compaction"
KEY_WORDS = 400  # characters of a summary that its key is made of
BY_USER = "User rejected tool use"  # what a transcript says beside such an error
BY_CLIENT = ("notification", "local_output")  # types of what the client says in the user's place


def read(text: str) -> tuple[str, dict[str, Any]] | str:
    """(event type, data) of a user's text, or the reason why there is none."""
    said = (
        INJECTED.sub("", text) if "</s" in text else text
    ).strip()  # looking for an end that is not there takes long
    if not said:
        return "injected text"
    if said.startswith("<task-notification>"):
        return "notification", {"text": said}
    if said.startswith(MACHINE):
        return "client text"
    if "<" not in said:
        return "user_prompt", {"text": said}
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


def key(prompt_id: str, type_: str) -> str | None:
    """The key of what was typed, to which the log adds the hash of its `words`: what is typed while the model works is told
    under the prompt's id of the turn it came into."""
    return f"user_prompt:{prompt_id}" if prompt_id and type_ in TYPED else None


def words(data: dict[str, Any]) -> str:
    """What was typed, as one text."""
    return normal(data.get("text") or f"{data.get('name')} {data.get('args')}")


def reply_key(prompt_id: object) -> str | None:
    """The key of a reply, to which the log adds the hash of its `normal` text: hooks know no other name for it.

    None without a prompt's id: older clients told none."""
    return f"reply:{prompt_id}" if isinstance(prompt_id, str) and prompt_id else None


def normal(text: str) -> str:
    """A text by which two tellings of the same words are known."""
    return " ".join(text.split())


def summary(text: str) -> str:
    """A compaction's summary without what the client puts around it."""
    found = SUMMARY.search(text)
    said = found.group(1) if found else text
    return INJECTED.sub("", said).strip()


def summary_key(session: str, said: str) -> str:
    """What the summary's key is made of: its session, and enough of its words to tell it from the next one."""
    body = said.partition("\nSummary:\n")[2] or said
    return f"{session} {normal(body.partition(AFTER_SUMMARY)[0])[:KEY_WORDS]}"


def in_result(tool: str, outcome: dict[str, Any], text: str, result: Any) -> tuple[str, dict[str, Any]] | None:
    """(event type, data) of what the user said inside a tool's result: an answer, or a word on a plan; None for nothing."""
    if tool == "ExitPlanMode":
        return "plan_approval", {"text": said_by_user(text) or text[:2000], "approved": "rejected" not in outcome}
    said = answers(result) if tool == "AskUserQuestion" else ""
    # the error of another server's tool may be any text; of it only the transcript can tell that the client wrote it
    rejected = outcome.get("rejected") and (not tool.startswith("mcp__") or result == BY_USER)
    said = said or (said_by_user(text) if rejected else "")
    return ("answer", {"text": said}) if said else None


def answers(result: Any) -> str:
    """Questions put to the user with the answers given, as text; empty when the result holds none."""
    if not isinstance(result, dict) or not isinstance(result.get("answers"), dict):
        return ""
    # on one line and without an arrow: no part of a question looks like the answer
    asked = ((" ".join(str(each).split()).lstrip("->").strip(), said) for each, said in result["answers"].items())
    return "\n".join(f"{question}\n-> {answer}" for question, answer in asked)
