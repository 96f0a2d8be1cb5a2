"""The only room that reads the environment, `.env` files and config.json: every setting, its bounds and where it came from.

Priority: explicit environment variable > a trusted project's `.env` > `~/.claude/.env` > config.json > default.
A wrong value never stops the start: the default is used and the problem is named.
"""

from __future__ import annotations

import os

from session_memory import paths, trust
from session_memory.errors import InvalidInput
from session_memory.quick_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# name, type, default, lowest or allowed, highest, what it does
TABLE: tuple[tuple[str, str, Any, Any, Any, str], ...] = (
    ("auto_checkpoint_interval_minutes", "number", 5, 0.1, 1440, "Minutes between automatic checkpoints when something new happened."),
    ("auto_checkpoint_max_count", "integer", 10, 1, 1000, "How many automatic checkpoints of a running session count."),
    ("events_file", "path", "storage/events.jsonl", None, None, "The log, relative to the home; its folders lie beside it."),
    ("index_file", "path", "storage/index.sqlite", None, None, "The index, relative to the home."),
    ("checkpoints_dir", "path", "storage/checkpoints", None, None, "Where checkpoint files are written, relative to the home."),
    ("handoffs_dir", "path", "handoffs", None, None, "Where handoffs are written, relative to the home."),
    ("durability", "choice", "stated", ("stated", "all", "none"), None, "What is flushed to disk before success is reported."),
    ("features.learning", "switch", True, None, None, "Lessons with confidence."),
    ("features.entities", "switch", True, None, None, "The knowledge graph."),
    ("features.document_ingest", "switch", True, None, None, "Reading documents in."),
    ("features.embeddings.enabled", "switch", False, None, None, "Consent to send text to the embeddings provider."),
    ("features.embeddings.provider", "text", None, None, None, "openai, local or what a package brings; absent: openai if enabled and its key is set, else local."),
    ("features.embeddings.model", "text", None, None, None, "The provider's model."),
    ("features.embeddings.api_key_env", "text", "OPENAI_API_KEY", None, None, "Variable that holds the provider's key."),
    ("features.embeddings.base_url", "text", None, None, None, "Another address of the provider."),
    ("features.cloud_sync.enabled", "switch", False, None, None, "Exchange with other devices."),
    ("features.cloud_sync.url", "text", "d1://", None, None, "Where devices meet."),
    ("features.cloud_sync.account_id_env", "text", "CF_ACCOUNT_ID", None, None, "Variable that holds the account."),
    ("features.cloud_sync.api_token_env", "text", "CF_API_TOKEN", None, None, "Variable that holds the token."),
    ("features.cloud_sync.d1_database_id_env", "text", "CF_D1_DATABASE_ID", None, None, "Variable that holds the database."),
    ("features.cloud_sync.r2_bucket_env", "text", "CF_R2_BUCKET", None, None, "Variable that holds the bucket."),
    ("features.cloud_sync.encrypt", "switch", True, None, None, "Encrypt before anything is sent."),
    ("capture.prompts", "switch", True, None, None, "Record what the user types."),
    ("capture.tool_calls", "switch", True, None, None, "Record tool calls and their outcome."),
    ("capture.responses", "switch", True, None, None, "Record the model's replies."),
    ("ingest.allow", "texts", (), None, None, "Folders outside the project from which documents may be read in."),
    ("entities.extract", "switch", True, None, None, "Show in the graph what events mention, beside what was stated."),
    ("capture.exclude", "texts", (), None, None, "Paths or tools that are never recorded (glob patterns)."),
    ("context.budget_tokens", "integer", 1500, 0, 2500, "How much is put into a new session, in tokens; 0: nothing."),
    ("redaction.patterns", "texts", (), None, None, "Regular expressions of your own secrets."),
    ("retention", "text", None, None, None, "How long to keep events; absent: for ever."),
)  # fmt: skip
PROJECT_VARIABLES = ("OPENAI_API_KEY", "CF_ACCOUNT_ID", "CF_API_TOKEN", "CF_D1_DATABASE_ID", "CF_R2_BUCKET")
USER_VARIABLES = (*PROJECT_VARIABLES, "CF_API_BASE_URL", "CF_R2_ENDPOINT_URL")
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH")
SHORTEST_SECRET = 8
PATHS = tuple(row[0] for row in TABLE if row[1] == "path")
PROTECTING = ("redaction.patterns", "capture.exclude")  # what keeps things out of the memory
KEEPS_OUT = rb'"(?:patterns|exclude)"\s*:\s*(?:\[\s*[^\s\]]|[^\s\[])'
SWITCHES = frozenset(row[0] for row in TABLE if row[1] == "switch")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MOST_CONFIG = 1_000_000  # bytes


