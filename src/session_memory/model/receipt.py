"""A receipt: what became of the tree since a checkpoint, above all of the files that our sessions edited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_memory.model.amounts import plural
from session_memory.model.plain import in_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_memory.git import Changes, Commit

MOST_COMMITS, MOST_OTHERS, MOST_AUTHORS = 20, 20, 3  # that are listed; the others are counted
SUBJECT = 100  # characters of a commit's subject


@dataclass
class Receipt:
    """What changed since: one line for everything, what became of our files, and commits and other files."""

    since: str = ""  # since the checkpoint, or since the session began
    headline: str = ""
    ours: dict[str, str] = field(default_factory=dict)  # path -> what became of it, where something did
    lines: list[str] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """Of the section of commits and other files."""
        return f"Changed {self.since[:1].lower()}{self.since[1:]}"

    def whole(self) -> list[str]:
        """Everything as lines, for machines."""
        ours = [f"{path}: {became}" for path, became in self.ours.items()]
        return [*([self.headline] if self.headline else []), *ours, *self.lines]


def compare(changes: Changes, commit: str, since: str, ours: Iterable[str], there: Callable[[str], bool]) -> Receipt:
    """The receipt of these changes. commit: of then, "" for none; ours: files our sessions edited; there: is a file there now."""
    receipt = Receipt(since)
    mine = list(dict.fromkeys(ours))
    for path in mine:
        became = _became(path, changes, there)
        if became:
            receipt.ours[path] = became
    receipt.headline = "; ".join(filter(None, [_commits(changes, commit), _files(receipt, mine), _dirty(changes)]))
    names = _authors(changes)
    for each in changes.commits[:MOST_COMMITS]:
        receipt.lines.append(
            f"{each.sha} {in_line(each.subject, SUBJECT)}" + (f" ({_who(each)})" if len(names) > 1 else "")
        )
    more = changes.more_commits + len(changes.commits) - MOST_COMMITS
    if more > 0:
        receipt.lines.append(f"and {plural(more, 'more commit')}")
    others = [f"{letter} {path}" for path, (letter, _commit) in changes.files.items() if path not in receipt.ours]
    others += [
        f"not committed: {letters} {path}" for path, letters in changes.dirty.items() if path not in receipt.ours
    ]
    receipt.lines += others[:MOST_OTHERS]
    if len(others) > MOST_OTHERS:
        receipt.lines.append(f"and {plural(len(others) - MOST_OTHERS, 'more file')}")
    return receipt


def _became(path: str, changes: Changes, there: Callable[[str], bool]) -> str:
    """What became of one of our files; empty when it is as the commit of then left it."""
    letter, commit = changes.files.get(path, ("", None))
    dirty = path in changes.dirty or any(each.endswith("/") and path.startswith(each) for each in changes.dirty)
    said = []
    if commit is not None:
        verb = {"A": "committed", "D": "deleted"}.get(letter, "changed")
        said.append(f"{verb} since by {_who(commit)} in {commit.sha}")
    if not there(path):
        return (
            f"{said[0] if said and letter == 'D' else 'gone'}{'' if letter == 'D' or not dirty else ', not committed'}"
        )
    if dirty:
        said.append("not committed")
    return ", then ".join(said)


def _commits(changes: Changes, commit: str) -> str:
    if changes.reason:
        return changes.reason if commit else ""
    count = len(changes.commits) + changes.more_commits
    names = _authors(changes)
    by = ", ".join(names[:MOST_AUTHORS]) + (
        f" and {len(names) - MOST_AUTHORS} more" if len(names) > MOST_AUTHORS else ""
    )
    told = f"{plural(count, 'commit')} by {by}" if count else "no commit"
    if changes.behind:
        told += (
            f"; {plural(changes.behind, 'commit')} of then no longer in this branch (amended, rebased, another branch)"
        )
    return told


def _files(receipt: Receipt, mine: list[str]) -> str:
    if not mine or not receipt.ours:
        return ""
    return f"{len(receipt.ours)} of {plural(len(mine), 'file')} we edited changed, see Files"


def _dirty(changes: Changes) -> str:
    return f"{plural(len(changes.dirty), 'file')} not committed" if changes.dirty else ""


def _authors(changes: Changes) -> list[str]:
    return list(dict.fromkeys(_who(each) for each in changes.commits))


def _who(commit: Commit) -> str:
    return in_line(commit.author, 40) or "somebody"
