"""Forgotten: what may not be kept and must not come back, as the forget records say, and the sweep that takes it out.

ADR 0001, rules 8 to 11 and 15. `forgotten.json` is a view of the forget records of all logs, so that a writer need not read
them; what it says is `pending` was cut short, and the next opening goes on with it: first the log, then the views.
"""

from __future__ import annotations

import os

from session_memory import paths
from session_memory.digest import blake2b, sha256
from session_memory.errors import SessionMemoryError
from session_memory.log import blobs, line, reader, secret
from session_memory.model.record import FORGET, ORIGIN
from session_memory.model.values import clean_text
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from session_memory.log.line import Line
    from session_memory.paths import Home

MOST_IDS = 150  # ids in one forget record
SHORTEST = 8  # bytes of a text that gets a fingerprint: a shorter one could be guessed
LEFT_OUT = "[FORGOTTEN]"
SAYING = frozenset("data title text summary name state description metadata tags config reason".split())
LOG, VIEWS = "log", "views"  # what is pending: the sweep, or only that nothing derived holds it any more
EXEMPT = (ORIGIN, FORGET)


class Bans:
    """What is forgotten in one home: ids, keys, fingerprints of texts; and what has yet to be done ("" when nothing)."""

    __slots__ = ("_secrets", "_sizes", "_tails", "blobs", "ids", "keys", "older", "pending", "texts")

    def __init__(self, secret_bytes: bytes, older: Sequence[bytes] = ()) -> None:
        self.ids: set[str] = set()
        self.keys: set[str] = set()
        self.texts: set[tuple[int, str, str]] = set()
        self.blobs: set[str] = set()  # long bodies that go once no line names them
        self.pending = ""
        self.older = older  # secrets that the home had before: fingerprints and keys made with them count as well
        self._secrets = {secret_mark(each): each for each in (secret_bytes, *older)}
        self._sizes: dict[tuple[int, bytes], set[str]] = {}
        self._tails: set[str] | None = None

    def add_text(self, size: int, mark: str, digest: str) -> None:
        """Take a fingerprint in; one made with another home's secret is kept, but cannot be searched for."""
        self.texts.add((size, mark, digest))
        if mark in self._secrets:
            self._sizes.setdefault((size, self._secrets[mark]), set()).add(digest)

    def bans(self, id_: str, key: str | None) -> bool:
        """Whether a record of this id or key is forgotten."""
        return id_ in self.ids or (key is not None and key in self.keys)

    def bans_words(self, digest: str) -> bool:
        """Whether a record whose key ends with this keyed hash of its words is forgotten: a copy of it has another key."""
        if self._tails is None:
            self._tails = {key.rpartition(":")[2] for key in self.keys if key.count(":") > 1}
        return digest in self._tails

    def clean_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """A body with every forgotten text replaced in what was said; what it belongs to (session, project, kind) stays."""
        if not self._sizes:
            return body
        return {name: self.clean(value) if name in SAYING else value for name, value in body.items()}

    def clean(self, value: Any) -> Any:
        """A JSON value with every forgotten text replaced, names included."""
        if isinstance(value, str):
            return self._clean_text(value)
        if isinstance(value, list):
            return [self.clean(each) for each in value]
        if isinstance(value, dict):
            return {self._clean_text(name): self.clean(each) for name, each in value.items()}
        return value

    def holds(self, body: dict[str, Any] | None) -> bool:
        """Whether a forgotten text stands anywhere in what a body says."""
        return bool(self._sizes) and any(next(self._found(each.encode("utf-8")), None) for each in strings(said(body)))

    def _clean_text(self, text: str) -> str:
        content, kept, at = text.encode("utf-8"), [], 0
        for begin, end in self._found(content):
            if begin >= at:
                kept += [content[at:begin], LEFT_OUT.encode()]
                at = end
        return b"".join([*kept, content[at:]]).decode("utf-8", "replace") if at else text

    def _found(self, content: bytes) -> Iterator[tuple[int, int]]:
        for begin in range(len(content)):
            if content[begin] & 0xC0 == 0x80:
                continue  # in the middle of a character
            for (size, key), digests in self._sizes.items():
                window = content[begin : begin + size]
                if len(window) == size and _digest(key, window) in digests:
                    yield begin, begin + size


class Swept:
    """What a sweep did."""

    __slots__ = ("blobs", "files", "lines")

    def __init__(self) -> None:
        self.lines = self.files = self.blobs = 0


