"""Trying a plugin: what it would give for some events, and whether it keeps the contract. Runs in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from session_memory.model.values import canonical
from session_memory.plugins.api import Event, PluginState, SessionPlugin
from session_memory.plugins.bounded import Overrun, bounded
from session_memory.plugins.fold import Folded, at_checkpoint, copies, fold, reason, told
from session_memory.plugins.registry import Registry
from session_memory.plugins.samples import STORY, events

TEST_SECONDS = 20.0  # that one test function may take
CHECKPOINT = {"name": "trial", "type": "manual", "event_count": 0}


class Report:
    """What was found: `result` of the last run, and `checks` (what, ok, why)."""

    def __init__(self) -> None:
        self.result: dict[str, Any] = {}
        self.checks: list[dict[str, Any]] = []

    def note(self, what: str, ok: bool, why: str = "") -> bool:
        """Add a check; the same one that failed for other events stands once."""
        known = next((each for each in self.checks if each["what"] == what), None)
        if known is None:
            self.checks.append({"what": what, "ok": ok, "why": "" if ok else why})
        elif known["ok"] and not ok:
            known.update(ok=False, why=why)
        return ok


def main() -> None:
    """Read {folder, name, events, test} from stdin, write the report into the file named `answer`."""
    asked = json.loads(sys.stdin.read())
    report = trial(asked["folder"], asked["name"], asked["events"], asked["test"])
    with open(asked["answer"], "w", encoding="utf-8") as file:
        json.dump(canonical(report), file)


def trial(folder: str, name: str, recorded: list[Event], test: str) -> dict[str, Any]:
    """Load the plugin `name` (or the file NAME.py of the folder), run it over a sample session and over recorded events.

    test: path of a file whose functions `test_*` are run as well; "" for none. Returns {found, name, source, skills,
    categories, result, checks}.
    """
    report = Report()
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):  # what it prints while it loads is sent there
        registry = Registry(folder)
    failed = registry.failed.get(f"{name}.py") or registry.failed.get(name)
    loaded = registry.get(name) or next(
        (registry.get(each["name"]) for each in registry.listed() if each["source"] == f"file {name}.py"), None
    )
    if failed or loaded is None:
        if failed:
            report.note("loads", False, failed)
        return {"found": bool(failed), "name": name, "checks": report.checks}
    report.note("loads, with a name, skills and categories of the right form", True)
    report.note("prints nothing when it is loaded", not printed.getvalue(), f"it printed {printed.getvalue()[:60]!r}")
    _schema(loaded.plugin, report)
    samples = events(*STORY)
    for session in ([], samples, recorded):
        _run(loaded.plugin, session, report)
    if not recorded:
        _run(loaded.plugin, samples, report)
    if test:
        _tests(test, report)
    return {
        "found": True, "name": loaded.plugin.name, "source": loaded.source, "skills": list(loaded.skills),
        "categories": list(loaded.categories), "events": len(recorded or samples), "recorded": bool(recorded),
        "result": report.result, "checks": report.checks,
    }  # fmt: skip


def _schema(plugin: SessionPlugin, report: Report) -> None:
    made, why = _quietly(plugin.get_state_schema, 5.0)
    fits = isinstance(made, dict) and canonical(made) == made
    report.note("get_state_schema gives a JSON schema", not why and fits, why or f"it gives {type(made).__name__}")


def _run(plugin: SessionPlugin, session: list[Event], report: Report) -> None:
    kept = copies(session)
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):  # the fold sends there what it prints
        once = fold(plugin, kept)
        said = told(plugin, kept, once, None)
        _held, failed = at_checkpoint(plugin, CHECKPOINT, once)
        twice = fold(plugin, copies(session))
        again = told(plugin, kept, twice, dict(CHECKPOINT))
    if not report.note("ends, raises nothing and returns what it should", not once.error, str(once.error)):
        return
    report.note("on_checkpoint works", failed is None, str(failed))
    report.note("prints nothing", not printed.getvalue(), f"it printed {printed.getvalue()[:60]!r}")
    _pure(once, twice, report)
    report.note(
        "generate_resumption_context works with and without a checkpoint", twice.error is None, str(twice.error)
    )
    _survives(once, report)
    report.result = {
        "phase": once.state.phase, "progress": round(once.progress, 3), "state": once.object, "summary": said.summary,
        "next_steps": list(said.next_steps), "blocking_items": list(said.blocking_items),
        "same_at_a_checkpoint": said.summary == again.summary,
    }  # fmt: skip


def _pure(once: Folded, twice: Folded, report: Report) -> None:
    report.note(
        "folding the same events again gives the same",
        (once.object, once.progress) == (twice.object, twice.progress),
        "the state differs: it must come from the events alone, without clock, chance, files or members of the plugin",
    )


def _survives(folded: Folded, report: Report) -> None:
    """A state is written into checkpoints, and read again by whoever looks at them."""
    written = json.loads(json.dumps(folded.object))
    read, why = _quietly(lambda: canonical(type(folded.state).from_object(written).to_object()), 5.0)
    same = _values(written) == _values(read) if isinstance(read, dict) else False
    report.note("its state survives being written and read", not why and same, why or "it is not the same afterwards")


def _values(state: dict[str, Any]) -> dict[str, Any]:
    return {name: state.get(name) for name in ("phase", "progress", "custom_data")}


def _quietly(work: Callable[[], Any], seconds: float) -> tuple[Any, str]:
    """What it returns, and why it failed."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return bounded(work, seconds), ""
    except KeyboardInterrupt:
        raise
    except Overrun:
        return None, f"it did not end within {seconds:g} s"
    except BaseException as error:  # plugin isolation: foreign code
        return None, reason(error)


def _tests(path: str, report: Report) -> None:
    """Run the functions `test_*` of a file, as pytest would."""
    label = os.path.basename(path)

    def load() -> Any:
        spec = importlib.util.spec_from_file_location("session_memory_plugin_test", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    module, why = _quietly(load, TEST_SECONDS)
    if why:
        report.note(label, False, why)
        return
    found = [(name, each) for name, each in vars(module).items() if name.startswith("test_") and callable(each)]
    for name, function in found:
        _none, why = _quietly(function, TEST_SECONDS)
        report.note(f"{label}: {name}", not why, why)
    if not found:
        report.note(label, False, "it holds no function whose name begins with test_")


def folded(plugin: SessionPlugin, session: list[Event]) -> PluginState:
    """The state after some events, for tests of a plugin. Raises ValueError with the plugin's failure."""
    found = fold(plugin, session)
    if found.error:
        raise ValueError(found.error)
    return found.state


def plugin_of(path: str, name: str) -> SessionPlugin:
    """The plugin `name` of a file, for tests of it. Raises ValueError with the reason why it does not load."""
    folder, file = os.path.split(os.path.abspath(path))
    registry = Registry(folder)
    loaded = registry.get(name)
    if loaded is None:
        raise ValueError(registry.failed.get(file, f"{file} holds no plugin named {name}"))
    return loaded.plugin
