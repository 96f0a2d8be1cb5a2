"""Documents cannot lie: links resolve, generated pages are fresh, every member of a set is documented."""

from __future__ import annotations

import os
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
RESERVED = {"bad-plugin", "index-newer"}
# what a block of shell lines may call besides our own programs
FOREIGN = {"claude"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_meets_one(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert anchor in anchors(page.parent / target if target else page), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_shell_line_calls_what_is_there(page: Path) -> None:
    for block in re.findall(r"```(?:console|bash|sh)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in filter(None, (each.partition("#")[0].strip() for each in block.splitlines())):
            words = line.removeprefix("$ ").split()
            if words[0] in {"session-memory", "bin/session-memory"}:
                assert len(words) == 1 or words[1].startswith("-") or words[1] in COMMANDS, line
            elif words[0].startswith(("scripts/", ".ci/")):
                assert os.access(ROOT / words[0], os.X_OK), line
            else:
                assert words[0] in FOREIGN, line


def test_every_python_block_is_run_by_a_test() -> None:
    held = {str(page.relative_to(ROOT)) for page in PAGES if "```python" in page.read_text(encoding="utf-8")}
    # test_the_plugin_of_the_how_to_works, test_the_tutorial_of_a_plugin_of_ones_own_is_executed, stories/test_it_embeds.py
    assert held == {
        "docs/how-to/write-a-plugin.md",
        "docs/tutorial/your-own-plugin.md",
        "docs/how-to/use-openai-embeddings.md",
    }


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    words = re.findall(r"^- \*\*(.+?)\*\*: ", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert words == sorted(set(words), key=str.lower) and len(words) > 20


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
    for code in RESERVED:
        assert SOURCES.count(f'"{code}"') == 1, f"{code} is raised: it is not reserved any more"
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


def test_the_tutorial_of_a_plugin_of_ones_own_is_executed(home: str, tmp_path: Path) -> None:
    """Block after block: files are written where their first line says, commands are run."""
    from session_memory.memory import Memory

    page = (ROOT / "docs" / "tutorial" / "your-own-plugin.md").read_text(encoding="utf-8")
    lengths = {}
    for kind, text in re.findall(r"```(python|sh)\n(.*?)```", page, re.DOTALL):
        if kind == "python":
            first, _newline, rest = text.partition("\n")
            path = Path(home, first.removeprefix("# "))
            assert path.exists()  # the starter wrote it
            path.write_text(text, encoding="utf-8")
            lengths[path.name] = len([line for line in rest.splitlines() if line.strip()])
            continue
        for line in text.splitlines():
            words = line.removeprefix("bin/session-memory ").split()
            done = subprocess.run(
                [sys.executable, "-m", "session_memory", *words, "--home", home], cwd=tmp_path, capture_output=True, text=True,
                stdin=subprocess.DEVNULL, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert "test_what_is_left_and_what_stands_in_the_way" in (Path(home, "plugins/tests/test_review.py")).read_text()
    assert lengths["review.py"] <= 32 and lengths["test_review.py"] <= 16
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert memory.starts.begin(skill="code-review", session_id="s")["plugin"] == "review"
        for file in ("a.py", "b.py"):
            memory.events.record("phase", "file_found", {"file": file})
        memory.events.record("phase", "file_reviewed", {"file": "a.py"})
        memory.events.record("finding", "finding_raised", {"id": "F1", "title": "Off by one", "severity": "high"})
    with Memory(home, cwd=str(tmp_path)) as memory:
        told = memory.handoffs.resume().text
        assert "review b.py" in told and "Off by one" in told.split("## Blockers")[1] and "Progress: 50%" in told


def test_the_page_about_two_machines_is_executed(tmp_path: Path) -> None:
    """Each block on the machine it is about; the stick is a folder of the test, the key file lies beside it."""
    page = (ROOT / "docs" / "how-to" / "use-two-machines.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    environ = {**os.environ, "SESSION_MEMORY_SYNC_PASSPHRASE": "correct horse"}
    (tmp_path / "stick").mkdir()  # plugged in
    said = ""
    for home, block in zip(("first", "second", "first", "second"), blocks):
        for line in block.splitlines():
            words = [word.replace("/media/stick", str(tmp_path / "stick")) for word in line.split()[1:]]
            done = subprocess.run(
                [sys.executable, "-m", "session_memory", *words, "--home", str(tmp_path / home)], cwd=tmp_path, env=environ,
                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            said += done.stdout
    assert "No two devices said otherwise" in said and "this home has its key" in said and "pulled" in said
