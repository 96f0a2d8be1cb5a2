"""A state is what the events say: with several writers at once, after a crash, and with the index made again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.test_spec_refiner import TYPES

from session_memory.memory import Memory
from session_memory.plugins.api import PluginState, SessionPlugin
from session_memory.plugins.generic import GenericPlugin
from session_memory.plugins.spec_refiner import SpecRefinerPlugin
from session_memory.plugins.speckit import SpecKitPlugin

PLUGINS: list[tuple[str, type[SessionPlugin]]] = [
    ("other-work", GenericPlugin), ("speckit", SpecKitPlugin), ("spec-refiner", SpecRefinerPlugin),
]  # fmt: skip
CATEGORY = {"question": "question", "clarification": "question", "finding": "finding", "gap": "finding", "blocker": "finding",
            "assumption": "assumption"}  # fmt: skip
# a step: which of three writers, what it does, and with which id
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([*TYPES, "crash", "torn", "rebuild", "lost index", "learn", "apply", "fail"]),
        st.sampled_from("ABC"),
    ),
    max_size=25,
)


class Live:
    """The state as it would be, had one process seen everything happen."""

    def __init__(self, kind: type[SessionPlugin]) -> None:
        self.plugin = kind()
        self.state: PluginState = self.plugin.create_initial_state()
        self.events: list[dict[str, Any]] = []

    def see(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        self.state = self.plugin.on_event(event, self.state) or self.state


def data_of(type_: str, name: str) -> dict[str, Any]:
    if type_.startswith("task"):
        return {"task_id": name, "title": f"task {name}"}
    if type_ in ("command_start", "phase_start", "phase_complete", "mode_selected"):
        return {"command": "plan", "phase": {"A": "ASSESS", "B": "ANALYZE", "C": "OUTPUT"}[name], "mode": "SIMPLE"}
    return {"id": name, "question": f"{name}?", "title": f"about {name}", "severity": "critical", "answer": "yes"}


@pytest.mark.parametrize(("skill", "kind"), PLUGINS, ids=lambda each: str(each))
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_the_fold_is_the_live_state(
    tmp_path_factory: pytest.TempPathFactory, skill: str, kind: type[SessionPlugin], steps: list[tuple[int, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("writers")
    home = str(folder / "home")

    def opened() -> Memory:
        memory = Memory(home, cwd=str(folder))
        memory.sessions.start(session_id="s", skill=skill)
        return memory

    writers, live = [opened() for _ in range(3)], Live(kind)
    learning = writers[0].learnings.create("pattern", "Retry with backoff", confidence=0.8)["learning_id"]
    outcomes: list[str] = []
    for writer, what, name in steps:
        memory = writers[writer]
        if what == "crash":  # nothing is closed, nothing is said: the process is just gone
            writers[writer] = opened()
        elif what == "torn":  # and it was in the middle of a line
            with open(Path(home, "storage", "events.jsonl"), "ab") as file:
                file.write(b'{"v":1,"kind":"event","id":"0123')
            writers[writer] = opened()
        elif what == "rebuild":
            memory.health.rebuild()
        elif what == "lost index":
            for file_name in os.listdir(os.path.join(home, "storage")):
                if file_name.startswith("index.sqlite"):
                    os.unlink(os.path.join(home, "storage", file_name))
        elif what in ("learn", "apply", "fail"):
            memory.learnings.search("backoff") if what == "learn" else memory.learnings.apply(
                learning, success=what == "apply"
            )
            outcomes += [] if what == "learn" else [what]
        else:
            category = next((CATEGORY[word] for word in CATEGORY if what.startswith(word)), "phase")
            kept, _session = memory.events.record(category, what, data_of(what, name), session_id="s")
            live.see(memory.events.get(kept.records[0].id))
        state = writers[(writer + 1) % 3].states.of("s")  # another process than the one that wrote
        assert state.folded.error is None
        assert state.folded.object["custom_data"] == live.state.to_object()["custom_data"]
        assert state.folded.object["phase"] == live.state.phase
        assert state.folded.progress == live.plugin.calculate_progress(live.events, live.state)
    stands = writers[0].learnings.get(learning)
    success, failed = outcomes.count("apply"), outcomes.count("fail")
    assert stands["outcomes"] == {"success": success, "partial": 0, "failed": failed}
    given_and_seen = (3.2 + success) / (4 + len(outcomes)) if outcomes else 0.8
    assert stands["confidence"] == round(given_and_seen, 3) and stands["shown"] <= 1
    for memory in writers:
        memory.close()
    with Memory(home, cwd=str(folder)) as memory:
        memory.health.rebuild()
        assert memory.states.of("s").folded.object["custom_data"] == live.state.to_object()["custom_data"]
        assert memory.learnings.get(learning)["outcomes"] == stands["outcomes"]
        assert not memory.health.verify().index
