"""Which provider ranks: nothing is sent without consent, what is missing is named with its remedy, and the table stands in."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.embed.loopback import KEY, Loopback
from tests.embed.test_provider import install

from session_memory import settings
from session_memory.actions import embedding, meaning
from session_memory.memory import Memory

TEXTS = ("the vehicle would not start", "we chose sqlite over postgres", "bread needs an oven")


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


def configured(home: str, **embeddings: Any) -> None:
    Path(home).mkdir(mode=0o700, exist_ok=True)
    (Path(home) / "config.json").write_text(json.dumps({"features": {"embeddings": embeddings}}))


def opened(home: str, tmp_path: Path, key: str = KEY) -> Memory:
    return Memory(home, cwd=str(tmp_path), environ={"OPENAI_API_KEY": key} if key else {})


def told(memory: Memory, texts: tuple[str, ...] = TEXTS) -> None:
    for text in texts:
        memory.events.record("finding", "bug", {"text": text})


def finished(memory: Memory) -> dict[str, Any]:
    return memory.meaning.finish(lambda done, total: None)


@pytest.mark.parametrize(
    "embeddings",
    [
        {},
        {"enabled": False},
        {"enabled": False, "provider": "openai"},
        {"provider": "openai", "model": "letters"},
        {"enabled": True, "provider": "local"},
    ],
)
def test_without_consent_nothing_connects(
    home: str, tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch, embeddings: dict[str, Any]
) -> None:
    configured(home, **embeddings, base_url=server.url)

    def refuse(*words: Any) -> None:
        raise AssertionError("something connects")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with opened(home, tmp_path) as memory:
        told(memory)
        memory.meaning.go_on()
        found = memory.recall.search("car engine trouble")
        assert "vehicle" in found["results"][0]["snippet"] and found["model"].startswith("minilm-static")
        assert finished(memory)["complete"]
        named = embeddings.get("provider") == "openai"
        assert ("nothing is sent" in found.get("note", "")) == named == ("note" in meaning.report(memory.opened))
    assert server.requests == []


def test_with_consent_the_provider_ranks_and_status_says_how_it_stands(
    home: str, tmp_path: Path, server: Loopback
) -> None:
    configured(home, enabled=True, model="letters", base_url=server.url)
    with opened(home, tmp_path) as memory:
        told(memory)
        assert memory.recall.search("sqlite")["note"].startswith("0 of 3 events")  # the table ranks until they are made
        found = finished(memory)
        assert found["complete"] and found["embedded"] == found["events"] == 3 and "trouble" not in found
        answer = memory.recall.search("vehicle")
        assert answer["model"] == f"openai:letters at {server.url}" and "note" not in answer
        assert memory.recall.search("vehicle") == answer  # the query is not sent again
        assert sorted(server.texts) == sorted([*TEXTS, "vehicle"]) and set(server.keys) == {f"Bearer {KEY}"}
    with opened(home, tmp_path) as memory:
        assert memory.health.report()["embeddings"] == {
            "provider": "openai", "model": f"openai:letters at {server.url}", "embedded": 3, "events": 3,
        }  # fmt: skip
        assert "embeddings" in memory.health.brief()
        assert next(each for each in memory.doctor.examine() if each.area == "embeddings").level == "ok"
        told(memory, ("a new one",))
        assert memory.recall.search("sqlite")["behind"] == 1  # the others need not be made again
    assert len(server.texts) == 5


def test_the_library_and_the_key_are_named_with_what_brings_them(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(home, enabled=True)
    with opened(home, tmp_path, key="") as memory:
        told(memory)
        found = memory.recall.search("car engine trouble")
        assert "OPENAI_API_KEY is not set" in found["note"] and "embeddings-key" in found["note"] and found["results"]
    configured(home, enabled=True, provider="openai", api_key_env="MY_KEY")
    with opened(home, tmp_path) as memory:
        assert "MY_KEY is not set" in memory.recall.search("car")["note"]
    real = importlib.util.find_spec
    monkeypatch.setattr(meaning, "find_spec", lambda name: None if name == "openai" else real(name))
    with opened(home, tmp_path) as memory:
        found = memory.recall.search("car engine trouble")
        assert (
            "'openai>=3,<4'" in found["note"] and "pip" in found["note"] and "vehicle" in found["results"][0]["snippet"]
        )
        doctor = next(each for each in memory.doctor.examine() if each.area == "embeddings")
        assert doctor.level == "warning" and "openai>=3" in doctor.what and "Nothing is lost" in doctor.fix


def test_a_key_under_another_name_and_in_the_users_file_is_found(home: str, tmp_path: Path, server: Loopback) -> None:
    configured(home, enabled=True, provider="openai", model="letters", base_url=server.url, api_key_env="MY_KEY")
    claude = Path.home() / ".claude"
    claude.mkdir()
    (claude / ".env").write_text(f"MY_KEY={KEY}\n")
    (tmp_path / ".env").write_text("MY_KEY=sk-of-the-repository\n")
    with opened(home, tmp_path, key="") as memory:
        told(memory)
        assert finished(memory)["complete"] and set(server.keys) == {f"Bearer {KEY}"}
        assert KEY not in json.dumps(memory.opened.settings.rows())


def test_a_provider_that_hangs_costs_a_search_little_and_the_table_ranks(
    home: str, tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "QUERY_SECONDS", 0.3)
    configured(home, enabled=True, model="letters", base_url=server.url)
    with opened(home, tmp_path) as memory:
        told(memory)
        finished(memory)
        server.always = "hang"
        found = memory.recall.search("car engine trouble", explain=True)
        assert "vehicle" in found["results"][0]["snippet"] and found["model"].startswith("minilm-static")
        assert "did not answer within 0.3 s" in found["note"]
        before = len(server.requests)
        assert "a moment ago" in memory.recall.search("another question")["note"] and len(server.requests) == before
        server.always = ""


def test_a_query_is_redacted_before_it_is_sent(home: str, tmp_path: Path, server: Loopback) -> None:
    configured(home, enabled=True, model="letters", base_url=server.url)
    secret = "ghp_" + "a1B2" * 9
    with opened(home, tmp_path) as memory:
        told(memory, (*TEXTS, f"the token is {secret}"))
        finished(memory)
        memory.recall.search(f"where did we use {secret}")
    assert len(server.texts) == 5 and not any(secret in each for each in server.texts)


def test_a_pattern_of_the_users_own_keeps_older_texts_from_being_sent(
    home: str, tmp_path: Path, server: Loopback
) -> None:
    with opened(home, tmp_path) as memory:
        told(memory, ("call Bluebird tomorrow",))
    config = {
        "redaction": {"patterns": ["Bluebird"]},
        "features": {"embeddings": {"enabled": True, "model": "letters", "base_url": server.url}},
    }
    (Path(home) / "config.json").write_text(json.dumps(config))
    with opened(home, tmp_path) as memory:
        assert finished(memory)["complete"]
    assert len(server.texts) == 1 and "Bluebird" not in server.texts[0]


def test_a_package_may_bring_the_provider_and_a_broken_one_takes_nothing_along(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch)
    configured(home, enabled=True, provider="fine")
    with opened(home, tmp_path) as memory:
        told(memory)
        assert finished(memory)["complete"] and memory.recall.search("sqlite")["model"] == "fine:fine-1"
    for name, reason in (
        ("bad", "no licence file"),
        ("gone", "nowhere_at_all"),
        ("unheard-of", "can be: local, openai"),
    ):
        configured(home, enabled=True, provider=name)
        with opened(home, tmp_path) as memory:
            found = memory.recall.search("car engine trouble")
            assert "vehicle" in found["results"][0]["snippet"] and reason in found["note"]
            assert not finished(memory)["complete"] and reason in meaning.report(memory.opened)["trouble"]


def test_texts_that_go_out_unencrypted_are_named(home: str, tmp_path: Path) -> None:
    for address, clear in (
        ("http://10.0.0.7:11434/v1", True),
        ("http://127.0.0.1:1/v1", False),
        ("https://a.example/v1", False),
    ):
        configured(home, enabled=True, base_url=address)
        with opened(home, tmp_path) as memory:
            assert ("not encrypted" in meaning.report(memory.opened).get("note", "")) == clear


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
@pytest.mark.parametrize(("given", "more"), [({}, 0), ({"OPENBLAS_NUM_THREADS": "2"}, 1)])
def test_vectors_are_compared_on_one_thread_unless_the_user_says_otherwise(
    tmp_path: Path, given: dict[str, str], more: int
) -> None:
    code = (
        "import os, sys; from session_memory.memory import Memory\n"
        "count = lambda: len(os.listdir('/proc/self/task'))\n"
        "with Memory(sys.argv[1], cwd=sys.argv[1]) as memory: before = count(); memory.meaning.local(); print(count() - before)"
    )
    known = {name: value for name, value in os.environ.items() if name not in settings.ONE_THREAD}
    run = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(run, env={**known, **given}, capture_output=True, text=True, check=True)
    assert int(done.stdout) == (more if (os.cpu_count() or 1) > 1 else 0)


def test_a_file_of_vectors_that_breaks_below_us_leaves_the_words(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from session_memory.index import blocks, vectors
    from session_memory.index.database import open_vectors

    for place, name, value in ((vectors, "BITS", 4), (vectors, "KEPT", 3), (blocks, "ROWS", 5)):
        monkeypatch.setattr(place, name, value)
    for _again in range(2):  # the second process holds no values: they lie in blocks
        with Memory(home, cwd=str(tmp_path)) as memory:
            if not _again:
                for n in range(10):
                    memory.events.record("finding", "bug", {"text": f"the cache is cold, number {n}"})
                memory.meaning.finish(lambda done, total: None)
                continue
            memory.meaning.near(memory.opened.read(), "a first look")
            with open_vectors(memory.opened.home.vectors) as kept:
                sql = (
                    "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'vector'"
                )
                root, size = next(iter(kept.execute(sql)))
            with open(memory.opened.home.vectors, "r+b") as file:  # only what holds values: blocks can still be read
                file.seek((root - 1) * size)
                file.write(b"\xff" * size)
            found = memory.recall.search("cache number 7", scope="all")
            assert found["mode"] == "words" and "vectors cannot be used" in found["meaning_off"]
            assert "number 7" in found["results"][0]["snippet"]


def test_progress_tells_how_many_there_are(home: str, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with Memory(home, cwd=str(tmp_path)) as memory:
        for n in range(300):
            memory.events.record("finding", "bug", {"text": f"number {n}"})
        memory.meaning.finish(lambda done, total: told.append((done, total)))
    assert told == [(256, 300), (300, 300)]
