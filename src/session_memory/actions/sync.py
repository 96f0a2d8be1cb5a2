"""Exchanging with other devices: set it up, push and pull, say how it stands, carry the key over."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from session_memory import ids, paths
from session_memory.actions import configuration
from session_memory.actions.opened import Opened
from session_memory.errors import IndexUnavailable, InvalidInput, LogUnavailable, RemoteError, SessionMemoryError
from session_memory.extract.reading import install_command
from session_memory.index import checkpoints
from session_memory.log import extent, origin, secret
from session_memory.log.journal import Journal
from session_memory.log.lock import Lock
from session_memory.model.record import FORGET, ORIGIN
from session_memory.settings import USER_VARIABLES
from session_memory.sync import keys as sync_keys
from session_memory.sync.exchange import Exchange, nothing
from session_memory.sync.folder import SCHEME, Folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_memory.actions.forgetting import Forgetting
    from session_memory.sync.keys import Keys
    from session_memory.sync.remote import Remote
    from session_memory.sync.report import Progress, Report

D1 = "d1://"
NEEDS = {"cryptography": "cryptography>=46"}
NEEDS_D1 = {**NEEDS, "httpx": "httpx>=0.28,<1"}
# what `resource_types` may name: kinds of records, and the words of an older product for them
TYPES = ("session", "event", "checkpoint", "handoff", "learning", "outcome", "entity", "relation", "document", "project",
         "resume", "injection", "embedding")  # fmt: skip
LOCK_SECONDS = 10.0
SETTINGS = "features.cloud_sync"


@dataclass
class Job:
    """One exchange that is about to run, in whatever thread; `error`: what ended it early."""

    exchange: Exchange
    url: str
    push: bool
    force: bool
    dry_run: bool
    made_key: bool = False
    error: SessionMemoryError | None = None

    def run(self) -> None:
        """Do it. Raises nothing but what is a fault of ours: what went wrong stands in `error`."""
        try:
            self.exchange.run(push=self.push, force=self.force, dry_run=self.dry_run)
        except SessionMemoryError as error:
            self.error = error
        except OSError as error:
            self.error = LogUnavailable(
                "log-unwritable", f"The home's files cannot be used ({error.strerror or error})."
            )


class Sync:
    """What can be done with other devices."""

    def __init__(self, opened: Opened, forgetting: Forgetting) -> None:
        self._opened = opened
        self._forgetting = forgetting
        self._moment: int | None = None  # the clock of what `due` answered to last

    def init(self, url: str | None = None) -> dict[str, Any]:
        """Choose the remote, make what is missing there and the key here, and switch the feature on; nothing is sent yet.

        Raises RemoteError (no-remote, no-sync-key where the remote has another device's key), InvalidInput (bad-settings).
        """
        if url is None:
            self._must_be_set_up()
        remote = self._remote(url, make=True)
        keys, made = self._keys(remote, make=True)
        self._note_words(remote, keys, made=made)
        self._switch_on(url)
        return {
            "url": remote.url,
            "space": keys.space,
            "key": "made" if made else "kept",
            "key_file": self._opened.home.sync_key,
        }

    def push(
        self, *, force: bool = False, dry_run: bool = False, types: Sequence[str] = (), progress: Progress = nothing
    ) -> dict[str, Any]:
        """Pull, take out what is forgotten, and give the remote what it lacks; the first one makes tables and key.

        Returns what `sync_push` returns. Raises RemoteError, LogUnavailable; what was done before stands in `status`.
        """
        job = self.begin(push=True, force=force, dry_run=dry_run, types=types, progress=progress)
        job.run()
        return self.finish(job, types)

    def pull(
        self, *, force: bool = False, dry_run: bool = False, types: Sequence[str] = (), progress: Progress = nothing
    ) -> dict[str, Any]:
        """Take what the remote has and this home lacks; nothing is sent. As `push`."""
        job = self.begin(push=False, force=force, dry_run=dry_run, types=types, progress=progress)
        job.run()
        return self.finish(job, types)

    def begin(
        self,
        *,
        push: bool,
        force: bool = False,
        dry_run: bool = False,
        types: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> Job:
        """An exchange made ready; its `run` may be called in another thread. Raises InvalidInput, RemoteError."""
        opened = self._opened
        for each in types:
            if each not in TYPES:
                raise InvalidInput(
                    "bad-argument", f"resource_types names {each[:40]!r}.", f"There are: {', '.join(TYPES)}."
                )
        # the first push is all that somebody needs to do who has set the variables; one with a key was switched off on purpose
        first = push and not dry_run and not os.path.exists(opened.home.sync_key)
        self._must_be_set_up()
        if not first:
            opened.must_be_on("cloud_sync.enabled")
        remote = self._remote(None, make=first)
        keys, made = self._keys(remote, make=push and not dry_run)
        if made:
            self._note_words(remote, keys, made=True)
        if first:
            self._switch_on(None)
        journal = Journal(opened.home, durability=opened.settings.durability, warn=opened.warn)
        exchange = Exchange(opened.home, journal, remote, keys, self._state().get("known", {}), progress)
        return Job(exchange, remote.url, push, force, dry_run, made)

    def due(self) -> Job | None:
        """The exchange that a new checkpoint, handoff or end of a session asks for; None while nothing does. As `begin`.

        For a server, which asks again and again: each such moment gets one try, and one that failed waits for the next.
        """
        if not self._opened.settings.value(f"{SETTINGS}.enabled") or not os.path.exists(self._opened.home.sync_key):
            return None
        if self._moment is None:
            self._moment = int(self._state().get("moment", 0))
        newest = checkpoints.moment(self._opened.index.database())
        if newest <= self._moment:
            return None
        self._moment = newest
        return self.begin(push=True)

    def finish(self, job: Job, types: Sequence[str] = ()) -> dict[str, Any]:
        """Note what an exchange did, and bring the index up to it. Raises what ended the exchange."""
        report = job.exchange.report
        self._note(job, report)
        if not job.dry_run:
            self._apply()
        if job.error is not None:
            raise job.error
        told = report.as_json()
        if types:
            told["types"] = {kind: count for kind, count in report.kinds.items() if kind in types}
        if job.dry_run:
            told["dry_run"] = True
        if job.made_key:
            told["note"] = (
                "A key was made. Another device needs it: session-memory sync export-key FILE here, then there"
                " session-memory sync import-key FILE. Without it nobody can read what lies on the remote."
            )
        return told

    def _apply(self) -> None:
        self._forgetting.finish()  # what was forgotten elsewhere leaves the views, too
        try:
            self._opened.index.catch_up()
        except (IndexUnavailable, LogUnavailable) as error:
            self._opened.warn(f"What came from other devices could not be indexed yet: {error}")

    def status(self) -> dict[str, Any]:
        """How far every log goes here and, as last seen, on the remote; no call is made. Raises OSError."""
        state, settings = self._state(), self._opened.settings
        seen: dict[str, Any] = state.get("origins", {})
        origins: list[dict[str, Any]] = []
        logs = extent.extents(self._opened.home, state.get("known", {}))
        for name, have in sorted(logs.items(), key=lambda item: not item[1].own):
            noted = seen.get(name, {})
            there = min(int(noted.get("there", 0)), have.hi)
            each = {"origin": name, "own": have.own, "pending": have.hi - there, "pushed": there,
                    "pulled": 0 if have.own else have.hi, "last_error": noted.get("error") or None}  # fmt: skip
            origins.append({member: value for member, value in each.items() if value is not None})
        told: dict[str, Any] = {
            "enabled": bool(settings.value(f"{SETTINGS}.enabled")), "url": self._url(),
            "key": os.path.exists(self._opened.home.sync_key),
            "origins": origins, "pending": sum(each["pending"] for each in origins),
        }  # fmt: skip
        more = {
            name: state[name]
            for name in ("at", "last_error", "calls", "bytes_sent", "bytes_received")
            if state.get(name) is not None
        }
        return told | more

    def devices(self) -> list[dict[str, Any]]:
        """Every origin that is known here: since when it writes, how much, and what it came from. Raises OSError."""
        found = []
        for each in self.status()["origins"]:
            lines = extent.lines(self._opened.home, each["origin"])
            first = last = next(lines, None)
            for line in lines:
                last = line if line.kind not in (ORIGIN, FORGET) else last
            if first is None or last is None:
                continue
            began = (first.parsed() or {}) if first.kind == ORIGIN else {}
            found.append(
                {
                    **each,
                    "since": first.at,
                    "last": last.at,
                    "why": began.get("why", "new"),
                    "from": (began.get("from") or {}).get("origin"),
                }
            )
        return found

    def export_key(self, path: str, passphrase: str) -> dict[str, Any]:
        """Write the key file for another device; never over a file. Raises InvalidInput (bad-argument, no-sync-key), OSError."""
        keys = self.may_export(path)
        text = sync_keys.exported(self._opened.home, keys, self._url(), passphrase)
        paths.write_whole(os.path.abspath(path), text.encode("ascii"))
        return {"file": os.path.abspath(path), "space": keys.space}

    def may_export(self, path: str) -> Keys:
        """The key that `export_key` would write there. Raises InvalidInput (bad-argument), RemoteError (no-sync-key)."""
        self._needs(NEEDS)
        keys = sync_keys.load(self._opened.home)
        if keys is None:
            raise RemoteError("no-sync-key", "This home has no key yet.", "Run: session-memory sync init")
        if os.path.lexists(path):
            raise InvalidInput("bad-argument", f"{path} is there already.", "Name a new file.")
        return keys

    def import_key(self, path: str, passphrase: str) -> dict[str, Any]:
        """Join the devices whose key file this is: their key and their secret become this home's, which keeps its own behind.

        What was recorded and forgotten here before stays so. Raises InvalidInput (bad-key-file), OSError, LogUnavailable.
        """
        self._needs(NEEDS)
        opened = self._opened
        with open(path, encoding="utf-8", errors="replace") as file:
            space_key, secrets, url = sync_keys.imported(file.read(sync_keys.MOST_FILE), passphrase)
        mine = sync_keys.load(opened.home)
        if mine is not None and mine.space_key != space_key:
            raise InvalidInput(
                "bad-key-file", "This home has another key already.",
                "To leave its remote for good, move storage/sync.key away first; the records stay.",
            )  # fmt: skip
        changed = secret.load(opened.home) != secrets[0]
        with Lock(opened.home.store_lock, LOCK_SECONDS):
            origin.rekey(opened.home, secrets)
        keys = sync_keys.adopt(opened.home, space_key)
        self._switch_on(url if url != self._url() else None)
        if changed:  # ids that the index makes of what was said are hashed with the secret
            opened.index.remove()
            self._apply()
        return {"space": keys.space, "url": self._url(), "joined": mine is None}

    def _switch_on(self, url: str | None) -> None:
        values: dict[str, Any] = {f"{SETTINGS}.enabled": True} | ({f"{SETTINGS}.url": url} if url else {})
        if any(self._opened.settings.value(name) != value for name, value in values.items()):
            configuration.change(self._opened, values)

    def _url(self) -> str:
        return str(self._opened.settings.value(f"{SETTINGS}.url"))

    def _must_be_set_up(self) -> None:
        """Somebody who has said nothing of a remote wants to hear how, not what lacks for the one that they did not choose."""
        settings = self._opened.settings
        if settings.value(f"{SETTINGS}.enabled") or os.path.exists(self._opened.home.sync_key) or self._url() != D1:
            return
        if not any(settings.value(name) for name in USER_VARIABLES if name.startswith("CF_")):
            raise RemoteError(
                "no-remote", "Sync is not set up.",
                "Run: session-memory sync init file:///path/of/a/shared/folder, or set the four CF_ variables of Cloudflare.",
            )  # fmt: skip

    def _remote(self, url: str | None, *, make: bool) -> Remote:
        """The remote that an address (that of config.json) names. Raises RemoteError (no-remote, sync-missing)."""
        url = url or self._url()
        if not self._opened.settings.value(f"{SETTINGS}.encrypt"):
            raise InvalidInput(
                "not-built", f"{SETTINGS}.encrypt is false; this version sends nothing in clear.", "Set it to true."
            )
        if url.startswith(SCHEME):
            self._needs(NEEDS)
            return Folder(url, make=make)
        if url.startswith(D1):
            self._needs(NEEDS_D1)
            return self._d1(url)
        raise RemoteError(
            "no-remote", f"{url[:200]!r} is no address of a remote.", "Use file:///path/of/a/folder, or d1://"
        )

    def _d1(self, url: str) -> Remote:
        if find_spec("session_memory.sync.d1") is None:
            raise RemoteError(
                "not-built", "This version cannot sync through Cloudflare.", "Use file:///path/of/a/folder."
            )
        from importlib import import_module  # its packages are of the extra `sync`

        found = self._opened.settings
        names = tuple(
            str(found.value(f"{SETTINGS}.{part}_env"))
            for part in ("account_id", "api_token", "d1_database_id", "r2_bucket")
        )
        for name in names:
            if name not in USER_VARIABLES:
                raise RemoteError(
                    "no-remote",
                    f"{name[:60]!r} is none of the variables that are read.",
                    f"They are: {', '.join(USER_VARIABLES)}.",
                )
        account, token, database, bucket = (str(found.value(name) or "") for name in names)
        told = url[len(D1) :].strip("/").split("/")
        account, database = told[0] or account, told[1] if len(told) > 1 else database
        remote: Remote = import_module("session_memory.sync.d1").D1(
            account, token, database, bucket, names=names, base_url=found.value("CF_API_BASE_URL") or "",
            s3_endpoint=found.value("CF_R2_ENDPOINT_URL") or "",
        )  # fmt: skip
        return remote

    def _needs(self, packages: dict[str, str]) -> None:
        missing = [wanted for module, wanted in packages.items() if find_spec(module) is None]
        if missing:
            raise RemoteError(
                "sync-missing", "Exchanging with other devices needs packages that are not installed here.",
                f"Run: {install_command(missing, 'sync')}",
            )  # fmt: skip

    def _keys(self, remote: Remote, *, make: bool) -> tuple[Keys, bool]:
        """The home's key, and whether it was made now. Raises RemoteError (no-sync-key)."""
        keys = sync_keys.load(self._opened.home)
        if keys is not None:
            return keys, False
        if not make:
            fix = "Run: session-memory sync init, or join other devices: session-memory sync import-key FILE"
            raise RemoteError("no-sync-key", "This home has no key for the remote yet.", fix)
        if remote.open({}).get("canary"):
            raise RemoteError(
                "no-sync-key",
                "The remote is sealed with a key that this home does not have.",
                "On a device that syncs there run: session-memory sync export-key FILE;"
                " here: session-memory sync import-key FILE",
            )
        return sync_keys.make(self._opened.home), True

    def _note_words(self, remote: Remote, keys: Keys, *, made: bool) -> None:
        """Tell the remote which key opens it. A key that was made now and is not the one is taken back."""
        try:
            keys.check(remote.open(keys.words()))
        except RemoteError as error:
            if made and error.code == "wrong-sync-key":
                sync_keys.drop(self._opened.home)
            raise

    def _state(self) -> dict[str, Any]:
        """What earlier exchanges noted; all of it can be missing."""
        try:
            with open(paths.open_file(self._opened.home.sync_state, os.O_RDONLY), "rb") as file:
                found = json.loads(file.read())
        except (OSError, ValueError):
            return {}  # it is asked for and read again
        return found if isinstance(found, dict) else {}

    def _note(self, job: Job, report: Report) -> None:
        state = self._state()
        state["url"], state["at"] = job.url, ids.at_text(ids.now_ms())
        state["calls"], state["bytes_sent"], state["bytes_received"] = report.calls, report.sent, report.received
        error = job.error
        state["last_error"] = {"code": error.code, "what": str(error), "at": state["at"]} if error is not None else None
        if report.origins and not job.dry_run:
            state["origins"] = {
                name: {"there": told.there, "error": told.error} for name, told in report.origins.items()
            }
        state["known"] = job.exchange.known
        if self._moment is not None and error is None:
            state["moment"] = self._moment
        try:
            paths.write_whole(self._opened.home.sync_state, json.dumps(state).encode() + b"\n")
        except OSError as failed:
            self._opened.warn(f"storage/sync.json could not be written ({failed.strerror}).")
