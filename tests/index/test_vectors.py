"""Vectors are made once a text, survive a rebuild, go with what is forgotten, and the short cut finds what the long way does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from session_memory.index import blocks
from session_memory.index import vectors as room
from session_memory.index.database import open_vectors
from session_memory.index.embedded import prune
from session_memory.index.vectors import Vectors, rounded
from session_memory.memory import Memory


class Letters:
    """An encoder whose meaning is how often each letter occurs; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        rows = np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(lengths > 0, lengths, 1)


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    with Memory(home, cwd=str(tmp_path)) as opened:
        yield opened


def made(memory: Memory, encode: Letters, model: str = "letters") -> Vectors:
    vectors = Vectors(memory.opened.home.vectors, model, 26, memory.opened.journal.keyed)
    database = memory.opened.read()
    vectors.load(database)
    while vectors.fill(database, encode):
        pass
    return vectors


def test_a_text_is_encoded_once_even_after_a_rebuild_and_in_another_process(memory: Memory) -> None:
    for text in ("zebra", "cache", "zebra"):
        memory.events.record("finding", "bug", {"text": text})
    encode = Letters()
    assert len(made(memory, encode)) == 3 and sorted(encode.asked) == ["cache", "zebra"]
    memory.health.rebuild()
    memory.events.record("finding", "bug", {"text": "new"})
    again = Letters()
    assert len(made(memory, again)) == 4 and again.asked == ["new"]
    other = Letters()
    assert len(made(memory, other, "another model")) == 4 and len(other.asked) == 3


def test_the_nearest_come_first_and_neighbours_lend_a_little(memory: Memory) -> None:
    for text in ("aaaa", "zzzz", "aazz", "qqqq"):
        memory.events.record("finding", "bug", {"text": text})
    vectors = made(memory, Letters())
    near = vectors.near(Letters()(["zz"])[0])
    assert near.best(1) == [2] and near.best(99)[:2] == [2, 3]
    own, smooth = near.of([2])[2]
    assert own == pytest.approx(1.0) and smooth > own
    assert near.of([77]) == {}


