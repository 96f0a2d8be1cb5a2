"""`bin/session-memory` and `server.py`: what they need, what they make, and what they never load."""

from __future__ import annotations

import ast
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.mcp_server.raw_client import RawClient

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = ROOT / "bin" / "session-memory"

# stands where uv would: notes how it was called and what it could read of the client's pipe, makes an empty environment
UV = """#!/bin/sh
echo "$1" >> "{notes}"
cat >> "{read}"
if [ "$1" = venv ]; then
  for folder; do :; done
  mkdir -p "$folder/bin" && ln -s "{python}" "$folder/bin/python"
else
  sleep 0.5
  exit $(cat "{fails}" 2>/dev/null || echo 0)
fi
"""


class Checkout:
    """A copy of what a clone holds, with needs that no interpreter here meets, and a uv that only pretends."""

    def __init__(self, root: Path, needs: str = "mcp>=99\n") -> None:
        self.root = root
        (root / "bin").mkdir(parents=True)
        shutil.copy(LAUNCHER, root / "bin")
        (root / "src").symlink_to(ROOT / "src")
        (root / "requirements.txt").write_text(needs, encoding="utf-8")
        self.programs = root / "programs"
        self.programs.mkdir()
        self.notes, self.read, self.fails = root / "notes", root / "read", root / "fails"
        self.program("uv", UV.format(notes=self.notes, read=self.read, fails=self.fails, python=sys.executable))

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text, encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        environ = {**os.environ, "PYTHONPATH": "", "CLAUDE_PLUGIN_DATA": str(self.root / "plugin data"), **more}
        environ["PATH"] = f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
        command = [sys.executable, str(self.root / "bin" / "session-memory"), *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environ, cwd=self.root, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str, **more: str) -> tuple[int, str, str]:
        process = self.start(*words, **more)
        out, err = process.communicate("the client's first line\n", timeout=60)
        return process.returncode, out, err

    def made(self) -> list[str]:
        return self.notes.read_text(encoding="utf-8").split() if self.notes.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a clone")


@pytest.mark.parametrize("file", ["bin/session-memory", "server.py"])
def test_an_old_python_can_read_it(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 5))
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.Match))


def test_it_can_be_executed() -> None:
    assert LAUNCHER.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("file", ["bin/session-memory", "server.py"])
def test_a_project_cannot_put_its_modules_in_place_of_ours(home: str, tmp_path: Path, file: str) -> None:
    for name in ("session_memory", "mcp", "apsw", "json", "re", "importlib", "argparse"):
        (tmp_path / f"{name}.py").write_text(
            f"import os; os.write(2, b'LOADED {name}'); os._exit(9)\n", encoding="utf-8"
        )
    words = [sys.executable, str(ROOT / file), *(["serve"] if file.startswith("bin") else []), "--home", home]
    with RawClient(words, cwd=str(tmp_path), env={"PYTHONPATH": ""}) as client:
        assert client.call("session_status")["structuredContent"]["event_count"] == 0
        assert client.close() == 0


def test_it_says_so_before_it_makes_an_environment_and_makes_it_once(checkout: Checkout) -> None:
    status, out, err = checkout.run("--version")
    assert status == 0 and out.startswith("session-memory "), err
    assert "making a Python environment in" in err and checkout.made() == ["venv", "pip"]
    assert checkout.run("--version")[::2] == (0, "") and checkout.made() == ["venv", "pip"]


def test_an_installer_never_reads_what_the_client_sent(checkout: Checkout) -> None:
    assert checkout.run("--version")[0] == 0
    assert checkout.made() and checkout.read.read_text(encoding="utf-8") == ""


def test_two_first_starts_make_one_environment(checkout: Checkout) -> None:
    both = [checkout.start("--version") for _ in range(2)]
    assert [(each.communicate(timeout=60), each.returncode)[1] for each in both] == [0, 0]
    assert checkout.made() == ["venv", "pip"]


def test_a_failed_install_says_one_sentence_and_the_next_start_tries_again(checkout: Checkout) -> None:
    checkout.fails.write_text("1", encoding="utf-8")
    status, out, err = checkout.run("--version")
    assert (status, out) == (1, "") and "could not be installed" in err and "Traceback" not in err
    checkout.fails.unlink()
    assert checkout.run("--version")[0] == 0 and checkout.made() == ["venv", "pip"] * 2


def test_new_needs_bring_a_new_environment_and_the_old_one_stays(checkout: Checkout) -> None:
    checkout.run("--version")
    (checkout.root / "requirements.txt").write_text("mcp>=100\n", encoding="utf-8")
    assert checkout.run("--version")[0] == 0
    assert len([each for each in os.listdir(checkout.root / "plugin data") if not each.endswith(".lock")]) == 2


@pytest.mark.parametrize(
    ("needs", "enough"),
    [("mcp>=2.3,<2.4\napsw>=3.51.3\n", True), ("mcp>=2.3,<2.3\n", False), ("apsw>=99  # newer\n", False), ("no-such-package\n", False)],
)  # fmt: skip
def test_packages_count_only_in_a_version_that_is_allowed(tmp_path: Path, needs: str, enough: bool) -> None:
    checkout = Checkout(tmp_path / "clone", needs)
    status, _out, err = checkout.run("--version", SESSION_MEMORY_NO_INSTALL="1")
    assert (status == 0) is enough and checkout.made() == []
    assert enough or "SESSION_MEMORY_NO_INSTALL" in err


def test_an_installed_program_of_the_same_version_is_used_another_one_not(checkout: Checkout) -> None:
    from session_memory.version import VERSION

    program = '#!/bin/sh\n[ "$1" = --version ] && echo "session-memory {}" || echo "installed $*"\n'
    checkout.program("session-memory", program.format(VERSION))
    assert checkout.run("status", "--all")[:2] == (0, "installed status --all\n") and checkout.made() == []
    checkout.program("session-memory", program.format("0.0.0"))
    assert checkout.run("--version", SESSION_MEMORY_NO_INSTALL="1")[0] == 1
    assert checkout.run("--version")[0] == 0 and checkout.made() == ["venv", "pip"]


def test_a_folder_that_cannot_be_made_is_one_sentence(checkout: Checkout) -> None:
    (checkout.root / "plugin data").write_text("a file", encoding="utf-8")
    status, out, err = checkout.run("--version")
    assert (status, out) == (1, "") and err.count("\n") == 1 and "no environment could be made" in err
