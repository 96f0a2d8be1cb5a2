"""Cloudflare as the place where devices meet: rows in D1 through its REST API, blobs in R2.

Each of the six statements is one SQL statement, because only that is promised to happen whole or not at all; several travel in
one call where they do not depend on each other. Everything goes in as text: D1 takes few parameters (100), and JSON between us
would round numbers of more than 53 bits.

A call that got no answer is made again (calls.py), so a writing statement may meet its own first try: what lies there with our
sha was ours. Only then; the first try tells the bare truth.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_memory.errors import RemoteError
from session_memory.sync.calls import Calls
from session_memory.sync.cloudflare import API, PARTS, Cloudflare, check_address, checked
from session_memory.sync.r2 import R2
from session_memory.sync.remote import MOST_CALL, Head, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_SEGMENTS = 3  # of one appending call: D1 runs it within 30 seconds
MOST_ROWS = 250  # of a page, from each origin: small segments
START = "0" * 64  # the chain before an origin's first line
INDEX_ROWS = 5_000  # of one call that lists segments without bodies, about 1.5 MB

# size stands before body, so that measuring rows reads no body; segments that lack bodies are few, and have an index
TABLES = (
    "create table if not exists seg (origin text not null, lo integer not null, hi integer not null, ver integer not null,"
    " prev text not null, chain text not null, nulls integer not null, sha text not null, size integer not null,"
    " body text not null, primary key (origin, lo)) strict, without rowid",
    "create index if not exists seg_nulls on seg (origin, nulls) where nulls > 0",
    "create table if not exists words (word text primary key not null, value text not null) strict, without rowid",
)
WORDS = "insert into words select key, value from json_each(?1) where true on conflict do nothing"
ALL_WORDS = "select word, value from words order by word"

# every origin by a seek of its own: `distinct` would read every row
ORIGINS = (
    "origins(origin) as (select min(origin) from seg union all select (select min(s.origin) from seg s where"
    " s.origin > o.origin) from origins o where o.origin is not null)"
)
HEADS = (
    f"with recursive {ORIGINS} select s.origin, cast(s.hi as text), s.chain, cast(coalesce((select sum(n.nulls) from seg n"
    " where n.origin = s.origin and n.nulls > 0), 0) as text) from origins o cross join seg s where s.origin = o.origin and s.lo ="
    " (select max(m.lo) from seg m where m.origin = o.origin) order by s.origin"
)
FRAME = "s.origin, cast(s.lo as text), cast(s.hi as text), cast(s.ver as text), s.prev, s.chain, cast(s.nulls as text), s.sha"
INDEX = (
    f"select {FRAME}, '' from seg s where s.origin = ?1 and s.lo > cast(?2 as integer) order by s.lo limit {INDEX_ROWS}"
)
# from each origin the segment that holds the first line not had, and those after it; then as many as fit. `cross join` keeps
# the order of the loops: any other would read every row
PAGE = (
    f"with recursive had(origin, hi) as (select key, value from json_each(?1)), {ORIGINS},"
    " want(origin, hi, lo) as (select o.origin, coalesce(h.hi, 0), coalesce((select max(b.lo) from seg b where"
    " b.origin = o.origin and b.lo <= coalesce(h.hi, 0)), 0) from origins o left join had h on h.origin = o.origin"
    " where o.origin is not null),"
    " near(origin, lo, size) as (select s.origin, s.lo, s.size from want w cross join seg s where s.origin = w.origin and"
    " s.lo in (select n.lo from seg n where n.origin = w.origin and n.lo >= w.lo and n.hi > w.hi order by n.lo"
    f" limit {MOST_ROWS})),"
    " fit(origin, lo, before) as (select origin, lo, sum(size) over (order by origin, lo) - size from near"
    f" order by origin, lo limit {MOST_ROWS})"
    f" select {FRAME}, s.body from fit f cross join seg s where s.origin = f.origin and s.lo = f.lo"
    " and (f.before = 0 or f.before + s.size <= cast(?2 as integer)) order by s.origin, s.lo"
)
LAST = "from seg where origin = ?1 order by lo desc limit 1"
APPEND = (
    "insert into seg select ?1, cast(?2 as integer), cast(?3 as integer), cast(?4 as integer), ?5, ?6, cast(?7 as integer), ?8,"
    f" length(?9), ?9 where coalesce((select hi {LAST}), 0) = cast(?2 as integer) - 1"
    f" and coalesce((select chain {LAST}), '{START}') = ?5 on conflict do nothing returning 1"
)
REPLACE = (
    "update seg set ver = cast(?4 as integer), nulls = cast(?7 as integer), sha = ?8, size = length(?9), body = ?9 where"
    " origin = ?1 and lo = cast(?2 as integer) and hi = cast(?3 as integer) and prev = ?5 and chain = ?6 and sha = ?10"
    " returning 1"
)
THERE = "select 1 from seg where origin = ?1 and lo = cast(?2 as integer) and sha = ?3"


class D1:
    """A `Remote`: one D1 database and one R2 bucket of one account. The addresses are Cloudflare's own unless the caller, who
    must not take them from a project, names others. Not for several threads at once."""

    def __init__(
        self,
        account: str,
        token: str,
        database: str,
        bucket: str,
        *,
        base_url: str = "",
        s3_endpoint: str = "",
        names: tuple[str, str, str, str] = (PARTS[0][1], PARTS[1][1], PARTS[2][1], PARTS[3][1]),
        calls: Calls | None = None,
    ) -> None:
        """Connects to nothing yet. names: the variables that the four came from. Raises RemoteError (no-remote)."""
        checked((account, token, database, bucket), names)
        check_address("CF_API_BASE_URL", base_url)
        check_address("CF_R2_ENDPOINT_URL", s3_endpoint)
        self.url = f"d1://{account}/{database}"
        self.calls = calls or Calls()
        cloudflare = Cloudflare(self.calls, token, base_url or API)
        self._ask_cloudflare = cloudflare.ask
        self._path = f"/accounts/{account}/d1/database/{database}/raw"
        endpoint = s3_endpoint or f"https://{account}.r2.cloudflarestorage.com"
        self._blobs = R2(self.calls, endpoint, bucket, database, lambda: cloudflare.token_id(account), token)

    def open(self, words: Mapping[str, str]) -> dict[str, str]:
        """Make what is missing; note `words` that are not noted yet; return all of them. Raises RemoteError."""
        made: list[tuple[str, list[str]]] = [(statement, []) for statement in TABLES]
        results, _tried = self._ask([*made, (WORDS, [json.dumps(dict(words))]), (ALL_WORDS, [])])
        return {row[0]: row[1] for row in results[-1] if _texts(row, 2)}

    def heads(self) -> list[Head]:
        """One for each origin. Raises RemoteError."""
        (rows,), _tried = self._ask([(HEADS, [])])
        texts = [_texts(row, 4) for row in rows]
        return [Head(origin, _number(hi), chain, _number(nulls)) for origin, hi, chain, nulls in texts]

    def index(self, origin: str) -> list[Segment]:
        """An origin's segments in order, without bodies. Raises RemoteError."""
        found: list[Segment] = []
        while True:
            (rows,), _tried = self._ask([(INDEX, [origin, str(found[-1].lo if found else 0)])])
            found += [_segment(row) for row in rows]
            if len(rows) < INDEX_ROWS:
                return found

    def page(self, after: Mapping[str, int], most: int = 4_000_000) -> list[Segment]:
        """Segments above what is had, ordered by (origin, lo): about `most` bytes, at least one. Raises RemoteError."""
        (rows,), _tried = self._ask([(PAGE, [json.dumps(dict(after)), str(most)])])
        return [_segment(row) for row in rows]

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        """Append each where the origin's last line is the one before it; False: it was not. Raises RemoteError; then those of
        earlier calls, three segments each, have happened."""
        done: list[bool] = []
        for batch in _batches(segments):
            asked = [(APPEND, _params(each)) for each in batch]
            asked += [(THERE, [each.origin, str(each.lo), each.sha]) for each in batch]
            results, tried = self._ask(asked)
            ours = results[len(batch) :]
            done += [bool(rows) or bool(tried and there) for rows, there in zip(results, ours)]
        return done

    def replace(self, segment: Segment, sha: str) -> bool:
        """Put it in the place of the one that stands for the same lines and whose sha is `sha`; False: there is none. Raises
        RemoteError."""
        there = (THERE, [segment.origin, str(segment.lo), segment.sha])
        (rows, ours), tried = self._ask([(REPLACE, [*_params(segment), sha]), there])
        return bool(rows) or bool(tried and ours)

    def put(self, name: str, content: bytes) -> None:
        """Keep a blob where there is none of this name; empty content always replaces. Raises RemoteError."""
        self._blobs.put(name, content)

    def get(self, name: str) -> bytes | None:
        """A blob's content; None: there is none of this name. Raises RemoteError."""
        return self._blobs.get(name)

    def close(self) -> None:
        """Let go of open connections."""
        self.calls.close()

    def _ask(self, statements: Sequence[tuple[str, list[str]]]) -> tuple[list[list[list[Any]]], int]:
        """The rows of each statement, all in one call, and how many tries went before."""

        def shape(result: Any) -> list[list[list[Any]]]:
            rows = [each["results"]["rows"] for each in result if each["success"] is True]
            if len(rows) != len(statements) or not all(isinstance(row, list) for each in rows for row in each):
                raise ValueError(f"{len(rows)} results for {len(statements)} statements")
            return rows

        return self._ask_cloudflare("POST", self._path, _batch(statements), shape)