def test_above_many_rows_signs_choose_and_the_nearest_is_still_found(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BITS", 100)
    monkeypatch.setattr(room, "KEPT", 60)
    chance = np.random.default_rng(1)
    vectors = Vectors(memory.opened.home.vectors, "m", 64, str)
    rows = chance.normal(size=(500, 64)).astype(np.float32)
    vectors._append([(n + 1, 1, n.to_bytes(16, "big"), row.tobytes()) for n, row in enumerate(rounded(rows))])
    found = 0
    for n in range(0, 500, 10):
        query = rows[n] + chance.normal(size=64).astype(np.float32) * 0.5
        found += vectors.near(query / np.linalg.norm(query)).best(1) == [n + 1]
    assert found >= 49


def test_the_file_holds_no_text_and_no_hash_that_can_be_guessed(memory: Memory) -> None:
    import hashlib

    memory.events.record("finding", "bug", {"text": "Bluebird"})
    made(memory, Letters())
    content = Path(memory.opened.home.vectors).read_bytes()
    assert b"Bluebird" not in content
    for kind in ("md5", "sha1", "sha256", "blake2b"):
        assert hashlib.new(kind, b"Bluebird").digest()[:16] not in content
    assert os.stat(memory.opened.home.vectors).st_mode & 0o077 == 0


def test_what_no_event_says_any_more_is_removed_from_the_bytes(memory: Memory) -> None:
    gone = memory.events.record("finding", "bug", {"text": "zebra"})[0].records[0].id
    memory.events.record("finding", "bug", {"text": "cache"})
    made(memory, Letters())
    value = rounded(Letters()(["zebra"])).tobytes()
    assert value in Path(memory.opened.home.vectors).read_bytes()
    database = memory.opened.read()
    database.run("DELETE FROM event WHERE id = ?", (bytes.fromhex(gone),))
    prune(memory.opened.home.vectors, database)
    content = Path(memory.opened.home.vectors).read_bytes()
    assert value not in content and bytes.fromhex(gone) not in content
    assert rounded(Letters()(["cache"])).tobytes() in content


def test_a_vector_of_another_width_is_made_anew(memory: Memory) -> None:
    memory.events.record("finding", "bug", {"text": "zebra"})
    made(memory, Letters())
    narrow = Vectors(memory.opened.home.vectors, "letters", 3, memory.opened.journal.keyed)
    database = memory.opened.read()
    narrow.load(database)
    assert len(narrow) == 0 and narrow.missing(database) == 1
    narrow.fill(database, lambda texts: np.ones((len(texts), 3), np.float32))
    assert len(narrow) == 1


def many(memory: Memory, count: int) -> list[str]:
    texts = ["".join(chr(97 + (n * k) % 26) for k in range(1, 9)) + f" {n}" for n in range(count)]
    for text in texts:
        memory.events.record("finding", "bug", {"text": text})
    return texts


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory of 20 rows is large."""
    for place, name, value in ((room, "BITS", 20), (room, "KEPT", 8), (room, "LOADED", 7), (blocks, "ROWS", 5)):
        monkeypatch.setattr(place, name, value)


def state(vectors: Vectors) -> tuple[bytes, ...]:
    """Everything a search looks at."""
    rows = np.arange(len(vectors))
    vectors._sign()
    parts = (vectors._n, vectors._session, vectors._lengths, vectors._hashes, *vectors._bits)
    return (*(each[: len(vectors)].tobytes() for each in parts), vectors._values(rows).tobytes())


def kept_blocks(memory: Memory) -> int:
    with open_vectors(memory.opened.home.vectors) as kept:
        return int(next(iter(kept.execute("SELECT count(*) FROM block")))[0])


@pytest.mark.usefixtures("small")
def test_a_large_memory_is_loaded_from_blocks_and_is_the_same(memory: Memory) -> None:
    many(memory, 34)
    first = made(memory, Letters())
    assert kept_blocks(memory) == 6
    again = Letters()
    second = made(memory, again)
    assert not again.asked and second._blocked == 30 and state(first) == state(second)
    many(memory, 3)
    third = made(memory, Letters())
    assert kept_blocks(memory) == 7 and len(third) == 37 and state(third) == state(made(memory, Letters()))


@pytest.mark.usefixtures("small")
def test_values_of_a_large_memory_are_read_when_they_are_chosen_and_let_go(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_VALUES", 12)
    texts = many(memory, 40)
    made(memory, Letters())
    vectors = made(memory, Letters())
    for n in range(40):
        near = vectors.near(Letters()([texts[n]])[0])
        assert near.of([n + 1])[n + 1][0] == pytest.approx(1.0, abs=0.01)
        assert len(vectors._held) <= 12
    assert vectors.near(Letters()([texts[5]])[0]).best(3)


@pytest.mark.usefixtures("small")
def test_an_idle_process_holds_all_values_where_there_is_room(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    many(memory, 40)
    made(memory, Letters())
    vectors = made(memory, Letters())
    assert len(vectors._held) < 40
    while vectors.warm():
        pass
    assert len(vectors._held) == 40
    monkeypatch.setattr(room, "MOST_VALUES", 39)
    assert not made(memory, Letters()).warm()


@pytest.mark.usefixtures("small")
def test_another_index_and_what_is_forgotten_make_blocks_worthless(memory: Memory) -> None:
    many(memory, 30)
    before = state(made(memory, Letters()))
    assert kept_blocks(memory) == 6
    memory.health.rebuild()
    vectors = Vectors(memory.opened.home.vectors, "letters", 26, memory.opened.journal.keyed)
    vectors.load(memory.opened.read())
    assert vectors._blocked == 0 and state(vectors) == before
    vectors.settle(memory.opened.read())
    assert kept_blocks(memory) == 6
    prune(memory.opened.home.vectors, memory.opened.read())
    assert kept_blocks(memory) == 0


@pytest.mark.usefixtures("small")
def test_an_index_made_again_below_us_is_noticed(memory: Memory) -> None:
    many(memory, 8)
    vectors = made(memory, Letters())
    which = memory.opened.read().which()
    memory.health.rebuild()
    assert memory.opened.read().which() != which
    vectors._n[0] = 77  # as the old index numbered it
    many(memory, 2)
    vectors.load(memory.opened.read())
    assert vectors._n[: len(vectors)].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert vectors.missing(memory.opened.read()) == 2


def test_the_number_of_an_event_is_never_given_twice(memory: Memory) -> None:
    memory.events.record("finding", "bug", {"text": "zebra"})
    gone = memory.events.record("finding", "bug", {"text": "quokka"})[0].records[0].id
    database = memory.opened.read()
    vectors = made(memory, Letters())
    database.run("DELETE FROM event WHERE id = ?", (bytes.fromhex(gone),))
    memory.events.record("finding", "bug", {"text": "aaaa"})
    assert vectors.missing(database) == 1
    while vectors.fill(database, Letters()):
        pass
    (new,) = database.rows("SELECT max(n) FROM event")
    assert vectors.near(Letters()(["aaaa"])[0]).of([new[0]])[new[0]][0] == pytest.approx(1.0)


@pytest.mark.usefixtures("small")
def test_what_time_did_not_allow_to_load_is_settled_and_the_next_process_goes_on(memory: Memory) -> None:
    many(memory, 60)
    made(memory, Letters())
    with open_vectors(memory.opened.home.vectors) as kept:
        kept.execute("DELETE FROM block")
    database, seen = memory.opened.read(), []
    for _process in range(4):
        vectors = Vectors(memory.opened.home.vectors, "letters", 26, memory.opened.journal.keyed)
        for _look in range(4):
            vectors.load(database, 0.0)  # no time at all: one step each
        vectors.settle(database)
        seen.append(len(vectors))
    assert seen == sorted(seen) and seen[0] < seen[-1]


@pytest.mark.usefixtures("small")
def test_rows_of_events_that_are_gone_are_left_out(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "WEED", 0)
    many(memory, 40)
    made(memory, Letters())
    database = memory.opened.read()
    database.run("DELETE FROM event WHERE n BETWEEN 3 AND 32")
    vectors = made(memory, Letters())
    assert len(vectors) == 10 and set(vectors.near(Letters()(["abcdefgh"])[0]).best(20)) <= {1, 2, *range(33, 41)}


@pytest.mark.usefixtures("small")
def test_what_was_forgotten_meanwhile_does_not_come_back_in_blocks(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(memory, 34)
    monkeypatch.setattr(blocks, "ROWS", 100)
    slow = made(memory, Letters())
    monkeypatch.setattr(blocks, "ROWS", 5)
    memory.health.rebuild()  # as forgetting does
    slow.settle(memory.opened.read())
    assert kept_blocks(memory) == 0


def test_a_vector_is_kept_only_for_the_event_it_was_made_for(memory: Memory) -> None:
    for text in ("aaaa", "zzzz"):
        memory.events.record("finding", "bug", {"text": text})
    database = memory.opened.read()
    vectors = Vectors(memory.opened.home.vectors, "letters", 26, memory.opened.journal.keyed)
    vectors.load(database)
    todo = vectors.todo(database)
    assert todo is not None
    for old, new in ((1, 11), (2, 1), (11, 2)):  # another index numbers the two the other way round
        database.run("UPDATE event SET n = ? WHERE n = ?", (new, old))
    vectors.keep(database, todo, Letters()(list(todo.new.values())))
    near = vectors.near(Letters()(["zzzz"])[0])
    assert near.of([1])[1][0] == pytest.approx(1.0, abs=0.01)
