"""Providers that packages bring: found by name, and whatever they do wrong is one sentence that names them."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from session_memory.embed.provider import Call, Wanted, encoded, made, names
from session_memory.errors import EmbeddingsUnavailable

PACKAGE = """
class Fine:
    def __init__(self, settings):
        self.model = settings["model"] or "fine-1"
    def encode(self, texts):
        return [[len(text), 1.0] for text in texts]

def bad(settings):
    raise OSError("no licence file")

def none(settings):
    return object()

class Leaving(Fine):
    def encode(self, texts):
        raise SystemExit("bye")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with four providers."""
    info = folder / "site" / "vectors_of_ours-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vectors-of-ours\nVersion: 1.0\n")
    points = "fine = vectors_of_ours:Fine\nbad = vectors_of_ours:bad\nnone = vectors_of_ours:none\nleaving = vectors_of_ours:Leaving\n"
    (info / "entry_points.txt").write_text(f"[session_memory.embeddings]\n{points}gone = nowhere_at_all:x\n")
    (folder / "site" / "vectors_of_ours.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(folder / "site"))
    monkeypatch.delitem(sys.modules, "vectors_of_ours", raising=False)


@pytest.mark.usefixtures("package")
def test_a_package_brings_a_provider_under_its_name() -> None:
    assert {"fine", "bad"} <= set(names()) and not {"openai", "local"} & set(names())
    provider = made(Wanted("fine", "fine-2"))
    assert provider.model == "fine-2"
    rows = encoded(provider, ["abc", "d"], 0)
    assert rows.shape == (2, 2) and rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bad", "OSError: no licence file"),
        ("none", "made no provider"),
        ("gone", "ModuleNotFoundError"),
        ("unheard-of", "fine"),
    ],
)
def test_a_broken_one_is_named_with_its_reason(name: str, told: str) -> None:
    call = Call(name, lambda: made(Wanted(name)))
    assert call.over(10)
    with pytest.raises(EmbeddingsUnavailable, match=told) as refused:
        call.result()
    assert name in str(refused.value)


@pytest.mark.usefixtures("package")
def test_even_one_that_wants_to_leave_is_only_a_fault() -> None:
    provider = made(Wanted("leaving"))
    call = Call("leaving", lambda: encoded(provider, ["a"], 0))
    assert call.over(10)
    with pytest.raises(EmbeddingsUnavailable, match="leaving raised SystemExit"):
        call.result()


def test_nobody_waits_for_a_call_longer_than_they_want() -> None:
    go = threading.Event()
    call = Call("slow", lambda: go.wait(20))
    assert not call.over() and not call.over(0.01)
    go.set()
    assert call.over(10) and call.result() is True


class Given:
    model = "given"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def encode(self, texts: Any) -> Any:
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        [],
        [[1.0, 2.0]],
        [[1.0], [1.0, 2.0]],
        [["a", "b"], ["c", "d"]],
        [[float("inf"), 1.0]] * 2,
        [[1.0, 2.0, 3.0]] * 2,
        [[], []],
    ],
)
def test_an_answer_of_another_shape_is_refused_whole(answer: Any) -> None:
    with pytest.raises(EmbeddingsUnavailable, match="embeddings-wrong"):
        encoded(Given(answer), ["a", "b"], 2)
