"""What an event mentions, by rules alone: files, symbols, modules, commands, decisions, and how they hang together.

Pure: the same event gives the same mentions on every device and at every rebuild, so nothing of it is ever recorded.
Prose names files only: a symbol named in passing says too little about which one is meant.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import Any, NamedTuple

from session_memory.model.words import plain_text

READ, EDITED, NAMED = 1, 2, 3  # how a thing was met
MOST_SYMBOLS, MOST_IMPORTS, MOST_FILES, MOST_STEPS = 30, 20, 10, 8  # of one event
MOST_CODE, MOST_PROSE, MOST_COMMAND = 40_000, 4_000, 2_000  # characters that are looked at
MOST_ABOUT = 1_000  # characters of a decision that find it in the graph; `session_query` finds all of it
LONGEST_NAME = 100
EDITS = frozenset(("Edit", "Write", "MultiEdit", "NotebookEdit"))
CODE_ENDINGS = frozenset(
    "py pyi js jsx ts tsx mjs cjs go rs java kt kts scala swift rb php c h cc cpp cxx hpp cs ex exs erl hs ml lua r jl sh"
    " bash zsh sql vue svelte proto graphql tf".split()
)
ENDINGS = CODE_ENDINGS | frozenset(
    "md rst txt json jsonl yaml yml toml ini cfg conf env lock xml html css scss sass less csv ipynb docx pdf gradle mk".split()
)
PATH = re.compile(
    r"(?<![\w/.@:\\-])(?:~?/|\.{1,2}/)?[\w@+-][\w.@+-]*(?:/[\w.@+-]+)*\.([A-Za-z][A-Za-z0-9]{0,6})(?![\w/-])"
)
URL = re.compile(r"\w+://\S+")
DEFINED = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+|default[ \t]+|pub(?:\([a-z]{1,9}\))?[ \t]+|public[ \t]+|private[ \t]+|protected[ \t]+"
    r"|static[ \t]+|abstract[ \t]+|final[ \t]+|async[ \t]+)*"
    r"(def|defp|class|function\*?|func|fn|interface|struct|enum|trait|defmodule)[ \t]+(?:\([^)\n]{0,80}\)[ \t]*)?"
    r"([A-Za-z_$][\w.$]{0,99})"
)
ARROW = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?(?:const|let)[ \t]+([A-Za-z_$][\w$]{0,99})[ \t]*=[ \t]*(?:async[ \t]*)?"
    r"(?:\([^)\n]{0,200}\)[^\n=]{0,80}=>|[A-Za-z_$][\w$]*[ \t]*=>|function\b)"
)
KINDS = {
    "class": "class",
    "interface": "class",
    "struct": "class",
    "enum": "class",
    "trait": "class",
    "defmodule": "module",
}
QUOTED_IMPORT = re.compile(r"""(?:\bfrom|\bimport|\brequire\(|#include)[ \t]*['"<]([\w@./+-]{1,100})['">]""")
NAMED_IMPORT = re.compile(
    r"(?m)^[ \t]*(?:from[ \t]+([\w.]{1,100})[ \t]+import\b"
    r"|(?:import|use|alias)[ \t]+([A-Za-z_][\w.:]{0,99})(?![^\n]{0,100}\bfrom[ \t]*['\"]))"
)
STEP = re.compile(r"&&|\|\||[;|\n]")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*")
PROGRAM = re.compile(r"[A-Za-z][\w.+-]{0,40}")
WORD = re.compile(r"[a-z][\w:.-]{0,40}")
BEFORE = frozenset(("sudo", "time", "env", "nohup", "command", "exec", "then", "do", "else", "if", "while"))
# programs that say nothing about the work: what they are given is read, no more
LOOKING = frozenset(
    "cd ls echo cat head tail grep egrep rg find sed awk wc sort uniq mkdir rmdir rm cp mv touch chmod chown export source"
    " set true false test printf pwd which sleep kill ps xargs tee cut tr diff less more for until done fi case esac"
    " return exit read local unset alias type stat file du df date basename dirname realpath ln tree jq".split()
)
WITH_WORD = frozenset(
    "git npm npx yarn pnpm cargo go mix docker kubectl uv poetry make just pip pip3 gh bundle rake dotnet gradle mvn"
    " terraform deno bun apt apt-get brew systemctl helm rustup swift".split()
)
TESTERS = ("pytest", "jest", "vitest", "tox", "rspec", "phpunit", "mocha", "unittest")
WORKTREE = re.compile(r"/(?:\.claude/worktrees|worktrees|\.worktrees)/[^/]+/")


class Thing(NamedTuple):
    """Something that was mentioned. `key` is what it is told apart by within its project and type; `about` finds it."""

    type: str
    name: str
    qualified: str | None
    key: str
    about: str = ""


class Mentions(NamedTuple):
    """How each thing was met, and the links (source, relation type, target) that the event shows."""

    things: dict[Thing, int]
    links: dict[tuple[Thing, str, Thing], None]


NOTHING = Mentions({}, {})


def mentions(category: str, type_: str, data: Any, project: str, group: str) -> Mentions:
    """What one event mentions. project: the key of its project; group: what the event itself is told apart by."""
    if not isinstance(data, dict):
        return NOTHING
    if category == "tool_call":
        return _tool(type_, data, project)
    if category in ("decision", "finding"):
        return _stated(category, data, project, group)
    return NOTHING


def relative(path: str, project: str) -> str:
    """A path as it is called within its project, as far as the project's key tells where that begins."""
    plain = posixpath.normpath(path.replace("\\", "/"))
    if not plain.startswith(("/", "~")):
        return plain
    kind, _, rest = project.partition(":")
    if kind == "dir" and plain.startswith(rest.rstrip("/") + "/"):
        return plain[len(rest.rstrip("/")) + 1 :]
    tree = WORKTREE.search(plain)
    if tree:
        return plain[tree.end() :]
    name = rest.rpartition("/")[2]
    if kind in ("git", "name") and name:
        parts = plain.split("/")
        for number, part in enumerate(parts[:-1]):
            if part == name or part.startswith((f"{name}-", f"{name}_", f"{name}.")):  # a second checkout beside it
                return "/".join(parts[number + 1 :])
    return plain


@lru_cache(maxsize=4096)
def file(path: str, project: str) -> Thing:
    """The thing a path names."""
    whole = relative(path.strip(), project)[:400]
    return Thing("file", posixpath.basename(whole)[:LONGEST_NAME] or whole, whole, whole)


def _tool(tool: str, data: dict[str, Any], project: str) -> Mentions:
    things: dict[Thing, int] = {}
    links: dict[tuple[Thing, str, Thing], None] = {}
    given = data.get("input")
    given = given if isinstance(given, dict) else data
    how = EDITED if tool in EDITS else READ if tool in ("Read", "NotebookRead") else NAMED
    for path in _paths(data, given):
        where = file(path, project)
        things[where] = how
        if how == EDITED and _ending(path) in CODE_ENDINGS:
            _code(where, _written(given), things, links)
    command = given.get("command")
    if isinstance(command, str):
        _command(command[:MOST_COMMAND], project, things, links)
    return Mentions(things, links)


def _paths(data: dict[str, Any], given: dict[str, Any]) -> list[str]:
    found = [given.get(name) for name in ("file_path", "notebook_path")]
    found += [each for each in (given.get("path"), given.get("file")) if isinstance(each, str) and _ending(each)]
    listed = data.get("files")
    if isinstance(listed, list):
        found += [each for each in listed if isinstance(each, str) and _ending(each)]
    return list(dict.fromkeys(each for each in found if isinstance(each, str) and each.strip()))[:MOST_FILES]


def _ending(path: str) -> str:
    return posixpath.splitext(path)[1][1:].lower()


def _written(given: dict[str, Any]) -> str:
    """The text that an edit puts into its file."""
    pieces = [given.get(name) for name in ("new_string", "content", "new_source")]
    edits = given.get("edits")
    if isinstance(edits, list):
        pieces += [each.get("new_string") for each in edits if isinstance(each, dict)]
    return "\n".join(each for each in pieces if isinstance(each, str))[:MOST_CODE]


def _code(where: Thing, text: str, things: dict[Thing, int], links: dict[tuple[Thing, str, Thing], None]) -> None:
    """Symbols that the text defines and modules that it imports."""
    symbols: dict[str, str] = {}
    for keyword, name in DEFINED.findall(text):
        symbols.setdefault(name, KINDS.get(keyword, "function"))
    for name in ARROW.findall(text):
        symbols.setdefault(name, "function")
    for name, type_ in list(symbols.items())[:MOST_SYMBOLS]:
        whole = f"{where.key}:{name}"
        symbol = Thing(type_, name, whole, whole)
        things[symbol] = EDITED
        links[where, "owns", symbol] = None
    modules = [*QUOTED_IMPORT.findall(text), *(a or b for a, b in NAMED_IMPORT.findall(text))]
    for name in list(dict.fromkeys(modules))[:MOST_IMPORTS]:
        called = name.rstrip(".:")
        if called.startswith(("./", "../")):
            called = posixpath.normpath(posixpath.join(posixpath.dirname(where.key), called))
        if not called.strip("."):
            continue
        module = Thing("module", called, None, called)
        things.setdefault(module, NAMED)
        links[where, "imports", module] = None


def _command(text: str, project: str, things: dict[Thing, int], links: dict[tuple[Thing, str, Thing], None]) -> None:
    """Programs that a shell line runs, and the files it gives them."""
    for step in STEP.split(text.partition("<<")[0])[:MOST_STEPS]:
        words = [word for word in step.split()[:40] if not ASSIGNMENT.fullmatch(word)]
        while words and (words[0] in BEFORE or (words[0] == "timeout" and len(words) > 2)):
            words = words[2:] if words[0] == "timeout" else words[1:]
        if not words:
            continue
        program = posixpath.basename(words[0])
        looks = program in LOOKING or not PROGRAM.fullmatch(program)
        name = program if looks else _program(program, words[1:])
        command = Thing("command", name[:LONGEST_NAME], None, name)
        if not looks:
            things[command] = NAMED
        for path in _named(step, MOST_FILES):
            if path == words[0]:
                continue
            where = file(path, project)
            things.setdefault(where, READ if looks else NAMED)
            if not looks:
                links[command, "tests" if any(each in name for each in TESTERS) else "uses", where] = None


def _program(program: str, rest: list[str]) -> str:
    """`pytest`, `git commit`, `npm run build`: a program, with the word that says what it is to do."""
    if program.startswith("python") and "-m" in rest[:-1]:
        return rest[rest.index("-m") + 1][:LONGEST_NAME]
    if program not in WITH_WORD:
        return program
    said = [word for word in rest[:4] if WORD.fullmatch(word)]
    return " ".join([program, *said[: 2 if said[:1] == ["run"] else 1]])


def _stated(category: str, data: dict[str, Any], project: str, group: str) -> Mentions:
    """A decision or finding as a thing of its own, tied to the files it names."""
    title = next((data[name] for name in ("title", "decision", "text", "summary", "description")
                  if isinstance(data.get(name), str) and data[name].strip()), "")  # fmt: skip
    text = plain_text(data)[:MOST_PROSE]
    title = " ".join((title or text).split())[:LONGEST_NAME]
    if not title:
        return NOTHING
    stated = Thing(category, title, None, f"event {group}", text[:MOST_ABOUT])
    things, links = {stated: NAMED}, {}  # type: ignore[var-annotated]
    for path in _named(text, MOST_FILES):
        where = file(path, project)
        things[where] = NAMED
        if category == "decision":
            links[where, "decided_by", stated] = None
        else:
            links[stated, "references", where] = None
    return Mentions(things, links)


def _named(text: str, most: int) -> list[str]:
    """Paths that a text names: with a folder in front, or with an ending that only files have."""
    if "." not in text:
        return []
    found: dict[str, None] = {}
    for match in PATH.finditer(URL.sub(" ", text) if "://" in text else text):
        path, ending = match.group(), match.group(1).lower()
        stem = posixpath.basename(path)[: -len(ending) - 1]
        if ending in ENDINGS and ("/" in path or not (ending == "js" and stem[:1].isupper())):  # Node.js is no file
            found[path] = None
            if len(found) >= most:
                break
    return list(found)
