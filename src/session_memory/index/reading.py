"""What only the texts of the best candidates can tell: where the words stand together, and what kind of event it is."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from session_memory.index.candidates import Hit
from session_memory.index.database import loads
from session_memory.model import shell
from session_memory.model.asking import places
from session_memory.model.invocations import line_of
from session_memory.model.passage import best, stem, stems
from session_memory.model.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.index.database import Database
    from session_memory.index.match import Match
    from session_memory.model.asking import Asked

PASSAGE = 0.5  # weight of how much of the query stands in one passage
PIECES = 0.1  # weight of the parts of joined words that stand alone as well
LIKED = 1.5  # factor for an event of the kind that is asked for
COMMITTED, CHANGED = 1.33, 1.25  # factors beside it for a commit, and for a change of a file where a place is asked for
TEST = 0.85  # factor for what happens in files of tests where the query is not about tests
DONE = 0.8  # factor for answers of tools that only say that a file was written
DEFINES, SHOWS = 1.7, 1.15  # factors for a call that defines a name, and for another text that does
VERBATIM, RUN = 0.5, 4  # weight of what is quoted word for word, and from how many words on
FAILED = 0.85  # factor for a command that failed where one is asked for
QUESTION, NAMED = 0.85, 1.15  # factors for dialogue: a question seldom answers; somebody named in the query is meant
LOOK = 200  # characters by whose letters texts are alike
LONG_COMMAND = 300  # a longer one is a script or a commit message
TEST_FILE = re.compile(r"(^|/)(tests?|specs?|__tests__)/|[._-](test|spec)\.|(^|/)test_")
TESTED = re.compile(r"\b(tests?|spec)")
LETTERS = re.compile(r"[^a-z]+")
RULE = re.compile(r"\b(must|never|do not|don't|always|only|instead of|not allowed|forbidden|required?)\b")
COMMIT = re.compile(r"\[[\w./-]+(?: \([^)]*\))? [0-9a-f]{7,40}\] ")
DEFINITION = re.compile(
    r"\b(?:def|defp|defmodule|defmacro|defmacrop|class|struct|interface|enum|trait|fn|func|function|fun|const|let|var|val"
    r"|module|impl|table|identity|attribute|alias as|type)\b|\(\) *\{"
)


class Read(NamedTuple):
    """A candidate with its data, who stated it, and its text in lower case."""

    hit: Hit
    data: Any
    by: str
    text: str


def look(database: Database, hits: list[Hit], match: Match, main: Match, asked: Asked) -> None:
    """What the texts of the first few tell: how much of the query stands close together, and what kind of event it is."""
    reads = _read(database, hits)
    failed = _failed(database, reads) if "command" in asked.kinds else set()
    words = stems([each.strip('"') for each in main.wholes])
    weights = {each: math.log(1 + len(hits) / (1 + sum(each in read.text for read in reads))) for each in words}
    worth = sum(weights.values()) / max(1, len(words)) if asked.wanted else 0.0  # as much as a word
    whole = sum(weights.values()) + worth or 1.0
    for read in reads:
        hit = read.hit
        held = best(read.text, weights, wanted=places(asked.wanted, read.text), worth=worth)[0]
        hit.parts["passage"] = PASSAGE * held / whole
        if 2 * held > whole and len(match.said) >= RUN:
            hit.parts["verbatim"] = VERBATIM * longest_run(match.said, read.text) / len(match.said)
        if match.parts:
            hit.parts["pieces"] = PIECES * _pieces_in(read.text, match) / len(match.parts)
        hit.score += sum(hit.parts.get(name, 0.0) for name in ("passage", "verbatim", "pieces"))
        factor = _factor(read, words, match, asked) * (FAILED if hit.n in failed else 1.0)
        if factor != 1.0:
            hit.parts["kind"] = hit.score * (factor - 1)
            hit.score *= factor


def _read(database: Database, hits: list[Hit]) -> list[Read]:
    """The candidates with their texts; what each is about is noted in the hit."""
    marks = ", ".join("?" * len(hits))
    rows = database.rows(f"SELECT n, data, stated_by FROM event WHERE n IN ({marks})", [hit.n for hit in hits])
    told = {row[0]: (loads(row[1]), row[2]) for row in rows}
    reads = []
    for hit in hits:
        data, by = told[hit.n]
        read = Read(hit, data, by, plain_text(data).lower())
        files = data.get("files")
        hit.file = str(files[0]) if isinstance(files, list) and files else ""
        if hit.category.startswith("tool_"):
            hit.look = LETTERS.sub("", read.text[:LOOK])[: LOOK // 4]
        if hit.category == "tool_call" and not hit.file:
            hit.command = " ".join(_words(data)[:2])
        reads.append(read)
    return reads


def _words(data: Any) -> list[str]:
    """The words of the first command of a call."""
    parts = shell.parts(line_of(data)[:LONG_COMMAND])
    return parts[0] if parts else []


def _factor(read: Read, words: Sequence[str], match: Match, asked: Asked) -> float:
    """By how much what an event is makes it likelier to be meant."""
    hit, text = read.hit, read.text
    factor = 1.0
    for name, likes in KINDS:
        if name in asked.kinds and likes(read):
            factor *= LIKED * (COMMITTED if name == "commit" else 1.0)
    if asked.within is not None and asked.within[0] <= hit.at <= asked.within[1]:
        factor *= LIKED
    if asked.counted and re.search(rf"\b\d+ (?:\w+ )?{re.escape(asked.counted)}", text):
        factor *= LIKED
    if hit.category == "message":
        factor *= _spoken(read.data, words)
    elif hit.category == "tool_response" and hit.type in ("Edit", "Write"):
        factor *= DONE
    if any(defines(text, each) for each in match.joined):
        factor *= DEFINES if hit.category == "tool_call" else SHOWS
    if "place" in asked.kinds and hit.type in ("Edit", "MultiEdit") and hit.file:
        factor *= CHANGED
    if TEST_FILE.search(hit.file) and not TESTED.search(" ".join(words)):
        factor *= TEST
    return factor


def _failed(database: Database, reads: Sequence[Read]) -> set[int]:
    """The calls among these events that failed where another call of the same command did not."""
    heads = {read.hit.n: read.hit.command for read in reads if read.hit.command}
    sql = (
        "SELECT one.n, answer.data ->> '$.ok' FROM event AS one JOIN event AS answer ON answer.parent = one.id"
        f" AND answer.category = 'tool_response' WHERE one.n IN ({', '.join('?' * len(heads))})"
    )
    ended = list(database.rows(sql, list(heads)))
    worked = {heads[n] for n, ok in ended if ok}
    return {n for n, ok in ended if ok == 0 and heads[n] in worked}


def longest_run(said: Sequence[str], text: str) -> int:
    """How many words of a query stand in a text (lower case) one after the other; 0 for fewer than RUN."""
    text, found = " ".join(text.split()), 0
    for begin in range(len(said) - RUN + 1):
        end = begin + max(found + 1, RUN)
        while end <= len(said) and " ".join(said[begin:end]) in text:
            found = end - begin
            end += 1
    return found


def _pieces_in(text: str, match: Match) -> int:
    """How many parts stand in the text beside the whole words they are parts of."""
    for word in match.joined:
        text = text.replace(word, " ")
    return sum(1 for part in match.parts if part in text)


def _spoken(data: Any, words: Sequence[str]) -> float:
    """The factor of a turn of a dialogue."""
    factor = 1.0
    if str(data.get("text", "")).partition(" [shared")[0].rstrip().endswith("?"):
        factor *= QUESTION
    if stem(str(data.get("speaker", ""))) in words:
        factor *= NAMED
    return factor


def defines(text: str, word: str) -> bool:
    """Whether the text (lower case) defines a name."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        whole = not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")
        if whole and DEFINITION.search(text[text.rfind("\n", 0, at) + 1 : end + 4]):
            return True
        at = text.find(word, end)
    return False


def _is_command(read: Read) -> bool:
    line = line_of(read.data) if read.hit.category == "tool_call" else ""
    return 0 < len(line) <= LONG_COMMAND and read.hit.command.partition(" ")[0] not in shell.LOOKING


def _is_failure(read: Read) -> bool:
    return read.data.get("ok") is False or read.hit.type in ("blocker", "bug", "error")


def _is_reason(read: Read) -> bool:
    return read.hit.category in ("decision", "finding", "assumption") or (
        read.hit.category == "message" and read.by == "model"
    )


def _is_wish(read: Read) -> bool:
    return read.by == "user" or read.hit.category in ("decision",) or bool(RULE.search(read.text))


def _is_place(read: Read) -> bool:
    return read.hit.category == "tool_call" and bool(read.data.get("files")) and read.hit.type == "Write"


def _is_commit(read: Read) -> bool:
    return bool(COMMIT.search(read.text[:400]))


KINDS = (
    ("command", _is_command), ("failure", _is_failure), ("reason", _is_reason), ("wish", _is_wish),
    ("place", _is_place), ("commit", _is_commit),
)  # fmt: skip
