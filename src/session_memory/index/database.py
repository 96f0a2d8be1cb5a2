"""The only room that opens the index: whose file it is, how it is opened, and when an unusable one is set aside."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import tempfile
from typing import TYPE_CHECKING, Any

import apsw

from session_memory import ids, paths
from session_memory.errors import IndexUnavailable
from session_memory.index.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from session_memory.log import secret
from session_memory.model.words import plain_text, search_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_memory.paths import Home

    Value = str | int | float | bytes | None

HEADER = 100  # bytes of a database's header
MAGIC = b"SQLite format 3\0"
BUSY_MS = 5000
DAMAGE = (apsw.CorruptError, apsw.NotADBError)
FAILURES = (apsw.Error,)  # everything SQLite can raise: `unavailable` makes a sentence of it


class Database:
    """One connection to the index, with the functions its tables need. Close it; not for several threads at once."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.home: Home | None = None  # whose secret the ids of what rules find are hashed with; None: without a secret
        self.numbers: dict[tuple[Any, ...], int] = {}  # rows that were looked up in this transaction
        self._secret: bytes | None = None
        self.connection = apsw.Connection(path)
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise
        try:
            state = os.stat(path)
            self.inode = (state.st_dev, state.st_ino)
        except OSError:
            self.inode = (0, 0)  # deleted since, or out of reach: `moved` will say so

    def _prepare(self) -> None:
        connection = self.connection
        connection.set_busy_timeout(BUSY_MS)
        innocuous = apsw.SQLITE_INNOCUOUS  # so that the view may call them although the schema is not trusted
        connection.create_scalar_function("words_text", words_text, 1, deterministic=True, flags=innocuous)  # type: ignore[arg-type]  # SQLite passes what the columns hold
        connection.create_scalar_function("words_parts", words_parts, 3, deterministic=True, flags=innocuous)  # type: ignore[arg-type]
        self.run("PRAGMA journal_mode = WAL")
        self.run("PRAGMA synchronous = OFF")  # the log is the truth: after a power loss the index is made again
        self.run("PRAGMA trusted_schema = OFF")
        self.run("PRAGMA mmap_size = 0")
        self.run("PRAGMA cache_size = -32000")

    def rows(self, sql: str, values: Sequence[Value] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, as they come. Raises what SQLite raises (FAILURES)."""
        try:
            yield from self.connection.execute(sql, tuple(values))
        except UnicodeDecodeError as error:  # SQLite does not look into texts
            raise apsw.CorruptError(f"a text is no UTF-8 ({error.reason})") from error

    def one(self, sql: str, values: Sequence[Value] = ()) -> tuple[Any, ...] | None:
        """The first row, or None. Raises what SQLite raises (FAILURES)."""
        return next(self.rows(sql, values), None)

    def run(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Run one statement (or a script without values) to its end."""
        for _row in self.connection.execute(sql, tuple(values)):
            pass

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement once for each of the rows."""
        for _row in self.connection.executemany(sql, rows):
            pass

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, all or nothing. Raises what SQLite raised first: a rollback that fails after it tells less."""
        self.numbers.clear()
        try:
            with self.connection:
                yield
        except apsw.Error as error:
            first = error.__context__
            if isinstance(first, apsw.Error) and "rollback" in str(error):
                raise first from None
            raise

    def keyed(self, text: str) -> str:
        """`text` hashed with the home's secret, as the log does it. Raises OSError."""
        if self._secret is None:
            self._secret = secret.load(self.home) if self.home is not None else b""
        return secret.keyed(self._secret, text)

    def made(self) -> int:
        """The row id of the last insert of this connection."""
        return self.connection.last_insert_rowid()

    def moved(self) -> bool:
        """Whether the file at our path is no longer the one that is open."""
        try:
            state = os.stat(self.path)
        except OSError:
            return True
        return (state.st_dev, state.st_ino) != self.inode

    def which(self) -> str:
        """Which index this is: another one may number its events otherwise. Raises what SQLite raises (FAILURES)."""
        row = self.one("SELECT id FROM made")
        return str(row[0]) if row else ""

    def make_tables(self) -> None:
        """Drop whatever is there and make the tables; inside the caller's transaction, so that readers see old or new."""
        # a full-text table takes the several tables that it is made of with it, and cannot be dropped once one of them is gone
        for kind, where in (
            ("VIEW", "type = 'view'"),
            ("TABLE", "sql LIKE 'CREATE VIRTUAL%'"),
            ("TABLE", "type = 'table' AND name NOT LIKE 'sqlite#_%' ESCAPE '#'"),
        ):
            for (name,) in list(self.rows(f"SELECT name FROM sqlite_schema WHERE {where}")):
                self.run(f'DROP {kind} IF EXISTS "{name}"')
        self.run(SCHEMA)
        self.run(f"PRAGMA application_id = {APPLICATION_ID}")
        self.run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()


VECTORS = """
-- One vector a model and keyed hash of a text, and which event says which text.
CREATE TABLE IF NOT EXISTS vector (model TEXT NOT NULL, hash BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (model, hash))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (model TEXT NOT NULL, event BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (model, event))
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS said_hash ON said (model, hash);
-- What choosing among many needs of each event, some thousands together: see index/blocks.py.
CREATE TABLE IF NOT EXISTS block (model TEXT NOT NULL, made TEXT NOT NULL, before INTEGER NOT NULL, last INTEGER NOT NULL,
  rows INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (model, made, last));
-- How each provider but the local table stands: its model, and the last trouble, with its time (ms); NULL when all is well.
CREATE TABLE IF NOT EXISTS provider (name TEXT PRIMARY KEY, model TEXT NOT NULL, at INTEGER, trouble TEXT) WITHOUT ROWID;
"""


@contextlib.contextmanager
def open_vectors(path: str) -> Iterator[apsw.Connection]:
    """The file of vectors, made if it is not there. Raises apsw.Error, OSError."""
    os.close(paths.open_file(path, os.O_RDWR | os.O_CREAT))
    connection = apsw.Connection(path)
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(VECTORS)
        yield connection
    finally:
        connection.close()


def loads(text: str) -> Any:
    """A JSON value that we keep in a column. Raises apsw.CorruptError: what was written there was JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise apsw.CorruptError(f"a value is no JSON ({error})") from error


def about() -> tuple[str, bool]:
    """The version of the SQLite library that is used here, and whether it has full-text search."""
    return apsw.sqlite_lib_version(), "ENABLE_FTS5" in apsw.compile_options


def words_text(data: str) -> str:
    """SQL function: the searchable text of an event's data (JSON)."""
    return plain_text(loads(data))


def words_parts(type_: str, more: str | None, data: str) -> str:
    """SQL function: the second search column; type and tags help to rank and to find."""
    return parts_beside(type_, loads(more).get("tags", []) if more else [], plain_text(loads(data)))


def parts_beside(type_: str, tags: Sequence[str], text: str) -> str:
    """The second search column of an event with this searchable text."""
    label = " ".join([type_, *tags])
    return f"{label}\n{search_parts(label)}\n{search_parts(text)}"


def version_at(path: str) -> int | None:
    """The schema version of our index at `path`; 0 when there is none yet, None when it is no database.

    Raises IndexUnavailable (index-foreign) for a readable database that is not ours: it is never overwritten.
    """
    try:
        fd = paths.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise IndexUnavailable(
            "index-unavailable", f"The index cannot be opened ({error.strerror}).", "Check the home folder's modes."
        ) from error
    try:
        header = os.read(fd, HEADER)
    finally:
        os.close(fd)
    if not header:
        return 0
    if len(header) < HEADER or not header.startswith(MAGIC):
        return None
    try:
        application_id, user_version, empty = _identity(path, header)
    except DAMAGE:
        return None
    if application_id == APPLICATION_ID:
        return user_version
    if empty:
        return 0
    raise IndexUnavailable(
        "index-foreign",
        f"{os.path.basename(path)} is a database of another program and was left untouched.",
        "Move it away, or set another index_file in config.json; then run: session-memory rebuild",
    )


def _identity(path: str, header: bytes) -> tuple[int, int, bool]:
    """Application id, user version and whether there is no table. What a killed process committed may stand in the
    write-ahead log only, so where there is one SQLite is asked, without leave to write."""
    user_version, application_id = struct.unpack_from(">I", header, 60)[0], struct.unpack_from(">I", header, 68)[0]
    if application_id == APPLICATION_ID and not os.path.exists(path + "-wal"):
        return application_id, user_version, False
    try:
        return _asked(path, apsw.SQLITE_OPEN_READONLY)
    except apsw.ReadOnlyError:  # a killed process left it so that reading needs writing first: then in a copy
        with tempfile.TemporaryDirectory() as folder:
            return _asked(_copied(path, folder), apsw.SQLITE_OPEN_READWRITE)
    except DAMAGE:
        raise
    except apsw.Error as error:
        raise unavailable(error) from error


def _asked(path: str, flags: int) -> tuple[int, int, bool]:
    connection = apsw.Connection(path, flags=flags)
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("BEGIN")  # one view of it: another process may be making the tables right now
        asked = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
        found = [next(iter(connection.execute(sql)))[0] for sql in asked]
    finally:
        connection.close()
    return found[0], found[1], found[2] == 0


def _copied(path: str, folder: str) -> str:
    """A copy of a database with what lies beside it."""
    copy = os.path.join(folder, os.path.basename(path))
    for ending in ("", "-journal", "-wal"):
        if os.path.exists(path + ending):
            shutil.copyfile(path + ending, copy + ending)
    return copy


def place(home: Home) -> str:
    """Where this version's index lies: the named file, or one beside it when a newer version owns that."""
    version = version_at(home.index)
    if version is not None and version > SCHEMA_VERSION:
        stem, ending = os.path.splitext(home.index)
        return f"{stem}-{SCHEMA_VERSION}{ending}"
    return home.index


def open_index(path: str) -> Database | None:
    """The index at `path` when it is there and of this version, else None (the caller makes it, under its lock)."""
    if version_at(path) != SCHEMA_VERSION:
        return None
    try:
        return Database(path)
    except DAMAGE:
        return None
    except apsw.Error as error:
        raise unavailable(error) from error


def make_index(path: str) -> Database:
    """A usable index at `path`, empty if it had to be made. Only under the index lock."""
    version = version_at(path)
    if version is None:
        set_aside(path)
        version = 0
    if not os.path.exists(path):
        _forget_sidecars(path)
        os.close(paths.open_file(path, os.O_RDWR | os.O_CREAT))
    try:
        database = Database(path)
        if version != SCHEMA_VERSION:
            with database.writing():
                database.make_tables()
    except DAMAGE:
        set_aside(path)
        return make_index(path)
    except apsw.Error as error:
        raise unavailable(error) from error
    return database


def foreign_rows(path: str, tables: Sequence[str]) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """All rows of some tables of somebody else's database, by name, and what could not be read. The file is not changed.

    What another program has not finished writing lies in files beside it, and finishing it would be a change: then a
    copy is read. Raises OSError.
    """
    if not any(os.path.exists(path + ending) for ending in ("-journal", "-wal")):
        return _foreign_rows(path, tables)
    with tempfile.TemporaryDirectory() as folder:
        return _foreign_rows(_copied(path, folder), tables, still=False)


def _foreign_rows(
    path: str, tables: Sequence[str], *, still: bool = True
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
    troubles: list[str] = []
    escaped = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    uri = f"file:{escaped}" + ("?immutable=1&mode=ro" if still else "")
    flags = apsw.SQLITE_OPEN_URI | (apsw.SQLITE_OPEN_READONLY if still else apsw.SQLITE_OPEN_READWRITE)
    connection = apsw.Connection(uri, flags=flags)
    try:
        for name in tables:
            try:
                cursor = connection.execute(f'SELECT * FROM "{name}"')
                for row in cursor:
                    found[name].append({column[0]: value for column, value in zip(cursor.get_description(), row)})
            except apsw.Error as error:
                if "no such table" not in str(error):
                    troubles.append(f"table {name}: {error} (after {len(found[name])} rows)")
    finally:
        connection.close()
    return found, troubles


def set_aside(path: str) -> str:
    """Move an unusable index and its sidecars away, for whoever wants to look; returns the new path."""
    bad = f"{path}.bad-{ids.now_ms()}"
    for ending in ("-wal", "-shm", ""):
        if os.path.lexists(path + ending):
            os.replace(path + ending, bad + ending)
    return bad


def delete(path: str) -> None:
    """Remove a database and its sidecars. Only under the index lock, with our own connection closed. Raises OSError."""
    for ending in ("", "-wal", "-shm", "-journal"):
        if os.path.lexists(path + ending):
            os.unlink(path + ending)


def _forget_sidecars(path: str) -> None:
    # left by a process whose index file was deleted under it: replayed into a new file they would corrupt it
    for ending in ("-wal", "-shm"):
        if os.path.lexists(path + ending):
            os.unlink(path + ending)


def unavailable(error: Exception) -> IndexUnavailable:
    """The error a caller sees when SQLite cannot go on; the log is untouched."""
    if isinstance(error, DAMAGE):
        return IndexUnavailable(
            "index-damaged", f"The index is damaged ({error}).", "The log is untouched. Run: session-memory rebuild"
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return IndexUnavailable("index-busy", "Another process is writing the index.", "Try again in a moment.")
    return IndexUnavailable(
        "index-unavailable", f"The index cannot be used now ({error}).", "If it goes on, run: session-memory rebuild"
    )
