"""The one ranking: words first, then what stands around, what is asked for, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_memory.actions.events import Query
from session_memory.index import around, candidates, ranking, reading
from session_memory.memory import Memory
from session_memory.model.record import EVENT, Draft


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def keep(memory: Memory, *told: tuple[str, str, Any], session: str = "s", by: str = "model") -> None:
    """Events of one session in this order: (category, type, data or text)."""
    memory.opened.keep([
        Draft(EVENT, {"session": session, "project": memory.opened.project()[0], "category": category, "type": type_,
                      "stated_by": by, "data": data if isinstance(data, dict) else {"text": data}})
        for category, type_, data in told
    ])  # fmt: skip


def command(text: str) -> tuple[str, str, Any]:
    return "tool_call", "Bash", {"input": {"command": text}}


def answer(text: str, ok: bool = True) -> tuple[str, str, Any]:
    return "tool_response", "Bash", {"ok": ok, "output": text}


def noise(count: int, word: str = "filler") -> list[tuple[str, str, Any]]:
    return [("message", "reply", f"{word} number {n} about nothing in particular") for n in range(count)]


def texts(memory: Memory, question: str, limit: int = 5) -> list[str]:
    """The snippets, best first, by words and context alone."""
    wanted = memory.events.filter(Query(keyword=question, scope="all"))
    database = memory.opened.read()
    where, values = "1", []
    assert wanted.match is not None
    hits = ranking.rank(database, wanted.match, where, values, asked=wanted.asked, beyond=True)[:limit]
    rows = {row[0]: row[1] for row in database.rows("SELECT n, words_text(data) FROM event")}
    return [rows[hit.n] for hit in hits]


def told(memory: Memory, question: str) -> list[dict[str, float]]:
    """What each of the best owes its place to, by words and context alone."""
    wanted = memory.events.filter(Query(keyword=question, scope="all"))
    assert wanted.match is not None
    hits = ranking.rank(memory.opened.read(), wanted.match, "1", [], asked=wanted.asked, beyond=True)
    return [hit.parts for hit in hits]


def test_an_event_beside_one_that_matches_is_found_though_it_holds_none_of_the_words(memory: Memory) -> None:
    keep(
        memory,
        *noise(20),
        ("message", "reply", "Stale build artifacts, so a clean start"),
        command("mix compile"),
        *noise(20),
    )
    assert "mix compile" in texts(memory, "stale build artifacts", 3)[1]
    asked = Query(keyword="stale build artifacts", scope="all")
    assert len(memory.events.query(asked).events) == 1  # session_query finds only what matches


def test_of_two_equal_hits_the_one_among_others_that_match_is_better(memory: Memory) -> None:
    keep(memory, ("message", "reply", "the cache is new here"), *noise(60), session="far")
    keep(memory, *noise(30), ("message", "reply", "the cache grows"), ("message", "reply", "the cache is new there"),
         ("message", "reply", "cache and cache"), session="near")  # fmt: skip
    assert texts(memory, "cache new", 9).index("the cache is new there") < texts(memory, "cache new", 9).index(
        "the cache is new here"
    )


def test_a_definition_is_before_what_only_uses_the_name(memory: Memory) -> None:
    written = {"input": {"file_path": "/p/lib/token_store.ex", "content": "defmodule TokenStore do\n  use GenServer\nend"},
               "files": ["/p/lib/token_store.ex"]}  # fmt: skip
    reads = [
        ("tool_response", "Read", {"ok": True, "output": f"{n} TokenStore.get(TokenStore, {n})"}) for n in range(6)
    ]
    keep(memory, *reads[:3], ("tool_call", "Write", written), *noise(5), *reads[3:])
    assert "defmodule TokenStore" in texts(memory, "where is TokenStore defined?", 1)[0]
    assert reading.defines("export function token_store(a) {", "token_store")
    assert not reading.defines("def token_store_two():", "token_store")


def test_the_kind_that_is_asked_for_is_before_others_with_the_same_words(memory: Memory) -> None:
    keep(memory, ("message", "reply", "I will check the types with dialyzer"), command("mix dialyzer"),
         answer("types of dialyzer failed: no local return", ok=False), *noise(10))  # fmt: skip
    assert texts(memory, "which command runs dialyzer?", 1) == ["mix dialyzer"]
    assert "failed" in texts(memory, "what failed in dialyzer types?", 1)[0]


def test_the_last_and_the_first_are_told_apart(memory: Memory) -> None:
    for n in range(8):
        body = {"session": "s", "project": "dir:/p", "category": "tool_response", "type": "Bash", "stated_by": "tool"}
        data = {"ok": True, "output": f"[main 00aa{n}f{n}] feat: step {'abcdefgh'[n]}"}
        between = [{**body, "data": {"output": f"filler {each}"}} for each in range(4)]
        memory.opened.keep([
            Draft(EVENT, each, at_ms=1_790_000_000_000 + n * 60_000 + 1000 * step)
            for step, each in enumerate([{**body, "data": data}, *between])
        ])  # fmt: skip
    assert "step h" in texts(memory, "last commit of the feat", 1)[0]
    assert "step a" in texts(memory, "first commit of the feat", 1)[0]


def ran(memory: Memory, line: str, ok: bool) -> None:
    """A call and what came of it."""
    call, _session = memory.events.record("tool_call", "Bash", {"input": {"command": line}})
    memory.events.record(
        "tool_response", "Bash", {"ok": ok, "output": "done" if ok else "fatal"}, parent_id=call.records[0].id
    )


def test_a_command_that_failed_is_behind_the_same_one_that_worked(memory: Memory) -> None:
    ran(memory, "git push origin", ok=False)
    keep(memory, *noise(20))
    ran(memory, "git push --set-upstream origin topic", ok=True)
    keep(memory, *noise(20))
    ran(memory, "make lint", ok=False)
    assert "upstream" in texts(memory, "which command does the git push", 1)[0]
    assert texts(memory, "which command is the lint", 1) == ["make lint"]  # it never worked: it is all there is


def test_a_command_that_only_looks_is_not_what_runs_something(memory: Memory) -> None:
    keep(memory, command("make lint file"), *noise(40), command("grep lint file"), *noise(20))
    assert texts(memory, "which command runs the lint?", 1) == ["make lint file"]
    assert texts(memory, "grep lint", 1) == ["grep lint file"]


def test_the_same_command_again_makes_room_for_others(memory: Memory) -> None:
    for name in ("alpha", "beta", "gamma"):
        keep(memory, command(f"pytest -q {name}/{name}_{name}_{name}_{name}_{name}_{name}_{name} types"), *noise(30))
    parts = told(memory, "which command for the types")
    assert sum(each.get("again", 0.0) < 0 for each in parts) == 2


def test_what_is_quoted_word_for_word_is_before_the_same_words_in_another_order(memory: Memory) -> None:
    said = "the pattern can never match the type {:ok, id}"
    keep(memory, answer(f"lib/a.ex:57 {said.capitalize()}"), *noise(40),
         answer("lib/a.ex:58 Match the type {:ok, id} the pattern can never"), *noise(40))  # fmt: skip
    assert "57" in texts(memory, said.replace(" can", "\n can"), 1)[0]
    assert reading.longest_run(("a", "b", "c", "d", "x"), "z a b c d y") == 4
    assert (
        reading.longest_run(("a", "b", "c"), "a b c") == 0 and reading.longest_run(("a", "b", "c", "d"), "a b c e") == 0
    )


def test_beside_calls_of_tools_less_is_meant_than_beside_what_is_said(memory: Memory) -> None:
    keep(memory, command("alpha one"), command("plain two"), *noise(40))
    keep(memory, ("message", "reply", "bravo one"), ("message", "reply", "plain two"), *noise(40))
    among_calls, among_talk = told(memory, "alpha")[1]["beside"], told(memory, "bravo")[1]["beside"]
    assert among_calls == pytest.approx(around.TOOLS * among_talk)


def edited(path: str, text: str, tool: str = "Edit") -> tuple[str, str, Any]:
    return "tool_call", tool, {"input": {"file_path": path, "new_string": text}, "files": [path]}


def test_files_of_tests_come_later_unless_the_question_is_about_tests(memory: Memory) -> None:
    keep(
        memory,
        edited("/p/store.py", "token expiry of the cart"),
        *noise(40),
        edited("/p/tests/test_store.py", "token expiry of the cart"),
    )
    assert "tests/" not in texts(memory, "token expiry of the cart")[0]
    assert "tests/" in texts(memory, "tests of the token expiry of the cart")[0]


def test_a_change_of_a_file_answers_where_something_is(memory: Memory) -> None:
    keep(
        memory,
        answer("exporter settings are described in the manual"),
        *noise(40),
        edited("/p/runtime.exs", "exporter settings are here"),
    )
    assert "runtime" in texts(memory, "in which file are the exporter settings?")[0]


def test_the_last_commit_is_the_last_of_the_commits(memory: Memory) -> None:
    keep(
        memory, answer("[main 05fd186] feat: close the cart session"), *noise(3), answer("[main a230dbf] feat: open the cart session"), *noise(30),
        ("message", "reply", "this session is over"),
    )  # fmt: skip
    assert "a230dbf" in texts(memory, "last commit of the session")[0]


def test_where_an_amount_is_asked_for_a_place_with_a_number_is_better(memory: Memory) -> None:
    keep(
        memory,
        ("message", "reply", "a review token is valid for ever"),
        *noise(30),
        ("message", "reply", "a review token is valid for 120 seconds"),
    )
    assert "120" in texts(memory, "how long is a review token valid?")[0]


def test_before_and_after_an_event_are_sides_of_it(memory: Memory) -> None:
    keep(memory, *noise(30), answer("Finished: 68 tests, none wrong"), *noise(3),
         ("message", "reply", "the review page was added"), *noise(3), answer("Finished: 87 tests, none wrong"), *noise(30))  # fmt: skip
    assert "68" in texts(memory, "how many tests before the review page was added?", 1)[0]
    assert "87" in texts(memory, "how many tests after the review page was added?", 1)[0]


def test_what_happened_at_a_compaction_is_found_without_its_words(memory: Memory) -> None:
    keep(memory, *noise(40), ("message", "compact_summary", "This session is being continued"),
         ("message", "reply", "I was at the token page"), *noise(40))  # fmt: skip
    assert "I was at the token page" in texts(memory, "what was in progress when the context was compacted?", 4)


def test_what_the_user_typed_is_looked_at_where_a_wish_is_asked_for(memory: Memory) -> None:
    keep(memory, *noise(30), answer("what did they ask: nothing"))
    keep(memory, ("message", "user_prompt", "new beads came in. tackle them"), by="user")
    assert any("tackle them" in each for each in texts(memory, "what did I ask for?", 3))


def test_a_time_in_the_question_is_a_hint(memory: Memory) -> None:
    day = 86_400_000
    now = 1_790_000_000_000
    memory.opened.keep([
        Draft(EVENT, {"session": "s", "project": "dir:/p", "category": "finding", "type": "bug", "stated_by": "model",
                      "data": {"text": f"the cache broke {at}"}}, at_ms=now + at * day) for at in (0, 1, 2, 3)
    ])  # fmt: skip
    wanted = memory.events.filter(Query(keyword="cache broke", scope="all"))
    asked = wanted.asked.__class__(frozenset(), within=(now + day, now + 2 * day - 1))
    assert wanted.match is not None
    hits = ranking.rank(memory.opened.read(), wanted.match, "1", [], asked=asked)
    assert hits[0].at == now + day


def test_nearly_the_same_again_makes_room_for_others(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(memory, *[answer(f"15:{n}:00 warning HeatmapCalculator found no sessions for project") for n in range(10, 30)],
         *noise(10), ("message", "reply", "the project has no sessions yet, so the map is empty"))  # fmt: skip

    def place() -> int:
        return next(n for n, each in enumerate(texts(memory, "project sessions", 30)) if "map is empty" in each)

    with_room = place()
    monkeypatch.setattr(ranking, "ALIKE", 1.0)
    assert with_room < place()


def test_every_part_of_a_score_is_told_and_they_sum_up(memory: Memory) -> None:
    keep(
        memory,
        *noise(5),
        ("message", "reply", "why is the cache cold? Because of the token"),
        command("cache-warm --token"),
    )
    wanted = memory.events.filter(Query(keyword="which command warms the cache token first", scope="all"))
    assert wanted.match is not None
    for hit in ranking.rank(memory.opened.read(), wanted.match, "1", [], asked=wanted.asked, beyond=True):
        assert hit.score == pytest.approx(sum(hit.parts.values())) and {"words", "beside"} & set(hit.parts)


def test_filters_hold_for_everything_that_joins_the_pool(memory: Memory) -> None:
    keep(memory, ("message", "reply", "needle"), ("finding", "bug", "beside it"))
    found = memory.recall.search("needle", scope="all", category="message")["results"]
    assert [each["category"] for each in found] == ["message"]


def test_pages_go_on_behind_the_pool(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "POOL", 10)
    keep(memory, *noise(35, "needle"))
    seen: list[str] = []
    cursor = None
    while True:
        page = memory.events.query(Query(keyword="needle", scope="all", limit=4, cursor=cursor))
        seen += [event["id"] for event in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page.total == 35


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    ["what", "did", "I", "ask", "before", "after", "last", "week", "compacted", '"', "number of", "C++", "src/a.py", "日本", "?"]),
    max_size=9).map(" ".join))  # fmt: skip
def test_no_question_is_an_error(memory: Memory, question: str) -> None:
    if not memory.opened.read().one("SELECT 1 FROM event"):
        keep(memory, *noise(3), command("ls src/a.py"), ("message", "compact_summary", "日本語 before"))
    memory.recall.search(question, scope="all")
    memory.events.query(Query(keyword=question))