class Environment:
    """What other rooms need to know of the environment."""

    __slots__ = ("claude_projects", "client_pid", "client_session", "home", "no_color", "off", "passphrase", "project_dir")  # fmt: skip

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.home = environ.get("SESSION_MEMORY_HOME") or None
        self.off = environ.get("SESSION_MEMORY_OFF", "") not in ("", "0")
        self.client_session = environ.get("CLAUDE_CODE_SESSION_ID") or None
        self.client_pid = environ.get("CLAUDE_PID") or ""
        self.project_dir = environ.get("CLAUDE_PROJECT_DIR") or None
        self.no_color = bool(environ.get("NO_COLOR"))
        self.passphrase = environ.get("SESSION_MEMORY_SYNC_PASSPHRASE") or ""
        claude = environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude")
        self.claude_projects = os.path.join(claude, "projects")

    def transcripts_of(self, cwd: str) -> str:
        """The folder where Claude Code keeps the transcripts of work in `cwd`."""
        return os.path.join(self.claude_projects, "".join(c if c.isascii() and c.isalnum() else "-" for c in cwd))


class Settings:
    """Every setting by name (`value`), where it came from (`origin`), and what was wrong (`problems`).

    `unsafe`: what is wrong and must not be replaced by a default, because something would be written that the user does
    not want written, or beside what is there already; whoever opens the memory refuses it.
    """

    __slots__ = ("_origins", "_values", "embeddings_key", "ignored", "problems", "unsafe")

    def __init__(self) -> None:
        self._values: dict[str, Any] = {name: default for name, _kind, default, _low, _high, _text in TABLE}
        self._origins: dict[str, str] = {}
        self.problems: list[str] = []
        self.unsafe: list[str] = []
        self.embeddings_key = ""  # what the variable that api_key_env names holds
        self.ignored: list[str] = []  # what an untrusted project's .env would have set

    def value(self, name: str) -> Any:
        """A setting or variable; None for a variable that is set nowhere. Raises KeyError for an unknown setting."""
        return self._values.get(name) if name in USER_VARIABLES else self._values[name]

    def origin(self, name: str) -> str:
        """default, config.json, ~/.claude/.env, project .env or environment."""
        return self._origins.get(name, "default")

    def rows(self) -> list[tuple[str, Any, str]]:
        """Name, value and origin of everything, secrets shown as `set`."""
        shown: list[tuple[str, Any, str]] = []
        for name, _kind, _default, _low, _high, _text in TABLE:
            value = self._values[name]
            shown.append((name, list(value) if isinstance(value, tuple) else value, self.origin(name)))
        return shown + [(name, "set", self.origin(name)) for name in USER_VARIABLES if name in self._values]

    @property
    def events_file(self) -> str:
        """The log, relative to the home."""
        return str(self._values["events_file"])

    @property
    def index_file(self) -> str:
        """The index, relative to the home."""
        return str(self._values["index_file"])

    @property
    def checkpoints_dir(self) -> str:
        """The checkpoint files, relative to the home."""
        return str(self._values["checkpoints_dir"])

    @property
    def handoffs_dir(self) -> str:
        """The handoffs, relative to the home."""
        return str(self._values["handoffs_dir"])

    @property
    def durability(self) -> str:
        """stated, all or none."""
        return str(self._values["durability"])

    @property
    def auto_checkpoint_max_count(self) -> int:
        """How many automatic checkpoints of a running session count."""
        return int(self._values["auto_checkpoint_max_count"])

    @property
    def auto_checkpoint_seconds(self) -> float:
        """Seconds between automatic checkpoints."""
        return float(self._values["auto_checkpoint_interval_minutes"]) * 60

    @property
    def redaction_patterns(self) -> tuple[str, ...]:
        """Regular expressions of the user's own secrets."""
        return tuple(self._values["redaction.patterns"])

    def reset(self, name: str) -> None:
        """Use the default after all."""
        self._values[name] = next(row[2] for row in TABLE if row[0] == name)
        self._origins.pop(name, None)

    def take(self, name: str, value: Any, origin: str) -> None:
        """Use a value if it is valid, else name the problem."""
        wrong = _wrong(name, value)
        if wrong:
            self.problems.append(f"{origin}: {name} {wrong}; the default is used.")
            if name in PROTECTING:
                self.unsafe.append(f"{name} {wrong}")
            return
        self._values[name] = tuple(value) if isinstance(value, list) else value
        self._origins[name] = origin