def _batch(statements: Sequence[tuple[str, list[str]]]) -> bytes:
    batch = [{"sql": sql, "params": params} if params else {"sql": sql} for sql, params in statements]
    return json.dumps({"batch": batch}, ensure_ascii=False, separators=(",", ":")).encode()


def _params(segment: Segment) -> list[str]:
    numbers = [str(each) for each in (segment.lo, segment.hi, segment.ver)]
    return [segment.origin, *numbers, segment.prev, segment.chain, str(segment.nulls), segment.sha, segment.body]


def _batches(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """In order, as many as one call takes: no call is longer than MOST_CALL bytes, unless a single segment is."""
    frame = len(_batch([(APPEND, []), (THERE, [])]))
    batch: list[Segment] = []
    size = 0
    for each in segments:
        own = frame + 2 * (len(_batch([("", _params(each))])) - len(each.body)) + len(each.body)
        if batch and (len(batch) == MOST_SEGMENTS or size + own > MOST_CALL):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += own
    if batch:
        yield batch


def _segment(row: list[Any]) -> Segment:
    origin, lo, hi, ver, prev, chain, nulls, sha, body = _texts(row, 9)
    return Segment(origin, _number(lo), _number(hi), _number(ver), prev, chain, _number(nulls), sha, body)


def _texts(row: list[Any], count: int) -> list[str]:
    if len(row) != count or not all(isinstance(each, str) for each in row):
        raise _damaged(f"a row that is not {count} texts")
    return row


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _damaged("something else where a number was written")
    return int(text)


def _damaged(what: str) -> RemoteError:
    return RemoteError(
        "remote-damaged", f"The table on D1 holds {what}.",
        "Nothing was taken over. If others write to this database, give the memory one of its own (CF_D1_DATABASE_ID).",
    )  # fmt: skip
