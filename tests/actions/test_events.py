"""Recording and querying through the opened memory: filters, scopes, order, paging, identity."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_memory import ids
from session_memory.actions.events import Query
from session_memory.capture import clients
from session_memory.errors import IndexUnavailable, InvalidInput, LogUnavailable, NotFound
from session_memory.log.lock import Lock
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    project = tmp_path / "shop"
    project.mkdir()
    with Memory(home, cwd=str(project)) as opened:
        yield opened


def record(memory: Memory, text: str, category: str = "finding", type_: str = "bug", **more: Any) -> str:
    kept, _session = memory.events.record(category, type_, {"title": text}, **more)
    return kept.records[0].id


def titles(memory: Memory, **asked: Any) -> list[str]:
    return [event["data"]["title"] for event in memory.events.query(Query(**asked)).events]


@pytest.mark.fault(62)
def test_recording_before_any_init_starts_a_session_and_refuses_nothing(memory: Memory) -> None:
    kept, session = memory.events.record("decision", "x", {"title": "first"})
    assert kept.stored == "log" and kept.indexed
    status = memory.starts.status(None)
    assert status["session_id"] == session and status["active"] and status["event_count"] == 1


def test_scopes_are_session_lineage_project_and_all(memory: Memory, home: str, tmp_path: Path) -> None:
    memory.sessions.start(session_id="one")
    record(memory, "of one")
    memory.sessions.start(session_id="two")
    record(memory, "of two")
    memory.sessions.link("one", None)
    other = tmp_path / "other"
    other.mkdir()
    with Memory(home, cwd=str(other)) as elsewhere:
        record(elsewhere, "of another project")
        assert titles(elsewhere) == ["of another project"]
        assert len(titles(elsewhere, scope="all")) == 3
    assert titles(memory) == ["of two", "of one"]
    assert titles(memory, scope="session") == ["of two"]
    assert titles(memory, scope="lineage") == ["of two", "of one"]
    assert titles(memory, session_id="one") == ["of one"] == titles(memory, session_id="one", scope="lineage")


def test_each_session_records_into_its_own_project(memory: Memory) -> None:
    memory.sessions.start(session_id="one")
    record(memory, "here")
    memory.sessions.start(session_id="two", project="elsewhere")
    record(memory, "there")
    assert titles(memory) == ["there"] and titles(memory, session_id="one", scope="project") == ["here"]


@pytest.mark.fault(27)
def test_the_same_session_id_never_resets_anything(memory: Memory) -> None:
    memory.sessions.start(session_id="s", skill="a")
    record(memory, "one")
    assert memory.starts.begin(session_id="s", skill="b")["status"] == "existing"
    status = memory.starts.status("s")
    assert status["event_count"] == 1 and status["skill"] == "b"


@pytest.mark.fault(26)
def test_a_callers_key_makes_twice_once(memory: Memory) -> None:
    record(memory, "once", key="my key")
    record(memory, "once", key="my key")
    assert titles(memory) == ["once"]
    assert memory.health.verify().green


def test_a_page_and_its_cursor_walk_everything_once_in_every_order(memory: Memory) -> None:
    for number in range(25):
        record(memory, f"needle {number}")
    for order, keyword in (("newest", None), ("oldest", None), ("relevance", "needle"), ("newest", "needle")):
        seen: list[str] = []
        cursor = None
        while True:
            page = memory.events.query(Query(order=order, keyword=keyword, limit=7, cursor=cursor))
            seen += [event["id"] for event in page.events]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 25 == page.total
    newest = titles(memory, limit=2)
    assert newest == ["needle 24", "needle 23"] and titles(memory, limit=2, offset=2) == ["needle 22", "needle 21"]
    other = memory.events.query(Query(limit=7)).next_cursor
    with pytest.raises(InvalidInput, match="bad-cursor"):
        memory.events.query(Query(limit=7, order="oldest", cursor=other))


@pytest.mark.fault(43)
def test_events_of_one_millisecond_keep_their_order(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    now = ids.now_ms()
    monkeypatch.setattr(ids, "now_ms", lambda: now)
    for number in range(10):
        record(memory, str(number))
    assert titles(memory, order="oldest") == [str(number) for number in range(10)]


@pytest.mark.fault(49, 50, 51)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.floats(), st.integers(), st.text(max_size=30)), st.one_of(st.none(), st.integers(-5, 300)))
def test_odd_filters_are_answered_or_refused_clearly(memory: Memory, when: Any, limit: Any) -> None:
    try:
        memory.events.query(Query(after=when, limit=50 if limit is None else limit))
    except InvalidInput as error:
        assert error.code in ("bad-time", "bad-argument")


def test_filters_combine(memory: Memory) -> None:
    record(memory, "a bug", tags=["x", "y"])
    record(memory, "a gap", type_="gap", tags=["y"])
    record(memory, "a decision", category="decision", type_="api")
    assert titles(memory, type="gap") == ["a gap"]
    assert titles(memory, tags=["x"]) == ["a bug"] and len(titles(memory, tags=["x", "y"])) == 2
    assert set(titles(memory, categories=["decision"], category="finding", keyword="bug decision")) == {
        "a bug",
        "a decision",
    }
    assert titles(memory, category="finding", keyword="gap") == ["a gap"]
    assert titles(memory, keyword="") == [] and titles(memory, keyword="?!") == []
    today = ids.at_text(ids.now_ms())[:10]
    assert len(titles(memory, after=today, before=today)) == 3
    assert len(titles(memory, after=ids.now_ms() + 10_000, before=ids.now_ms() - 10_000)) == 3  # swapped ends


def test_parts_of_a_joined_word_add_rank_and_nothing_else(memory: Memory) -> None:
    record(memory, "src/auth.ts is long, and what it says is about auth!")
    record(memory, "src/auth.ts is long, and what it says is about login")
    record(memory, "auth alone")
    for _again in range(2):
        found = memory.events.query(Query(keyword="src/auth.ts"))
        assert [event["data"]["title"][-5:] for event in found.events] == ["auth!", "login"] and found.total == 2


def test_among_very_many_hits_old_ones_with_the_rarer_word_are_still_first(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, rows in (("ENOUGH", 20), ("FEW", 5), ("NEWEST", 10)):
        monkeypatch.setattr(f"session_memory.index.scoring.{name}", rows)
    record(memory, "the old zanzibar cache")
    for number in range(40):
        record(memory, f"a cache like every other, number {number}")
    assert titles(memory, keyword="zanzibar cache", limit=1) == ["the old zanzibar cache"]
    assert memory.events.query(Query(keyword="cache", limit=50)).total == 41
    assert len(titles(memory, keyword="cache", limit=50)) == 41


def test_pages_go_on_while_the_time_that_a_question_names_moves(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        record(memory, f"redis {number}")
    first = memory.events.query(Query(keyword="redis 3 hours ago", limit=2, order="relevance"))
    later = ids.now_ms() + 5_000
    monkeypatch.setattr(ids, "now_ms", lambda: later)
    again = memory.events.query(
        Query(keyword="redis 3 hours ago", limit=2, order="relevance", cursor=first.next_cursor)
    )
    assert again.events and {e["id"] for e in again.events}.isdisjoint(e["id"] for e in first.events)


@pytest.mark.fault(63)
def test_a_parent_that_does_not_exist_is_kept(memory: Memory) -> None:
    record(memory, "answer", parent_id="nobody")
    assert memory.events.query(Query()).events[0]["parent_id"] == "nobody"


@pytest.mark.fault(21)
def test_an_index_that_is_locked_does_not_fail_a_record(memory: Memory) -> None:
    record(memory, "first")
    with Lock(memory.opened.home.index_lock, 1.0):
        kept, _session = memory.events.record("finding", "bug", {"title": "second"})
        assert kept.stored == "log" and not kept.indexed and kept.reason
    assert titles(memory) == ["second", "first"]


@pytest.mark.fault(17)
def test_an_index_of_somebody_else_does_not_fail_a_record_and_is_named(home: str, tmp_path: Path) -> None:
    os.makedirs(os.path.join(home, "storage"), mode=0o700)
    foreign = sqlite3.connect(os.path.join(home, "storage", "index.sqlite"))
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.commit()
    foreign.close()
    with Memory(home, cwd=str(tmp_path)) as memory:
        kept, _session = memory.events.record("decision", "x", {"title": "kept"})
        assert kept.stored == "log" and not kept.indexed and "index-foreign" in kept.reason
        assert memory.sessions.start(session_id="s", project="p")[1] == "new"
        report = memory.health.report()
        assert not report["index"]["ok"] and "index-foreign" in report["index"]["reason"]
        assert not memory.health.verify().green and not memory.health.verify().log.faults
        with pytest.raises(IndexUnavailable):
            memory.events.query(Query())
    os.unlink(os.path.join(home, "storage", "index.sqlite"))
    with Memory(home, cwd=str(tmp_path)) as memory:
        assert titles(memory, scope="all") == ["kept"]


def test_an_event_is_found_by_the_beginning_of_its_id(memory: Memory) -> None:
    event_id = record(memory, "here")
    assert memory.events.get(event_id[:20])["id"] == event_id
    for wrong in ("zz", "abc", "", "0" * 32):
        with pytest.raises(NotFound, match="unknown-event"):
            memory.events.get(wrong)


@pytest.mark.fault(39)
def test_the_home_of_a_read_only_disk_reads_and_says_so_on_write(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(memory, "before")

    def refuse(path: str, flags: int) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(30, "Read-only file system")
        return os.open(path, flags)

    monkeypatch.setattr("session_memory.paths.open_file", refuse)
    with pytest.raises(LogUnavailable, match="Read-only file system"):
        record(memory, "no")
    assert titles(memory) == ["before"]


def test_the_clients_own_session_id_is_the_session(home: str, tmp_path: Path) -> None:
    environ = {"CLAUDE_CODE_SESSION_ID": "client-session", "CLAUDE_PROJECT_DIR": str(tmp_path)}
    with Memory(home, environ=environ) as memory:
        record(memory, "x")
        assert memory.starts.status(None)["session_id"] == "client-session"
        assert memory.starts.begin(skill="s")["session_id"] == "client-session"


@pytest.mark.fault(79)
def test_secrets_of_the_environment_are_never_written(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path), environ={"SOME_API_KEY": "plain-looking-words-here"}) as memory:
        record(memory, "it says plain-looking-words-here")
        assert "[REDACTED:known" in titles(memory)[0]
    assert b"plain-looking" not in Path(home, "storage", "events.jsonl").read_bytes()


def test_a_server_goes_with_its_client_to_the_session_that_a_clear_begins(home: str, tmp_path: Path) -> None:
    around = {"CLAUDE_CODE_SESSION_ID": "first", "CLAUDE_PID": "4711"}
    with Memory(home, cwd=str(tmp_path), environ=around) as memory:
        place = memory.opened.home
        clients.begin(place, "4711", "first")
        assert memory.events.record("finding", "x", {})[1] == "first"
        clients.note(place, "4711", "second")
        assert memory.events.record("finding", "x", {})[1] == "second" and memory.sessions.meant(None) == "second"
        clients.begin(place, "4711", "of another client with this process id")
        assert memory.events.record("finding", "x", {})[1] == "first"
