"""Vectors of a provider in the background: no record waits, faults are tried again within bounds, and nothing is lost or paid twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.actions.test_meaning import configured, finished, opened, told
from tests.embed.loopback import Loopback

from session_memory import ids
from session_memory.actions import embedding, meaning
from session_memory.actions.embedding import Embedding
from session_memory.actions.forgetting import Wanted
from session_memory.index import embedded
from session_memory.log.lock import Lock
from session_memory.memory import Memory


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is no fault of the provider's."""
    monkeypatch.setattr(embedding, "START_SECONDS", 60.0)
    monkeypatch.setattr(embedding, "QUERY_SECONDS", 60.0)


@pytest.fixture
def server() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.close()


@pytest.fixture
def memory(home: str, tmp_path: Path, server: Loopback) -> Iterator[Memory]:
    configured(home, enabled=True, model="letters", base_url=server.url)
    with opened(home, tmp_path) as found:
        told(found)
        yield found


def worker(memory: Memory) -> Embedding:
    found = memory.meaning._provider()
    assert found is not None
    return found


def steps(memory: Memory, until: Any) -> None:
    """Step as the server does until something holds; a wait of up to 20 s, so that a slow machine is no failure."""
    end = ids.monotonic() + 20
    while not until():
        assert ids.monotonic() < end
        memory.meaning.go_on()
        ids.pause(0.01)


def test_no_step_and_no_record_waits_for_the_provider(memory: Memory, server: Loopback) -> None:
    server.always = "hang"
    steps(memory, lambda: server.requests)
    assert memory.meaning.go_on()  # it returns while the request hangs
    kept, _hint = memory.events.record("finding", "bug", {"text": "recorded meanwhile"})[:2]
    assert kept.stored == "log" and kept.indexed
    server.always = ""
    server.release.set()
    steps(memory, lambda: meaning.report(memory.opened)["embedded"] == 4)
    assert not memory.meaning.go_on()


@pytest.mark.parametrize("fault", ["429:0.1", "500", "garbage", "fewer", "wide:0", "html", "nan"])
def test_a_fault_is_told_and_the_same_events_are_made_later(
    memory: Memory, server: Loopback, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(embedding, "WAITS", (0.01,))
    monkeypatch.setattr("session_memory.embed.provider.LATER", 0.01)
    server.faults = [fault] * 2
    steps(memory, lambda: worker(memory).trouble is not None)
    report = meaning.report(memory.opened)
    assert report["embedded"] == 0 and "[embeddings-" in report["trouble"]
    assert "sqlite" in memory.recall.search("sqlite")["results"][0]["snippet"]
    steps(memory, lambda: meaning.report(memory.opened)["embedded"] == 3)
    assert "trouble" not in meaning.report(memory.opened) and worker(memory).trouble is None
    assert len({tuple(each["input"]) for each in server.requests if len(each["input"]) == 3}) == 1


def test_tries_become_rare_and_never_come_before_the_time_that_was_asked_for(memory: Memory, server: Loopback) -> None:
    server.faults = ["429:120"]
    steps(memory, lambda: worker(memory).trouble is not None)
    assert 100 < worker(memory).wait() <= 120
    for _again in range(20):
        assert memory.meaning.go_on()
    assert len(server.requests) == 1
    waits = []
    server.always = "500"
    for failures in range(1, 9):
        worker(memory).again()
        steps(memory, lambda failures=failures: worker(memory)._failures > failures)  # type: ignore[misc]
        waits.append(math.ceil(worker(memory).wait()))
    assert waits == sorted(waits) and 800 < waits[-1] <= embedding.WAITS[-1]


def test_a_wrong_key_is_not_tried_again_until_somebody_asks(memory: Memory, server: Loopback) -> None:
    server.faults = ["401"]
    steps(memory, lambda: worker(memory).trouble is not None)
    assert worker(memory).wait() == math.inf and "OPENAI_API_KEY" in meaning.report(memory.opened)["trouble"]
    for _again in range(20):
        memory.meaning.go_on()
    assert len(server.requests) == 1
    assert finished(memory)["complete"] and "trouble" not in meaning.report(memory.opened)


def test_finishing_gives_up_after_a_few_tries(
    memory: Memory, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "WAITS", (0.01,))
    server.always = "500"
    found = finished(memory)
    assert not found["complete"] and "(500)" in found["trouble"] and len(server.requests) <= meaning.MOST_FAILURES + 1
    server.always = ""
    assert finished(memory)["complete"]


def test_another_width_than_before_keeps_what_is_there(memory: Memory, server: Loopback) -> None:
    assert finished(memory)["complete"]
    told(memory, ("one more",))
    server.always = "wide:3"
    steps(memory, lambda: worker(memory).trouble is not None)
    assert "3 numbers instead of 26" in str(worker(memory).trouble) and meaning.report(memory.opened)["embedded"] == 3
    server.always = ""
    assert finished(memory)["embedded"] == 4


def test_vectors_of_the_old_model_stay_until_the_new_ones_are_complete(
    memory: Memory, server: Loopback, home: str, tmp_path: Path
) -> None:
    assert finished(memory)["complete"]
    place, old, new = memory.opened.home.vectors, f"openai:letters at {server.url}", f"openai:others at {server.url}"
    configured(home, enabled=True, model="others", base_url=server.url)
    with opened(home, tmp_path) as later:
        server.faults = ["401"]
        steps(later, lambda: worker(later).trouble is not None)
        assert embedded.count(place, old) == 3 and embedded.count(place, new) == 0
        assert finished(later)["complete"]
        assert embedded.count(place, new) == 3 and embedded.count(place, old) == 0
        assert later.recall.search("sqlite")["model"] == new


def test_one_process_at_a_time_pays(memory: Memory, server: Loopback, home: str, tmp_path: Path) -> None:
    with Lock(memory.opened.home.vectors_lock, 1.0):
        for _again in range(50):
            assert memory.meaning.go_on()
            ids.pause(0.01)
        assert server.requests == []
    with opened(home, tmp_path) as other:
        assert finished(other)["complete"]
    sent = len(server.texts)
    steps(memory, lambda: not memory.meaning.go_on())
    assert len(server.texts) == sent and "note" not in memory.recall.search("sqlite")


@pytest.mark.fault(81)
def test_what_is_forgotten_while_it_is_away_is_not_kept(memory: Memory, server: Loopback) -> None:
    kept = memory.events.record("finding", "bug", {"text": "Bluebird launch"})[0].records[0]
    server.always = "hang"
    steps(memory, lambda: server.requests)
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=kept.id)))
    server.always = ""
    server.release.set()
    steps(memory, lambda: meaning.report(memory.opened)["embedded"] == 3)
    assert finished(memory)["complete"]
    assert bytes.fromhex(kept.id) not in Path(memory.opened.home.vectors).read_bytes()
    assert meaning.report(memory.opened)["embedded"] == meaning.report(memory.opened)["events"] == 3
