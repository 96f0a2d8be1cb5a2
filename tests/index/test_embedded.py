"""What the file of vectors tells without numpy: counts, how a provider stands, and what a new model replaces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from session_memory.index import embedded
from session_memory.index.database import open_vectors


def said(path: str, model: str, count: int) -> None:
    with open_vectors(path) as kept:
        kept.executemany("INSERT INTO said VALUES (?, ?, ?)", [(model, bytes([n]), bytes([n])) for n in range(count)])
        kept.executemany("INSERT INTO vector VALUES (?, ?, ?)", [(model, bytes([n]), b"v") for n in range(count)])


def test_nothing_is_made_by_asking(tmp_path: Path) -> None:
    path = str(tmp_path / "v.sqlite")
    assert embedded.count(path, "m") == 0 and embedded.standing(path, "p") is None and not Path(path).exists()


def test_a_provider_stands_as_it_was_noted_last(tmp_path: Path) -> None:
    path = str(tmp_path / "v.sqlite")
    said(path, "p:1", 3)
    embedded.note(path, "p", "p:1", "it broke")
    assert embedded.standing(path, "p")[:3] == ("p:1", 3, "it broke") and embedded.standing(path, "q") is None
    embedded.note(path, "p", "p:1")
    assert embedded.standing(path, "p")[:3] == ("p:1", 3, "")


def test_a_complete_model_replaces_the_others_but_never_the_table_of_ours(tmp_path: Path) -> None:
    path = str(tmp_path / "v.sqlite")
    for model in ("p:1", "p:2", "q:1", embedded.LOCAL_MODEL, "minilm-static-0"):
        said(path, model, 2)
    assert embedded.drop_others(path, "p:2") == 2
    assert [embedded.count(path, each) for each in ("p:1", "p:2", "q:1", embedded.LOCAL_MODEL)] == [0, 2, 0, 2]
    assert embedded.drop_others(path, embedded.LOCAL_MODEL) == 1 and embedded.count(path, "p:2") == 2


def test_status_needs_no_numpy() -> None:
    code = "import sys; import session_memory.index.embedded, session_memory.actions.meaning; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