def fingerprint(secret_bytes: bytes, text: str) -> list[Any] | None:
    """`[n, "k", "h"]` of a text: its bytes, whose secret, the keyed hash. None for one that is too short."""
    content = clean_text(text).encode("utf-8")
    if len(content) < SHORTEST:
        return None
    return [len(content), secret_mark(secret_bytes), _digest(secret_bytes, content)]


def secret_mark(secret_bytes: bytes) -> str:
    """Which secret a fingerprint was made with: the first 8 hex digits of its SHA-256."""
    return sha256(secret_bytes).hexdigest()[:8]


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from strings(each)


def said(body: dict[str, Any] | None) -> dict[str, Any]:
    """The members of a body that hold what people, models and tools said."""
    return {name: value for name, value in (body or {}).items() if name in SAYING}


def load(home: Home, secret_bytes: bytes) -> Bans:
    """What `forgotten.json` says; nothing where there is none. Raises OSError.

    A spoilt file counts as a sweep that has yet to end: the sweep makes it again from the forget records.
    """
    bans = Bans(secret_bytes, [each for each in secret.older(home) if each != secret_bytes])
    try:
        with open(paths.open_file(home.forgotten, os.O_RDONLY), "rb") as file:
            found = loads(file.read())
        bans.ids, bans.keys = set(found["ids"]), set(found["keys"])
        bans.blobs, bans.pending = set(found["blobs"]), str(found["pending"])
        for size, mark, digest in found["texts"]:
            bans.add_text(int(size), str(mark), str(digest))
    except FileNotFoundError:
        return bans
    except (ValueError, KeyError, TypeError):
        bans.pending = LOG
    return bans


def save(home: Home, bans: Bans) -> None:
    """Write `forgotten.json`. Raises OSError."""
    found = {"pending": bans.pending, "ids": sorted(bans.ids), "keys": sorted(bans.keys), "texts": sorted(bans.texts),
             "blobs": sorted(bans.blobs)}  # fmt: skip
    paths.write_whole(home.forgotten, dumps(found).encode() + b"\n")


def sweep(home: Home, secret_bytes: bytes) -> Swept:
    """Take what is forgotten out of every file of every log, under the store lock with the spool merged. Raises OSError.

    Whoever holds a file open goes on reading the old one until it looks again; its bytes go with the last of them.
    """
    bans, lines = _gathered(home, secret_bytes)
    bans.pending = LOG
    for _path, each in lines:
        if each.body is not None and bans.bans(each.id, each.key) and each.kind not in EXEMPT:
            bans.blobs |= _blobs_of(each)
    save(home, bans)  # the names of long bodies are noted before the lines that name them go
    swept = Swept()
    _drop_halves(home)
    for path in dict.fromkeys(path for path, _each in lines):
        count = _rewrite(path, bans)
        swept.lines += count
        swept.files += count > 0
    named = _still_named(lines, bans) if bans.blobs else set()
    if os.path.exists(home.sync_key):  # it may lie on the remote as well
        note_gone(home, gone(home) | (bans.blobs - named))
    for name in sorted(bans.blobs - named):
        try:
            os.unlink(os.path.join(home.blobs, name))
            swept.blobs += 1
        except FileNotFoundError:
            continue  # an earlier sweep that was cut short
    if os.path.lexists(home.torn) and (bans.ids or bans.texts):
        os.unlink(home.torn)  # pieces of lines: nobody can say of what
    bans.blobs, bans.pending = set(), VIEWS
    save(home, bans)  # whoever owns the views says when they do not hold it any more
    return swept


def gone(home: Home) -> set[str]:
    """The long bodies that went here and may lie on the remote still. Raises OSError."""
    try:
        with open(paths.open_file(home.gone, os.O_RDONLY), "rb") as file:
            return set(file.read().decode("ascii").split())
    except FileNotFoundError:
        return set()


def note_gone(home: Home, names: set[str]) -> None:
    """Say which these are, under the store lock. Raises OSError."""
    if names != gone(home):
        paths.write_whole(home.gone, "\n".join(sorted(names)).encode("ascii"))


def _drop_halves(home: Home) -> None:
    """Remove what a killed rewriting left behind: it may hold what is forgotten, and only the holder of the lock writes it."""
    folders = [home.storage, *(os.path.join(home.origins, each) for each in reader.origins(home))]
    starts = (".events", ".next.jsonl", f".{os.path.basename(home.events)}")
    for folder in [
        inner for each in folders for inner in (each, os.path.join(each, "segments")) if os.path.isdir(inner)
    ]:
        for name in os.listdir(folder):
            if name.startswith(starts) and name.endswith(".tmp"):
                os.unlink(os.path.join(folder, name))


