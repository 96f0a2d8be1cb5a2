"""What makes vectors of texts: one protocol for OpenAI and for what packages bring, made and called where nothing else can break.

The local table (local.py) needs none of this: it is there, it is fast, and it sends nothing. Everything else may take long,
hang or fail, so it is made and called in a thread of its own (`Call`), and whatever it raises becomes one sentence.
"""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from session_memory.errors import EmbeddingsUnavailable
from session_memory.model.plain import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROUP = "session_memory.embeddings"
OPENAI, LOCAL = "openai", "local"
LATER = 900.0  # seconds until a provider that raised is worth another try
TOLD = 200  # characters of somebody else's message

T = TypeVar("T")


class Provider(Protocol):
    """Makes vectors. What a package brings needs no more than these two."""

    model: str  # names everything that changes a vector, such as the model and a shortened width

    def encode(self, texts: Sequence[str]) -> Any:
        """One row of numbers a text, in their order: a list of lists or an array. May take long, and may raise anything."""


@dataclass(frozen=True)
class Wanted:
    """What the settings say of a provider."""

    name: str
    model: str | None = None
    key: str = ""
    key_name: str = ""  # the variable that holds the key
    base_url: str | None = None


def names() -> list[str]:
    """The providers that installed packages bring."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)} - {OPENAI, LOCAL})


def made(wanted: Wanted) -> Provider:
    """The provider of this name. Raises EmbeddingsUnavailable, and whatever a package's provider raises: see `Call`."""
    if wanted.name == OPENAI:
        from session_memory.embed.openai import OpenAI  # its SDK takes a second to load

        return OpenAI(wanted)
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.name == wanted.name:
            settings = {"model": wanted.model, "api_key": wanted.key or None, "base_url": wanted.base_url}
            provider: Provider = point.load()(settings)
            if not isinstance(getattr(provider, "model", None), str) or not callable(getattr(provider, "encode", None)):
                raise TypeError(f"{point.value} made no provider: it has no text `model` and no method `encode`")
            return provider
    there = ", ".join([LOCAL, OPENAI, *names()])
    raise EmbeddingsUnavailable(
        "embeddings-missing", f"No package here brings the embeddings provider {wanted.name[:60]!r}.",
        f"features.embeddings.provider can be: {there}.",
    )  # fmt: skip


class Call(Generic[T]):
    """One call of a provider, in a thread that ends with the process: nobody waits for a network longer than they want."""

    def __init__(self, name: str, do: Callable[[], T]) -> None:
        self._name = name
        self._do = do
        self._found: list[T] = []
        self._error: EmbeddingsUnavailable | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, name=f"embeddings {name}", daemon=True).start()

    def _run(self) -> None:
        try:
            self._found.append(self._do())
        except EmbeddingsUnavailable as error:
            self._error = error
        except BaseException as error:  # plugin isolation: a package's provider must not disturb what ranks without it
            said = plain(str(error))[:TOLD]
            self._error = EmbeddingsUnavailable(
                "embeddings-failed",
                f"The embeddings provider {self._name} raised {type(error).__name__}{f': {said}' if said else ''}.",
                "Correct or update its package; the local table ranks meanwhile.", wait=LATER,
            )  # fmt: skip
        self._over.set()

    def over(self, seconds: float = 0.0) -> bool:
        """Whether it has ended, or ends within so many seconds."""
        return self._over.wait(seconds) if seconds else self._over.is_set()

    def result(self) -> T:
        """What it gave; only when it is over. Raises EmbeddingsUnavailable."""
        if self._error is not None:
            raise self._error
        return self._found[0]


def encoded(provider: Provider, texts: Sequence[str], wide: int) -> NDArray[np.float32]:
    """One row of length 1 a text, of `wide` numbers (0: as many as the provider gives).

    Raises EmbeddingsUnavailable (embeddings-wrong, and what the provider says), and whatever else the provider raises.
    """
    given = provider.encode(list(texts))
    try:
        rows = np.asarray(given, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise wrong(provider.model, f"no table of numbers ({error})") from error
    if rows.ndim != 2 or len(rows) != len(texts):
        raise wrong(provider.model, f"an array of shape {rows.shape} for {len(texts)} texts")
    if not rows.shape[1] or (wide and rows.shape[1] != wide):
        raise wrong(provider.model, f"vectors of {rows.shape[1]} numbers instead of {wide or 'some'}")
    if not np.isfinite(rows).all():
        raise wrong(provider.model, "numbers that are none (NaN or infinite)")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def no_key(wanted: Wanted) -> EmbeddingsUnavailable:
    """The error of a missing key."""
    return EmbeddingsUnavailable(
        "embeddings-key", f"There is no key for OpenAI: {wanted.key_name} is not set.",
        f"Put {wanted.key_name}=... into ~/.claude/.env, and start the client again.",
    )  # fmt: skip


def wrong(model: str, what: str) -> EmbeddingsUnavailable:
    """The error of an answer that is not what was asked for: nothing of it is kept."""
    return EmbeddingsUnavailable(
        "embeddings-wrong", f"{model} answered with {what}; nothing of that was kept.",
        "Check features.embeddings.model and base_url in config.json.", wait=LATER,
    )  # fmt: skip
