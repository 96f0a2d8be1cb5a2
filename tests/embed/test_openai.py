"""OpenAI's protocol against a server on the loopback: what is sent, what is taken, and one clear sentence for each fault."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.embed.loopback import KEY, Loopback, letters

from session_memory.embed import openai as room
from session_memory.embed.openai import OpenAI
from session_memory.embed.provider import Wanted, encoded
from session_memory.errors import EmbeddingsUnavailable


@pytest.fixture
def server() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.close()


def provider(server: Loopback, model: str | None = "letters", key: str = KEY) -> OpenAI:
    return OpenAI(Wanted("openai", model, key, "OPENAI_API_KEY", server.url))


def refused(server: Loopback, fault: str, texts: list[str] | None = None, **more: Any) -> EmbeddingsUnavailable:
    server.faults = [fault]
    with pytest.raises(EmbeddingsUnavailable) as told:
        encoded(provider(server, **more), texts or ["abc", "b"], 26)
    return told.value


@pytest.mark.parametrize("form", ["base64", "lists"])
def test_rows_come_in_the_order_of_the_texts_whatever_the_form_of_the_answer(server: Loopback, form: str) -> None:
    server.faults = [form]
    rows = provider(server).encode(["aab", "zz"])
    assert rows.tolist() == [letters("aab"), letters("zz")]
    assert server.requests[0]["path"] == "/v1/embeddings" and server.requests[0]["model"] == "letters"
    assert np.allclose(np.linalg.norm(encoded(provider(server), ["aab"], 26), axis=1), 1)


def test_openais_own_models_are_asked_for_short_vectors_and_the_model_names_all_that_changes_them(
    server: Loopback,
) -> None:
    made = provider(server, None)
    assert made.encode(["a"]).shape == (1, room.WIDE) and server.requests[0]["dimensions"] == room.WIDE
    assert made.model == f"openai:text-embedding-3-small/{room.WIDE} at {server.url}"
    provider(server).encode(["a"])
    assert "dimensions" not in server.requests[1]


def test_requests_stay_within_the_limits_of_the_service(server: Loopback) -> None:
    texts = ["a", "", "  \n", "é" * 50_000, "\ud800 lone"] + ["b" * 7_000] * 60 + ["c"] * 300
    assert len(provider(server).encode(texts)) == len(texts)
    assert len(server.requests) >= 4
    for each in server.requests:
        sizes = [len(text.encode()) for text in each["input"]]
        assert (
            len(sizes) <= 128
            and max(sizes) <= 8_000
            and sum(sizes) <= 300_000
            and all(text.strip() for text in each["input"])
        )


@pytest.mark.parametrize(
    ("fault", "code", "wait"),
    [
        ("429:7", "embeddings-busy", 7.0), ("429", "embeddings-busy", 0.0), ("429:junk", "embeddings-busy", 0.0),
        ("429:99999999", "embeddings-busy", room.LONGEST_WAIT), ("quota", "embeddings-quota", room.SPENT), ("500", "embeddings-failed", 0.0),
        ("401", "embeddings-key", None), ("404", "embeddings-refused", None), ("garbage", "embeddings-wrong", 900.0),
        ("html", "embeddings-wrong", 900.0), ("shape", "embeddings-wrong", 900.0), ("fewer", "embeddings-wrong", 900.0),
        ("nan", "embeddings-wrong", 900.0), ("wide:3", "embeddings-wrong", 900.0),
    ],
)  # fmt: skip
def test_each_fault_has_its_sentence_and_its_time(server: Loopback, fault: str, code: str, wait: float | None) -> None:
    error = refused(server, fault)
    assert (
        error.code == code and error.wait == wait and len(server.requests) == 1
    )  # the SDK does not retry behind our back
    shown = "".join(traceback.format_exception(error))
    assert KEY not in shown and "abc" not in str(error)


def test_a_wrong_key_names_its_variable_and_never_itself(server: Loopback) -> None:
    error = refused(server, "", key="sk-wrong-wrong-wrong")
    assert error.code == "embeddings-key" and "OPENAI_API_KEY" in str(error) and "sk-wrong" not in str(error)
    for bad in ("schlüssel", "two\nlines"):
        assert refused(server, "", key=bad).code == "embeddings-key"
    with pytest.raises(EmbeddingsUnavailable, match="OPENAI_API_KEY"):
        OpenAI(Wanted("openai", None, "", "OPENAI_API_KEY"))


def test_a_server_that_hangs_or_is_not_there_is_offline(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SECONDS", 0.2)
    assert refused(server, "hang").code == "embeddings-offline"
    server.close()
    assert refused(server, "").code == "embeddings-offline"


def test_a_server_with_a_short_window_gets_the_beginnings(server: Loopback) -> None:
    server.always = "long"
    made = provider(server)
    assert len(made.encode(["a" * 5_000, "b"])) == 2 and len(made.encode(["c" * 5_000])) == 1
    assert [max(map(len, each["input"])) for each in server.requests] == [5_000, 1_000, 1_000]


def test_another_address_in_the_environment_moves_nothing(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.example/v1")
    assert str(OpenAI(Wanted("openai", None, KEY, "OPENAI_API_KEY"))._client.base_url).startswith(room.ADDRESS)
    assert provider(server).encode(["a"]).shape == (1, 26)
