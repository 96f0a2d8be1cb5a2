"""How often a command passed, and what failed since it passed last."""

from __future__ import annotations

from tests.model.made import Made

from session_memory.model.runs import counted


def found(made: Made) -> dict[str, tuple[str, int]]:
    return {note["command"]: (note["what"], note["times"]) for note in counted(made.notes)}


def test_passes_are_counted_by_what_stays_the_same() -> None:
    made = Made()
    for file in ("a", "b"):
        made.ran(f"mix test test/{file}.exs")
    made.ran("mix compile && mix test")
    assert found(made) == {"mix test FILE": ("count", 2), "mix compile": ("count", 1), "mix test": ("count", 1)}


def test_failures_count_until_it_passes_whatever_it_was_chained_to() -> None:
    made = Made()
    made.ran("git add -A && git commit -m 'a b'", ok=False, exit_code=1)
    made.ran("git add . && git commit -m 'a b'", ok=False, exit_code=1)
    assert found(made) == {"git commit -m …": ("failed", 2)}
    made.ran("git commit -m 'a b'")
    assert found(made) == {}


def test_looking_for_what_is_not_there_is_no_failure() -> None:
    made = Made()
    made.ran("grep x y", ok=False, exit_code=1)
    made.ran("test -f z", ok=False, exit_code=1)
    assert found(made) == {}


def test_counts_go_on_where_they_stood() -> None:
    made = Made()
    made.ran("mix test")
    made.ran("mix credo", ok=False)
    once = counted(made.notes)
    again = Made(begin=made.now)
    again.ran("mix test")
    again.ran("mix credo", ok=False)
    both = {note["command"]: note["times"] for note in counted([*once, *again.notes])}
    assert both == {"mix test": 2, "mix credo": 2}
