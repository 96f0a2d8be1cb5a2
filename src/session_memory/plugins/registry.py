"""Which plugins there are: built in, from installed packages, and from the user's own folder; those that fail are named."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import stat
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from session_memory.plugins.api import SessionPlugin
from session_memory.plugins.bounded import Overrun, bounded
from session_memory.plugins.fold import reason
from session_memory.plugins.generic import GenericPlugin
from session_memory.plugins.spec_refiner import SpecRefinerPlugin
from session_memory.plugins.speckit import SpecKitPlugin

BUILT_IN: tuple[type[SessionPlugin], ...] = (GenericPlugin, SpecKitPlugin, SpecRefinerPlugin)
GROUP = "session_memory.plugins"
NAME = re.compile(r"[a-z][a-z0-9_\-]{0,63}")
GENERIC = "generic"
# what lies in the plugin folder of a home of the product before this one
OLDER = frozenset(
    "base generic speckit spec_refiner speckit_maal code_review bug_investigation feature_impl research".split()
)
OLDER_BASE = re.compile(r"^\s*(?:from (?:plugins\.|\.)base import|class SessionPlugin\b)", re.MULTILINE)
MOST_READ = 1_000_000
LOAD_SECONDS = 5.0  # that a file or package may take to load


class Loaded(NamedTuple):
    """A plugin and what it said of itself when it was loaded: it is not asked again."""

    plugin: SessionPlugin
    source: str
    skills: tuple[str, ...]
    categories: tuple[str, ...]


class Registry:
    """Plugins by name and by skill. `failed`: file or name -> reason."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._plugins: dict[str, Loaded] = {}
        self.failed: dict[str, str] = {}
        for kind in BUILT_IN:
            self._add(kind, "built in", kind.__name__)
        self._guarded("installed packages", self._installed, None)
        self._guarded("plugins folder", self._own, None)

    def for_skill(self, skill: str) -> SessionPlugin:
        """The plugin that supports the skill (or bears its name), else `generic`."""
        for name, loaded in reversed(self._plugins.items()):
            if skill and (skill in loaded.skills or skill == name):
                return loaded.plugin
        return self._plugins[GENERIC].plugin

    def get(self, name: str) -> Loaded | None:
        """The plugin of a name."""
        return self._plugins.get(name)

    def categories(self) -> list[str]:
        """Event categories that plugins declare."""
        return list(dict.fromkeys(each for loaded in self._plugins.values() for each in loaded.categories))

    def listed(self) -> list[dict[str, Any]]:
        """Every plugin: name, source, skills."""
        return [
            {"name": name, "source": loaded.source, "skills": list(loaded.skills)}
            for name, loaded in self._plugins.items()
        ]

    def _installed(self) -> None:
        for point in importlib.metadata.entry_points(group=GROUP):
            self._guarded(point.name, lambda point=point: self._add(point.load(), f"package {point.value}", point.name))  # type: ignore[misc]

    def _own(self) -> None:
        if not os.path.isdir(self._folder):
            return
        for file in sorted(os.listdir(self._folder)):
            if file.endswith(".py") and not file.startswith("_"):
                self._guarded(file, lambda file=file: self._load(file))  # type: ignore[misc]

    def _load(self, file: str) -> None:
        path = os.path.join(self._folder, file)
        wrong = _unsafe(path)
        if wrong:
            raise ValueError(wrong)
        if _of_older(path):
            if file.removesuffix(".py") in OLDER:
                return  # it came with the product before this one, which brings its own now
            raise ValueError(
                "it was written for the product before this one: import SessionPlugin, PluginState and ResumptionContext"
                " from session_memory.plugins"
            )
        name = f"session_memory_plugin_{re.sub(r'[^a-zA-Z0-9_]', '_', file[:-3])}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ValueError("it cannot be loaded as Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # a cache would lie in the home, open to others
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        found = [
            each for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, SessionPlugin) and each.__module__ == name
        ]  # fmt: skip
        if not found:
            raise ValueError("it holds no subclass of SessionPlugin")
        for kind in found:
            self._add(kind, f"file {file}", file)

    def _add(self, kind: Any, source: str, label: str) -> None:
        if not (isinstance(kind, type) and issubclass(kind, SessionPlugin)):
            raise TypeError(f"{label} is no subclass of SessionPlugin")
        plugin = kind()
        name = plugin.name
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"its name {name!r} is not lower-case letters, digits, dash and underscore")
        skills = _texts("supported_skills", plugin.supported_skills)
        categories = _texts("categories", plugin.categories)
        wrong = [each for each in categories if not NAME.fullmatch(each)]
        if wrong:
            raise ValueError(f"its category {wrong[0]!r} is not lower-case letters, digits, dash and underscore")
        if name in self._plugins:
            raise ValueError(f"a plugin named {name} is there already ({self._plugins[name].source})")
        for method in ("get_state_schema", "calculate_progress", "generate_resumption_context"):
            if getattr(kind, method) is getattr(SessionPlugin, method):
                raise ValueError(f"it does not define {method}")
        self._plugins[name] = Loaded(plugin, source, skills, categories)

    def _guarded(self, label: str, load: Callable[[], None], seconds: float | None = LOAD_SECONDS) -> None:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                if seconds is None:
                    load()
                else:
                    bounded(load, seconds)
        except KeyboardInterrupt:
            raise
        except Overrun:
            self.failed[label] = f"it did not end within {seconds:g} s and was stopped"
        except BaseException as error:  # plugin isolation: one bad file must not take the others with it
            self.failed[label] = reason(error)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} must be a list of texts")
    return tuple(value)


def _of_older(path: str) -> bool:
    """Whether a file is, or is made for, a plugin base of the product before this one."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read(MOST_READ)
    return OLDER_BASE.search(text) is not None


def _unsafe(path: str) -> str:
    """Why a file of the plugin folder is not loaded; a file others may write is tightened instead."""
    state = os.lstat(path)
    if stat.S_ISLNK(state.st_mode):
        return "it is a symbolic link; copy the file instead"
    if hasattr(os, "getuid"):
        if state.st_uid != os.getuid():
            return "it belongs to another user"
        if state.st_mode & 0o022:
            os.chmod(path, 0o600)
    return ""
