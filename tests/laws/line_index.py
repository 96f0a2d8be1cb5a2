"""The index of the model: a fold over lines that can be thrown away, with a watermark per origin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.laws import line_model as fmt

if TYPE_CHECKING:
    from tests.laws.line_homes import Home
    from tests.laws.line_model import Line


class Row(NamedTuple):
    """What the index keeps of a record; never where it lies."""

    hlc: str
    id: str
    v: int
    kind: str
    key: str | None
    at: str
    body: str | None


class Mark(NamedTuple):
    """How far an origin was read. (seq, chain) is the truth; file and line are a hint."""

    seq: int
    chain: str
    file: str
    line: int


class Index:
    """Rows by id, and where each log was read to."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.marks: dict[str, Mark] = {}
        self.rebuilds = 0
        self.seeks = 0  # hints that were wrong

    def bodies(self) -> set[str]:
        return {id_ for id_, row in self.rows.items() if row.body is not None}

    def null(self, ids: set[str]) -> None:
        for id_ in ids & self.bodies():
            self.rows[id_] = self.rows[id_]._replace(body=None)

    def caught_up(self, home: Home) -> Index:
        """A new index at the end of every log of this home."""
        fresh = Index()
        fresh.rows, fresh.marks = dict(self.rows), dict(self.marks)
        fresh.rebuilds, fresh.seeks = self.rebuilds, self.seeks
        for origin in [home.origin, *home.foreign()]:
            if not fresh._follow(home, origin):
                fresh.rows, fresh.marks, fresh.rebuilds = {}, {}, fresh.rebuilds + 1
                for each in [home.origin, *home.foreign()]:
                    fresh._follow(home, each)
                break
        found = home.bans()
        fresh.null(found.ids)
        return fresh

    def _follow(self, home: Home, origin: str) -> bool:
        """Read this log from its mark on; False when the mark's chain is not there: then nothing known holds."""
        mark, done = self.marks.get(origin), 0
        lines = [(path, n, line) for path in home.log_files(origin) for n, line in self._lines(home, path)]
        if mark is not None:
            hinted = next((line for path, n, line in lines if (path, n) == (mark.file, mark.line)), None)
            if hinted is None or hinted.chain != mark.chain:
                if home.around.mutant == "watermark-by-offset":
                    return False
                self.seeks += 1
            if not any(line.seq == mark.seq and line.chain == mark.chain for _, _, line in lines):
                return False
            done = mark.seq
        for path, n, line in lines:
            if line.seq > done:
                self._apply(line)
                self.marks[origin] = Mark(line.seq, line.chain, path, n)
        return True

    @staticmethod
    def _lines(home: Home, path: str) -> list[tuple[int, Line]]:
        # the offset of a line moves with every body before it: the hint is the offset, as in a real file
        found, offset = [], 0
        for raw in fmt.split(home.files[path], home.around.mutant):
            line = fmt.read(raw)
            if line is not None:
                found.append((offset, line))
            offset += len(raw) + 1
        return found

    def _apply(self, line: Line) -> None:
        f, known = line.fields, self.rows.get(line.fields.id)
        if f.kind in fmt.EXEMPT:
            return
        same = Row(f.hlc, f.id, f.v, f.kind, f.key, f.at, None)
        if known is not None and known._replace(body=None) != same:
            raise AssertionError(f"one id, two records: {known} and {same}")
        body = None if line.body is None or (known is not None and known.body is None) else line.body.decode()
        self.rows[f.id] = same._replace(body=body)

    def state(self, version: int) -> dict[str, Any]:
        """What a reader of this version answers: settings by last writer, keyed statements once, newer lines skipped."""
        settings: dict[str, tuple[str, str, Any]] = {}
        once: dict[str, dict[str, Any]] = {}
        for row in sorted(self.rows.values()):
            if row.body is None or row.v > version:
                continue
            body = json.loads(row.body)
            if "set" in body:
                settings[body["set"]] = (row.hlc, row.id, body["to"])
            merged = once.setdefault(row.key or row.id, {"id": row.id})
            for name, value in body.items():
                merged.setdefault(name, value)
        return {"settings": settings, "once": once}
