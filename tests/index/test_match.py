"""Any human keyword is a valid search, and what was stored is found."""

from __future__ import annotations

import random
from collections.abc import Iterator

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_memory.index.match import MOST_TERMS, match
from session_memory.model.words import search_parts

STORED = [
    "The auth-flow breaks when a token can't be renewed",
    "We write the engine in C++ and the tools in C#, on .NET",
    "See src/auth.ts and src/Session/LoginForm.tsx:42",
    "Le café est fermé; naïve façade",
    "日本語のテストを書く",
    "error-handling in getUserName() raises KeyError",
    "AND OR NOT NEAR are words too, 100% of them",
    "version v2.14.3 of utf8mb4, commit 3f9a2cd",
    "кэш очищается после деплоя",
    "الذاكرة تعمل بعد إعادة التشغيل",
    "ความจำยังอยู่หลังรีสตาร์ท",
    "메모리를 다시 불러온다",
    "स्मृति वापस आती है",
    "η μνήμη επιστρέφει",
    "זיכרון נשמר תמיד",
    "内存在重启后仍然存在",
    "bộ nhớ vẫn còn",
    "it's a:b title:x mcp__session-memory__session_query",
    "Deployed 🚀 with the 👩‍💻 badge, all ✅",
]


class Words:
    def __init__(self, texts: list[str]) -> None:
        self.connection = apsw.Connection(":memory:")
        self.run("CREATE VIRTUAL TABLE t USING fts5 (text, parts, tokenize='porter unicode61 remove_diacritics 2')")
        for number, text in enumerate(texts):
            self.connection.execute(
                "INSERT INTO t (rowid, text, parts) VALUES (?, ?, ?)", (number, text, search_parts(text))
            )

    def run(self, sql: str) -> None:
        self.connection.execute(sql)

    def find(self, keyword: str) -> list[int]:
        found = match(keyword)
        if found is None:
            return []
        sql = "SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank"
        return [row[0] for row in self.connection.execute(sql, (found.required,))]


@pytest.fixture(scope="module")
def words() -> Iterator[Words]:
    made = Words(STORED)
    yield made
    made.connection.close()


@pytest.mark.fault(47, 48)
@pytest.mark.parametrize(
    ("keyword", "number"),
    [
        ("auth-flow", 0), ("can't", 0), ("tokens renewing", 0), ("why did the token break?", 0),
        ("C++", 1), ("C#", 1), (".NET", 1), ("c++,", 1),
        ("src/auth.ts", 2), ("LoginForm.tsx", 2), ("login", 2), ("src/Session/LoginForm.tsx:42", 2),
        ("café", 3), ("cafe", 3), ("CAFÉ", 3), ("facade", 3),
        ("日本語", 4), ("本", 4), ("テスト", 4), ("日本語のテスト", 4),
        ("error-handling", 5), ("getUserName", 5), ("user name", 5), ("getUserName()", 5),
        ("AND", 6), ("NOT x", 17), ("NEAR(", 6), ("100%", 6), ('"half a words AND', 6), ('"words too"', 6),
        ("v2.14.3", 7), ("utf8mb4", 7), ("3f9a2cd", 7),
        ("кэш", 8), ("الذاكرة", 9), ("ความจำ", 10), ("รีสตาร์ท", 10), ("메모리", 11), ("स्मृति", 12), ("μνήμη", 13),
        ("זיכרון", 14), ("重启", 15), ("nho", 16), ("nhớ", 16),
        ("🚀", 18), ("👩‍💻", 18), ("💻", 18), ("✅", 18), ("🚀 badge", 18), ('"✅"', 18), ("🚀launch", 18),
        ("it's", 17), ("a:b", 17), ("title:x", 17), ("mcp__session-memory__session_query", 17),
    ],
)  # fmt: skip
def test_what_people_type_finds_what_was_stored(words: Words, keyword: str, number: int) -> None:
    assert words.find(keyword)[:1] == [number]


@pytest.mark.fault(47)
@pytest.mark.parametrize("keyword", ["", "   ", "*", "?!", '""', '"', "'", "()", "-", "🎉", "\0", "…", "—", "🎉 🏭"])
def test_mere_punctuation_is_no_error_and_finds_nothing(words: Words, keyword: str) -> None:
    assert words.find(keyword) == []


def test_a_joined_word_matches_whole_and_its_parts_add_rank_only(words: Words) -> None:
    found = match("src/auth.ts")
    assert found is not None and found.required == '"src/auth.ts"'
    assert found.parts == ("src", "auth", "ts") and words.find("src/missing.ts") == []
    assert words.find('"token renewed"') == []  # a phrase, in this order


def test_stop_words_count_only_when_there_is_nothing_else(words: Words) -> None:
    asked, alone = match("what is the cache"), match("cache")
    assert asked is not None and alone is not None and asked.wholes == alone.wholes
    assert asked.said == ("what", "is", "the", "cache")
    assert words.find("are")[:1] == [6]


@pytest.mark.fault(47)
def test_a_very_long_keyword_is_bounded() -> None:
    found = match(" ".join(f"word{n}" for n in range(10_000)))
    assert found is not None and found.required.count(" OR ") == MOST_TERMS - 1


@pytest.mark.fault(47)
@settings(max_examples=1_000, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_no_string_is_an_error(keyword: str) -> None:
    shared.find(keyword)


@pytest.mark.fault(47)
@settings(max_examples=1_000, deadline=None)
@given(st.text(st.sampled_from("\"'*()-+^:{}[]<>~!?.,/\\|&%$#@=;` \t\nANDORTabc日é"), max_size=40))
def test_no_mix_of_signs_is_an_error(keyword: str) -> None:
    shared.find(keyword)


def strings(count: int, seed: int) -> Iterator[str]:
    """Query strings of every kind: any characters, signs of the query language, pieces of stored texts, long ones."""
    draw = random.Random(seed)
    pieces = [word for text in STORED for word in text.split()] + [
        "AND",
        "NEAR(",
        "text:",
        "col : x",
        "*",
        "^",
        '""',
        "'",
    ]
    signs = "\"'*()-+^:{}[]<>~!?.,/\\|&%$#@=;`\t\n\0 "
    for number in range(count):
        kind = number % 4
        if kind == 0:
            yield "".join(chr(draw.randrange(0x11_0000)) for _ in range(draw.randrange(40)))
        elif kind == 1:
            yield "".join(draw.choice(signs + "aZ9é日ก🙂\u0301\u200d") for _ in range(draw.randrange(60)))
        elif kind == 2:
            yield draw.choice(signs).join(draw.choice(pieces) for _ in range(draw.randrange(1, 8)))
        else:
            word = draw.choice(pieces)
            yield (
                word[: draw.randrange(len(word) + 1)]
                + draw.choice(signs) * draw.randrange(4)
                + word * draw.randrange(30)
            )


@pytest.mark.fault(47)
def test_ten_thousand_query_strings_raise_nothing() -> None:
    for keyword in strings(10_000, 7):
        shared.find(keyword)


shared = Words(STORED)


@pytest.mark.fault(48)
@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12), min_size=1, max_size=6),
       st.data())  # fmt: skip
def test_any_word_of_any_stored_text_finds_it(stored: list[str], data: st.DataObject) -> None:
    one = Words([" ".join(stored)])
    word = data.draw(st.sampled_from(stored))
    found = one.find(word)
    one.connection.close()
    assert found == [0]
