"""Foreign code ends: in the main thread and in others, in a loop, asleep, in a regular expression; and the others go on."""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.plugins.test_plugins import BODY, HEAD, Counter, event, folder

from session_memory.memory import Memory
from session_memory.plugins import fold as folding
from session_memory.plugins import registry as registering
from session_memory.plugins.bounded import Overrun, bounded
from session_memory.plugins.fold import fold
from session_memory.plugins.registry import Registry


def loop() -> None:
    while True:
        pass


def swallowing() -> None:
    for _try in range(3):
        try:
            loop()
        except Overrun:
            continue


def regular_expression() -> None:
    re.match(r"(a+)+$", "a" * 40 + "b")


@pytest.mark.fault(72)
@pytest.mark.parametrize("work", [loop, lambda: time.sleep(600), regular_expression, lambda: threading.Event().wait()])
def test_what_does_not_end_is_ended(work: Callable[[], Any]) -> None:
    with pytest.raises(Overrun):
        bounded(work, 0.05)


@pytest.mark.fault(72)
@pytest.mark.parametrize("work", [loop, lambda: time.sleep(600), swallowing])
def test_outside_the_main_thread_it_is_ended_or_left_behind(work: Callable[[], Any]) -> None:
    seen: list[str] = []

    def ask() -> None:
        try:
            bounded(work, 0.05)
        except Overrun:
            seen.append("ended")

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(60)
    assert seen == ["ended"]


def test_what_ends_in_time_gives_its_result_and_its_errors_in_any_thread() -> None:
    def both() -> None:
        assert bounded(lambda: 5, 60) == 5
        with pytest.raises(ZeroDivisionError):
            bounded(lambda: 1 / 0, 60)

    both()
    passed: list[int] = []
    thread = threading.Thread(target=lambda: (both(), passed.append(1)))
    thread.start()
    thread.join(60)
    assert passed == [1]


def test_the_alarm_of_others_is_given_back() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        bounded(lambda: None, 60)
        until = time.monotonic() + 60
        while not rung and time.monotonic() < until:
            time.sleep(0.01)
        assert rung == [1]
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.fault(72)
def test_a_plugin_that_hangs_is_stopped_once_and_named_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "STOPPED_AFTER", 0.1)
    plugin, calls = Counter(), []
    plugin.on_event = lambda *_: (calls.append(1), loop())  # type: ignore[method-assign,assignment]
    first, second = fold(plugin, [event("phase", "x")]), fold(plugin, [event("phase", "x")])
    assert "did not end" in str(first.error) and "not called again" in str(second.error) and calls == [1]
    slow = Counter()
    monkeypatch.setattr(folding, "SECONDS", -1.0)
    assert "took longer" in str(fold(slow, [event("phase", "x")]).error)


@pytest.mark.fault(72)
def test_a_file_that_hangs_when_it_is_loaded_is_named_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registering, "LOAD_SECONDS", 0.1)
    found = Registry(folder(tmp_path, hangs="while True: pass\n", mine="print('hello')\n" + BODY))
    assert "did not end" in found.failed["hangs.py"] and found.for_skill("my-skill").name == "mine"
    assert capsys.readouterr().out == ""


@pytest.mark.fault(69, 72)
def test_a_hanging_and_printing_plugin_loses_no_event_and_keeps_no_call_waiting(home: str, tmp_path: Path) -> None:
    from tests.mcp_server.raw_client import RawClient, server

    place = Path(home, "plugins")
    with Memory(home, cwd=str(tmp_path)):
        pass  # makes the home
    place.mkdir(mode=0o700, exist_ok=True)
    noise = "\n        os.write(1, b'noise'); print('noise')\n        while True: pass"
    (place / "mine.py").write_text("import os\n" + HEAD + BODY.replace(" return len(events) / 4", noise))
    with RawClient(server(home), cwd=str(tmp_path)) as client:
        begun = client.call("session_init", skill_name="my-skill", session_id="s")["structuredContent"]
        assert begun["plugin"] == "mine"
        client.call("session_record", category="recipe", type="soup", data={"title": "leek"})
        status = client.call("session_status")["structuredContent"]
        assert "stopped" in status["plugin_error"] and status["event_count"] == 1
        handoff = client.call("session_handoff")["content"][0]["text"]
        assert "the plugin mine failed" in handoff
    assert sys.stdout is not sys.stderr
