"""Invocations: what was run, by any tool, with how it ended as far as anybody can know.

The exit status that a tool reports is that of a whole line: it tells of one command where only one was run, of all
of a chain joined by `&&` that passed, of nothing that stood before a pipe or a semicolon.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from session_memory.model import shell
from session_memory.model.shell import TEXT

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
MEMBERS = ("command", "cmd", "commandLine", "command_line", "script")  # what tools call the line they run
MOST_LINE = 8_000  # characters of a line that are looked at
LONGEST = 400  # characters of one invocation that are shown
OPENERS = frozenset("do then else if while until ! { ( env nice nohup time sudo doas command exec xargs watch".split())
RUNNERS = frozenset("uv poetry pdm hatch pipenv rye pixi bundle dotenv direnv mise asdf conda".split())
VERB = re.compile(r"[a-z][\w:-]*")  # what a program is to do; a file or a path is no verb
FETCHERS = frozenset("npx bunx uvx pipx".split())


@dataclass(frozen=True)
class Turn:
    """The event that an invocation stands in: id (hex), timestamp, role (who states it), session_id."""

    id: str
    timestamp: str
    role: str
    session_id: str


@dataclass(frozen=True)
class Invocation:
    """One run: as it was typed, its words from the program on, how it ended (`ok`, `failed`, `unknown`), and its turn."""

    typed: str
    words: tuple[str, ...]
    ended: str
    code: int | None
    turn: Turn


@dataclass
class Group:
    """Runs of one wording, the newest first."""

    wording: str
    runs: list[Invocation] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """How many ended how."""
        return Counter(each.ended for each in self.runs)


def line_of(data: dict[str, Any]) -> str:
    """The shell line that a tool call's data holds; "" for none."""
    given = data.get("input")
    if isinstance(given, str) and given.strip():
        return given
    for holder in (given, data):
        if not isinstance(holder, dict):
            continue
        for name in MEMBERS:
            said = holder.get(name)
            if isinstance(said, str) and said.strip():
                return said
            if isinstance(said, list) and said and all(isinstance(each, str) for each in said):
                return _typed(said)
    return str(data.get("args") or "") if data.get("name") == "!" else ""  # a line that the user ran


def _typed(words: list[str]) -> str:
    if len(words) == 3 and words[1] in ("-c", "-lc"):  # `bash -lc "the line"`
        return words[2]
    return " ".join(each if each and not set(each) & set(" \t\n;|&'\"") else f'"{each}"' for each in words)


def wanted(asked: str) -> list[str]:
    """The words of a command as a person asks for it: `git push`, `npm run build`, `pytest -k`."""
    found = shell.steps(asked)
    return found[0][1] if found else []


def runs(line: str, asked: list[str], outcome: dict[str, Any], turn: Turn) -> list[Invocation]:
    """The invocations of what was asked for in one line. outcome: `ok`, `exit_code`, `hidden_failure`, as far as known."""
    steps = shell.steps(line[:MOST_LINE])
    found = []
    for number, (typed, words, _sign) in enumerate(steps):
        own = invoked(words, asked)
        if own is not None:
            ended, code = _ended([sign for _typed, _words, sign in steps], number, outcome)
            found.append(Invocation(_shown(typed), tuple(own), ended, code, turn))
    return found


def of_tool(tool: str, data: dict[str, Any], outcome: dict[str, Any], turn: Turn) -> Invocation:
    """A call of a tool that runs no shell line: the names of its arguments stand where a command has its words."""
    found = data.get("input")
    given: dict[str, Any] = found if isinstance(found, dict) else data
    told = [f"{name}={TEXT if isinstance(value, (dict, list)) else value}" for name, value in given.items()]
    ended, code = _ended([""], 0, outcome)
    return Invocation(_shown(" ".join([tool, *told])), (tool, *given), ended, code, turn)


def invoked(words: list[str], asked: list[str]) -> list[str] | None:
    """The words of a step from the program on, where it runs what was asked for; None where it does not."""
    if not asked:
        return None
    for head in _heads(words):
        if _same(words[head], asked[0]) and _follow(words[head + 1 :], asked[1:]):
            return [words[head].replace("\\", "/").rsplit("/", 1)[-1], *words[head + 1 :]]
    return None


