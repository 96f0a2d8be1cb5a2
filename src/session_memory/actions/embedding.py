"""Embedding: the vectors of a provider that may take long or fail, made in the background, one small step after another.

A step never waits: the provider is called in a thread of its own, and the next step takes what it gave. One process of a home
does it at a time, so that nothing is paid for twice. When to try again is decided here: later with every failure, not before
the provider allows it, and not at all while something must be changed first.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.embed.provider import Call, Provider, Wanted, encoded, made
from session_memory.errors import EmbeddingsUnavailable, LogUnavailable
from session_memory.index import embedded
from session_memory.index.vectors import Vectors
from session_memory.log.lock import Lock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from session_memory.actions.opened import Opened
    from session_memory.index.database import Database
    from session_memory.index.vectors import Todo

    Rows = NDArray[Any]

MOST = 128  # events of one step
CUT = 8_000  # characters of a text that are sent
START_SECONDS, QUERY_SECONDS = 5.0, 1.5  # that a search waits for the provider to load, and for the vector of its query
WAITS = (2.0, 10.0, 60.0, 300.0, 900.0)  # seconds after the first, second, ... failure in a row
AFTER_QUERY = 30.0  # seconds without a query to the provider after one that failed
FEW, SHARE = 200, 0.02  # events without a vector yet that do not matter: the newest are found by their words
MOST_QUERIES = 64  # vectors of queries that are remembered


class Embedding:
    """One provider at work on one home. `trouble`: the last failure, None when all is well."""

    def __init__(self, opened: Opened, wanted: Wanted) -> None:
        self._opened = opened
        self._wanted = wanted
        self._provider: Provider | None = None
        self._making: Call[Provider] | None = None
        self._job: tuple[Todo, Call[Rows]] | None = None
        self._held = contextlib.ExitStack()
        self._failures = 0
        self._not_before = 0.0
        self._ask_again = 0.0
        self._noted = self._complete = False
        self._queries: dict[str, Rows] = {}
        self.vectors: Vectors | None = None
        self.trouble: EmbeddingsUnavailable | None = None

    @property
    def model(self) -> str:
        """What the provider calls its model; "" before it is loaded."""
        return self.vectors.model if self.vectors is not None else ""

    def wait(self) -> float:
        """Seconds until the next try; 0 now, infinite when something must be changed first."""
        return max(0.0, self._not_before - ids.monotonic())

    def again(self) -> None:
        """Forget earlier failures: somebody asks for a new try."""
        self._not_before = self._ask_again = 0.0

    def step(self) -> bool:
        """Do a little; returns whether there is more to do now or soon. Raises apsw.Error, OSError, IndexUnavailable."""
        if self.wait():
            return True
        try:
            vectors = self._loaded()
            if vectors is None:
                return True
            if self._job is not None:
                return self._taken(vectors)
            return self._begun(vectors)
        except EmbeddingsUnavailable as error:
            self._failed(error)
            return True

    def _loaded(self, seconds: float = 0.0) -> Vectors | None:
        """The vectors of the provider, once it is loaded. Raises EmbeddingsUnavailable."""
        if self.vectors is None:
            if self._making is None:
                self._making = Call(self._wanted.name, lambda: made(self._wanted))
            if not self._making.over(seconds):
                return None
            making, self._making = self._making, None
            self._provider = making.result()
            keyed = self._opened.journal.keyed
            name, model = self._wanted.name, self._provider.model
            named = model if model.startswith(f"{name}:") else f"{name}:{model}"
            self.vectors = Vectors(self._opened.home.vectors, named, 0, lambda text: keyed(f"text {text}"))
        return self.vectors

    def _begun(self, vectors: Vectors) -> bool:
        """Start on the next events that lack a vector."""
        database = self._opened.index.database()
        vectors.load(database)
        todo = None
        if vectors.missing(database):
            try:
                self._held.enter_context(Lock(self._opened.home.vectors_lock, 0.0))
            except LogUnavailable:
                return True  # another process is at it
            vectors.load(database)
            todo = vectors.todo(database, MOST)
        if todo is None:
            vectors.settle(database)
            self._held.close()
            if not self._complete and len(vectors):
                embedded.drop_others(self._opened.home.vectors, vectors.model)
                self._well(vectors)
                self._complete = True
            return False
        texts = [self._opened.journal.clean(text[:CUT]) for text in todo.new.values()]
        provider, wide = self._provider, vectors.wide
        assert provider is not None
        if texts:
            self._job = (todo, Call(self._wanted.name, lambda: encoded(provider, texts, wide)))
        else:
            vectors.keep(database, todo, None)
            self._held.close()
        return True

    def _taken(self, vectors: Vectors) -> bool:
        """Keep what the provider gave, once it has."""
        assert self._job is not None
        todo, call = self._job
        if not call.over():
            return True
        self._job = None
        with self._held.pop_all():
            vectors.keep(self._opened.read(), todo, call.result())
        if self._failures or not self._noted:
            self._well(vectors)
        return True

    def _well(self, vectors: Vectors) -> None:
        embedded.note(self._opened.home.vectors, self._wanted.name, vectors.model)
        self._failures, self.trouble, self._noted = 0, None, True

    def _failed(self, error: EmbeddingsUnavailable) -> None:
        pause = WAITS[min(self._failures, len(WAITS) - 1)]
        self._failures += 1
        self._not_before = math.inf if error.wait is None else ids.monotonic() + max(pause, error.wait)
        self.trouble, self._noted = error, False
        embedded.note(self._opened.home.vectors, self._wanted.name, self.model, str(error))

    def ready(self, database: Database) -> str:
        """Why a search cannot use these vectors now; "" when it can. Raises apsw.Error, OSError."""
        try:
            vectors = self._loaded(START_SECONDS)
        except EmbeddingsUnavailable as error:
            self._failed(error)
            return str(error)
        if vectors is None:
            return f"The embeddings provider {self._wanted.name} is still being loaded."
        vectors.load(database)
        missing = vectors.missing(database)
        if not len(vectors) or missing > max(FEW, SHARE * len(vectors)):
            made_so_far = f"{len(vectors):,} of {len(vectors) + missing:,} events have a vector of {vectors.model} yet."
            return f"{made_so_far} {self.trouble}" if self.trouble else made_so_far
        return ""

    def asked(self, query: str) -> tuple[Rows | None, str]:
        """The vector of a query, within a short time; else None, and why. Only when `ready`."""
        if query in self._queries:
            return self._queries[query], ""
        now = ids.monotonic()
        if now < max(self._not_before, self._ask_again):
            return None, str(self.trouble) if self.trouble else f"{self._wanted.name} did not answer a moment ago."
        provider, vectors, clean = self._provider, self.vectors, self._opened.journal.clean(query)
        assert provider is not None and vectors is not None
        call = Call(self._wanted.name, lambda: encoded(provider, [clean[:CUT]], vectors.wide))
        if not call.over(QUERY_SECONDS):
            self._ask_again = now + AFTER_QUERY
            return None, f"{vectors.model} did not answer within {QUERY_SECONDS:g} s."
        try:
            row = call.result()[0]
        except EmbeddingsUnavailable as error:
            self._ask_again = now + max(AFTER_QUERY, error.wait or 0.0)
            return None, str(error)
        if len(self._queries) >= MOST_QUERIES:
            del self._queries[next(iter(self._queries))]
        self._queries[query] = row
        return row, ""
