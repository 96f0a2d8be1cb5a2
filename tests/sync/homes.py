"""Devices of a test: real homes whose logs are written and exchanged by the product's own code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from session_memory import paths
from session_memory.log import reader, secret, spool
from session_memory.log.journal import Journal
from session_memory.log.line import Line
from session_memory.model.record import EVENT, Draft, Record
from session_memory.sync import keys
from session_memory.sync.exchange import Exchange
from session_memory.sync.remote import Remote
from session_memory.sync.report import Report

SPACE = bytes(range(32))
SECRET = bytes(range(1, 33))


class Device:
    """One home, and how it exchanges."""

    def __init__(self, root: Path | str, *, secrets: tuple[bytes, ...] = (SECRET,), roll_bytes: int = 1 << 26) -> None:
        self.home = paths.Home(str(root))
        paths.make_dir(self.home.storage)
        if not os.path.exists(self.home.secret):
            paths.write_whole(self.home.secret, "\n".join(each.hex() for each in secrets).encode())
        keys.adopt(self.home, SPACE)
        self.roll_bytes = roll_bytes
        self.known: dict[str, Any] = {}
        self.open()

    def open(self) -> None:
        """As a process that starts."""
        self.journal = Journal(self.home, roll_bytes=self.roll_bytes)
        self.journal.settle()

    def say(self, text: str, *, key: str | None = None, **more: Any) -> Record:
        body = {"session": "s", "project": "p", "category": "decision", "type": "t", "data": {"text": text, **more}}
        return self.journal.append([Draft(EVENT, body, key=key)])[0]

    def forget(self, *records: Record, texts: tuple[str, ...] = ()) -> None:
        self.journal.forget([(each.id, each.key) for each in records], list(texts))
        self.journal.finish_forgetting()

    def sync(self, remote: Remote, **how: Any) -> Report:
        return Exchange(self.home, self.journal, remote, keys.Keys(SPACE), self.known).run(**how)

    def lines(self) -> dict[str, list[Line]]:
        """Every line by origin."""
        with reader.Logs(self.home) as logs:
            found = {
                log.origin: [p.line for part in log.parts for p in reader.places(part) if p.line is not None]
                for log in logs
            }
        return {origin: lines for origin, lines in found.items() if lines}

    def bytes_by_origin(self) -> dict[str, bytes]:
        return {origin: b"".join(each.raw + b"\n" for each in lines) for origin, lines in self.lines().items()}

    def ids(self) -> list[str]:
        """Of every record, those that wait in the spool as well."""
        found = [each.id for lines in self.lines().values() for each in lines]
        for name in spool.names(self.home):
            taken = spool.take(self.home, name)
            found += [each.id for each in taken.records] if taken is not None else []
        if os.path.exists(self.home.next):
            found += [place.line.id for place in reader.places(self.home.next) if place.line is not None]
        return found

    def origin(self) -> str:
        with reader.Logs(self.home) as logs:
            return logs.all[0].origin

    def texts(self) -> list[str]:
        found = [
            (each.hlc, each.id, each)
            for lines in self.lines().values()
            for each in lines
            if each.kind == EVENT and each.body
        ]
        return [
            str((reader.record(self.home, each).body or {})["data"]["text"])
            for _hlc, _id, each in sorted(found, key=lambda x: x[:2])
        ]

    def everything(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(Path(self.home.root).rglob("*")) if path.is_file())


def secret_of(device: Device) -> bytes:
    return secret.load(device.home)