def environment(environ: Mapping[str, str] | None = None) -> Environment:
    """What the environment says about this run."""
    return Environment(os.environ if environ is None else environ)


def one_thread() -> None:
    """Call before numpy is loaded: for rows as short as ours a second thread costs as much again and saves nothing."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program we start: ours without git's and our own variables, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SESSION_MEMORY_"))}
    return {**kept, **more}


def load(root: str, *, environ: Mapping[str, str] | None = None, cwd: str = "") -> Settings:
    """All settings of a home, for a client working in `cwd`. Raises nothing: what is wrong stands in `problems`."""
    around = os.environ if environ is None else environ
    settings = Settings()
    _take_config(settings, os.path.join(root, "config.json"))
    user = _env_file(os.path.join(os.path.expanduser("~"), ".claude", ".env"))
    for name in USER_VARIABLES:
        if user.get(name):
            settings._values[name], settings._origins[name] = user[name], "~/.claude/.env"
    if cwd:
        _take_project(settings, root, cwd)
    for name in USER_VARIABLES:
        if around.get(name):
            settings._values[name], settings._origins[name] = around[name], "environment"
    key = settings.value("features.embeddings.api_key_env")
    settings.embeddings_key = (settings.value(key) if key in USER_VARIABLES else around.get(key) or user.get(key)) or ""
    return settings


def default_config_text() -> str:
    """config.json with every default, as the first run writes it."""
    import json  # with a layout for people

    tree: dict[str, Any] = {}
    for name, _kind, default, _low, _high, _text in TABLE:
        place = tree
        *above, last = name.split(".")
        for part in above:
            place = place.setdefault(part, {})
        if default is not None:
            place[last] = list(default) if isinstance(default, tuple) else default
    return json.dumps(tree, indent=2) + "\n"


def write_defaults(root: str) -> None:
    """Create config.json at the first run; an existing one is never touched."""
    path = os.path.join(root, "config.json")
    if not os.path.lexists(path):
        try:
            paths.write_whole(path, default_config_text().encode())
        except OSError:
            return  # a read-only home works with the defaults; the first write says what is wrong


def secret_values(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Values of variables whose names say that they are secret: they are replaced wherever they occur, never stored."""
    found = dict(os.environ if environ is None else environ)
    found.update(_env_file(os.path.join(os.path.expanduser("~"), ".claude", ".env")))
    secret = [
        name for name in found if any(word in name.upper().replace("AUTHOR", "") for word in SECRET_WORDS)
        and not (found[name][:1] == "/" and (name in ("PWD", "OLDPWD") or os.path.lexists(found[name])))
    ]  # fmt: skip  # a path is none, but some keys begin like one
    return tuple(found[name] for name in secret if len(found[name]) >= SHORTEST_SECRET)


def _take_config(settings: Settings, path: str) -> None:
    try:
        fd = paths.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        settings.problems.append(f"config.json cannot be read ({error.strerror}); all defaults are used.")
        return
    with open(fd, "rb") as file:
        content = file.read(MOST_CONFIG)
    try:
        tree = loads(content)
    except (ValueError, RecursionError) as error:
        settings.problems.append(f"config.json is no JSON ({error}); all defaults are used.")
        import re

        if re.search(KEEPS_OUT, content):
            settings.unsafe.append(f"it is no JSON ({error}), and it names things that must not be recorded")
        _refuse_another_log(settings, os.path.dirname(path))
        return
    if not isinstance(tree, dict):
        settings.problems.append("config.json must hold an object; all defaults are used.")
        return
    known = {row[0] for row in TABLE}
    sections = {name.rpartition(".")[0] for name in known} | {"features"}
    for name, value in _flat(tree, "", sections):
        if name in known:
            if value is not None:
                settings.take(name, value, "config.json")
                if name == "events_file" and settings.origin(name) == "default":
                    _refuse_another_log(settings, os.path.dirname(path))
                _refuse_links(settings, os.path.dirname(path), name)
            continue
        import difflib  # only for those who misspell: the hooks load this room at every call

        near = difflib.get_close_matches(name, known, 1)
        settings.problems.append(
            f"config.json: {name[:80]} is no setting" + (f"; did you mean {near[0]}?" if near else ".")
        )


