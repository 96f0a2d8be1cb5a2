"""`graph`: what lies around a file, symbol, command or concept, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_memory.cli.opening import open_memory
from session_memory.cli.terminal import one_line
from session_memory.errors import NotFound

if TYPE_CHECKING:
    import argparse

    from session_memory.cli.terminal import Terminal

EXAMPLE = "session-memory graph src/auth.ts --depth 2 --relation owns"
MOST_BRANCHES = 12  # of one entity; the rest is counted


def arguments(parser: argparse.ArgumentParser) -> None:
    """A name, --depth and --relation."""
    parser.add_argument("name", help="an id, a path, a qualified name, a name, or words of it")
    parser.add_argument("--depth", type=int, default=1, help="how many relations away (default 1, at most 5)")
    parser.add_argument("--relation", action="append", help="only relations of this type; may be given several times")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Draw the neighbourhood; 1 when nothing is called so."""
    with open_memory(args) as memory:
        try:
            found = memory.entities.around(args.name, args.depth, args.relation)
        except NotFound as error:
            terminal.error(error)
            return 1
    terminal.json(found)
    for line in drawn(found, terminal.width):
        terminal.line(line)
    if found["total_count"] > len(found["entities"]):
        terminal.line(terminal.style(f"{found['total_count'] - len(found['entities']):,} more: --json", "dim"))
    return 0


def drawn(found: dict[str, Any], width: int) -> list[str]:
    """The tree: from what is at distance 0 outwards, each entity once, each relation with its direction."""
    entities = {each["id"]: each for each in found["entities"]}
    ways: dict[str, list[tuple[str, str]]] = {}  # id -> (label of the relation, id of the other end)
    for each in found["relations"]:
        ways.setdefault(each["source_id"], []).append((f"─{each['type']}→ ", each["target_id"]))
        if each["source_id"] != each["target_id"]:
            ways.setdefault(each["target_id"], []).append((f"←{each['type']}─ ", each["source_id"]))
    lines: list[str] = []
    drawn_already: set[str] = set()

    def branches(id_: str, indent: str) -> None:
        far = entities[id_]["distance"]
        next_ = [
            (label, end) for label, end in ways.get(id_, ()) if end in entities and entities[end]["distance"] > far
        ]
        for number, (label, end) in enumerate(next_[:MOST_BRANCHES]):
            last = number == len(next_) - 1
            new = end not in drawn_already
            lines.append(
                _fitted(f"{indent}{'└' if last else '├'}{label}{_told(entities[end])}{'' if new else ' …'}", width)
            )
            if new:
                drawn_already.add(end)
                branches(end, indent + ("  " if last else "│ "))
        if len(next_) > MOST_BRANCHES:
            lines.append(f"{indent}└ and {len(next_) - MOST_BRANCHES} more")

    for id_, each in entities.items():
        if each["distance"] == 0:
            lines.append(_fitted(_told(each), width))
            drawn_already.add(id_)
            branches(id_, "")
    return lines


def _told(entity: dict[str, Any]) -> str:
    name = one_line(str(entity.get("qualified_name") or entity["name"]))
    seen = f", seen {entity['seen']:,} times" if entity.get("seen", 0) > 1 else ""
    words = ", found by its words" if entity.get("matched_by") else ""
    return f"{name} ({one_line(entity['type'])}{seen}{words})"


def _fitted(line: str, width: int) -> str:
    return line if len(line) <= width else line[: max(1, width - 1)] + "…"
