"""The page of faults: which tests prove which row of the fault matrix (tests/fault_rows.py), and what the long loops found.

Results of the loops stand in benchmarks/faults/results.json; `python -m benchmarks.faults.run` writes it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.fault_rows import LATER, ROWS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "faults" / "results.json"


def covered() -> dict[int, list[tuple[str, str]]]:
    """Row -> (file, test) of every test that bears its mark."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        whole = [
            row for node in tree.body if isinstance(node, ast.Assign) for row in _rows(node.value) if _is_mark(node)
        ]
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                for row in {*whole, *(row for each in node.decorator_list for row in _rows(each))}:
                    found.setdefault(row, []).append((str(path.relative_to(ROOT)), node.name))
    return found


def _is_mark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _rows(node: ast.AST) -> Iterator[int]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.fault":
            yield from (
                each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, int)
            )


def page() -> str:
    """The whole page."""
    tests = covered()
    parts = ["# Faults\n\nWhat can go wrong, what must happen, and the tests that prove it. All of them run in CI; the long loops"
             " below run by `python -m benchmarks.faults.run`.\n"]  # fmt: skip
    for area in dict.fromkeys(row[0] for row in ROWS.values()):
        parts.append(f"\n## {area.capitalize()}\n\n| row | fault | must happen | tests |\n|---|---|---|---|\n")
        for number, (where, fault, must) in ROWS.items():
            if where == area:
                shown = "<br>".join(f"[{_words(name)}](../../{file})" for file, name in tests.get(number, []))
                parts.append(f"| {number} | {fault} | {must} | {shown} |\n")
    parts.append("\n## Not built yet\n\n")
    parts += [f"- {number}: {what}\n" for number, what in LATER.items()]
    parts.append(
        "\n## Long loops\n\nThe last run; figures of one machine, to be compared with each other only.\n\n| loop | result |\n|---|---|\n"
    )
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    parts += [f"| {loop} | {told} |\n" for loop, told in results.items()]
    return "".join(parts)


def _words(name: str) -> str:
    return re.sub(r"_", " ", name.removeprefix("test_"))