def note_blobs(home: Home, secret_bytes: bytes, lines: Iterable[Line]) -> None:
    """Before bodies go that alone name their long bodies: note the names, so that the next sweep finds them. Raises OSError."""
    names = set().union(*(_blobs_of(each) for each in lines if each.body is not None))
    bans = load(home, secret_bytes)
    bans.pending = LOG
    bans.blobs |= names
    save(home, bans)


def _still_named(lines: list[tuple[str, Line]], bans: Bans) -> set[str]:
    """Long bodies that a line names which stays: a record may stand in two logs."""
    stays = (each for _path, each in lines if each.body is not None and not bans.bans(each.id, each.key))
    return set().union(*(_blobs_of(each) for each in stays if b'"blob":' in (each.body or b"")))


def finished(home: Home, secret_bytes: bytes) -> None:
    """Note that the views are clean. What the log has yet to lose stays pending. Raises OSError."""
    bans = load(home, secret_bytes)
    if bans.pending == VIEWS:
        bans.pending = ""
        save(home, bans)


def _gathered(home: Home, secret_bytes: bytes) -> tuple[Bans, list[tuple[str, Line]]]:
    """Everything the forget records ban, what it takes with it included; and all lines with the files they lie in."""
    bans, lines = load(home, secret_bytes), []
    bans.ids, bans.keys = set(), set()
    with reader.Logs(home) as logs:
        for part in (part for log in logs for part in log.parts):
            path = os.path.join(home.storage, *part.name.split("/"))
            lines += [(path, place.line) for place in reader.places(part) if place.line is not None]
    for _path, each in lines:
        if each.kind == FORGET and each.body is not None:
            body = each.parsed() or {}
            bans.ids |= set(body.get("ids", ()))
            bans.keys |= set(body.get("keys", ()))
            for size, mark, digest in body.get("texts", ()):
                bans.add_text(size, mark, digest)
    grown = True
    searched = False
    while grown:
        grown = False
        for _path, each in lines:
            if each.kind in EXEMPT:
                continue
            banned = each.body is None or bans.bans(each.id, each.key)
            if not banned and not searched:
                banned = _says(home, each, bans)
            if banned and (each.id not in bans.ids or (each.key is not None and each.key not in bans.keys)):
                bans.ids.add(each.id)
                bans.keys |= {each.key} if each.key is not None else set()
                grown = True
        searched = True
    return bans, lines


def _says(home: Home, found: Line, bans: Bans) -> bool:
    """Whether a line's body, a long one included, holds a forgotten text."""
    try:
        return bans.holds(reader.record(home, found).body)
    except SessionMemoryError:
        return False  # a body that cannot be read: the byte scan of the receipt names the file if the text is in it


def _blobs_of(found: Line) -> set[str]:
    body = found.parsed() or {}
    named = body.get("blob")
    return {str(named["sha"])} if isinstance(named, dict) and blobs.NAME.fullmatch(str(named.get("sha"))) else set()


def _rewrite(path: str, bans: Bans) -> int:
    """Null the banned lines of one file; returns how many."""
    with open(paths.open_file(path, os.O_RDONLY), "rb") as file:
        content = file.read()
    parts, at, count = [], 0, 0
    for place in reader.places(path):
        each = place.line
        if each is None or each.body is None or each.kind in EXEMPT or not bans.bans(each.id, each.key):
            continue
        parts += [content[at : place.offset], line.nulled(each.raw), b"\n"]
        at = place.end
        count += 1
    if count:
        paths.write_whole(path, b"".join([*parts, content[at:]]))
    return count


def _digest(secret_bytes: bytes, content: bytes) -> str:
    return blake2b(content, key=secret_bytes, digest_size=16).hexdigest()


def records_of(
    ids: Iterable[tuple[str, str | None]], texts: Iterable[str], secret_bytes: bytes
) -> list[dict[str, Any]]:
    """The bodies of the forget records that ban these ids with their keys, and these texts."""
    pairs = list(ids)
    marks = [mark for mark in (fingerprint(secret_bytes, text) for text in texts) if mark is not None]
    bodies = []
    for start in range(0, max(len(pairs), 1), MOST_IDS):
        some = pairs[start : start + MOST_IDS]
        keys = sorted({key for _id, key in some if key is not None})
        bodies.append({"ids": sorted({id_ for id_, _key in some}), "keys": keys, "texts": marks if start == 0 else []})
    return bodies
