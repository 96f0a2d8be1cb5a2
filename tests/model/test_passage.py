"""The densest place of a text is found, however long the text is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.passage import best, stem, stems


def test_forms_of_a_word_share_a_stem() -> None:
    assert stem("tests") == stem("testing") == stem("Tested") == "test"
    assert stem("be") == "be" and stems(["src/auth.ts", "a"]) == ["src", "auth", "ts"]


def test_the_place_where_most_words_stand_together_wins() -> None:
    text = "token " + "x " * 400 + "the token was renewed by the cache" + " y" * 400 + " cache"
    weight, begin, end = best(text, {"token": 1.0, "renew": 1.0, "cach": 1.0}, 100)
    assert weight == 3.0 and text[begin:end].startswith("token was renewed") and text[begin:end].endswith("cach")


def test_a_word_inside_another_is_not_that_word() -> None:
    assert best("contest", {"test": 1.0}) == (0.0, 0, 0)


@given(st.text(alphabet="ab ", max_size=60), st.integers(1, 30))
def test_a_passage_is_never_wider_than_asked_and_holds_what_it_weighs(text: str, wide: int) -> None:
    weight, begin, end = best(text, {"aa": 1.0, "b": 2.0}, wide)
    assert end - begin <= wide + 2
    assert weight == sum(value for word, value in (("aa", 1.0), ("b", 2.0)) if word in text[begin:end])


def test_a_place_that_is_wanted_counts_beside_a_word_and_alone_only_where_that_is_said() -> None:
    text = "cache " + "." * 300 + " 90 cache " + "." * 300 + " 17"
    number, last = text.index("90"), text.index("17")
    wanted = [(number, number + 2), (last, last + 2)]
    assert best(text, {"cache": 1.0}, 50, wanted, 2.0)[1:] == (number, number + 8)
    assert best("nothing 17", {"cache": 1.0}, 50, [(8, 10)], 2.0) == (0.0, 0, 0)
    assert best("nothing 17", {"cache": 1.0}, 50, [(8, 10)], 2.0, alone=True) == (2.0, 8, 10)
