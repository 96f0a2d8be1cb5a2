"""Which tasks are in progress, and when their rules end."""

from __future__ import annotations

from tests.model.made import CHILD, ISSUE, Made

from session_memory.model.tasks import Tasks


def in_progress(made: Made) -> list[str]:
    return Tasks(made.notes).in_progress()


def test_a_begun_task_and_what_it_is_part_of_are_in_progress_until_it_is_closed_and_committed() -> None:
    made = Made()
    made.ran("bd show shop-7", ISSUE)
    assert in_progress(made) == ["shop-7"]
    made.ran("bd show shop-7.1", CHILD)
    made.ran("bd update shop-7.1 --status in_progress")
    assert in_progress(made) == ["shop-7.1", "shop-7"]
    made.edited("/p/a.py")
    made.ran("bd close shop-7.1")
    assert in_progress(made) == ["shop-7.1", "shop-7"]  # its work is not committed yet
    made.committed("abcdef1", "limits")
    assert in_progress(made) == ["shop-7"]
    made.ran("bd close shop-7")
    assert in_progress(made) == []


def test_a_part_that_is_begun_again_brings_back_the_rules_of_the_closed_whole() -> None:
    made = Made()
    made.ran("bd show shop-7", ISSUE)
    made.ran("bd close shop-7")
    made.ran("bd show shop-7.1", CHILD)
    made.ran("bd update shop-7.1 --status=in_progress")
    assert in_progress(made) == ["shop-7.1", "shop-7"]


def test_a_close_that_failed_closes_nothing() -> None:
    made = Made()
    made.ran("bd show shop-7", ISSUE)
    made.ran("bd close shop-7", "no such issue", ok=False)
    assert in_progress(made) == ["shop-7"]
