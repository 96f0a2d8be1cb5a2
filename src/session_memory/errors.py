"""Every error a person or a model can meet, each with what failed, why, what to do, and a code that never changes.

The tree:

    SessionMemoryError
    ├── InvalidInput       an argument, a file or a line that cannot be used as given
    ├── NotFound           a session, checkpoint or event that is not there
    ├── LogUnavailable     the log cannot be written or read: nothing was acknowledged
    ├── IndexUnavailable   the index cannot be used now: the log is untouched
    ├── RemoteError        the remote cannot be reached or used now; nothing local is marked done that is not
    ├── EmbeddingsUnavailable  a provider of embeddings cannot be used now; words and the local table go on
    └── PluginFailed       a plugin raised, hung or returned something else than it promised
"""

from __future__ import annotations


class SessionMemoryError(Exception):
    """What failed (`what`), what to do about it (`fix`) and a stable `code` (a key of `CODES`)."""

    def __init__(self, code: str, what: str, fix: str = "") -> None:
        if code not in CODES:
            raise KeyError(f"unknown error code {code!r}: add it to CODES with its sentence")
        self.code = code
        self.what = what
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        sentence = self.what.rstrip()
        if self.fix:
            sentence += f" {self.fix.rstrip()}"
        return f"{sentence} [{self.code}]"


class InvalidInput(SessionMemoryError):
    """An argument, a file or a line that cannot be used as given."""


class NotFound(SessionMemoryError):
    """A session, checkpoint or event that is not there."""


class LogUnavailable(SessionMemoryError):
    """The log cannot be written or read now; nothing was acknowledged."""


class IndexUnavailable(SessionMemoryError):
    """The index cannot be used now; the log is untouched."""


class RemoteError(SessionMemoryError):
    """The remote cannot be reached or used now; what was not confirmed counts as not done."""


class EmbeddingsUnavailable(SessionMemoryError):
    """A provider of embeddings cannot be used now. `wait`: seconds until it is worth another try; None: something must change."""

    def __init__(self, code: str, what: str, fix: str = "", *, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__(code, what, fix)


class PluginFailed(SessionMemoryError):
    """A plugin raised, hung or returned something else than it promised."""


# One sentence a code: the reference page of errors is generated from this table.
CODES: dict[str, str] = {
    "bad-argument": "An argument has a wrong type, is out of bounds or is not one of the allowed values.",
    "unknown-argument": "A tool was called with an argument it does not have.",
    "missing-argument": "A required argument was left out.",
    "unknown-category": "The category is none of the built-in ones and no plugin declares it.",
    "nothing-to-forget": "Nothing that is remembered fits what was to be forgotten.",
    "paused": "Recording is paused or switched off by the user.",
    "bad-client-config": "A client's configuration cannot be read or changed.",
    "bad-time": "A time could not be read as ISO 8601 or as seconds since 1970.",
    "bad-cursor": "A paging cursor was not made by this server or belongs to another query.",
    "bad-line": "A line of the log does not have the shape of a record.",
    "bad-settings": "config.json cannot be used as it stands.",
    "bad-home": "The home folder is not ours alone: another owner, open to others, or a symbolic link.",
    "bad-path": "A path leads out of the folder it must stay in.",
    "bad-backup": "A backup cannot be read, or what it holds does not verify.",
    "bad-transcript": "The path holds no Claude Code transcript.",
    "unknown-session": "No session has this id.",
    "unknown-checkpoint": "No checkpoint has this id or name.",
    "unknown-project": "No project has this key, name or folder.",
    "unknown-event": "No event has this id.",
    "unknown-learning": "No learning has this id.",
    "unknown-question": "No question has this id.",
    "unknown-plugin": "No plugin has this name.",
    "feature-off": "The feature is switched off in config.json.",
    "not-allowed": "A document lies outside the project and the folders that ingest.allow names, or may not be read in.",
    "no-document": "There is no file at the path.",
    "not-a-document": "A file holds binary data where text was expected.",
    "damaged-document": "A document cannot be read: cut off, damaged, or not what its ending says.",
    "encrypted-document": "A document is encrypted.",
    "hostile-document": "A document declares what no honest one does, such as XML entities.",
    "documents-missing": "Reading this format needs packages that are not installed.",
    "unknown-entity": "No entity has this id or name, and no words of it are found among them.",
    "ambiguous-entity": "Several entities are called so; the message lists them.",
    "unknown-relation": "No relation has this id, or none leads to the entity of this name.",
    "no-checkpoint": "There is nothing to resume yet: no checkpoint and no session.",
    "no-context": "Nothing has been put into a session of this project by itself yet.",
    "log-busy": "Another process held the log's lock longer than the deadline.",
    "log-unlockable": "The file system of the home cannot lock files; records wait in the spool.",
    "log-full": "The disk, the quota or a size limit refused the write; the log was put back as it was.",
    "log-unwritable": "The log's folder or file cannot be written.",
    "log-foreign": "The file at the log's place was written by another program or version; it is never changed.",
    "log-damaged": "The log holds bytes that are no record, or its chain does not hold.",
    "too-large": "A record is over the size limit of 10 MB, or a document over one of its limits.",
    "clock-out-of-range": "The system clock is before 2001 or after 2109, where times no longer fit the line format.",
    "index-busy": "The index is being written by another process.",
    "index-damaged": "The index holds what was never written there; the log is untouched and the index is made again.",
    "index-foreign": "The file at the index's place is a database of another program; it is never overwritten.",
    "index-newer": "The index was written by a newer version; this version leaves it alone.",
    "index-unavailable": "The index cannot be opened or read now.",
    "plugin-failed": "A plugin raised an error, took too long or returned a wrong type.",
    "bad-plugin": "A plugin file or class cannot be used.",
    "embeddings-missing": "The provider of embeddings needs a package that is not installed, or no package brings it.",
    "embeddings-key": "There is no key for the provider of embeddings, or it does not accept the key.",
    "embeddings-quota": "The quota or credit at the provider of embeddings is used up.",
    "embeddings-busy": "The provider of embeddings asks for fewer calls.",
    "embeddings-offline": "The provider of embeddings could not be reached, or did not answer in time.",
    "embeddings-failed": "The provider of embeddings answered with an error of its own, or its package raised one.",
    "embeddings-refused": "The provider of embeddings does not take the request, for example because it has no such model.",
    "embeddings-wrong": "The provider of embeddings answered something else than vectors of the right number and length.",
    "sync-missing": "Exchanging with other devices needs packages that are not installed.",
    "no-remote": "No remote is configured, or its address or one of its variables is missing or cannot be used.",
    "no-sync-key": "This home has no key for the remote yet.",
    "wrong-sync-key": "The key of this home does not open what lies on the remote.",
    "bad-key-file": "A key file cannot be read, or its passphrase is another one.",
    "remote-offline": "The remote could not be reached, or did not answer in time.",
    "remote-refused": "The remote does not accept the token, or the token may not do this.",
    "remote-not-there": "The database or bucket that is named does not exist.",
    "remote-quota": "A daily or storage limit of the remote is used up.",
    "remote-busy": "The remote asks for fewer calls, and did so for longer than we wait.",
    "remote-failed": "The remote answered with an error of its own.",
    "remote-damaged": "What lies on the remote is not what was put there.",
    "remote-newer": "What lies on the remote was written by a newer version.",
    "not-built": "This version does not have the feature yet.",
    "import-failed": "The server's packages could not be loaded.",
}
