"""Meaning: how near events are to a query, by the provider that the user consented to or by the table that we ship."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from session_memory import ids
from session_memory.errors import SessionMemoryError
from session_memory.extract.reading import install_command
from session_memory.index import embedded
from session_memory.index.database import FAILURES
from session_memory.settings import one_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from session_memory.actions.embedding import Embedding
    from session_memory.actions.opened import Opened
    from session_memory.embed.local import Local
    from session_memory.embed.provider import Wanted
    from session_memory.index.database import Database
    from session_memory.index.near import Near
    from session_memory.index.vectors import Vectors
    from session_memory.settings import Settings

    Progress = Callable[[int, int], None]

FILL_SECONDS = 0.25  # of one call that go into vectors that are missing
LOAD_SECONDS = 0.05  # of one small step that go into those that are kept
LOCAL, OPENAI = "local", "openai"
PACKAGE = "openai>=3,<4"
CLEAR = re.compile(r"http://(?!localhost\b|127\.|\[::1\])", re.IGNORECASE)  # an address to which texts go unencrypted
MOST_ROWS = 10_000  # vectors of texts that are remembered: 10 MB
STEP_SECONDS = 0.02  # between two looks whether a provider has answered
MOST_FAILURES, LONGEST_WAIT = 4, 60.0  # in a row, and seconds: then `finish` gives up


@dataclass
class Nearness:
    """How near events are to a query. near None: words alone rank, `off` says why. note: why the table stands in."""

    near: Near | None = None
    model: str = ""
    behind: int = 0
    off: str = ""
    note: str = ""


def chosen(settings: Settings) -> tuple[str, str]:
    """The provider that the settings ask for, and why it is another one than they seem to ask for ("": it is not).

    Every provider but `local` sends texts, so it needs `features.embeddings.enabled`.
    """
    name, enabled = settings.value("features.embeddings.provider"), settings.value("features.embeddings.enabled")
    if name == LOCAL or (not enabled and name is None):
        return LOCAL, ""
    if not enabled:
        return LOCAL, f"{name} is named, but features.embeddings.enabled is not true: nothing is sent."
    lacks = _openai_lacks(settings) if name in (None, OPENAI) else ""
    return (LOCAL, f"features.embeddings is enabled, but {lacks}") if lacks else (name or OPENAI, "")


def _openai_lacks(settings: Settings) -> str:
    """What must be done before OpenAI can be asked."""
    if find_spec("openai") is None:
        return (
            f"the package openai is not installed here. Run: {install_command([PACKAGE], OPENAI)} [embeddings-missing]"
        )
    variable = settings.value("features.embeddings.api_key_env")
    if not settings.embeddings_key and not settings.value("features.embeddings.base_url"):
        return f"{variable} is not set. Put {variable}=... into ~/.claude/.env. [embeddings-key]"
    return ""


def report(opened: Opened) -> dict[str, Any]:
    """How search by meaning stands: provider, model, embedded of events, note, trouble, trouble_at. Asks nobody; never raises."""
    name, why = chosen(opened.settings)
    found: dict[str, Any] = {"provider": name, "embedded": 0, "events": 0}
    address = str(opened.settings.value("features.embeddings.base_url") or "")
    if name != LOCAL and CLEAR.match(address):
        why = f"What is sent to {address} is not encrypted on its way."
    try:
        row = opened.index.database().one("SELECT count(*) FROM event")
        found["events"] = row[0] if row else 0
        if name == LOCAL:
            found["model"] = embedded.LOCAL_MODEL
            found["embedded"] = embedded.count(opened.home.vectors, embedded.LOCAL_MODEL)
        else:
            known = embedded.standing(opened.home.vectors, name) or embedded.Standing("", 0, "", 0)
            found.update(model=known.model or None, embedded=known.events)
            if known.trouble:
                found.update(trouble=known.trouble, trouble_at=ids.at_text(known.at))
    except (*FAILURES, OSError, SessionMemoryError) as error:
        found["trouble"] = f"the vectors cannot be read ({error})"
    if why:
        found["note"] = why
    return {key: value for key, value in found.items() if value is not None}


class Meaning:
    """The vectors of one home: the table's, and those of a provider where the user wants one."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._local: tuple[Local, Vectors] | None = None
        self._name, self._why = chosen(opened.settings)
        self._embedding: Embedding | None = None
        self._rows: dict[str, NDArray[np.float32]] = {}  # of texts that are compared again and again
        self._off = ""  # why search by meaning is off

    def near(self, database: Database, query: str) -> Nearness:
        """How near every event is to a query; never raises for what vectors lack."""
        try:
            note = self._why
            embedding = self._provider()
            if embedding is not None:
                note = embedding.ready(database)
                row, refused = (None, note) if note else embedding.asked(query)
                if row is not None and embedding.vectors is not None:
                    behind = embedding.vectors.missing(database)
                    return Nearness(embedding.vectors.near(row), embedding.model, behind)
                note = refused
            encoder, vectors = self.local()
            until = ids.monotonic() + FILL_SECONDS
            vectors.load(database, until)
            vectors.settle(database)
            while ids.monotonic() < until and vectors.fill(database, encoder.encode):
                pass
            row = encoder.encode([query])[0]
        except ImportError as error:
            return Nearness(off=f"a package is missing ({error.name}); install session-memory again")
        except (*FAILURES, OSError) as error:  # the file of vectors: words still rank
            return Nearness(off=f"vectors cannot be used ({error})")
        near = vectors.near(row) if len(vectors) and row.any() else None
        return Nearness(near, encoder.model, vectors.missing(database), self._off, note)

    def alike(self, query: str, texts: Sequence[str]) -> list[float]:
        """How near each text is to the query, by the table (cosines; none where it cannot be used). Nothing is kept or sent."""
        try:
            encoder = self.local()[0]
        except (ImportError, OSError):
            return []
        new = [each for each in dict.fromkeys((query, *texts)) if each not in self._rows]
        if len(self._rows) + len(new) > MOST_ROWS:
            self._rows.clear()
            new = list(dict.fromkeys((query, *texts)))
        self._rows.update(zip(new, encoder.encode(new)))
        asked = self._rows[query]
        return [float(self._rows[each] @ asked) for each in texts]

    def go_on(self) -> bool:
        """Make the vectors of a few more events; returns whether some may be missing. The table's only once somebody searches."""
        try:
            embedding = self._provider()
            if embedding is not None:
                return embedding.step()
            if self._local is None:
                return False
            encoder, vectors = self._local
            database = self._opened.index.database()
            vectors.load(database, ids.monotonic() + LOAD_SECONDS)
            return vectors.fill(database, encoder.encode) > 0 or vectors.warm()
        except ImportError as error:
            self._off = f"a package is missing ({error.name})"
        except (*FAILURES, OSError, SessionMemoryError) as error:
            self._off = f"vectors could not be kept ({error})"
        return False

    def finish(self, progress: Progress) -> dict[str, Any]:
        """Make all vectors that are missing, with bounded retries; returns `report`, with `complete`.

        Raises IndexUnavailable, apsw.Error, OSError, ImportError.
        """
        database = self._opened.read()
        embedding = self._provider()
        if embedding is None:
            encoder, vectors = self.local()
            vectors.load(database)
            self._each(lambda: vectors.fill(database, encoder.encode) > 0, lambda: vectors, progress)
        else:
            embedding.again()
            failures = 0

            def step() -> bool:
                nonlocal failures
                pause = embedding.wait()
                failures += pause > 0
                if pause > LONGEST_WAIT or failures >= MOST_FAILURES:
                    return False
                ids.pause(max(pause, STEP_SECONDS))
                before = len(embedding.vectors or ())
                more = embedding.step()
                failures = 0 if len(embedding.vectors or ()) > before else failures
                return more

            self._each(step, lambda: embedding.vectors, progress)
        found = report(self._opened)
        return {**found, "complete": found["embedded"] >= found["events"]}

    def _each(self, step: Callable[[], bool], vectors: Callable[[], Vectors | None], progress: Progress) -> None:
        database, total = self._opened.index.database(), 0
        while step():
            made = vectors()
            if made is not None:
                total = max(total or len(made) + made.missing(database), len(made))  # counted once: it takes long
                progress(len(made), total)

    def _provider(self) -> Embedding | None:
        """The provider at work; None for the table. Raises ImportError."""
        if self._name != LOCAL and self._embedding is None:
            one_thread()
            from session_memory.actions.embedding import Embedding  # numpy: only for those who consented

            self._embedding = Embedding(self._opened, self._wanted())
        return self._embedding

    def _wanted(self) -> Wanted:
        from session_memory.embed.provider import Wanted

        settings = self._opened.settings
        return Wanted(
            self._name, settings.value("features.embeddings.model"), settings.embeddings_key,
            settings.value("features.embeddings.api_key_env"), settings.value("features.embeddings.base_url"),
        )  # fmt: skip

    def local(self) -> tuple[Local, Vectors]:
        """The table and its vectors, opened when they are first needed. Raises ImportError, OSError."""
        if self._local is None:
            one_thread()
            from session_memory.embed.local import Local  # numpy and the table: only for those who search
            from session_memory.index.vectors import Vectors

            encoder, keyed = Local(), self._opened.journal.keyed
            place = self._opened.home.vectors
            self._local = encoder, Vectors(place, encoder.model, encoder.wide, lambda text: keyed(f"text {text}"))
        return self._local
