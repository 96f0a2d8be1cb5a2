"""Expressions that are compiled later behave as compiled ones, and every one of the product compiles."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import session_memory
from session_memory.model.pattern import METHODS, _Later, later


def test_it_behaves_as_the_compiled_expression_and_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lazy, eager = later(r"(\d+)-(\d+)"), re.compile(r"(\d+)-(\d+)")
    for name in ("match", "fullmatch", "search"):
        assert getattr(lazy, name)("12-34").groups() == getattr(eager, name)("12-34").groups()
    assert lazy.sub("x", "a 1-2 b") == "a x b" and lazy.findall("1-2 3-4") == [("1", "2"), ("3", "4")]
    monkeypatch.setattr(re, "compile", None)
    assert lazy.search("no") is None
    with pytest.raises(AttributeError):
        lazy.split("x")


def test_every_expression_of_the_product_compiles() -> None:
    found = 0
    for each in pkgutil.walk_packages(session_memory.__path__, "session_memory."):
        if each.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(each.name)).values():
            if isinstance(value, _Later):
                found += 1
                assert all(callable(getattr(value, name)) for name in METHODS)
    assert found > 10
