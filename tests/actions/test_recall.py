"""Recall through the opened memory: words, meaning and filters together; what is missing is named, what is forgotten is gone."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.index.test_match import strings

from session_memory.actions.events import Query
from session_memory.actions.forgetting import Wanted
from session_memory.errors import InvalidInput, NotFound
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        for text in (
            "the vehicle would not start this morning",
            "we chose sqlite over postgres",
            "bread needs an oven",
        ):
            opened.events.record("finding", "bug", {"text": text})
        yield opened


def shown(memory: Memory, query: str, **more: Any) -> list[str]:
    return [each["snippet"] for each in memory.recall.search(query, **more)["results"]]


def test_a_question_finds_what_was_said_in_other_words(memory: Memory) -> None:
    found = memory.recall.search("car engine trouble")
    assert found["mode"] == "words and meaning" and found["model"]
    assert "vehicle" in found["results"][0]["snippet"] and found["results"][0]["similarity"] > 0.3
    assert {"id", "score", "timestamp", "category", "type", "session_id"} <= set(found["results"][0])
    assert memory.events.query(Query(keyword="car engine trouble")).events == []  # which finds only what matches


def test_a_near_miss_is_never_called_a_match(memory: Memory) -> None:
    found = memory.recall.search("car engine oven")["results"]
    assert {("oven" in each["snippet"]): each.get("near", False) for each in found} == {True: False, False: True}
    told = memory.recall.told("car engine trouble")
    assert told.startswith("Nothing was recorded") and "no match" in told and "vehicle" in told and "bread" not in told
    assert "bread" in memory.recall.told("oven") and "vehicle" not in memory.recall.told("oven")


def test_a_new_event_is_found_by_the_next_search(memory: Memory) -> None:
    shown(memory, "car")
    memory.events.record("finding", "bug", {"text": "the puppy chewed the cable"})
    assert "puppy" in shown(memory, "a dog and a wire")[0]


def test_similarity_below_the_asked_one_is_left_out(memory: Memory) -> None:
    assert len(shown(memory, "car engine trouble")) == 3
    assert len(shown(memory, "car engine trouble", min_similarity=0.3)) == 1
    assert shown(memory, "car engine trouble", min_similarity=1.1) == []


def test_limits_and_scopes_are_those_of_a_query(memory: Memory) -> None:
    for limit in (0, 201):
        with pytest.raises(InvalidInput, match="bad-argument"):
            memory.recall.search("x", limit=limit)
    with pytest.raises(InvalidInput, match="unknown-category"):
        memory.recall.search("x", category="nonsense")
    assert shown(memory, "car", category="decision") == [] and len(shown(memory, "car", limit=1)) == 1
    for empty in ("", "?!"):
        assert memory.recall.search(empty)["results"] == []


def test_without_numpy_words_still_rank_and_the_reason_is_named(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name.startswith("session_memory.embed"):
            raise ImportError("no numpy", name="numpy")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    found = memory.recall.search("sqlite")
    assert found["mode"] == "words" and "numpy" in found["meaning_off"] and "sqlite" in found["results"][0]["snippet"]


def test_a_damaged_file_of_vectors_stops_nothing(memory: Memory) -> None:
    Path(memory.opened.home.vectors).write_bytes(b"no database at all, but long enough to be looked at" * 40)
    found = memory.recall.search("sqlite")
    assert "sqlite" in found["results"][0]["snippet"] and found["mode"] == "words" and "vectors" in found["meaning_off"]


@pytest.mark.fault(81)
def test_what_is_forgotten_has_no_vector_any_more(memory: Memory) -> None:
    kept = memory.events.record("finding", "bug", {"text": "Bluebird launch"})[0].records[0]
    assert "Bluebird" in shown(memory, "Bluebird")[0]
    count = "SELECT count(*) FROM vector"
    before = sqlite3.connect(memory.opened.home.vectors).execute(count).fetchone()[0]
    memory.forgetting.carry_out(memory.forgetting.plan(Wanted(id=kept.id)))
    assert bytes.fromhex(kept.id) not in Path(memory.opened.home.vectors).read_bytes()
    assert sqlite3.connect(memory.opened.home.vectors).execute(count).fetchone()[0] == before - 1
    assert not any("Bluebird" in each for each in shown(memory, "Bluebird"))


def test_what_is_missing_is_made_in_small_steps(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_memory.actions.meaning.FILL_SECONDS", 0.0)
    assert not memory.meaning.go_on()  # nobody has searched: nothing is loaded
    found = memory.recall.search("car")
    assert found["mode"] == "words" and not found.get("behind")
    assert memory.meaning.go_on() and not memory.meaning.go_on()
    assert memory.recall.search("car")["mode"] == "words and meaning"


def test_file_and_branch_are_filters(memory: Memory) -> None:
    memory.events.record("tool_call", "Edit", {"input": {"file_path": "/p/src/auth.ts"}, "files": ["/p/src/auth.ts"]})
    memory.events.record("finding", "bug", {"text": "about auth", "file": "src/auth.ts"})
    memory.events.record("finding", "bug", {"text": "it names src/auth.ts only in passing"})
    found = memory.events.query(Query(file="src/auth.ts"))
    assert len(found.events) == found.total == 2
    assert len(memory.events.query(Query(file="auth.ts", keyword="about")).events) == 1
    assert memory.events.query(Query(file="uth.ts")).events == memory.events.query(Query(file="'\"% OR 1")).events == []
    assert memory.events.query(Query(branch="no such branch")).events == []


def test_a_branch_is_the_one_the_event_was_recorded_on(home: str, tmp_path: Path) -> None:
    git = tmp_path / "repo" / ".git"
    git.mkdir(parents=True)
    for branch in ("main", "side"):
        (git / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
        with Memory(home, cwd=str(tmp_path / "repo")) as opened:
            opened.events.record("finding", "bug", {"text": f"on {branch}"})
    with Memory(home, cwd=str(tmp_path / "repo")) as opened:
        found = opened.events.query(Query(branch="side")).events
    assert [each["data"]["text"] for each in found] == ["on side"]


def test_times_are_said_as_people_say_them(memory: Memory) -> None:
    assert (
        len(memory.events.query(Query(after="today")).events)
        == len(memory.events.query(Query(after="last week")).events)
        == 3
    )
    assert memory.events.query(Query(before="yesterday")).events == []
    memory.checkpoints.create("before the fix")
    memory.events.record("finding", "bug", {"text": "since then"})
    for said in ("checkpoint before the fix", "the checkpoint 'before the fix'", "since the checkpoint before the fix"):
        found = memory.events.query(Query(after=said, category="finding")).events
        assert "since then" in [each["data"]["text"] for each in found]
    assert memory.events.query(Query(before="checkpoint before the fix", category="finding")).total <= 4
    with pytest.raises(NotFound, match="unknown-checkpoint"):
        memory.events.query(Query(after="checkpoint nonsense"))
    with pytest.raises(InvalidInput, match="bad-time"):
        memory.events.query(Query(after="whenever"))


# what is looked for in work on software, and in any language: (what was recorded, what is asked)
CORPUS = [
    ("getUserName returns null", "getUserName"), ("parse_config_file is slow", "parse_config_file"),
    ("MAX_RETRIES was 3", "MAX_RETRIES"), ("call std::vector::push_back twice", "std::vector::push_back"),
    ("see src/auth/login.ts line 12", "src/auth/login.ts"), ("C:\\temp\\build.log is empty", "C:\\temp\\build.log"),
    ("~/.config/app/settings.toml wins", "settings.toml"), ("upgrade to v2.14.3 failed", "v2.14.3"),
    ("numpy 2.4.0rc1 breaks it", "2.4.0rc1"), ("commit 3f9a2cd broke main", "3f9a2cd"),
    ("TypeError: Cannot read properties of undefined (reading 'map')", "Cannot read properties of undefined (reading 'map')"),
    ("error[E0308]: mismatched types", "E0308"), ("ORA-00942: table or view does not exist", "ORA-00942"),
    ("HTTP 502 from the gateway at 10.0.0.7:8443", "10.0.0.7:8443"), ("the queue @scope/pkg-name stalls", "@scope/pkg-name"),
    ("--no-verify was used", "--no-verify"), ("C++ and F# build", "F#"), ("set JAVA_HOME first", "JAVA_HOME"),
    ("设置数据库连接超时", "数据库连接"), ("データベースの接続が切れる", "接続"), ("데이터베이스 연결을 다시 연다", "데이터베이스"),
    ("Größe überprüfen, naïve façade", "groesse überprüfen"), ("l'été à Zürich", "zurich"), ("Łódź żółw", "Łódź"),
    ("ошибка подключения к базе", "подключения"), ("فشل الاتصال بقاعدة البيانات", "الاتصال"), ("שגיאת חיבור למסד", "חיבור"),
    ("การเชื่อมต่อฐานข้อมูลล้มเหลว", "ฐานข้อมูล"), ("कनेक्शन टूट गया", "कनेक्शन"), ("kết nối bị ngắt", "kết nối"),
    ("deploy 🚀 went well", "🚀"), ("the 👩‍💻 badge is wrong", "👩‍💻 badge"),
]  # fmt: skip


def test_whatever_is_written_in_work_on_software_is_found_in_every_script(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as opened:
        kept = []
        for number, (text, _asked) in enumerate(CORPUS):
            event, _session = opened.events.record("finding", "fact", {"text": text})
            kept.append(event.records[0].id)
            opened.events.record("message", "reply", {"text": f"number {number} is filler that says nothing of it"})
        for id_, (text, asked) in zip(kept, CORPUS):
            found = [each["id"] for each in opened.events.query(Query(keyword=asked, limit=5)).events]
            assert found[:1] == [id_], (asked, text)
            near = opened.recall.search(asked, limit=5)["results"]
            assert id_ in [each["id"] for each in near if not each.get("near")], (asked, text)


def test_no_query_string_breaks_any_search(memory: Memory) -> None:
    for number, keyword in enumerate(strings(600, 11)):
        memory.events.query(Query(keyword=keyword, limit=3))
        memory.vocabulary.taught(Query(keyword=keyword))
        if number % 3 == 0:
            memory.recall.search(keyword, limit=3)
