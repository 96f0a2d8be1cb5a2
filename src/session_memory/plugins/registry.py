"""Which plugins there are: built in, from installed packages, and from the user's own folder; those that fail are named."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import stat
import sys
from collections.abc import Callable
from typing import Any

from session_memory.plugins.api import SessionPlugin
from session_memory.plugins.generic import GenericPlugin

BUILT_IN: tuple[type[SessionPlugin], ...] = (GenericPlugin,)
GROUP = "session_memory.plugins"
NAME = re.compile(r"[a-z][a-z0-9_\-]{0,63}")
GENERIC = "generic"
# what lies in the plugin folder of a home of the product before this one
OLDER = frozenset(
    "base generic speckit spec_refiner speckit_maal code_review bug_investigation feature_impl research".split()
)
OLDER_BASE = re.compile(r"^\s*(?:from (?:plugins\.|\.)base import|class SessionPlugin\b)", re.MULTILINE)
MOST_READ = 1_000_000


class Registry:
    """Plugins by name and by skill. `failed`: file or name -> reason."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._plugins: dict[str, tuple[SessionPlugin, str]] = {}
        self.failed: dict[str, str] = {}
        for kind in BUILT_IN:
            self._add(kind, "built in", kind.__name__)
        self._guarded("installed packages", self._installed)
        self._guarded("plugins folder", self._own)

    def for_skill(self, skill: str) -> SessionPlugin:
        """The plugin that supports the skill (or bears its name), else `generic`."""
        for plugin, _source in reversed(self._plugins.values()):
            if skill and (skill in plugin.supported_skills or skill == plugin.name):
                return plugin
        return self._plugins[GENERIC][0]

    def categories(self) -> list[str]:
        """Event categories that plugins declare."""
        return list(dict.fromkeys(each for plugin, _source in self._plugins.values() for each in plugin.categories))

    def listed(self) -> list[dict[str, Any]]:
        """Every plugin: name, source, skills."""
        return [
            {"name": name, "source": source, "skills": list(plugin.supported_skills)}
            for name, (plugin, source) in self._plugins.items()
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
        name, skills = plugin.name, plugin.supported_skills
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"its name {name!r} is not lower-case letters, digits, dash and underscore")
        if isinstance(skills, str) or not all(isinstance(skill, str) for skill in skills):
            raise ValueError("supported_skills must be a list of texts")
        if name in self._plugins:
            raise ValueError(f"a plugin named {name} is there already ({self._plugins[name][1]})")
        for method in ("get_state_schema", "calculate_progress", "generate_resumption_context"):
            if getattr(kind, method) is getattr(SessionPlugin, method):
                raise ValueError(f"it does not define {method}")
        self._plugins[name] = (plugin, source)

    def _guarded(self, label: str, load: Callable[[], None]) -> None:
        try:
            load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # plugin isolation: one bad file must not take the others with it
            self.failed[label] = f"{type(error).__name__}: {error}"[:300]


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
