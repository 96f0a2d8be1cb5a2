"""What the tokenizer would lose of a text is kept as parts; snippets show the place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_memory.model.snippet import CUT, snippet
from session_memory.model.words import MOST_TEXT, pieces, plain_text, search_parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("getUserName", "get user name"),
        ("HTTPServer2Go", "http server go"),
        ("plain words only", ""),
        ("C++ and C# and .NET", "cxplusxplus cxsharp xdotnet"),
        ("日本語", "日本 本語 語"),
        ("日", "日"),
        ("API設計", "設計 計"),
        ("all ✅ 🚀🚀 — naïve…", "xu2705x xu1f680x"),
        ("3f9a2cde81b04417a1b2", ""),
    ],
)
def test_parts(text: str, parts: str) -> None:
    assert search_parts(text) == parts


def test_a_hash_is_not_taken_apart() -> None:
    assert pieces("a1B2c3D4e5F6a7B8c9") == []


def test_plain_text_holds_values_in_order_and_telling_names_only() -> None:
    data = {
        "title": "one",
        "rationale": "two",
        "redis_version": 7.2,
        "ok": True,
        "list": ["three", {"text": "four\0"}],
        "n": None,
    }
    assert plain_text(data) == "one\ntwo\nredis_version\n7.2\nlist\nthree\nfour\ufffd\nn"
    assert plain_text({"output": "\x1b[31mred\x1b[0m"}) == " red "
    assert len(plain_text({"text": "x" * 10 * MOST_TEXT})) <= MOST_TEXT


def test_a_snippet_shows_where_the_words_stand() -> None:
    text = "start " + "filler " * 200 + "the needle lies here " + "filler " * 200
    shown = snippet({"text": text}, "needle lies", 80)
    assert "needle lies here" in shown and shown.startswith("… ") and len(shown) < 100
    assert snippet({"text": "short"}, "absent") == "short"


def test_a_snippet_shows_the_number_or_the_hash_that_is_asked_for() -> None:
    text = "the cache of the shop is warm " + "and so on " * 30 + "the cache lives 90 minutes " + "and so on " * 30
    assert "90 minutes" in snippet({"text": text}, "how long does the cache live", 80) and "warm" in snippet(
        {"text": text}, "shop cache", 80
    )
    committed = "[main a230dbf] add a page " + "file changed " * 40 + "session session"
    assert "a230dbf" in snippet({"output": committed}, "last commit of the session", 80)
    assert snippet({"text": "a session " + "and so on " * 30}, "which commit of the session", 40).startswith(
        "a session"
    )


def test_a_path_that_is_shown_in_front_takes_no_more_room() -> None:
    path = "/p/shop/lib/review_token_store.ex"
    data = {"input": {"file_path": path, "content": "def review " + "x " * 200}, "files": [path]}
    shown = snippet(data, "review token store", 120)
    assert shown.count("review_token_store") == 1 and "def review" in shown


def test_a_snippet_of_a_change_shows_what_is_there_now() -> None:
    def change(old: str, new: str) -> dict[str, object]:
        rest = "\n".join(f"line {n} of the rest" for n in range(30))
        return {
            "input": {"file_path": "/p/a.py", "old_string": old + rest, "new_string": new + rest},
            "files": ["/p/a.py"],
        }

    assert "def total(cart, tax)" in snippet(change("def total(cart)", "def total(cart, tax)"), "total cart", 80)
    assert "def total(cart)" in snippet(change("def total(cart)", "nothing"), "total cart", 80)  # only there


@given(st.lists(st.text("abcdefghijklmnop", min_size=1, max_size=14), min_size=1, max_size=60), st.integers(20, 120))
def test_a_snippet_cuts_no_word_and_is_about_as_long_as_it_may_be(words: list[str], room: int) -> None:
    shown = snippet({"text": " ".join(words)}, words[len(words) // 2], room)
    assert all(each in words for each in shown.replace("…", " ").split())
    assert len(shown) <= room + 2 * CUT + 4


def test_a_snippet_of_a_change_shows_the_word_wherever_it_stands() -> None:
    long = " ".join(f"filler{n}" for n in range(60))
    gone = {"input": {"old_string": f"{long} redis cache {long}", "new_string": "x = 1"}, "files": ["src/a.py"]}
    assert "redis" in snippet(gone, "redis", 120)
    now = {"input": {"old_string": f"OLD {long}", "new_string": f"NEW {long}"}, "files": ["src/a.py"]}
    assert "NEW" in snippet(now, "", 120) and "OLD" not in snippet(now, "", 120)


def test_a_path_takes_no_letters_out_of_the_text() -> None:
    text = " ".join(["banana"] * 60)
    for name in ("", "a", " "):
        assert "banana" in snippet({"text": text, "files": [name]}, "banana", 80)
    assert "Redis" in snippet({"text": f"{'İ' * 20} {'filler ' * 60} Redis {'filler ' * 60}"}, "redis", 80)


def test_a_place_wider_than_the_room_is_shown_from_its_beginning() -> None:
    text = f"{'before ' * 60}deploy so: ```bash make release {'x' * 60} ``` {'after ' * 60}"
    assert "deploy so" in snippet({"text": text}, "how do i deploy", 60)
