"""Paths: never out of the home, never through a link, never half a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory import paths
from session_memory.errors import InvalidInput


@pytest.mark.fault(46)
@pytest.mark.parametrize("relative", ["../x", "a/../../x", "/etc/x", "", "  ", "a\0b", "..\\x"])
def test_a_path_out_of_the_home_is_refused(relative: str) -> None:
    with pytest.raises(InvalidInput, match="bad-path"):
        paths.inside("/home", relative)


@pytest.mark.fault(64)
@given(st.text(st.characters(), max_size=300))
def test_any_label_becomes_one_harmless_name(label: str) -> None:
    name = paths.safe_name(label)
    assert 0 < len(name) <= 60
    assert not set(name) & set("/\\\0 \n") and not name.startswith(".") and name == os.path.basename(name)


@pytest.mark.fault(40)
def test_a_home_that_is_a_link_or_open_to_writers_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(InvalidInput, match="symbolic link"):
        paths.make_dir(str(tmp_path / "link"))
    real.chmod(0o777)
    with pytest.raises(InvalidInput, match="chmod 700"):
        paths.make_dir(str(real))
    real.chmod(0o755)
    paths.make_dir(str(real))
    assert stat.S_IMODE(real.stat().st_mode) == 0o700


@pytest.mark.fault(5)
def test_a_file_is_replaced_whole_or_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "file")
    paths.write_whole(path, b"old")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(paths, "sync_file", fail)
    with pytest.raises(OSError, match="Input/output"):
        paths.write_whole(path, b"new")
    assert Path(path).read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_the_home_is_the_given_one_else_the_variables_else_the_usual() -> None:
    assert paths.home_root("/a", "/b") == "/a"
    assert paths.home_root(None, "/b") == "/b"
    assert paths.home_root(None, None) == os.path.expanduser("~/.claude/session-memory")
