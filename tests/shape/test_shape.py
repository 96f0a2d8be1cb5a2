"""The shape of the house: small files and functions, our words, one door to each outside thing, tests that mirror src."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src" / "session_memory"
MODULES = sorted(SRC.rglob("*.py"))
FORBIDDEN = re.compile(r"(manager|util|service|helper|common|handler)", re.IGNORECASE)
BROAD = {
    "embed/provider.py",
    "hooks/record.py",
    "hooks/context.py",
    "plugins/bounded.py",
    "plugins/fold.py",
    "plugins/registry.py",
    "plugins/trial.py",
    "mcp_server/server.py",
    "mcp_server/stdio.py",
}
LIGHT = [
    "errors",
    "digest",
    "quick_json",
    "trust",
    "version",
    "ids",
    "paths",
    "settings",
    "git",
    "model.record",
    "model.values",
] + [
    f"{each.parent.name}.{each.stem}"
    for floor in ("log", "capture", "hooks")
    for each in sorted((SRC / floor).glob("[!_]*.py"))
]
ROOMS_OF_THE_ROOT = {
    ".ci",
    ".claude-plugin",
    "benchmarks",
    "bin",
    "changelog.d",
    "commands",
    "docs",
    "hooks",
    "scripts",
    "skills",
    "src",
    "tests",
}
HEAVY = ["dataclasses", "pathlib", "typing", "datetime", "logging", "subprocess", "argparse", "sqlite3", "asyncio"]
# modules without a test file of their own name, and where they are tested instead
ELSEWHERE = {
    "__main__": "stories", "trust": "cli/test_commands.py", "version": "docs", "memory": "stories", "errors": "docs/test_docs.py",
    "index/schema": "index/test_catchup.py", "index/database": "index/test_catchup.py", "index/agree": "index/test_catchup.py",
    "index/sessions": "index/test_catchup.py", "index/checkpoints": "index/test_catchup.py",
    "hooks/run": "hooks/test_record.py",
    "mcp_server/learnings": "stories", "mcp_server/switched": "mcp_server/test_tools.py",
    "index/entities": "index/test_graph.py",
    "index/documents": "actions/test_documents.py", "index/mentions": "index/test_graph.py", "model/relation": "actions/test_entities.py", "model/fact": "model/test_brief.py",
    "extract/pdf": "extract/test_reading.py", "extract/docx": "extract/test_reading.py", "extract/html": "extract/test_reading.py",
    "extract/plain": "extract/test_reading.py", "extract/child": "extract/test_reading.py", "extract/limits": "extract/test_reading.py",
    "mcp_server/documents": "mcp_server/test_entities.py",
    "capture/predecessor": "actions/test_predecessors.py",
    "index/events": "index/test_catchup.py", "index/near": "index/test_vectors.py", "index/search": "actions/test_events.py",
    "log/tail": "log/test_journal.py",
    "log/blobs": "log/test_journal.py", "log/secret": "log/test_journal.py", "log/verify": "log/test_reader.py",
    "log/entry": "log/test_journal.py", "log/redact_rules": "log/test_redact.py", "capture/prompts": "capture/test_transcript.py",
    "capture/tools": "capture/test_transcript.py", "model/record": "log/test_line.py", "model/values": "log/test_line.py", "model/event": "actions/test_events.py",
    "model/features": "docs/test_docs.py", "model/telling": "model/test_handoff.py", "model/tokens": "model/test_handoff.py",
    "model/snippet": "model/test_words.py", "plugins/api": "plugins/test_plugins.py", "plugins/fold": "plugins/test_plugins.py",
    "plugins/tally": "plugins/test_spec_refiner.py", "plugins/samples": "actions/test_trials.py",
    "plugins/starter": "actions/test_trials.py", "plugins/trial": "actions/test_trials.py",
    "plugins/generic": "plugins/test_plugins.py", "plugins/registry": "plugins/test_plugins.py",
    "actions/opened": "actions/test_events.py", "actions/sessions": "actions/test_events.py",
    "actions/states": "plugins/test_plugins.py", "actions/starts": "stories", "actions/health": "stories",
    "actions/archive": "actions/test_backups.py", "actions/clients": "actions/test_doctor.py",
    "model/amounts": "cli/test_commands.py",
    "actions/handoffs": "stories", "actions/imports": "capture/test_transcript.py", "actions/launcher": "cli/test_commands.py",
    "mcp_server/server": "stories", "mcp_server/answers": "stories", "mcp_server/sessions": "stories",
    "mcp_server/events": "stories", "mcp_server/checkpoints": "stories", "mcp_server/handoffs": "stories",
    "mcp_server/resources": "stories", "mcp_server/prompts": "stories", "mcp_server/instructions": "mcp_server/test_snapshot.py",
    "sync/remote": "sync/test_remote_contract.py", "sync/folder": "sync/test_remote_contract.py", "sync/report": "sync/test_exchange.py",
    "sync/pulling": "sync/test_exchange.py", "sync/pushing": "sync/test_exchange.py", "actions/conflicts": "actions/test_sync.py",
    "actions/configuration": "actions/test_sync.py", "mcp_server/sync": "actions/test_sync.py",
    "mcp_server/stdio": "mcp_server/test_wire.py", "mcp_server/recall": "stories", "embed/pieces": "embed/test_local.py",
    "index/candidates": "index/test_ranking.py", "index/around": "index/test_ranking.py", "index/reading": "index/test_ranking.py",
    "index/invocations": "actions/test_invocations.py", "index/fixes": "actions/test_fixes.py", "index/files": "actions/test_files.py",
    "model/deeds": "model/test_shaping.py", "index/vocabulary": "actions/test_vocabulary.py", "index/timeline": "actions/test_timeline.py",
}  # fmt: skip


def name(module: Path) -> str:
    return str(module.relative_to(SRC).with_suffix(""))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_is_small_and_begins_with_its_idea(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    if module.name == "__init__.py":
        assert text == "" or name(module) == "plugins/__init__"
        return
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    for function in functions(tree):
        assert (function.end_lineno or 0) - function.lineno < 80, function.name


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_names_are_nouns_and_verbs_of_the_field(module: Path) -> None:
    assert not FORBIDDEN.search(module.stem)
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            assert not FORBIDDEN.search(node.name), node.name


# what may be touched only in the rooms named: modules by what is imported, names by what is written
DOORS = {
    "os.environ": {"settings"}, "os.environb": set(), "os.getenv": set(),
    "time": {"ids"},
    "datetime": {"model/times", "model/spoken"},  # read times that people write and say; they never ask what time it is
    "subprocess": {"git", "extract/reading", "cli/demo", "mcp_server/snapshot", "actions/rehearsal", "actions/trials"},  # the demo starts our server, the snapshot asks for git's
    "apsw": {"index/database", "index/catchup", "sync/folder"},  # catch-up names the errors; it opens nothing
    "os.ftruncate": {"log/active", "log/tail"}, "os.O_APPEND": {"log/tail", "paths"},
    "paths.write_all": {"log/active", "log/tail", "log/secret", "log/foreign", "cli/demo_server", "actions/archive"},  # the demo stops in the middle of a write, on purpose
    "os.write": {"paths", "mcp_server/wire"}, "os.chmod": {"paths", "plugins/registry"},
    "httpx": {"sync/calls"},  # and this only where the user has a remote
    "os.makedirs": set(), "os.mkdir": {"paths", "cli/demo"},
    "os.replace": {"paths", "index/database", "log/spool"}, "os.rename": set(),
    # nothing listens and nothing connects
    "socket": set(), "ssl": set(), "http": set(), "urllib": set(), "ftplib": set(), "smtplib": set(), "socketserver": set(),
    "sqlite3": set(), "os.system": set(), "os.popen": set(), "shutil": {"cli/demo", "cli/terminal", "index/database", "actions/doctor"},
}  # fmt: skip


def touched(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported and every `module.name` that is written, whatever the form of the import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0], node.lineno
            for each in node.names:
                yield f"{node.module}.{each.name}", node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_each_outside_thing_has_one_door(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    wrong = [(what, line) for what, line in touched(tree) if name(module) not in DOORS.get(what, {name(module)})]
    assert not wrong, wrong


def test_no_door_is_named_that_nobody_uses() -> None:
    used = {(what, name(each)) for each in MODULES for what, _ in touched(ast.parse(each.read_text(encoding="utf-8")))}
    assert not {(what, room) for what, rooms in DOORS.items() for room in rooms} - used


@pytest.mark.parametrize(
    "text",
    ["from os import environ", "from subprocess import run", "if 1:\n    import apsw", "import time as t", "from urllib import request"],
)  # fmt: skip
def test_a_door_cannot_be_walked_around(text: str) -> None:
    assert any(what in DOORS for what, _ in touched(ast.parse(text)))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_broad_excepts_stand_where_they_are_named(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler) and str(module.relative_to(SRC)) not in BROAD:
            caught = ast.unparse(node.type) if node.type else "BaseException"
            reraises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            assert reraises or not re.search(r"\b(Base)?Exception\b", caught), (module, node.lineno)


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "__init__.py"], ids=name)
def test_every_module_has_its_test(module: Path) -> None:
    here = name(module)
    if here.startswith("cli/"):
        place = ROOT / "tests" / "cli" / "test_commands.py"
    elif here in ELSEWHERE:
        place = ROOT / "tests" / ELSEWHERE[here]
    else:
        place = ROOT / "tests" / module.relative_to(SRC).parent / f"test_{module.stem}.py"
    assert place.exists(), f"{here} has no test at {place.relative_to(ROOT)}"


def test_no_exception_is_named_that_nothing_needs() -> None:
    modules = {name(module) for module in MODULES}
    assert not set(ELSEWHERE) - modules and not {each.removesuffix(".py") for each in BROAD} - modules
    for each, place in ELSEWHERE.items():
        own = ROOT / "tests" / Path(each).parent / f"test_{Path(each).name}.py"
        assert not own.exists() or ROOT / "tests" / place == own, f"{each} has a test of its own"


@pytest.mark.parametrize("module", LIGHT)
def test_what_hooks_will_load_is_light_and_standard_library_only(module: str) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); before = set(sys.modules);"
        f" import session_memory.{module}; print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    names = set(loaded.stdout.split())
    assert not names & set(HEAVY)
    for each in names:
        top = each.partition(".")[0]
        assert top == "session_memory" or top in sys.stdlib_module_names, each


def test_the_root_holds_what_belongs_there() -> None:
    """A temporary file committed by mistake would be in every user's plugin folder."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = listed.stdout.split("\n")
    odd = [
        each
        for each in files
        if "/" not in each
        and each
        and not re.fullmatch(
            r"[A-Z]+\.md|LICENSE|NOTICE|\.gitignore|\.mcp\.json|\S+\.toml|\S+\.txt|justfile|server\.py", each
        )
    ]
    assert not odd and {each.partition("/")[0] for each in files if "/" in each} <= ROOMS_OF_THE_ROOT


def test_no_path_of_a_machine_stands_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    machine = re.compile(r"(?<![\w.])/(?:work|root|tmp/w)/")
    registry = re.compile(r"(?i)(index[-_]url|--registry|_authtoken)\s*[=\s]\s*[\"']?https?://")
    for file in filter(None, listed.stdout.split("\0")):
        if (ROOT / file).is_file():  # a file may have been removed and not be committed yet
            text = (ROOT / file).read_bytes().decode("utf-8", "replace")
            assert not machine.search(text) and not registry.search(text), file
