"""Plugins: found by three doors, a pure fold, and none of them can harm the memory."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.memory import Memory
from session_memory.plugins import PluginState, ResumptionContext, SessionPlugin
from session_memory.plugins.fold import at_checkpoint, fold, told
from session_memory.plugins.generic import GenericPlugin
from session_memory.plugins.registry import Registry

HEAD = "from session_memory.plugins import PluginState, ResumptionContext, SessionPlugin\nfrom dataclasses import dataclass\n"
BODY = """
class Mine(SessionPlugin):
    name = "mine"
    supported_skills = ["my-skill"]
    categories = ["recipe"]
    def get_state_schema(self): return {}
    def calculate_progress(self, events, state): return len(events) / 4
    def generate_resumption_context(self, events, state, checkpoint):
        return ResumptionContext(summary=f"{len(events)} seen", next_steps=["cook"], state=state)
"""


def event(category: str, type_: str, **data: Any) -> dict[str, Any]:
    return {
        "id": "0" * 32,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "session_id": "s",
        "category": category,
        "type": type_,
        "data": data,
    }


def folder(tmp_path: Path, **files: str) -> str:
    place = tmp_path / "plugins"
    place.mkdir()
    for name, text in files.items():
        (place / f"{name}.py").write_text(HEAD + text)
    return str(place)


def test_a_file_in_the_folder_is_found_by_its_skill_and_name(tmp_path: Path) -> None:
    registry = Registry(folder(tmp_path, mine=BODY))
    assert registry.failed == {}
    assert registry.for_skill("my-skill").name == registry.for_skill("mine").name == "mine"
    assert registry.for_skill("other").name == registry.for_skill("").name == "generic"
    assert registry.categories() == ["recipe"]
    assert [each["source"] for each in registry.listed()] == ["built in"] * 3 + ["file mine.py"]


def test_loading_a_file_leaves_nothing_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    place = folder(tmp_path, mine=BODY)
    assert Registry(place).failed == {}
    assert os.listdir(place) == ["mine.py"] and sys.dont_write_bytecode is False


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise ValueError('broken')", "broken"),
        ("import no_such_module", "no_such_module"),
        ("raise SystemExit(3)", "SystemExit"),
        ("x = (", "SyntaxError"),
        ("x = 1", "no subclass"),
        (BODY.replace('"mine"', '"My Plugin!"'), "lower-case"),
        (BODY.replace('"mine"', '"generic"'), "there already"),
        (BODY.replace('["my-skill"]', '"my-skill"'), "list of texts"),
        (BODY.replace('["my-skill"]', "None"), "NoneType"),
        (BODY.replace('["my-skill"]', "[1]"), "list of texts"),
        (BODY.replace('["recipe"]', '"recipe"'), "list of texts"),
        (BODY.replace('["recipe"]', '["My recipes"]'), "category"),
        (BODY.replace('name = "mine"', "name = property(lambda self: 1 / 0)"), "ZeroDivisionError"),
        (BODY.replace("def get_state_schema(self): return {}", ""), "get_state_schema"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_reason_and_the_others_work(
    tmp_path: Path, text: str, reason: str
) -> None:
    registry = Registry(folder(tmp_path, bad=text, good=BODY.replace('"mine"', '"good"')))
    assert reason in registry.failed["bad.py"]
    assert registry.for_skill("good").name == "good"


def test_packages_that_cannot_be_looked_through_are_named_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "broken-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (package / "entry_points.txt").write_bytes(b"[session_memory.plugins]\nx = \xff\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    registry = Registry(folder(tmp_path, mine=BODY))
    assert "UnicodeDecodeError" in registry.failed["installed packages"]
    assert registry.for_skill("my-skill").name == "mine"


def test_a_plugin_of_an_installed_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    package = site / "kitchen-1.0.dist-info"
    package.mkdir(parents=True)
    (site / "kitchen_plugin_of_a_test.py").write_text(HEAD + BODY)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: kitchen\nVersion: 1.0\n")
    points = "good = kitchen_plugin_of_a_test:Mine\nbad = kitchen_plugin_of_a_test:HEAD\n"
    (package / "entry_points.txt").write_text(f"[session_memory.plugins]\n{points}")
    monkeypatch.syspath_prepend(str(site))
    registry = Registry(str(tmp_path / "none"))
    assert registry.for_skill("my-skill").name == "mine" and "AttributeError" in registry.failed["bad"]
    assert [each["source"] for each in registry.listed()][3:] == ["package kitchen_plugin_of_a_test:Mine"]


def test_links_are_refused_and_files_open_to_others_are_tightened(tmp_path: Path) -> None:
    place = folder(tmp_path, mine=BODY)
    os.symlink(os.path.join(place, "mine.py"), os.path.join(place, "link.py"))
    os.chmod(os.path.join(place, "mine.py"), 0o666)
    registry = Registry(place)
    assert "symbolic link" in registry.failed["link.py"] and registry.for_skill("mine").name == "mine"
    assert os.stat(os.path.join(place, "mine.py")).st_mode & 0o077 == 0


class Counter(SessionPlugin):
    name = "counter"

    def get_state_schema(self) -> dict[str, Any]:
        return {}

    def on_event(self, event: dict[str, Any], state: PluginState) -> None:
        state.custom_data["n"] = state.custom_data.get("n", 0) + 1

    def calculate_progress(self, events: list[dict[str, Any]], state: PluginState) -> float:
        return 2.0

    def generate_resumption_context(self, events: Any, state: PluginState, checkpoint: Any) -> ResumptionContext:
        return ResumptionContext(summary="fine")


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("method", "does", "reason"),
    [
        ("on_event", lambda *_: 1 / 0, "ZeroDivisionError"),
        ("on_event", lambda *_: "text", "returned str"),
        ("create_initial_state", dict, "returned dict"),
        ("calculate_progress", lambda *_: "half", "not a number"),
        ("calculate_progress", lambda *_: float("nan"), "not a number"),
        ("calculate_progress", lambda *_: sys.exit(4), "SystemExit"),
        ("validate_state", lambda *_: False, "not valid"),
        ("create_initial_state", lambda *_: PluginState(phase=["x"]), "phase"),  # type: ignore[arg-type]
        ("create_initial_state", lambda *_: PluginState(custom_data=[]), "'list'"),  # type: ignore[arg-type]
        ("create_initial_state", lambda *_: PluginState(custom_data={"lock": threading.Lock()}), "pickle"),
        ("on_event", lambda *_: (_ for _ in ()).throw(Unspeakable()), "Unspeakable"),
    ],
)
def test_a_failing_plugin_is_named_and_nothing_else_happens(method: str, does: Any, reason: str) -> None:
    plugin = Counter()
    setattr(plugin, method, does)
    folded = fold(plugin, [event("phase", "x")])
    assert folded.error is not None and reason in folded.error
    assert told(plugin, [], folded, None).summary == ""


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("text", "returned str"),
        (ResumptionContext(summary=1), "summary"),  # type: ignore[arg-type]
        (ResumptionContext(next_steps="peel"), "next_steps"),
        (ResumptionContext(next_steps=[1]), "next_steps"),  # type: ignore[list-item]
        (ResumptionContext(blocking_items=None), "blocking_items"),  # type: ignore[arg-type]
    ],
)
def test_what_a_plugin_tells_must_be_what_it_promised(said: Any, reason: str) -> None:
    plugin = Counter()
    plugin.generate_resumption_context = lambda *_: said  # type: ignore[method-assign]
    folded = fold(plugin, [event("phase", "x")])
    assert told(plugin, [], folded, None).summary == "" and reason in str(folded.error)


def test_a_plugin_gets_copies_and_its_state_is_json_whatever_it_holds() -> None:
    plugin = Counter()

    def spoil(event: dict[str, Any], state: PluginState) -> None:
        event["data"]["list"].append("spoilt")
        event.clear()
        state.custom_data["seen"] = {1, 2}

    def spoil_all(events: list[dict[str, Any]], state: PluginState) -> float:
        events[0]["data"].clear()
        events.clear()
        return 0.5

    plugin.on_event = spoil  # type: ignore[method-assign,assignment]
    plugin.calculate_progress = spoil_all  # type: ignore[method-assign]
    events = [event("phase", "x", list=["whole"])]
    folded = fold(plugin, events)
    assert events == [event("phase", "x", list=["whole"])]
    assert json.loads(json.dumps(folded.object))["custom_data"] == {"seen": [1, 2]} and folded.error is None


def test_what_a_plugin_does_at_a_checkpoint_is_held_by_the_checkpoint_only(home: str, tmp_path: Path) -> None:
    os.makedirs(os.path.join(home, "plugins"), mode=0o700)
    more = "    def on_checkpoint(self, checkpoint, state): state.custom_data['label'] = checkpoint['name']\n"
    Path(home, "plugins", "mine.py").write_text(HEAD + BODY + more)
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.starts.begin(skill="my-skill")
        memory.events.record("recipe", "soup", {"title": "leek"})
        made = memory.checkpoints.create("first")
        assert json.loads(Path(made["file_path"]).read_text())["state"]["custom_data"] == {"label": "first"}
        assert memory.starts.status(None)["plugin_state"]["custom_data"] == {}


@pytest.mark.fault(69, 72)
def test_a_plugin_that_fails_late_is_named_too_and_prints_never_reach_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    plugin = Counter()
    plugin.on_event = lambda event, state: print("noise")  # type: ignore[method-assign]
    folded = fold(plugin, [event("phase", "x")])
    assert capfd.readouterr().out == "" and folded.error is None and folded.progress == 1.0
    plugin.generate_resumption_context = lambda *_: None  # type: ignore[method-assign,assignment,return-value]
    assert told(plugin, [], folded, None).summary == "" and folded.error is not None
    folded.error = None
    plugin.on_checkpoint = lambda *_: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    held, failed = at_checkpoint(plugin, {}, folded)
    assert failed is not None and held == folded.object and folded.error is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["task_start", "task_complete", "phase_start", "done"]), st.sampled_from("abc")),
        max_size=12,
    )
)
def test_generic_progress_is_tasks_done_of_tasks_seen_and_the_fold_is_pure(steps: list[tuple[str, str]]) -> None:
    events = [event("phase", type_, task_id=task, phase=task) for type_, task in steps]
    once, twice = fold(GenericPlugin(), events), fold(GenericPlugin(), events)
    assert once == twice and once.error is None
    seen = {task for type_, task in steps if type_ in ("task_start", "task_complete", "done")}
    done: dict[str, str] = {}
    for type_, task in steps:
        if type_ == "task_start":
            done.setdefault(task, "open")
        elif type_ in ("task_complete", "done"):
            done[task] = "done"
    if seen:
        assert once.progress == sum(each == "done" for each in done.values()) / len(done)


def test_state_and_progress_survive_a_restart_and_a_rebuild_and_a_fault_loses_no_event(
    home: str, tmp_path: Path
) -> None:
    os.makedirs(os.path.join(home, "plugins"), mode=0o700)
    Path(home, "plugins", "mine.py").write_text(HEAD + BODY)
    Path(home, "plugins", "bad.py").write_text(
        HEAD + BODY.replace('"mine"', '"bad"').replace('["my-skill"]', '["bad"]').replace("len(events) / 4", "1 / 0")
    )
    with Memory(home, cwd=str(tmp_path)) as memory:
        session = memory.starts.begin(skill="my-skill")["session_id"]
        memory.events.record("recipe", "soup", {"title": "leek"})
        memory.events.record("phase", "next_step", {"text": "peel"})
        before = memory.starts.status(session)
        assert (before["plugin"], before["progress"]) == ("mine", 0.5)
        memory.starts.begin(skill="bad", session_id="b")
        memory.events.record("finding", "bug", {"title": "kept"})
        status = memory.starts.status("b")
        assert "ZeroDivisionError" in status["plugin_error"] and status["event_count"] == 1
        assert "1 seen" in memory.handoffs.resume().text or "ZeroDivision" in memory.handoffs.resume().text
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.health.rebuild()
        after = memory.starts.status(session)
        assert {name: after[name] for name in ("plugin", "progress", "plugin_state")} == {
            name: before[name] for name in ("plugin", "progress", "plugin_state")
        }
