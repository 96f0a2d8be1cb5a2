"""What the product before this one left is recognised by its form, and only that is moved."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from tests import older_home
from tests.log.test_journal import draft, texts

from session_memory import paths
from session_memory.errors import LogUnavailable
from session_memory.log import predecessor
from session_memory.log.journal import Journal


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"{}\n", b'{"id": 1}\n', b"[1]\n", b"not json\n", b'{"id":"x","ts":"y"}\n', b"\0" * 100],
)
def test_other_files_are_not_taken_for_its_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert not predecessor.is_log(str(tmp_path / "f")) and not predecessor.is_index(str(tmp_path / "f"))


def test_its_log_is_known_by_any_good_line_and_ours_never_passes_for_it(tmp_path: Path) -> None:
    line = json.dumps(older_home.EVENTS[0]).encode()
    (tmp_path / "f").write_bytes(b"torn\n" + line + b"\n")
    assert predecessor.is_log(str(tmp_path / "f"))
    long = {**older_home.EVENTS[0], "data": {"text": "x" * 500_000}}
    (tmp_path / "f").write_bytes(json.dumps(long).encode() + b"\n")
    assert predecessor.is_log(str(tmp_path / "f"))
    place = paths.Home(str(tmp_path / "home"))
    Journal(place).append([draft("ours")])
    with open(place.events, "ab") as file:
        file.write(line + b"\n")
    assert not predecessor.is_log(place.events)


def test_another_database_stays_where_it_is(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "f")
    other.execute("CREATE TABLE events (id)")
    other.commit()
    other.close()
    assert not predecessor.is_index(str(tmp_path / "f")) and not predecessor.is_index(str(tmp_path / "none"))


def test_a_recorder_without_any_package_moves_it_aside_and_records(tmp_path: Path) -> None:
    home = older_home.make(tmp_path / "home")
    warnings: list[str] = []
    place = paths.Home(str(home))
    Journal(place, warn=warnings.append).append([draft("ours")])
    assert texts(place) == ["ours"] and len(warnings) == 2
    assert sorted(os.listdir(place.predecessor)) == ["events.jsonl", "index.sqlite"]
    assert predecessor.unfinished(place) == [place.predecessor]


def test_a_foreign_log_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    place = paths.Home(str(tmp_path / "home"))
    Journal(place)
    with open(place.events, "w") as file:
        file.write('{"somebody": "else"}\n')
    with pytest.raises(LogUnavailable, match="log-foreign"):
        Journal(place).append([draft("ours")])
