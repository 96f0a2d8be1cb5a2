"""Whose log it is: `origin.json` says which origin writes here and on what machine, so that a copied home is noticed.

Two homes that go on writing one origin would be two histories under one name. So a home that was copied, restored or put
together from parts begins an origin of its own; the old lines stay as they are, as a foreign log (ADR 0001, rule 14).
A machine known to a home may come back to it (a home on a network drive): then nothing was copied.
"""

from __future__ import annotations

import os

from session_memory import ids, paths
from session_memory.digest import blake2b
from session_memory.log import reader, secret
from session_memory.log.tail import Tail
from session_memory.model.pattern import later
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from session_memory.paths import Home

MACHINE_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
CLOCK = later(r"[0-9]{13}\.[0-9]{4}")
MOST = 64 * 1024  # bytes of origin.json that are read


class Known:
    """What origin.json says. `was`: (origin, seq) that this home wrote before, while the change is not finished."""

    __slots__ = ("inode", "machines", "origin", "was")

    def __init__(self, origin: str, machines: list[str], inode: int, was: tuple[str, int] | None = None) -> None:
        self.origin = origin
        self.machines = machines
        self.inode = inode
        self.was = was


def here(home: Home, key: bytes) -> tuple[str, int]:
    """This machine (a keyed hash, "" where it has no name) and the storage folder's inode (0 where there is none)."""
    name = b""
    for path in MACHINE_FILES:
        try:
            with open(path, "rb") as file:
                name = file.read(200).strip()
        except OSError:
            continue
        if name:
            break
    machine = blake2b(name, key=key, digest_size=8).hexdigest() if name else ""
    return machine, os.stat(home.storage).st_ino


def read(home: Home) -> Known | None:
    """What origin.json says; None when there is none that can be used (then the log in place is taken as ours)."""
    try:
        fd = paths.open_file(home.origin, os.O_RDONLY)
    except OSError:
        return None
    with open(fd, "rb") as file:
        content = file.read(MOST)
    try:
        found: dict[str, Any] = loads(content)
        was = found.get("was")
        machines = [str(each) for each in found["machines"]]
        return Known(
            str(found["origin"]), machines, int(found["inode"]), (str(was["origin"]), int(was["seq"])) if was else None
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write(home: Home, known: Known) -> None:
    """Replace origin.json, whole. Raises OSError."""
    content: dict[str, Any] = {"origin": known.origin, "machines": known.machines, "inode": known.inode}
    if known.was is not None:
        content["was"] = {"origin": known.was[0], "seq": known.was[1]}
    paths.write_whole(home.origin, dumps(content).encode("ascii") + b"\n")


def rekey(home: Home, secrets: list[bytes]) -> None:
    """Take the first of these over as the home's secret, under the store lock; the home goes on as the origin that it is.

    This machine is named by a hash with the new secret before that is in force: else the home would look copied. Raises OSError.
    """
    known = read(home)
    machine, _inode = here(home, secrets[0])
    if known is not None and machine and machine not in known.machines:
        known.machines = [*known.machines, machine]
        write(home, known)
    secret.adopt(home, secrets)


def copied(known: Known, writes: str, machine: str, inode: int) -> bool:
    """Whether the log in place, which `writes` that origin, is a copy of one that somebody else may go on with."""
    moved = bool(known.inode and inode and known.inode != inode)
    elsewhere = bool(machine and known.machines and machine not in known.machines)
    return moved or elsewhere or known.origin != writes


def leave(home: Home, old: str) -> bool:
    """Make the log in place a foreign one, file by file; safe to repeat. False when there is a log of that origin already."""
    folder = os.path.join(home.origins, old)
    pairs = [(home.segments, os.path.join(folder, "segments")), (home.events, os.path.join(folder, reader.ACTIVE))]
    if any(os.path.lexists(source) and os.path.lexists(target) for source, target in pairs):
        return False
    paths.make_dir(home.origins)
    paths.make_dir(folder)
    for source, target in pairs:
        if os.path.lexists(source):
            paths.move(source, target)
    return True


def foreign_clock(home: Home) -> str:
    """The highest clock of what came from other origins, as noted; "" when nothing came. A writer asks at every record."""
    try:
        fd = paths.open_file(home.clock, os.O_RDONLY)
    except OSError:
        return ""
    try:
        noted = os.read(fd, 18).decode("ascii", "replace")
    finally:
        os.close(fd)
    return noted if CLOCK.fullmatch(noted) and int(noted[:13]) < ids.MAX_MS else ""


def note_clock(home: Home, hlc: str) -> None:
    """Note a clock that is coming from another origin, if it is the highest: before its line. Raises OSError."""
    if hlc > foreign_clock(home):
        paths.write_whole(home.clock, hlc.encode("ascii"))


def highest_clock(home: Home) -> str:
    """The highest clock in the foreign logs, "" without any: what is written here now comes after all that is known."""
    highest = foreign_clock(home)
    for name in reader.origins(home):
        folder = os.path.join(home.origins, name)
        files = [os.path.join(folder, "segments", each) for each in reader.segments(folder)]
        active = os.path.join(folder, reader.ACTIVE)
        for path in ([*files, active] if os.path.exists(active) else files)[-1:]:
            fd = paths.open_file(path, os.O_RDONLY)
            try:
                tail = Tail()
                tail.refresh(fd, files[:-1] if path in files else files)
            finally:
                os.close(fd)
            highest = max(highest, tail.hlc)
    return highest