def flags(words: tuple[str, ...]) -> list[str]:
    """The options of an invocation, without their values."""
    found = []
    for each in words[1:]:
        if each == "--":
            break
        if len(each) > 1 and each.startswith("-"):
            found.append(each.partition("=")[0])
    return list(dict.fromkeys(found))


def kind(words: list[str]) -> str:
    """What a step runs, whatever it is given: the program with the word that says what it is to do; "" for nothing."""
    heads = _heads(words)
    if not heads:
        return ""
    rest = words[heads[-1] :]
    said = [each for each in rest[1:] if VERB.fullmatch(each)][: 2 if rest[1:2] == ["run"] else 1]
    return " ".join([_name(rest[0]), *said[: len(said) if rest[1:2] == said[:1] else 0]])


def grouped(found: list[Invocation]) -> list[Group]:
    """By wording, the group that was run last first; `found` comes newest first."""
    groups: dict[str, Group] = {}
    for each in found:
        key = shell.wording(list(each.words))
        groups.setdefault(key, Group(key)).runs.append(each)
    return list(groups.values())


def _heads(words: list[str]) -> list[int]:
    """Where a program may stand: first, behind assignments and what runs another command, and as a module of python."""
    found, n = [], 0
    while n < len(words):
        word, name = words[n], _name(words[n])
        if "=" in word and word.split("=")[0].replace("_", "").isalnum():
            n += 1
            continue
        found.append(n)
        if name == "timeout":
            n = _behind_flags(words, n + 1) + 1
        elif name in OPENERS or name in FETCHERS:
            n = _behind_flags(words, n + 1)
        elif name in RUNNERS and words[n + 1 : n + 2] and words[n + 1] in ("run", "exec", "tool"):
            n = _behind_flags(words, n + 2)
        elif name.startswith("python") and "-m" in words[n + 1 : n + 6]:
            n = words.index("-m", n + 1) + 1
        else:
            break
    return found


def _behind_flags(words: list[str], n: int) -> int:
    while n < len(words) and words[n].startswith("-"):
        n += 1
    return n


def _name(word: str) -> str:
    name = word.lstrip("({").replace("\\", "/").rsplit("/", 1)[-1].lower()
    return name.removesuffix(".exe")


def _same(word: str, asked: str) -> bool:
    return word == asked or (_name(word) == asked.lower().removesuffix(".exe") != "")


def _follow(rest: list[str], asked: list[str]) -> bool:
    """Whether the asked words follow in their order, with nothing but options between them; asked options anywhere."""
    for each in asked:
        if each.startswith("-") and each not in rest and each not in [word.partition("=")[0] for word in rest]:
            return False
    plain = [each for each in asked if not each.startswith("-")]
    for n, word in enumerate(rest):
        if not plain:
            break
        if word == plain[0]:
            plain = plain[1:]
        elif not (word.startswith("-") or (n and rest[n - 1].startswith("-") and "=" not in rest[n - 1])):
            return False
    return not plain


def _ended(signs: list[str], number: int, outcome: dict[str, Any]) -> tuple[str, int | None]:
    """How one step of a line ended, and its exit status where that is its own."""
    ok, behind = outcome.get("ok"), signs[number:-1]
    code = outcome.get("exit_code") if isinstance(outcome.get("exit_code"), int) else None
    if ok is None and code is not None:
        ok = code == 0
    if outcome.get("hidden_failure"):  # the output tells of a failure that the status does not
        heads = [n for n, sign in enumerate(signs) if sign == "|" and (not n or signs[n - 1] != "|")]
        return (FAILED if heads == [number] else OK if not behind and heads else UNKNOWN), None
    if ok is None:
        return UNKNOWN, None
    if ok and all(sign == "&&" for sign in behind):
        return OK, 0 if code is None else code
    if not ok and len(signs) == 1:
        return FAILED, code
    if not ok and not behind and signs[number - 1] in (";", "|"):
        return FAILED, code  # the last of a sequence: the line's status is its own
    return UNKNOWN, None


def _shown(typed: str) -> str:
    text = " ".join(typed.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
