"""Tool calls and what came of them: input, files touched, and an outcome that is not fooled by a pipe."""

from __future__ import annotations

from session_memory.model.pattern import later
from session_memory.quick_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_OUTPUT = 20_000  # characters of an output that are kept: its beginning and its end
FILE_MEMBERS = ("file_path", "notebook_path", "path")
OURS = later(r"mcp__(?:plugin_)?session-memory(?:_session-memory)?__")  # what our own tools keep is there already
EXIT = later(r"\A(?:Error:\s*)?Exit code:? (\d{1,3})\b")
# how the client begins it; the same words further behind may be anybody's
REJECTED = later(
    r"(?i)\A\s*(?:Error:\s*)?(?:the user doesn't want to (?:proceed|take this action)|(?:the )?tool use was rejected"
    r"|user rejected tool use)"
)
SAID = later(r"(?s)the user (?:said|provided the following reason[^:]*):\s*(.+)\Z")
RUNNER = later(
    r"(?:^|&&|;|\n)\s*(?:[A-Z_]+=\S+\s+)*(?:time\s+|sudo\s+|timeout\s+\S+\s+)?"
    r"(?:mix|pytest|python3?|npm|npx|yarn|pnpm|cargo|go|make|tsc|jest|vitest|gradle|\./gradlew|mvn|dotnet|rake|bundle|ruff"
    r"|mypy|eslint|cmake|ninja|swift|rspec|phpunit|composer|tox|uv|poetry|deno|bun|just)\s"
)
FAILING = later(
    r"(?m)^.*\b[1-9]\d* (?:failed|failures?)\b|^FAILED\b|^E {3}\w*Error|^Traceback \(most recent call last\)"
    r"|^error(?:\[E\d+\])?: |^== Compilation error|^\*\* \(\w+|^npm ERR!|^BUILD FAILED|^make: \*\*\*|^--- FAIL"
    r"|\b[Ff]ound [1-9]\d* [a-z ]{0,40}(?:issue|error|problem|warning)|\bwith exit status [1-9]|: error TS\d+: "
)


def is_ours(tool: str) -> bool:
    """Whether it is a tool of our own server, whatever the client calls it."""
    return tool.startswith("mcp__") and bool(OURS.match(tool))


def files_of(given: Any) -> list[str]:
    """Files a tool's input names as its target."""
    if not isinstance(given, dict):
        return []
    return [given[name] for name in FILE_MEMBERS if isinstance(given.get(name), str) and given[name]]


def outcome(tool: str, given: Any, text: str, failed: bool) -> dict[str, Any]:
    """`{output, ok, ...}` of a result: exit_code where stated, rejected = the user's choice, hidden_failure behind a pipe."""
    result: dict[str, Any] = {}
    if failed and REJECTED.search(text[:2000]):
        result["rejected"] = True
    else:
        result["ok"] = not failed
    exit_code = EXIT.match(text) if text.startswith(("Exit code", "Error:")) else None
    if exit_code:
        result["exit_code"] = int(exit_code.group(1))
    command = given.get("command") if isinstance(given, dict) else None
    if not failed and tool == "Bash" and isinstance(command, str) and _hides(command) and FAILING.search(text):
        result["hidden_failure"] = True
        result["ok"] = False
    result.update(shortened(text))
    files = files_of(given)
    if files:
        result["files"] = files
    return result


def shortened(text: str) -> dict[str, Any]:
    """`{output}`, or with `cut` = how many characters were left out of its middle."""
    if len(text) <= MOST_OUTPUT:
        return {"output": text}
    half = MOST_OUTPUT // 2
    left_out = len(text) - 2 * half
    return {"output": f"{text[:half]}\n[… {left_out} characters left out …]\n{text[-half:]}", "cut": left_out}


def said_by_user(text: str) -> str:
    """What the user wrote while rejecting a tool; empty when nothing."""
    found = SAID.search(text)
    return found.group(1).strip() if found else ""


def result_text(content: Any) -> str:
    """The text of a tool result, which is a text or a list of blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = []
    for block in content:
        if isinstance(block, dict):
            parts.append(str(block.get("text", "")) if block.get("type") == "text" else f"[{block.get('type')}]")
    return "\n".join(parts)


def response_text(response: Any) -> str:
    """The text of what a hook is told of a result: a text, blocks, or an object that is different for each tool."""
    if not isinstance(response, dict):
        return result_text(response)
    if "stdout" in response or "stderr" in response:
        return "\n".join(
            each for each in (response.get("stdout"), response.get("stderr")) if isinstance(each, str) and each
        )
    if "originalFile" in response or "structuredPatch" in response:
        return f"{response.get('type', 'edit')} {response.get('filePath', '')}"  # the change itself stands in the input
    file = response.get("file")
    if isinstance(file, dict) and isinstance(file.get("content"), str):
        return str(file["content"])
    return result_text(response.get("content")) or dumps(response, ascii=False)


def _hides(command: str) -> bool:
    """Whether the exit code of the program that matters is lost: it runs before a pipe, a semicolon or `||`."""
    return any(sign in command for sign in ("|", ";")) and bool(RUNNER.search(command))
