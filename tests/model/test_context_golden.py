"""What a person would read of a believable session, against golden files; and what is told of other ways to work.

To write the files again after a wanted change, and then read them: SESSION_MEMORY_GOLDEN=1 pytest tests/model/test_context_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.model.made import DAY, Made

from session_memory.model import brief
from session_memory.model.context import Here, compose

GOLDEN = Path(__file__).parent / "golden"
ROOT = "/home/mira/shop"
ISSUE = """\
title:	Answer too many requests with 429
state:	OPEN
author:	mira
labels:	api
number:	42
--
Clients retry blindly when the API answers 500.

## Requirements
- [ ] Do not change the response body of other errors.
- [ ] Must work without Redis.
- Limits come from the table `limits`, never from code.

## Out of scope
- The admin API
"""
SUMMARY = """\
1. Primary Request and Intent:
   The user wants issue 42 done: answer 429 when a client sends too many requests.
2. Files and Code Sections:
   - src/api/limits.py: the bucket; src/api/server.py: where it is asked; tests/api/test_limits.py
3. Problem Solving:
   - Decided to answer 429 with Retry-After.
7. Pending Tasks:
   - Tell clients when to come back (Retry-After)
   - Write the page for operators
8. Current Work:
   The bucket passes its tests; the server does not ask it yet.
9. Optional Next Step:
   Let the server ask the bucket before it reads the body.
   The user said: "take issue 42"