def _refuse_links(settings: Settings, root: str, name: str) -> None:
    """A path that leaves the home through a symbolic link is not used."""
    if name not in PATHS:
        return
    link = paths.linked(root, settings.value(name))
    if link:
        settings.problems.append(f"config.json: {name} leads through the symbolic link {link}; the default is used.")
        settings.reset(name)
        if name == "events_file":
            _refuse_another_log(settings, root)


def _refuse_another_log(settings: Settings, root: str) -> None:
    """Where the log lies cannot be read: beginning a new one would hide the one that is somewhere else in the home."""
    usual = os.path.join(root, settings.events_file)
    if os.path.lexists(usual):
        return
    for folder, _folders, names in os.walk(root):
        if "origin.json" in names:
            settings.unsafe.append(
                f"it does not say any more where the log lies; there is one in {os.path.relpath(folder, root)}"
            )
            return


def _flat(tree: dict[str, Any], above: str, sections: set[str]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        name = f"{above}.{key}" if above else str(key)
        if name in sections and isinstance(value, dict):
            found += _flat(value, name, sections)
        elif name in SWITCHES and isinstance(value, dict) and "enabled" in value:  # how an older product wrote it
            found.append((name, value["enabled"]))
            found += [(f"{name}.{each}", more) for each, more in value.items() if each != "enabled"]
        else:
            found.append((name, value))
    return found


def _wrong(name: str, value: Any) -> str:
    """Why a value does not fit its setting; empty when it does."""
    kind, low, high = next((row[1], row[3], row[4]) for row in TABLE if row[0] == name)
    if kind == "switch":
        return "" if isinstance(value, bool) else f"must be true or false, not {dumps(value, nan=True)[:60]}"
    if kind in ("integer", "number"):
        right = isinstance(value, int) if kind == "integer" else isinstance(value, (int, float))
        if not right or isinstance(value, bool) or value != value:
            return f"must be {'a whole number' if kind == 'integer' else 'a number'}, not {dumps(value, nan=True)[:60]}"
        return "" if low <= value <= high else f"must be {low} to {high}, not {dumps(value, nan=True)[:60]}"
    if kind == "choice":
        return "" if value in low else f"must be one of {', '.join(low)}, not {dumps(value, nan=True)[:60]}"
    if kind == "texts":
        right = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return "" if right else f"must be a list of texts, not {dumps(value, nan=True)[:60]}"
    if not isinstance(value, str):
        return f"must be a text, not {dumps(value, nan=True)[:60]}"
    if kind == "path":
        try:
            paths.inside("home", value)
        except InvalidInput:
            return f"must stay inside the home folder, not {dumps(value, nan=True)[:60]}"
    return ""


def _take_project(settings: Settings, root: str, cwd: str) -> None:
    found = {name: value for name, value in _env_file(os.path.join(cwd, ".env")).items() if name in PROJECT_VARIABLES}
    if not found:
        return
    if os.path.realpath(cwd) in trust.folders(root):
        for name, value in found.items():
            settings._values[name], settings._origins[name] = value, "project .env"
    else:
        settings.ignored.append(
            f"The project's .env would set {', '.join(sorted(found))}; it is ignored because the folder is not trusted"
            " (session-memory trust)."
        )


def _env_file(path: str) -> dict[str, str]:
    """NAME=value lines: `export`, quotes, comments, CRLF and a BOM are understood; anything else is passed over."""
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            lines = file.read(MOST_CONFIG).splitlines()
    except OSError:
        return {}  # most people have none
    found: dict[str, str] = {}
    for line in lines:
        text = line.strip().removeprefix("export ").strip()
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.replace("_", "a").isalnum() or text.startswith("#"):
            continue
        if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
            value = value[1 : value.find(value[0], 1)]
        else:
            value = value.partition(" #")[0].strip()
        found[name] = value
    return found
