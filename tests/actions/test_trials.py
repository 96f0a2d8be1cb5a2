"""Plugins of one's own: a starter that works, and a trial that finds what is wrong and harms nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.test_plugins import BODY, HEAD

from session_memory.actions import trials
from session_memory.errors import InvalidInput, NotFound, PluginFailed
from session_memory.memory import Memory
from session_memory.plugins.samples import STORY, events
from session_memory.plugins.trial import folded, plugin_of, trial


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def write(memory: Memory, name: str, text: str) -> str:
    place = Path(memory.opened.home.plugins)
    place.mkdir(mode=0o700, exist_ok=True)
    (place / f"{name}.py").write_text(HEAD + text)
    return str(place)


def wrong(report: dict[str, Any]) -> dict[str, str]:
    return {each["what"]: each["why"] for each in report["checks"] if not each["ok"]}


def test_a_starter_is_written_once_passes_its_trial_and_its_test_tests(memory: Memory) -> None:
    file, test = memory.trials.new("recipe-book")
    assert os.stat(file).st_mode & 0o077 == 0 and os.stat(test).st_mode & 0o077 == 0
    assert "class RecipeBook(SessionPlugin)" in Path(file).read_text()
    report = memory.trials.test("recipe-book")
    assert wrong(report) == {} and report["source"] == "file recipe-book.py" and report["recorded"] is False
    assert any(each["what"].startswith("test_recipe-book.py: test_a_step") for each in report["checks"])
    Path(file).write_text(Path(file).read_text().replace('state.custom_data["done"].append(step)', "pass"))
    assert (
        "AssertionError"
        in wrong(memory.trials.test("recipe-book"))["test_recipe-book.py: test_a_step_that_is_done_counts"]
    )
    for name in ("recipe-book", "speckit", "No Name", "../escape"):
        with pytest.raises(InvalidInput, match="bad-argument"):
            memory.trials.new(name)


def test_it_is_tried_on_the_newest_session_of_its_skill(memory: Memory) -> None:
    write(memory, "mine", BODY)
    with Memory(memory.opened.home.root, cwd=memory.opened.cwd) as again:
        again.starts.begin(skill="my-skill", session_id="s")
        again.events.record("recipe", "soup", {"title": "leek"})
        report = again.trials.test("mine")
        assert (report["events"], report["recorded"], report["result"]["summary"]) == (1, True, "1 seen")
        again.starts.begin(session_id="other")
        again.events.record("finding", "bug", {"title": "x"})
        again.events.record("finding", "bug", {"title": "y"})
        assert again.trials.test("mine", "other")["result"]["progress"] == 0.5
        with pytest.raises(NotFound, match="unknown-session"):
            again.trials.test("mine", "nobody")
        with pytest.raises(NotFound, match="unknown-plugin"):
            again.trials.test("nobody")
        assert wrong(again.trials.test("generic")) == {}


@pytest.mark.parametrize(
    ("text", "what", "why"),
    [
        ("x = (", "loads", "SyntaxError"),
        (BODY.replace('"mine"', '"My Plugin"'), "loads", "lower-case"),
        ("print('hello')" + BODY, "prints nothing when it is loaded", "hello"),
        (BODY.replace("return len", "print('x'); return len"), "prints nothing", "'x"),
        (BODY.replace("return len(events) / 4", "import os; os.write(1, b'raw'); return 0.5"),
         "writes nothing to the standard output", "raw"),
        (BODY.replace("len(events) / 4", "'half'"), "ends, raises nothing and returns what it should", "not a number"),
        (BODY.replace("len(events) / 4", "events[0]['id'] and 0.5"), "ends, raises nothing and returns what it should", "IndexError"),
        (BODY.replace("return {}", "return {1}"), "get_state_schema gives a JSON schema", "set"),
        (BODY.replace("return {}", "return 1 / 0"), "get_state_schema gives a JSON schema", "ZeroDivisionError"),
        (BODY + "    n = 0\n    def on_event(self, event, state):\n        self.n += 1\n        state.custom_data['n'] = self.n\n",
         "folding the same events again gives the same", "events alone"),
        (BODY + "    def on_checkpoint(self, checkpoint, state): 1 / 0\n", "on_checkpoint works", "ZeroDivisionError"),
        (BODY.replace("state=state)", "state=state) if checkpoint is None else 5"),
         "generate_resumption_context works with and without a checkpoint", "returned int"),
        ("class S(PluginState):\n    @classmethod\n    def from_object(cls, value): return cls()\n" + BODY +
         "    def create_initial_state(self): return S(phase='x')\n", "its state survives being written and read", "not the same"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_and_named(memory: Memory, text: str, what: str, why: str) -> None:
    write(memory, "mine", text)
    found = wrong(memory.trials.test("mine"))
    assert what in found and why in found[what], found


@pytest.mark.fault(72)
def test_one_that_ends_the_process_or_never_comes_back_is_told_and_we_live(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(memory, "mine", "import os\n" + BODY.replace("return len(events) / 4", "os._exit(7)"))
    with pytest.raises(PluginFailed, match="exit status 7"):
        memory.trials.test("mine")
    swallows = "\n        while True:\n            try:\n                while True: pass\n            except BaseException: pass"
    write(memory, "mine", BODY.replace(" return len(events) / 4", swallows))
    monkeypatch.setattr(trials, "SECONDS", 3.0)
    with pytest.raises(PluginFailed, match="was killed"):
        memory.trials.test("mine")


def test_a_test_file_that_cannot_run_or_holds_nothing_is_told(memory: Memory, tmp_path: Path) -> None:
    folder = write(memory, "mine", BODY)
    for text, why in (
        ("1 / 0", "ZeroDivisionError"),
        ("", "no function"),
        ("def test_it(): assert False", "AssertionError"),
    ):
        (tmp_path / "test_mine.py").write_text(text)
        report = trial(folder, "mine", [], str(tmp_path / "test_mine.py"))
        assert why in next(iter(wrong(report).values()))


def test_what_tests_of_plugins_call(memory: Memory) -> None:
    folder = write(memory, "mine", BODY)
    plugin = plugin_of(os.path.join(folder, "mine.py"), "mine")
    assert folded(plugin, events(*STORY[:2])).progress == 0.5
    with pytest.raises(ValueError, match="no plugin named other"):
        plugin_of(os.path.join(folder, "mine.py"), "other")
    plugin.on_event = lambda *_: 5  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ValueError, match="returned int"):
        folded(plugin, events(*STORY))