"""


def session() -> Made:
    """A day of work on one issue: rules, an issue, a decision, a question, edits, runs, commits, a task list."""
    made = Made("monday")
    made.said(
        "Take issue 42. Never edit billing, it is audited. I don't think the old limiter ever worked, so don't look there."
    )
    made.ran("gh issue view 42", ISSUE)
    made.ran("git log --oneline -5", "a1b2c3d Rename the shop")
    made.decided(
        "Count requests in SQLite",
        rationale="one box, and it must work without Redis",
        alternatives=["Redis", "memory"],
    )
    made.edited(f"{ROOT}/src/api/limits.py")
    made.edited(f"{ROOT}/tests/api/test_limits.py")
    made.ran("pytest -q tests/api/test_limits.py", "1 failed, 3 passed", ok=False, exit_code=1)
    made.ran("pytest -q tests/api/test_limits.py", "4 passed")
    made.ran("ruff check src tests", "All checks passed!")
    made.committed("5e6f7a8", "Count requests in a bucket (#42)", "limits")
    made.said("ok, go on")
    made.said("From now on use uv, not pip. And tell clients when to come back.")
    made.tool(
        "TodoWrite",
        {
            "todos": [
                {"content": "Count requests", "status": "completed"},
                {"content": "Let the server ask the bucket", "status": "in_progress"},
                {"content": "Send Retry-After", "status": "pending"},
            ]
        },
    )
    made.edited(f"{ROOT}/src/api/server.py")
    made.edited(f"{ROOT}/src/api/limits.py")
    for _time in range(2):
        made.ran("uv run pytest -q tests/api/test_limits.py", "4 passed")
        made.ran("ruff check src tests", "All checks passed!")
        made.ran("docker compose up --wait", "no such image", ok=False, exit_code=1)
    made.event("question", "question_raised", {"question": "Do internal clients count against the limit?"})
    made.event(
        "tool_call",
        "AskUserQuestion",
        {"input": {"questions": [{"question": "May the table be called quotas?"}]}},
        "tool",
    )
    made.reply("The bucket counts. The server does not ask it yet: that is next, and docker has no image here.")
    return made


def text(made: Made, source: str) -> str:
    same = source == "compact"
    here = Here(
        source, "monday" if same else "tuesday", made.now + (0 if same else DAY), roots={"monday": ROOT},
        git=[] if same else ["b7c8d9e Merge the new checkout (by Tom)"], summary=SUMMARY if same else "",
        there=lambda path: not path.endswith("test_limits.py"),
    )  # fmt: skip
    return compose(made.notes, here, "0123abcd").text


@pytest.mark.parametrize("source", ["startup", "compact"])
def test_a_believable_session_reads_as_it_was_read_and_found_good(source: str) -> None:
    file = GOLDEN / f"context-{source}.md"
    said = text(session(), source) + "\n"
    if os.environ.get("SESSION_MEMORY_GOLDEN"):
        file.write_text(said)
    assert said == file.read_text()


def told(made: Made, section: str) -> list[str]:
    return [fact.text for fact in brief.facts(made.notes) if fact.section == section]


def test_an_issue_seen_through_gh_gives_its_rules_until_it_is_closed() -> None:
    made = Made()
    made.said("take issue 42")
    made.ran("gh issue view 42", ISSUE)
    made.edited(f"{ROOT}/a.py")
    rules = [
        "Do not change the response body of other errors.", "Limits come from the table `limits`, never from code.",
        "Must work without Redis.", "Out of scope: The admin API",
    ]  # fmt: skip
    assert told(made, brief.TASKS) == rules
    facts = [fact for fact in brief.facts(made.notes) if fact.section == brief.TASKS]
    assert {fact.more for fact in facts} == {"#42 (Answer too many requests with 429)"}
    made.committed("1a2b3c4", "Answer 429 (#42)")
    made.ran("gh issue close 42 --comment 'done in 1a2b3c4'", "Closed issue #42")
    assert told(made, brief.TASKS) == []
    assert told(made, brief.WORK) == ["Closed last: #42", "Commit 1a2b3c4 on main: Answer 429 (#42)"]


@pytest.mark.parametrize(
    ("view", "begin", "end", "shown"),
    [
        ("jira issue view SHOP-118", "jira issue move SHOP-118 'In Progress'", "jira issue move SHOP-118 Done", "SHOP-118  Export orders"),
        ("linear issue view SHOP-118", "linear issue start SHOP-118", "linear issue close SHOP-118", "# SHOP-118: Export orders"),
    ],
)  # fmt: skip
def test_a_key_of_another_tracker_is_a_task(view: str, begin: str, end: str, shown: str) -> None:
    made = Made()
    made.ran(
        view, f"{shown}\n\nAcceptance criteria:\n* It streams.\nConstraints:\n* Never write personal data to the log.\n"
    )
    made.ran(begin)
    made.edited(f"{ROOT}/export.py")
    assert told(made, brief.TASKS) == ["Never write personal data to the log."]
    assert told(made, brief.WORK) == ["In progress: SHOP-118 (Export orders)"]
    made.committed("99aa11b", "SHOP-118 export")
    made.ran(end)
    assert told(made, brief.TASKS) == [] and told(made, brief.WORK)[0] == "Closed last: SHOP-118"


def test_of_two_tasks_closed_by_one_call_the_last_one_was_closed_last() -> None:
    made = Made()
    made.ran("bd close shop-7.1 && bd close shop-7")
    assert told(made, brief.WORK) == ["Closed last: shop-7"]


def planned() -> Made:
    made = Made()
    made.said("plan the login rework")
    plan = "# Rework the login\n\n1. Move the form\n\n## Constraints\n- Do not log anybody out.\n- No schema change.\n"
    made.tool("ExitPlanMode", {"plan": plan}, "User has approved your plan")
    made.said("User has approved your plan", "plan_approval", approved=True)
    return made


def test_a_plan_s_rules_hold_until_its_list_is_done() -> None:
    made = planned()
    assert told(made, brief.DECISIONS) == ["Plan approved: Rework the login"]
    items = [{"content": "Move the form", "status": "in_progress"}, {"content": "Tell support", "status": "pending"}]
    made.tool("TodoWrite", {"todos": items})
    made.edited(f"{ROOT}/login.py")
    made.committed("1a2b3c4", "Move the form")
    assert told(made, brief.TASKS) == ["Do not log anybody out.", "No schema change."]
    assert told(made, brief.NEXT) == ["Move the form", "Tell support"]
    made.tool("TodoWrite", {"todos": [{**each, "status": "completed"} for each in items]})
    assert told(made, brief.TASKS) == [] and told(made, brief.NEXT) == []


def test_without_a_list_a_plan_s_rules_hold_until_its_edits_are_committed() -> None:
    made = planned()
    made.edited(f"{ROOT}/login.py")
    assert len(told(made, brief.TASKS)) == 2
    made.committed("1a2b3c4", "Move the form")
    assert told(made, brief.TASKS) == []


def test_a_document_that_the_user_named_gives_rules_and_the_client_s_list_gives_what_is_left() -> None:
    made = Made()
    made.said(
        "Implement docs/import.md step by step. I never liked the old importer, so don't be shy. "
        "But don't touch the CSV reader, and no mocks in tests."
    )
    made.tool(
        "Read",
        {"file_path": f"{ROOT}/docs/import.md"},
        "     1\t# Import\n     2\t## Rules\n     3\t- Never overwrite a row edited by hand.\n",
    )
    made.tool(
        "Read", {"file_path": f"{ROOT}/docs/other.md"}, "     1\t## Rules\n     2\t- Never read this as a task.\n"
    )
    for number, name in enumerate(("Parse rows", "Write rows"), 1):
        made.tool("TaskCreate", {"subject": name, "description": "x"}, f"Task #{number} created successfully: {name}")
    made.tool("TaskUpdate", {"taskId": "1", "status": "completed"}, "Updated task #1 status")
    made.tool("TaskUpdate", {"taskId": "2", "status": "in_progress"}, "Updated task #2 status")
    assert told(made, brief.TASKS) == ["Never overwrite a row edited by hand."]
    assert told(made, brief.RULES) == ["But don't touch the CSV reader, and no mocks in tests."]
    assert told(made, brief.NEXT) == ["Write rows"]


def test_what_a_new_session_was_told_at_its_start_is_its_own_after_a_compaction() -> None:
    made = session()
    start = compose(made.notes, Here("startup", "tuesday", made.now, roots={"monday": ROOT}), "0")
    block = Here("compact", "tuesday", made.now, roots={"monday": ROOT})
    rule = "Do not change the response body of other errors."
    assert rule not in compose(made.notes, block, "0").text  # of somebody else's work, as far as is known
    note = {"what": "told", "id": "f" * 32, "at": made.notes[-1]["at"], "session": "tuesday",
            "ids": [each for line in start.lines for each in line["ids"]]}  # fmt: skip
    assert rule in compose([*made.notes, note], block, "0").text


def test_a_task_that_was_only_looked_at_is_forgotten_after_a_week() -> None:
    made = Made("old")
    made.ran("gh issue view 42", ISSUE)
    late = Here("startup", "new", made.now + 8 * DAY)
    assert "Must work without Redis." not in compose(made.notes, late, "0").text
    made.ran("gh issue start 42")
    assert "Must work without Redis." in compose(made.notes, late, "0").text


def test_a_command_counts_as_passed_only_where_its_end_was_seen() -> None:
    made = Made()
    made.ran("mix test | head -20", "....")
    made.ran("mix test", "Command running in background with ID: b1")
    made.tool("Bash", {"command": "mix test", "run_in_background": True}, "started")
    made.ran("mix test 2>&1 | tail -5", "12 tests, 0 failures")
    assert told(made, brief.COMMANDS) == []
    made.ran("mix test", "12 tests, 0 failures")
    assert [fact.why for fact in brief.facts(made.notes) if fact.section == brief.COMMANDS] == ["passed 2 times"]


def test_a_message_that_says_nothing_by_itself_is_told_only_as_the_last_one() -> None:
    made = Made()
    for said in ("add a queue", "ok, go on", "check again"):
        made.said(said)
    assert told(made, brief.ASKS) == ["check again", "add a queue"]


def test_a_mere_question_is_told_until_there_was_a_reply() -> None:
    made = Made()
    made.said("Can you add a queue?")
    made.said("did you push?")
    assert told(made, brief.ASKS) == ["did you push?", "Can you add a queue?"]
    made.reply("Yes, everything is pushed.")
    assert told(made, brief.ASKS) == ["Can you add a queue?"]


def test_of_a_long_reply_beginning_and_end_are_told() -> None:
    made = Made()
    made.reply("Everything is in place now. " + "Details follow here. " * 40 + "Shall I open the pull request?")
    (said,) = told(made, brief.LAST)
    assert (
        said.startswith("Everything is in place now.")
        and " … " in said
        and said.endswith("Shall I open the pull request?")
    )
    assert len(said) <= 240


def test_what_a_summary_quotes_of_the_user_is_no_next_step() -> None:
    made = Made()
    made.event("message", "compact_summary", {"text": SUMMARY})
    assert told(made, brief.NEXT) == [
        "Tell clients when to come back (Retry-After)", "Write the page for operators",
        "Let the server ask the bucket before it reads the body.",
    ]  # fmt: skip
