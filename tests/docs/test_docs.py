"""Documents cannot lie: links resolve, generated pages are fresh, every member of a set is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from session_memory.cli.main import COMMANDS
from session_memory.errors import CODES, InvalidInput, SessionMemoryError
from session_memory.settings import TABLE
from session_memory.version import VERSION

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
# codes of features that are named in contracts but not raised yet
RESERVED = {"bad-plugin", "plugin-failed", "index-newer", "not-built", "log-damaged", "bad-line"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "names"),
    [("commands.md", list(COMMANDS)), ("settings.md", [row[0] for row in TABLE]), ("errors.md", list(CODES))],
)
def test_every_member_has_a_heading(file: str, names: list[str]) -> None:
    text = (ROOT / "docs" / "reference" / file).read_text(encoding="utf-8")
    for each in names:
        assert f"\n## {each}\n" in text


def test_every_error_code_is_raised_somewhere_and_unknown_ones_cannot_be() -> None:
    for code in set(CODES) - RESERVED:
        assert SOURCES.count(f'"{code}"') + SOURCES.count(f"[{code}]") > 1, code
    with pytest.raises(KeyError):
        SessionMemoryError("no-such-code", "what")
    assert str(InvalidInput("bad-time", "It is late.", "Wait.")) == "It is late. Wait. [bad-time]"


def test_the_readme_is_short_and_names_its_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    for name in re.findall(r"bin/session-memory ([a-z]+)", "\n".join(lines)):
        assert name in COMMANDS
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) < 100


def test_the_version_stands_in_one_place() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in project and VERSION not in project
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_plugin_of_the_how_to_works(tmp_path: Path) -> None:
    from session_memory.plugins.fold import fold
    from session_memory.plugins.registry import Registry

    page = (ROOT / "docs" / "how-to" / "write-a-plugin.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "translation.py").write_text(code, encoding="utf-8")
    registry = Registry(str(tmp_path))
    assert not registry.failed
    plugin = registry.for_skill("translator")
    events = [
        {
            "id": str(n),
            "category": "phase",
            "type": type_,
            "data": {"chapter": chapter},
            "timestamp": "",
            "session_id": "s",
        }
        for n, (type_, chapter) in enumerate([("chapter_found", "1"), ("chapter_found", "2"), ("chapter_done", "1")])
    ]
    folded = fold(plugin, events)
    assert (folded.error, folded.progress, folded.state.phase) == (None, 0.5, "translating")
