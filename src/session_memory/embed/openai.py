"""Vectors from OpenAI, or from any server that speaks its protocol, through the official SDK.

One request, no retries of the SDK: when to try again is decided in one place (actions/meaning.py). Texts are cut so that no
request is over the service's limits: a token is at least one byte.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import openai

from session_memory.embed.provider import TOLD, Wanted, no_key, wrong
from session_memory.errors import EmbeddingsUnavailable
from session_memory.model.plain import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = "text-embedding-3-small"
ADDRESS = "https://api.openai.com/v1"  # always said: OPENAI_BASE_URL must not move the memory to another server
SHORTENED = "text-embedding-3"  # models whose vectors may be cut
WIDE = 512  # of 1,536 numbers: a third of the memory for about a point of recall, as OpenAI states it
MOST_TEXTS, MOST_BYTES, LONGEST = 128, 280_000, 8_000  # of one request; bytes of one text
SHORT = 1_000  # bytes of a text for a server that does not take longer ones
SECONDS = 30.0  # for one request
LONGEST_WAIT = 3_600.0  # seconds that a server may ask for
SPENT = 3_600.0


class OpenAI:
    """The provider `openai`. Raises EmbeddingsUnavailable (embeddings-key) without a key for OpenAI itself."""

    def __init__(self, wanted: Wanted) -> None:
        if not wanted.key and not wanted.base_url:
            raise no_key(wanted)
        if not (wanted.key.isascii() and wanted.key.isprintable()):
            what = f"The key in {wanted.key_name} holds characters that no key has."
            raise EmbeddingsUnavailable("embeddings-key", what, "Copy it anew.")
        self._name = wanted.model or MODEL
        self._key_name = wanted.key_name
        self._address = wanted.base_url or ADDRESS
        self._wide = WIDE if self._name.startswith(SHORTENED) else None
        where = f" at {wanted.base_url}" if wanted.base_url else ""
        self.model = f"openai:{self._name}{f'/{WIDE}' if self._wide else ''}{where}"
        self._short = False  # the server has refused long texts
        self._client = openai.OpenAI(
            api_key=wanted.key or "none", base_url=self._address, timeout=SECONDS, max_retries=0
        )

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Rows as the server gives them. Raises EmbeddingsUnavailable."""
        rows: list[NDArray[np.float32]] = []
        for some in _requests(texts):
            try:
                rows += self._asked(some)
            except EmbeddingsUnavailable as error:
                longest = max(len(each.encode()) for each in some)
                if error.code != "embeddings-refused" or self._short or longest <= SHORT:
                    raise
                rows += self._asked([_cut(each, SHORT) for each in some])
                self._short = True
        if len({len(row) for row in rows}) > 1:
            raise wrong(self.model, "vectors of different lengths")
        return np.array(rows, np.float32)

    def _asked(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One request."""
        texts = [_cut(each, SHORT) for each in texts] if self._short else texts
        more: dict[str, Any] = {"dimensions": self._wide} if self._wide else {}
        try:
            answer = self._client.embeddings.with_raw_response.create(
                model=self._name, input=list(texts), encoding_format="base64", **more
            )
            body = json.loads(answer.http_response.content)
            found = sorted(body["data"], key=lambda each: each["index"])
            rows = [_numbers(each["embedding"]) for each in found]
        except openai.APIError as error:
            raise self._told(error) from None  # the chain would hold the request, and with it the key
        except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
            raise wrong(self.model, f"something that is no list of embeddings ({type(error).__name__})") from error
        if [each["index"] for each in found] != list(range(len(texts))):
            raise wrong(self.model, f"{len(found)} vectors for {len(texts)} texts")
        return rows

    def _told(self, error: openai.APIError) -> EmbeddingsUnavailable:
        """What the SDK raises, as a sentence with what to do about it and when to try again."""
        where = self._address
        if isinstance(error, openai.APITimeoutError):
            what = f"{where} did not answer within {SECONDS:.0f} seconds."
            return EmbeddingsUnavailable("embeddings-offline", what, "It is tried again.", wait=0.0)
        if not isinstance(error, openai.APIStatusError):
            cause = plain(str(error.__cause__ or error.message))[:TOLD]
            what = f"{where} could not be reached ({cause})."
            return EmbeddingsUnavailable("embeddings-offline", what, "It is tried again.", wait=0.0)
        status = error.status_code
        if status in (401, 403):
            what = f"{where} does not accept the key in {self._key_name} ({status})."
            return EmbeddingsUnavailable(
                "embeddings-key",
                what,
                f"Correct {self._key_name} and start the client again, or run: session-memory embed",
            )
        wait = _retry_after(error)
        if status == 429 and error.code == "insufficient_quota":
            what = f"The quota at {where} is used up (429)."
            return EmbeddingsUnavailable("embeddings-quota", what, "Look at your account there.", wait=max(wait, SPENT))
        if status in (408, 409, 429):
            what = f"{where} asks for fewer calls ({status})."
            return EmbeddingsUnavailable("embeddings-busy", what, "It is tried again.", wait=wait)
        if status >= 500:
            what = f"{where} answered with an error of its own ({status})."
            return EmbeddingsUnavailable("embeddings-failed", what, "It is tried again.", wait=wait)
        said = f", {plain(error.code)[:TOLD]}" if error.code else ""  # its sentence could quote what was sent
        what = f"{where} does not take the request for {self._name} ({status}{said})."
        return EmbeddingsUnavailable("embeddings-refused", what, "Check features.embeddings.model and base_url.")


def _requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts, cut, in portions that one request may carry."""
    some: list[str] = []
    room = MOST_BYTES
    for text in texts:
        cut = _cut(text, LONGEST)
        size = len(cut.encode())
        if some and (len(some) >= MOST_TEXTS or size > room):
            yield some
            some, room = [], MOST_BYTES
        some.append(cut)
        room -= size
    if some:
        yield some


def _cut(text: str, most: int) -> str:
    """The first so many bytes; a full stop for a text without any, which the service does not take."""
    clean = text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
    return clean if clean.strip() else "."


def _numbers(given: object) -> NDArray[np.float32]:
    """A vector as base64 (what is asked for) or as a list (what some servers give). Raises ValueError, TypeError."""
    if isinstance(given, str):
        return np.frombuffer(base64.b64decode(given, validate=True), "<f4")
    if not isinstance(given, list) or not all(type(each) in (int, float) for each in given):
        raise TypeError("neither base64 nor a list of numbers")
    return np.array(given, np.float32)


def _retry_after(error: openai.APIStatusError) -> float:
    """The seconds that a server asks for; 0 where it does not say."""
    try:
        asked = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return 0.0
    return min(max(asked, 0.0), LONGEST_WAIT) if asked == asked else 0.0
