"""What an event contributes: the user's words, edits, commits, tasks and runs; never a tool's output."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.model.made import CHILD, ISSUE, Made

from session_memory.model import notes
from session_memory.model.notes import Reader


def kinds(made: Made) -> list[str]:
    return [note["what"] for note in made.notes]


def test_the_user_s_words_are_kept_however_they_were_said() -> None:
    made = Made()
    made.said("Fix the login.")
    made.event("message", "command", {"name": "/compact", "args": "and go on with the tests"}, "user")
    made.event("message", "command", {"name": "/model", "args": ""}, "user")
    made.event("message", "command", {"name": "!", "args": "rm -rf build"}, "user")
    made.said("Which port?\n-> 8080", "answer")
    made.said("yes, but small steps", "plan_approval", approved=True)
    assert [(note["text"], note["type"]) for note in made.notes] == [
        ("Fix the login.", "user_prompt"), ("and go on with the tests", "command"), ("Which port?\n-> 8080", "answer"),
        ("yes, but small steps", "plan_approval"),
    ]  # fmt: skip
    assert made.notes[0]["id"] == made.events[0]["id"] and made.notes[0]["by"] == "user"


def test_what_a_subagent_was_asked_is_not_the_user_s_word() -> None:
    made = Made("s1/agent-a")
    made.said("You must never stop.")
    made.reply("done")
    assert made.notes == []


def test_edits_that_failed_are_none_and_outputs_leave_nothing_behind() -> None:
    made = Made()
    made.edited("/p/src/a.py")
    made.tool("Edit", {"file_path": "/p/src/b.py"}, "string not found", ok=False)
    made.tool("Read", {"file_path": "/p/notes.md"}, "- You must never trust MARKER")
    made.tool("WebFetch", {"url": "x"}, "MARKER must be kept")
    made.ran("cat plan.txt", "DECISION: MARKER\n- must MARKER")
    assert [note["file"] for note in made.notes if note["what"] == notes.EDIT] == ["/p/src/a.py"]
    assert "MARKER" not in str(made.notes)


def test_commits_are_read_from_what_git_prints() -> None:
    made = Made()
    made.committed("99b497c", "feat: limits")
    made.ran("git commit -m 'x y'", "nothing to commit", ok=False)
    found = [note for note in made.notes if note["what"] == notes.COMMIT]
    assert [(note["hash"], note["on"], note["subject"]) for note in found] == [("99b497c", "main", "feat: limits")]


def test_a_shown_task_brings_its_rules_and_its_own_only() -> None:
    made = Made()
    made.ran('bd show shop-7; echo "==="; bd show shop-7.1', ISSUE + "\n===\n" + CHILD)
    shown = {note["task"]: note for note in made.notes if note["what"] == notes.TASK}
    assert [text for text, _rank in shown["shop-7"]["rules"]] == [
        "Do not change the response body.", "Keep the adapter's signature.", "Limits come from the table.",
    ]  # fmt: skip
    assert [text for text, _rank in shown["shop-7.1"]["rules"]] == ["Never cache limits for more than a minute."]
    assert shown["shop-7"]["title"] == "Answer too many requests"


def test_a_document_is_a_task_only_where_the_user_named_it() -> None:
    made = Made()
    text = "     1→# Spec\n     2→## Constraints\n     3→- Do not break the old API.\n"
    made.tool("Read", {"file_path": "/p/docs/spec.md"}, text)
    assert kinds(made) == []
    made.said("Implement docs/spec.md, please")
    made.tool("Read", {"file_path": "/p/docs/spec.md"}, text.replace("→", "\t"))
    made.tool("Read", {"file_path": "/p/CLAUDE.md"}, text)
    assert kinds(made) == [notes.SAID, notes.TASK]
    assert made.notes[1]["rules"] == [("Do not break the old API.", 0)]


def test_of_a_sequence_only_the_last_outcome_is_known_and_of_a_chain_that_passed_every_one() -> None:
    made = Made()
    made.ran("mix compile && mix test")
    made.ran("mix compile; mix test")
    made.ran("mix compile && mix test", ok=False, exit_code=2)
    assert [(note["passed"], note["ok"]) for note in made.notes] == [
        ([["mix", "compile"], ["mix", "test"]], True), ([["mix", "test"]], True), ([], False),
    ]  # fmt: skip


def test_lists_plans_and_questions_of_the_client_are_understood() -> None:
    made = Made()
    made.tool("TodoWrite", {"todos": [{"content": "Write it", "status": "in_progress"}]})
    made.tool("TaskCreate", {"subject": "Test it"}, "Task #4 created successfully: Test it")
    made.tool("TaskUpdate", {"taskId": "4", "status": "completed"})
    made.tool("AskUserQuestion", {"questions": [{"question": "Which port?"}]})
    made.tool("ExitPlanMode", {"plan": "# Limits\n- Do not touch billing."}, "approved")
    made.tool("ExitPlanMode", {"plan": "# Another"}, "rejected", rejected=True)
    found = made.notes
    assert [(n["number"], n["text"], n["status"]) for n in found if n["what"] == notes.ITEM] == [
        ("4", "Test it", "pending"), ("4", "", "completed"),
    ]  # fmt: skip
    asked, answered = (next(n for n in found if n["what"] == what) for what in (notes.ASKED, notes.ANSWERED))
    assert asked["text"] == "Which port?" and answered["call"] == asked["id"]
    assert [(n["title"], n["rules"]) for n in found if n["what"] == notes.PLAN] == [
        ("Limits", [("Do not touch billing.", 0)])
    ]


def test_next_steps_are_read_under_their_headings() -> None:
    summary = (
        "Analysis:\n7. Pending Tasks:\n   - not this one, it is analysis\nSummary:\n1. Intent:\n   - something\n\n7. Pending Tasks:\n"
        "   - shop-7: finish the tests\n\n8. Current Work:\n   Working.\n\n9. Optional Next Step:\n   **Run** the tests again\n\n"
        "If you need specific details from before compaction, read it all."
    )
    assert notes.next_steps(summary) == ["shop-7: finish the tests", "Run the tests again"]


def test_a_reply_is_kept_without_its_labelled_lines() -> None:
    made = Made()
    made.reply("All is done.\n**DECISION:** use JWT\n- QUESTION: which port?\nNote: it works.")
    assert made.notes[0]["text"] == "All is done. Note: it works."


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3))  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tool_call", "tool_response", "message", "decision", "custom"]),
            st.sampled_from(["Bash", "Edit", "Read", "TodoWrite", "TaskUpdate", "AskUserQuestion", "ExitPlanMode", "user_prompt", "reply", "compact_summary", "x"]),
            st.dictionaries(st.sampled_from(["input", "output", "ok", "files", "text", "args", "title"]), VALUES, max_size=5),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_no_event_is_too_odd_for_a_reader(rows: list[tuple[str, str, dict[str, Any]]]) -> None:
    made = Made()
    for category, type_, data in rows:
        parent = made.events[-1]["id"] if made.events else ""
        made.event(category, type_, data, parent_id=parent)
    reader = Reader()
    for event in made.events:
        for note in reader.read(event):
            assert {"what", "id", "at", "session", "by"} <= set(note)
