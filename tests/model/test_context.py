"""The injected context: what is told at which moment, within which budget, and why the rest is left out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.made import CHILD, DAY, ISSUE, Made

from session_memory.model.context import (
    COMPACT_TOKENS,
    MOST_CHARACTERS,
    Context,
    Here,
    age,
    compose,
    injection,
    relative,
)
from session_memory.model.notes import told
from session_memory.model.plain import neutral
from session_memory.model.tokens import estimate

NONCE = "0123abcd"


def worked() -> Made:
    made = Made("old")
    made.said("Never edit billing. Add limits to the API.")
    made.ran("bd show shop-7", ISSUE)
    made.ran("bd show shop-7.1", CHILD)
    made.ran("bd update shop-7.1 --status in_progress")
    made.decided("Answer 429", rationale="clients retry blindly", alternatives=["503"])
    made.event("question", "question_raised", {"question": "Which table holds limits?"})
    made.edited("/home/me/shop/src/limits.py")
    for _time in range(2):
        made.ran("mix test")
    made.reply("The limits are read.")
    return made


def tell(made: Made, source: str = "startup", session: str = "new", **more: Any) -> Context:
    here = Here(source, session, more.pop("now", made.now), roots={"old": "/home/me/shop"}, **more)
    return compose(made.notes, here, NONCE)


def sections(found: Context) -> list[str]:
    return re.findall(r"^## (.*)$", found.text, re.MULTILINE)


def reasons(found: Context) -> set[tuple[str, str]]:
    return {(each["section"], each["why"]) for each in found.left_out}


def test_a_start_tells_rules_first_and_every_item_with_who_when_and_which_event() -> None:
    made = worked()
    found = tell(made)
    lines = found.text.splitlines()
    assert lines[0] == f"<session-memory {NONCE}>" and lines[-1] == f"</session-memory {NONCE}>"
    assert "not instructions" in lines[1] and "user > model > rule > tool > import" in lines[1]
    assert sections(found)[0] == "Rules the user set"
    assert f"- Never edit billing. (user, today, {made.events[0]['id'][:14]})" in lines
    assert any(
        each.startswith("- Answer 429. Why: clients retry blindly (not taken: 503) (model, today, ") for each in lines
    )
    assert "- src/: limits.py*" in lines and "`mix test` (2x)" in found.text
    assert {line["ids"][0] for line in found.lines} <= {event["id"] for event in made.events}
    assert all(line["why"] and line["by"] and line["at"] for line in found.lines)


def test_the_receipt_says_how_many_facts_from_when_and_how_long() -> None:
    found = tell(worked())
    assert re.fullmatch(
        rf"Session Memory: {len(found.lines)} facts from 2026-09-\d\d put into this session, about {found.tokens} tokens \(.*\)", found.receipt()
    )  # fmt: skip


def test_rules_of_a_task_stand_under_its_name_with_their_source_once() -> None:
    text = tell(worked()).text
    first = text.index("### shop-7.1 (tool, today,")
    assert (
        first
        < text.index("- Never cache limits")
        < text.index("### shop-7 (tool")
        < text.index("- Do not change the response body.")
    )
    assert text.count("### shop-7.1") == 1


def test_after_a_compaction_what_the_summary_dropped_comes_first_and_what_it_tells_better_not_at_all() -> None:
    made = worked()
    summary = (
        "- The user said: never edit billing.\n- Decided to answer 429.\n- src/limits.py was edited\n7. Pending Tasks:"
    )
    found = tell(made, "compact", "old", summary=summary)
    text = found.text
    assert text.index("Never edit billing") < text.index("Never cache limits")  # the user's rules always, and first
    assert text.index("Which table holds limits?") > 0 and ("decisions", "the summary holds it") in reasons(found)
    assert "The limits are read." not in text and found.tokens <= COMPACT_TOKENS


def test_a_compaction_s_block_keeps_to_its_own_budget() -> None:
    made = worked()
    for number in range(60):
        made.said(f"never break part {number} of the whole thing, whatever it may take you to do")
        made.said(
            f"have a look at part {number} of the whole thing, and at whatever belongs to it, before you go home today"
        )
    found = tell(made, "compact", "old", budget=2_500)
    assert estimate(found.text) <= COMPACT_TOKENS and ("asks", "over the budget") in reasons(found)
    assert "Left out for room: " in found.text


def test_a_resumed_conversation_is_told_only_what_others_did_meanwhile_and_that_once() -> None:
    made = worked()
    assert tell(made, "resume", "old").text == ""
    other = Made("other", made.now)
    other.said("Always run the linter.")
    made.events += other.events
    found = tell(made, "resume", "old")
    assert "Always run the linter." in found.text and "Never edit billing" not in found.text
    again = [*made.notes, told("old", other.events[-1]["timestamp"], "f" * 32, found.data("resume"))]
    assert compose(again, Here("resume", "old", made.now), NONCE).text == ""


def test_a_fork_is_not_told_what_its_parent_s_conversation_holds() -> None:
    assert tell(worked(), "fork", "new", lineage=["old"]).text == ""


def test_a_rule_of_the_moment_is_forgotten_after_days_and_one_for_good_is_not() -> None:
    made = Made("old")
    made.said("Don't run the tests now. Never edit billing.")
    text = tell(made, now=made.now + 5 * DAY).text.partition("## What the user asked")[0]
    assert "Never edit billing. (user, 5 days ago" in text and "Don't run the tests now" not in text


def test_files_put_somewhere_for_the_moment_are_left_out() -> None:
    made = worked()
    made.edited("/tmp/try.py")
    made.edited("/home/me/.claude/plans/x.md")
    found = tell(made)
    assert "try.py" not in found.text and "x.md" not in found.text and "limits.py*" in found.text
    assert ("files", "outside of the project, for the moment") in reasons(found)


def test_a_file_that_is_gone_says_so() -> None:
    assert "limits.py* (gone)" in tell(worked(), there=lambda path: False).text


def test_what_git_did_meanwhile_stands_behind_the_rules_and_before_where_the_work_stood() -> None:
    text = tell(worked(), git=["abcdef1 pull: Fast-forward"]).text
    moved = text.index("- abcdef1 pull: Fast-forward")
    assert text.index("## Rules the user set") < moved < text.index("## Where the work stands")


@pytest.mark.parametrize("budget", [100, 150, 300, 700])
def test_whatever_the_budget_is_it_is_kept_and_what_is_missing_is_counted(budget: int) -> None:
    made = worked()
    found = tell(made, budget=budget)
    assert not found.text or estimate(found.text) <= budget
    assert len(found.lines) + len(found.left_out) >= 12


def test_open_questions_that_do_not_fit_are_counted_all_the_same() -> None:
    made = worked()
    for number in range(40):
        made.event(
            "question", "question_raised", {"question": f"What of the part with the number {number} of the whole?"}
        )
    found = tell(made, budget=200)
    shown = found.text.count("? (model, ")
    missing = re.search(r"Left out for room: \d+ facts, (\d+) of them open questions\.", found.text)
    assert missing is not None and shown + int(missing.group(1)) == 41 and estimate(found.text) <= 200


def test_nothing_known_is_nothing_told() -> None:
    found = tell(Made())
    assert found.text == "" and found.lines == []


def test_the_record_of_an_injection_holds_the_exact_text_and_every_reason() -> None:
    found = tell(worked())
    draft = injection("new", "dir:/p", found, "startup")
    assert draft.kind == "injection" and draft.body["data"]["text"] == found.text
    assert draft.body["data"]["lines"] == found.lines and draft.body["data"]["source"] == "startup"


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "today"), (1, "yesterday"), (5, "5 days ago"), (20, "2 weeks ago"), (100, "3 months ago")],
)
def test_ages_are_said_as_people_say_them(days: int, said: str) -> None:
    made = Made()
    event = made.said("x")
    assert age(event["timestamp"], made.now + days * DAY) == said


def test_paths_are_shown_from_the_project_s_folder_where_they_lie_below_it() -> None:
    assert relative("/home/me/shop/src/a.py", "/home/me/shop") == "src/a.py"
    assert (
        relative("/home/me/shopping/a.py", "/home/me/shop")
        == "/home/me/shopping/a.py"
        == relative("/home/me/shopping/a.py", "")
    )


@given(st.text(max_size=400))
def test_recorded_text_stays_on_one_line_and_cannot_close_the_fence(text: str) -> None:
    said = neutral(text, 200)
    assert len(said.splitlines()) <= 1 and "<" not in said and "](" not in said and len(said) <= 200 + 24


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), max_size=20), st.sampled_from(["startup", "compact", "clear"]))
def test_any_words_of_the_user_make_a_text_the_client_takes_whole(said: list[str], source: str) -> None:
    made = Made("s")
    for each in said:
        made.said(f"never {each}")
    found = tell(made, source, "s", budget=2_500)
    assert len(found.text) <= MOST_CHARACTERS and found.text.count(f"</session-memory {NONCE}>") == (
        1 if found.text else 0
    )
