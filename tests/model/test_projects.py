"""Keys that mean one project: chains are followed, circles end, and the last word in a circle names it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.projects import whole

KEYS = "abcde"


def test_a_chain_is_followed_to_its_end_and_what_was_taken_back_is_alone() -> None:
    said = {"a": ("b", (1, "x")), "b": ("c", (2, "x")), "d": (None, (3, "x"))}
    assert [whole(key, said) for key in KEYS] == ["c", "c", "c", "d", "e"]


def test_of_two_opposite_words_the_last_one_names_the_project() -> None:
    first = {"a": ("b", (1, "x")), "b": ("a", (2, "x")), "c": ("a", (0, "x"))}
    assert {whole(key, first) for key in "abc"} == {"a"}
    assert {whole(key, {**first, "a": ("b", (2, "y"))}) for key in "abc"} == {"b"}
    assert whole("a", {"a": ("a", (1, "x"))}) == "a"


@given(st.dictionaries(st.sampled_from(KEYS), st.tuples(st.sampled_from(KEYS) | st.none(), st.integers(0, 9))))
def test_all_that_hang_together_have_one_name_which_is_its_own(given_: dict[str, tuple[str | None, int]]) -> None:
    said = {key: (target, (when, key)) for key, (target, when) in given_.items()}
    for key in KEYS:
        name = whole(key, said)
        assert whole(name, said) == name
        if key in said and (target := said[key][0]):
            assert whole(target, said) == name
