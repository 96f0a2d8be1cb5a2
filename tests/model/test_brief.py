"""Facts: what is worth carrying over, from whom, and when it is over."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.made import CHILD, ISSUE, Made

from session_memory.model import brief
from session_memory.model.brief import Fact, facts, kept


def texts(found: list[Fact], section: str) -> list[str]:
    return [fact.text for fact in found if fact.section == section]


def test_the_user_s_rules_come_first_and_those_for_good_before_those_of_the_moment() -> None:
    made = Made()
    made.said("Never edit billing. Do the login first.")
    made.said("don't run the tests now")
    made.event("decision", "constraint", {"text": "Answer within a second"}, "user")
    found = facts(made.notes)
    assert found[0].section == brief.RULES and found[0].by == "user"
    assert texts(found, brief.RULES) == ["Never edit billing.", "Answer within a second", "don't run the tests now"]
    assert found[0].ids == [made.events[0]["id"]] and found[0].why == "the user's words"  # what is forbidden, first


def test_an_answer_s_rule_is_what_stands_behind_the_arrow() -> None:
    made = Made()
    made.said("Should we always mock the clock?\n-> never mock the clock", "answer")
    assert texts(facts(made.notes), brief.RULES) == ["never mock the clock"]


def test_rules_in_force_end_with_their_task() -> None:
    made = Made()
    made.ran("bd show shop-7", ISSUE)
    made.ran("bd show shop-7.1", CHILD)
    made.ran("bd update shop-7.1 --status in_progress")
    rules = [fact for fact in facts(made.notes) if fact.section == brief.TASKS]
    assert [(fact.text, fact.more, fact.by) for fact in rules] == [
        ("Never cache limits for more than a minute.", "shop-7.1", "tool"), ("Do not change the response body.", "shop-7", "tool"),
        ("Keep the adapter's signature.", "shop-7", "tool"), ("Limits come from the table.", "shop-7", "tool"),
    ]  # fmt: skip
    made.ran("bd close shop-7.1 shop-7")
    assert texts(facts(made.notes), brief.TASKS) == []


def test_answered_superseded_and_closed_ones_are_gone() -> None:
    made = Made()
    made.event("question", "question_raised", {"id": "q1", "question": "Which port?"})
    made.event("question", "question_raised", {"id": "q2", "question": "Which table?"})
    made.event("question", "question_answered", {"id": "q1", "answer": "8080"})
    old = made.decided("Use sessions")
    made.decided("Use JWT", supersedes=old["id"], rationale="stateless", alternatives=["sessions"])
    blocker = made.event("finding", "blocker", {"title": "CI is down"})
    made.event("finding", "resolved", {"title": "up again"}, parent_id=blocker["id"])
    found = facts(made.notes)
    assert texts(found, brief.QUESTIONS) == ["Which table?"] and texts(found, brief.BLOCKERS) == []
    (decision,) = [fact for fact in found if fact.section == brief.DECISIONS]
    assert (decision.text, decision.more) == ("Use JWT", ". Why: stateless (not taken: sessions)")


def test_a_question_put_to_the_user_is_open_until_it_is_answered() -> None:
    made = Made()
    call = made.event("tool_call", "AskUserQuestion", {"input": {"questions": [{"question": "Which port?"}]}}, "tool")
    assert texts(facts(made.notes), brief.QUESTIONS) == ["Which port?"]
    made.event("tool_response", "AskUserQuestion", {"ok": True, "output": "8080"}, "tool", parent_id=call["id"])
    assert texts(facts(made.notes), brief.QUESTIONS) == []


def test_files_edited_since_the_last_commit_come_first() -> None:
    made = Made()
    made.edited("/p/a.py")
    made.edited("/p/b.py")
    made.committed("abcdef1", "one")
    made.edited("/p/a.py")
    found = [(fact.text, fact.stands) for fact in facts(made.notes) if fact.section == brief.FILES]
    assert found == [("/p/a.py", True), ("/p/b.py", False)]


def test_an_amended_commit_is_told_once_with_its_newest_hash() -> None:
    made = Made()
    made.committed("aaaaaa1", "one")
    made.committed("bbbbbb2", "one")
    assert [text for text in texts(facts(made.notes), brief.WORK) if "Commit" in text] == [
        "Commit bbbbbb2 on main: one"
    ]


def test_commands_are_told_when_they_passed_twice_or_failed_twice_in_a_row() -> None:
    made = Made()
    made.ran("mix test")
    made.ran("mix format")
    made.ran("mix test")
    made.ran("mix dialyzer", ok=False, exit_code=2)
    assert texts(facts(made.notes), brief.FAILING) == []
    made.ran("mix dialyzer", ok=False, exit_code=2)
    found = facts(made.notes)
    assert texts(found, brief.COMMANDS) == ["mix test"] and texts(found, brief.FAILING) == ["mix dialyzer"]
    assert (
        next(fact.why for fact in found if fact.section == brief.FAILING)
        == "failed 2 times in a row, exit 2, not seen to pass since"
    )


def test_what_is_next_is_told_by_lists_and_by_the_last_summary_until_there_is_a_commit() -> None:
    made = Made()
    made.tool(
        "TodoWrite", {"todos": [{"content": "Write", "status": "completed"}, {"content": "Test", "status": "pending"}]}
    )
    made.event("phase", "next_step", {"text": "Measure"})
    made.event("message", "compact_summary", {"text": "7. Pending Tasks:\n - finish the tests of it"})
    assert texts(facts(made.notes), brief.NEXT) == ["Measure", "Test", "finish the tests of it"]
    made.committed("abcdef1", "tests")
    assert texts(facts(made.notes), brief.NEXT) == ["Measure", "Test"]


def test_said_by_a_hook_and_again_by_the_transcript_is_one_statement() -> None:
    made = Made()
    for _source in range(2):
        made.event("question", "question_raised", {"question": "Which port?"})
        made.said("Add limits. Never edit billing.")
    found = facts(made.notes)
    assert texts(found, brief.QUESTIONS) == ["Which port?"]
    assert texts(found, brief.RULES) == ["Never edit billing."] and texts(found, brief.ASKS) == ["Add limits. …"]


STEPS = st.lists(
    st.sampled_from(["say", "rule", "edit", "commit", "pass", "fail", "show", "begin", "close", "decide", "ask", "answer", "todo", "summary"]),
    max_size=30,
)  # fmt: skip


def play(made: Made, steps: list[str]) -> None:
    for n, step in enumerate(steps):
        doing: dict[str, Any] = {
            "say": lambda n=n: made.said(f"do the thing {n % 4}"), "rule": lambda n=n: made.said(f"never break part {n % 3} of it"),
            "edit": lambda n=n: made.edited(f"/p/f{n % 4}.py"), "commit": lambda n=n: made.committed(f"abcde{n:02d}", f"subject {n}"),
            "pass": lambda n=n: made.ran(f"mix check{n % 2}"), "fail": lambda n=n: made.ran(f"mix check{n % 2}", ok=False),
            "show": lambda: made.ran("bd show shop-7", ISSUE), "begin": lambda: made.ran("bd update shop-7 --status in_progress"),
            "close": lambda: made.ran("bd close shop-7"), "decide": lambda n=n: made.decided(f"use {n % 3}"),
            "ask": lambda n=n: made.event("question", "question_raised", {"id": str(n % 3), "question": f"what of {n % 3}?"}),
            "answer": lambda n=n: made.event("question", "question_answered", {"id": str(n % 3), "answer": "so"}),
            "todo": lambda n=n: made.tool("TodoWrite", {"todos": [{"content": f"item {n}", "status": "pending"}]}),
            "summary": lambda n=n: made.event("message", "compact_summary", {"text": f"7. Pending Tasks:\n - step number {n}"}),
        }  # fmt: skip
        doing[step]()


def shown(found: list[Fact]) -> list[tuple[str, str, str, str]]:
    return sorted((fact.section, fact.text, fact.ids[0], fact.why) for fact in found)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 30))
def test_facts_of_a_kept_beginning_and_the_rest_are_the_facts_of_all(steps: list[str], cut: int) -> None:
    made = Made()
    play(made, steps[:cut])
    before = made.notes
    count = len(made.events)
    play(made, steps[cut:])
    reader_notes = made.notes
    after = [note for note in reader_notes if note["id"] in {event["id"] for event in made.events[count:]}]
    assert shown(facts([*kept(before), *after])) == shown(facts([*before, *after]))
    assert shown(facts(kept(kept(before)))) == shown(facts(before))
