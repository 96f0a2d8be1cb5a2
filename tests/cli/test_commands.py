"""The command line as people use it: real processes, exit codes, JSON for machines, a terminal for people."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
from itertools import takewhile
from pathlib import Path

import pytest
from tests import older_home
from tests.capture.test_transcript import every_trap
from tests.mcp_server.raw_client import RawClient

from session_memory.cli.main import COMMANDS, main
from session_memory.cli.terminal import one_line
from session_memory.errors import InvalidInput
from session_memory.memory import Memory
from session_memory.model.amounts import plural, size

ROOT = Path(__file__).resolve().parent.parent.parent


def run(home: str, *words: str, cwd: Path | None = None, ok: int = 0) -> str:
    command = [sys.executable, "-m", "session_memory", *words, "--home", home]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=120, check=False
    )
    assert done.returncode == ok, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture
def filled(home: str, tmp_path: Path) -> Path:
    project = tmp_path / "shop"
    project.mkdir()
    with Memory(home, cwd=str(project)) as memory:
        memory.sessions.start(session_id="s1", skill="work")
        memory.events.record("decision", "api", {"title": "Answer 429", "rationale": "support asked"}, tags=["limits"])
        memory.events.record("question", "question_raised", {"id": "Q1", "question": "Do health checks count?"})
        memory.checkpoints.create("first", "it works")
    return project


def test_every_command_has_help_with_an_example(home: str) -> None:
    for name in COMMANDS:
        assert f"session-memory {name}" in run(home, name, "--help").partition("example:")[2]


def test_questions_are_listed_and_answered(home: str, filled: Path) -> None:
    listed = run(home, "questions", cwd=filled)
    assert "Q1: Do health checks count?" in listed and "open, 0 h old, asked by model  s1" in listed
    found = json.loads(run(home, "questions", "--json", cwd=filled))
    assert found["open"] == 1 and found["questions"][0]["session_id"] == "s1"
    assert "Answered: Do health checks count?" in run(home, "answer", "Q1", "They", "do", "not", cwd=filled)
    assert "No open question" in run(home, "questions", cwd=filled, ok=1)
    assert "-> They do not" in run(home, "questions", "--all", cwd=filled)
    assert json.loads(run(home, "answer", "Q1", "later", "--defer", "--json", cwd=filled))["status"] == "deferred"
    run(home, "answer", "Q9", "x", cwd=filled, ok=1)
    other = filled.parent / "other"
    other.mkdir()
    assert "No question." in run(home, "questions", "--all", cwd=other, ok=1)
    assert "-> later" in run(home, "questions", "--all", "--session", "s1", cwd=other)


def test_lessons_are_kept_found_used_and_merged(home: str, filled: Path) -> None:
    assert "Nothing was learnt yet" in run(home, "learn", cwd=filled, ok=1)
    words = (
        "learn",
        "create",
        "Retry with exponential backoff",
        "--confidence",
        "0.8",
        "--description",
        "at most five",
    )
    first = json.loads(run(home, *words, "--json", cwd=filled))["learning_id"]
    made = run(home, "learn", "create", "Use exponential backoff for retries", cwd=filled)
    assert f"Much like {first[:12]}" in made and "session-memory learn merge" in made
    second = made.split()[1].rstrip(",")
    assert "confidence is now 0.84" in run(home, "learn", "apply", first[:10], "--notes", "upload", cwd=filled)
    run(home, "learn", "apply", second, "--outcome", "failed", cwd=filled)
    assert "stands for 1 more" in run(home, "learn", "merge", first, second, cwd=filled)
    table = run(home, "learn", "list", cwd=filled)
    assert "0.70" in table and "2 (1 in vain)" in table and "Use exponential" not in table
    found = json.loads(run(home, "learn", "search", "backoff", "--category", "pattern", "--json", cwd=filled))
    assert [each["learning_id"] for each in found["learnings"]] == [first]
    assert "No word of the query" in run(home, "learn", "search", "zebra", cwd=filled)
    shown = json.loads(run(home, "show", first, "--json", cwd=filled))
    assert shown["notes"][0]["notes"] == "upload" and shown["confidence"] == 0.7
    run(home, "learn", "create", "anti-pattern", "Never", "poll", cwd=filled)  # as people type it
    never = json.loads(run(home, "learn", "search", "poll", "--json", cwd=filled))["learnings"][0]
    assert (never["category"], never["title"]) == ("anti-pattern", "Never poll")
    run(home, "learn", "apply", "nobody", cwd=filled, ok=1)
    other = filled.parent / "other"
    other.mkdir()
    assert "1 in other projects" in run(home, "learn", "search", "backoff", cwd=other, ok=1)


def test_a_plugin_of_ones_own_is_written_and_tried(home: str, filled: Path) -> None:
    assert "plugins test recipes" in run(home, "plugins", "new", "recipes", cwd=filled)
    tried = run(home, "plugins", "test", "recipes", cwd=filled)
    assert "ok     folding the same events again gives the same" in tried and "a sample session" in tried
    assert json.loads(run(home, "plugins", "test", "recipes", "--json", cwd=filled))["ok"] is True
    place = Path(home, "plugins", "recipes.py")
    place.write_text(place.read_text().replace("done / (done + left)", "1 / 0").replace("if done + left", "if True"))
    assert "wrong  ends, raises nothing" in run(home, "plugins", "test", "recipes", cwd=filled, ok=1)
    place.write_text("import nothing_such\n")
    assert "recipes.py: ModuleNotFoundError" in run(home, "plugins", cwd=filled, ok=1)
    assert "speckit" in run(home, "plugins", "list", cwd=filled, ok=1)
    run(home, "plugins", "new", "recipes", cwd=filled, ok=1)


def test_people_and_machines_see_the_same(home: str, filled: Path) -> None:
    assert "2 events of 1 session, 1 checkpoint" in run(home, "status", cwd=filled)
    status = json.loads(run(home, "status", "--json", cwd=filled))
    assert status["index"]["events"] == 2 and status["features"]["context"] is True
    assert "s1" in run(home, "sessions", cwd=filled)
    assert json.loads(run(home, "sessions", "--json", cwd=filled))[0]["id"] == "s1"
    assert "Answer 429" in run(home, "search", "why", "429", cwd=filled)
    found = json.loads(run(home, "search", "429", "--json", cwd=filled))["events"]
    assert "support asked" in run(home, "show", found[0]["id"][:16], cwd=filled)
    assert json.loads(run(home, "show", "s1", "--json", cwd=filled))["session"]["skill"] == "work"
    explained = run(home, "search", "--explain", "why", "429", cwd=filled)
    assert "Answer 429" in explained and "words +" in explained and "meaning +" in explained
    assert json.loads(run(home, "search", "429", "--explain", "--json", cwd=filled))["results"][0]["parts"]["words"] > 0
    assert "0 hits by words" in run(home, "search", "--explain", "?", cwd=filled, ok=1)
    assert "Q1" in run(home, "query", "--category", "question", cwd=filled)
    assert json.loads(run(home, "query", "--tag", "limits", "--json", cwd=filled))["total_count"] == 1
    assert "second" in run(home, "checkpoint", "second", "--summary", "more", cwd=filled)
    listed = json.loads(run(home, "checkpoints", "--json", cwd=filled))["checkpoints"]
    assert [each["name"] for each in listed] == ["second", "first"]
    assert "it works" in run(home, "resume", "first", cwd=filled)
    assert "Do health checks count?" in run(home, "handoff", cwd=filled)
    assert json.loads(run(home, "handoff", "--json", cwd=filled))["handoff"]["open_questions"]
    assert "green" in run(home, "verify", cwd=filled)
    assert json.loads(run(home, "verify", "--json", cwd=filled))["green"] is True
    assert "2 events" in run(home, "rebuild", cwd=filled)
    assert "local: " in run(home, "embed", cwd=filled)
    assert json.loads(run(home, "embed", "--json", cwd=filled))["complete"] is True
    assert re.search(r"Meaning   local: (\d+) of \1 events", run(home, "status", cwd=filled))
    assert "generic" in run(home, "plugins", cwd=filled)
    assert "durability" in run(home, "config", cwd=filled)


def test_a_mark_is_put_shown_with_every_hit_and_taken_back(home: str, filled: Path) -> None:
    first = json.loads(run(home, "search", "429", "--json", cwd=filled))["events"][0]["id"]
    shown = run(home, "mark", first[:14], "wrong", "--note", "it is 503\n\x1b[2J", cwd=filled)
    assert "Answer 429" in shown and "[wrong: it is 503]" in shown and "\x1b" not in shown
    for words in (["search", "429"], ["query", "--tag", "limits"]):
        assert "[wrong: it is 503]" in run(home, *words, cwd=filled)
    assert json.loads(run(home, "show", first, "--json", cwd=filled))["mark"]["stated_by"] == "user"
    told = json.loads(run(home, "mark", first, "superseded", "--by", first[:14], "--json", cwd=filled))
    assert (told["marked"], told["mark"]["status"], told["mark"]["by"]) == (first, "superseded", first)
    assert "taken back" in run(home, "mark", first, "clear", cwd=filled)
    assert "mark" not in json.loads(run(home, "show", first, "--json", cwd=filled))
    assert "unknown-event" in run(home, "mark", "f" * 32, "wrong", "--json", cwd=filled, ok=1)
    run(home, "mark", first, "perhaps", cwd=filled, ok=2)
    assert [each["id"] for each in json.loads(run(home, "sessions", "--json", cwd=filled))] == ["s1"]


def test_nothing_found_is_one_and_wrong_use_is_two(home: str, filled: Path, tmp_path: Path) -> None:
    assert "1 match in other projects" in run(home, "search", "429", cwd=tmp_path, ok=1)
    assert "No event" in run(home, "query", "--category", "finding", cwd=filled, ok=1)
    run(home, "query", "--category", "nonsense", cwd=filled, ok=1)
    error = json.loads(run(home, "show", "nothing", "--json", cwd=filled, ok=1))["error"]
    assert error["code"] == "unknown-event" and error["fix"]
    run(home, "query", "--no-such-option", cwd=filled, ok=2)
    run(home, "no-such-command", cwd=filled, ok=2)
    run(home, "resume", cwd=tmp_path, ok=1)


def test_verify_and_config_fail_when_something_is_wrong(home: str, filled: Path) -> None:
    config = Path(home, "config.json")
    config.write_text(config.read_text().replace('"stated"', '"sometimes"'))
    assert "durability must be one of" in run(home, "config", cwd=filled, ok=1)
    log = Path(home, "storage", "events.jsonl")
    log.write_bytes(log.read_bytes().replace(b"Answer 429", b"Answer 500"))
    assert "events.jsonl, line 3: the body is not the one that was written" in run(home, "verify", cwd=filled, ok=1)


def test_an_import_says_what_came_and_a_second_one_that_nothing_is_new(home: str, tmp_path: Path) -> None:
    every_trap().write(tmp_path / "projects" / "-gone-shop")
    assert "29 new events from 1 transcript" in run(home, "import", "claude-code", str(tmp_path / "projects"))
    again = json.loads(run(home, "import", "claude-code", str(tmp_path / "projects"), "--json"))
    assert (again["new"], again["known"]) == (0, 29)
    assert (
        "bad-transcript"
        in json.loads(run(home, "import", "claude-code", str(tmp_path / "none"), "--json", ok=1))["error"]["code"]
    )


def test_the_demo_loses_nothing_and_cleans_up(home: str, tmp_path: Path) -> None:
    os.environ["TMPDIR"] = str(tmp_path)
    try:
        told = run(home, "demo", "--fast")
        result = json.loads(run(home, "demo", "--json"))
    finally:
        del os.environ["TMPDIR"]
    assert "signal 9" in told and "half a line" in told and "Token bucket" in told.replace("token", "Token")
    assert result["lost"] == 0 and result["green"] and result["acknowledged"] == 9
    assert not os.path.exists(home) and os.listdir(tmp_path) == []


def terminal(home: str, *words: str, typed: bytes = b"", cwd: Path | None = None) -> str:
    """What a person sees: the command runs on a real pseudo-terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd or os.getcwd())
        os.environ["COLUMNS"] = "100"
        os.execv(sys.executable, [sys.executable, "-m", "session_memory", *words, "--home", home])
    seen, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                chunk = os.read(fd, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
            if typed and b"[Y/n]" in seen:
                os.write(fd, typed)
                typed = b""
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return seen.decode("utf-8", "replace")


def test_alone_on_a_terminal_it_offers_the_import_and_shows_the_persons_own_work(home: str, tmp_path: Path) -> None:
    every_trap().write(Path(os.path.expanduser("~/.claude/projects/-gone-shop")))
    seen = terminal(home, typed=b"\n", cwd=tmp_path)
    assert "1 Claude Code session" in seen and "29 new events" in seen
    assert "Add rate limits" in seen and "session-memory search 'Add rate limits'" in seen
    again = terminal(home, cwd=tmp_path)
    assert "[Y/n]" not in again and "29 events" in again and "\x1b[1m" in again


def test_with_nothing_anywhere_it_says_what_to_do_and_no_is_respected(home: str, tmp_path: Path) -> None:
    assert "session-memory demo" in terminal(home, cwd=tmp_path)
    every_trap().write(Path(os.path.expanduser("~/.claude/projects/-gone-shop")))
    seen = terminal(home, typed=b"n\n", cwd=tmp_path)
    assert "new events" not in seen and "nothing is remembered yet" in seen


def test_without_a_terminal_it_serves(home: str) -> None:
    with RawClient([sys.executable, "-m", "session_memory"], env={"SESSION_MEMORY_HOME": home}) as client:
        assert client.call("session_status")["structuredContent"]["event_count"] == 0
        assert client.close() == 0
    assert os.path.exists(home)


@pytest.mark.parametrize("how", ["server.py at the root", "bin/session-memory", "server.py in the home"])
def test_every_way_to_start_the_server_works_from_any_folder(home: str, tmp_path: Path, how: str) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record("finding", "bug", {"title": "here"})
    words = {
        "server.py at the root": [sys.executable, str(ROOT / "server.py"), "--home", home],
        "bin/session-memory": [sys.executable, str(ROOT / "bin" / "session-memory"), "serve", "--home", home],
        "server.py in the home": [sys.executable, os.path.join(home, "server.py")],
    }[how]
    for name in (
        "session_memory",
        "mcp",
        "json",
        "re",
    ):  # a project must not be able to put its modules in place of ours
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded from the project')")
    with RawClient(words, cwd=str(tmp_path), env={"PYTHONPATH": ""}) as client:
        found = client.call("session_query", scope="all")["structuredContent"]
        assert found["total_count"] == 1
        assert client.close() == 0


def test_recorded_text_cannot_move_the_terminal(home: str, tmp_path: Path) -> None:
    with Memory(home, cwd=str(tmp_path)) as memory:
        memory.events.record("finding", "bug", {"title": "\x1b]0;owned\x07\x1b[2Jneedle\r\n\u202e"})
    for words in (["search", "needle"], ["query"], ["handoff"], ["resume"]):
        shown = run(home, *words, cwd=tmp_path)
        assert "needle" in shown and not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", shown)


def test_words_for_people() -> None:
    assert (plural(1, "event"), plural(2_000, "event"), size(999), size(1_500_000)) == (
        "1 event",
        "2,000 events",
        "999 bytes",
        "1.5 MB",
    )
    assert one_line("a\n\tb\x1b[31m") == "a b"


def test_output_into_a_closed_pipe_is_no_error(home: str, filled: Path) -> None:
    command = f"{sys.executable} -m session_memory show s1 --home {home} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=filled, check=False)
    assert done.stdout.startswith("{") and "Traceback" not in done.stderr


def test_the_doctor_says_what_to_do_and_does_it(home: str, filled: Path) -> None:
    assert "All is well." in run(home, "doctor", cwd=filled)
    os.chmod(os.path.join(home, "storage", "events.jsonl"), 0o644)
    with open(os.path.join(home, "storage", "events.jsonl"), "ab") as file:
        file.write(b"half")
    told = run(home, "doctor", cwd=filled, ok=1)
    assert "open to other users: storage/events.jsonl" in told and "-> session-memory doctor --fix closes them." in told
    found = json.loads(run(home, "doctor", "--json", cwd=filled, ok=1))
    assert not found["green"] and {each["area"] for each in found["findings"] if each["level"] == "warning"} == {
        "file modes"
    }
    assert "repaired" in run(home, "doctor", "--fix", cwd=filled)
    assert "All is well." in run(home, "doctor", cwd=filled)


def test_a_backup_becomes_a_home_and_nothing_is_overwritten(home: str, filled: Path, tmp_path: Path) -> None:
    made = json.loads(run(home, "backup", str(tmp_path), "--json", cwd=filled))
    assert os.path.dirname(made["path"]) == str(tmp_path) and made["lines"] > 3
    assert "restored once, and it verifies" in run(home, "backup", str(tmp_path / "b.tar.gz"), cwd=filled)
    other = str(tmp_path / "other")
    assert "lines of the log" in run(other, "restore", made["path"])
    assert "green" in run(other, "verify", cwd=filled) and "Answer 429" in run(other, "search", "429", cwd=filled)
    run(other, "restore", made["path"], ok=1)
    run(home, "backup", str(tmp_path / "b.tar.gz"), cwd=filled, ok=1)
    run(str(tmp_path / "new"), "restore", str(tmp_path / "shop"), ok=1)
    run(str(tmp_path / "new"), "restore", str(tmp_path / "none"), ok=1)


def test_a_home_of_the_older_product_is_imported_and_shown(home: str, tmp_path: Path) -> None:
    old = older_home.make(tmp_path / "old")
    told = run(home, "import", "session-memory", str(old), cwd=tmp_path)
    assert "9 new events; 0 were known already." in told and "2 entities" in told
    assert "0 new events; 9 were known already." in run(home, "import", "session-memory", str(old), cwd=tmp_path)
    assert "Never mock the clock" in run(home, "show", "learn-1", cwd=tmp_path)
    assert "depends_on" in run(home, "show", "proxy", cwd=tmp_path)
    assert "SQLite" in run(home, "show", older_home.OLD_KEYS[0], cwd=tmp_path)
    assert "SQLite" in run(home, "search", "one file no server", cwd=tmp_path)
    run(home, "import", "session-memory", cwd=tmp_path, ok=1)
    run(home, "import", "session-memory", str(tmp_path / "none"), cwd=tmp_path, ok=1)
    opened = run(str(old), "status", cwd=tmp_path)
    assert "9 events of 1 session, 2 checkpoints" in opened


def test_sizes_have_units() -> None:
    assert [size(each) for each in (999, 12_300, 4_500_000, 7_800_000_000)] == [
        "999 bytes",
        "12.3 kB",
        "4.5 MB",
        "7.8 GB",
    ]


def test_projects_are_listed_with_the_one_of_this_folder_marked(home: str, filled: Path, tmp_path: Path) -> None:
    assert "nothing has been recorded" in run(str(tmp_path / "empty"), "projects", cwd=filled, ok=1)
    told = run(home, "projects", cwd=filled)
    assert "shop" in told and "*" in told.splitlines()[1]
    (found,) = json.loads(run(home, "projects", "--json", cwd=filled))
    assert (found["name"], found["sessions"], found["events"], found["here"]) == ("shop", 1, 2, True)
    assert json.loads(run(home, "projects", "--json", cwd=tmp_path))[0]["here"] is False


def test_projects_can_be_made_one_and_two_again(home: str, filled: Path, tmp_path: Path) -> None:
    other = tmp_path / "shop-2"
    os.rename(filled, other)
    assert "1 match in other projects" in run(home, "search", "429", cwd=other, ok=1)
    assert f"same project as dir:{other}" in run(home, "projects", "alias", str(filled), cwd=other)
    assert "one project already" in run(home, "projects", "alias", "shop", cwd=other)
    assert "Answer 429" in run(home, "search", "429", cwd=other)
    told = run(home, "projects", cwd=other)
    assert "shop-2" in told.splitlines()[1] and "= dir:/" in told
    (found,) = json.loads(run(home, "projects", "--json", cwd=other))
    assert (found["key"], found["aliases"], found["here"]) == (f"dir:{other}", [f"dir:{filled}"], True)
    run(home, "pause", "--project", cwd=other)
    with Memory(home, cwd=str(filled)) as memory, pytest.raises(InvalidInput, match="of this project is paused"):
        memory.events.record("finding", "x", {"text": "not kept"})  # a pause is of the whole project
    assert "is recorded again" in run(home, "unpause", "--project", cwd=other)
    assert "its own again" in run(home, "projects", "unalias", str(filled), cwd=other)
    run(home, "search", "429", cwd=other, ok=1)
    for words in (["alias"], ["list", "x"], ["unalias", "x", "--to", "y"], ["alias", "nowhere"]):
        run(home, "projects", *words, cwd=other, ok=1)


def test_a_projects_env_counts_only_once_its_folder_is_trusted(home: str, filled: Path) -> None:
    (filled / ".env").write_text("CF_ACCOUNT_ID=from-the-project\nOPENAI_BASE_URL=https://evil.example\nPATH=/evil\n")
    ignored = run(home, "doctor", cwd=filled)
    assert "CF_ACCOUNT_ID; it is ignored" in ignored and "session-memory trust" in ignored
    assert "project .env" not in run(home, "config", cwd=filled)
    assert "No folder is trusted" in run(home, "trust", "--list", cwd=filled)
    assert "is trusted: its .env may set OPENAI_API_KEY, CF_ACCOUNT_ID" in run(home, "trust", cwd=filled)
    assert "trusted already" in run(home, "trust", str(filled), cwd=filled)
    told = run(home, "config", cwd=filled)
    assert "project .env" in told and "evil" not in told and "from-the-project" not in told
    assert run(home, "trust", "--list", cwd=filled).strip() == os.path.realpath(filled)
    assert json.loads(run(home, "trust", "--remove", "--json", cwd=filled)) == {"trusted": [], "changed": True}
    assert "was not trusted" in run(home, "trust", "--remove", cwd=filled)
    assert "project .env" not in run(home, "config", cwd=filled)
    run(home, "trust", str(filled / "none"), cwd=filled, ok=1)
    assert stat.S_IMODE(os.stat(os.path.join(home, "trusted.json")).st_mode) == 0o600


def test_trust_follows_no_link_to_another_folder(home: str, filled: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".env").write_text("CF_ACCOUNT_ID=x\n")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    run(home, "trust", str(tmp_path / "link"), cwd=filled)
    assert run(home, "trust", "--list", cwd=filled).strip() == os.path.realpath(tmp_path / "other")


def test_a_pause_stops_tools_and_says_so_until_it_ends(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["pause", "--for", "2h", "--home", home]) == 0 and "Nothing is recorded until" in capsys.readouterr().out
    )
    with Memory(home, cwd=home) as memory:
        for attempt in (
            lambda: memory.events.record("finding", "x", {}),
            memory.checkpoints.create,
            memory.sessions.start,
        ):
            with pytest.raises(InvalidInput, match=r"Recording is paused until .* unpause"):
                attempt()
        assert memory.checkpoints.automatic() is None
    assert main(["status", "--home", home]) == 0 and "Paused" in capsys.readouterr().out
    assert main(["unpause", "--home", home]) == 0 and "recorded again" in capsys.readouterr().out
    assert main(["unpause", "--home", home]) == 0 and "Nothing was paused" in capsys.readouterr().out
    with Memory(home, cwd=home) as memory:
        assert memory.events.record("finding", "x", {})
    assert main(["pause", "--for", "soon", "--home", home]) == 1 and "bad-time" in capsys.readouterr().err


def test_a_pause_of_one_project_leaves_the_others(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    assert main(["pause", "--project", "--home", home]) == 0
    with (
        Memory(home, cwd=str(tmp_path / "one")) as memory,
        pytest.raises(InvalidInput, match="of this project is paused"),
    ):
        memory.events.record("finding", "x", {})
    with Memory(home, cwd=str(tmp_path / "other")) as memory:
        assert memory.events.record("finding", "x", {})
    assert main(["unpause", "--project", "--home", home]) == 0


def test_the_switch_stops_tools_too(home: str) -> None:
    with Memory(home, cwd=home, environ={"SESSION_MEMORY_OFF": "1"}) as memory:
        with pytest.raises(InvalidInput, match="switched off by SESSION_MEMORY_OFF"):
            memory.events.record("finding", "x", {})
        assert memory.health.report()["paused"]


def test_context_shows_what_a_session_would_be_told_and_why(home: str, filled: Path) -> None:
    assert "Answer 429" in run(home, "context", cwd=filled)
    with_reasons = run(home, "context", "--why", cwd=filled)
    assert "open question" in with_reasons and "tokens; source: startup" in with_reasons
    told = json.loads(run(home, "context", "--source", "clear", "--json", cwd=filled))
    assert told["source"] == "clear" and {line["section"] for line in told["lines"]} >= {"decisions", "questions"}
    assert "Nothing would be told: too few telling words." in run(home, "context", "--prompt", "go on", cwd=filled)
    assert "no-context" in json.dumps(json.loads(run(home, "context", "--last", "--json", cwd=filled, ok=1)))
    assert "Nothing would be told" in run(home, "context", cwd=Path(home))


def test_compactions_are_listed_with_what_was_lost(home: str, filled: Path) -> None:
    assert "No compaction has been recorded." in run(home, "compactions", cwd=filled)
    hook = [sys.executable, "-I", "-S", str(ROOT / "src" / "session_memory" / "hooks" / "run.py"), "record"]
    told = {
        "hook_event_name": "PostCompact",
        "session_id": "s1",
        "cwd": str(filled),
        "compact_summary": "We spoke of limits.",
    }
    subprocess.run(hook, input=json.dumps(told).encode(), check=True, env={**os.environ, "SESSION_MEMORY_HOME": home})
    shown = run(home, "compactions", "--lost", cwd=filled)
    assert "0/1" in shown and "Answer 429" in shown and "Do health checks count?" in shown
    (found,) = json.loads(run(home, "compactions", "--json", cwd=filled))["compactions"]
    assert found["kinds"]["decisions"] == {"before": 1, "kept": 0, "told_again": 0, "lost": ["Answer 429"]}


FILTERS: list[tuple[list[str], list[str], list[str]]] = [
    (["--category", "finding"], ["slow port"], ["old port", "new port"]),
    (["--category", "finding", "--category", "decision"], ["slow port", "old port"], ["new port"]),
    (["--type", "bug"], ["slow port"], ["old port"]),
    (["--tag", "net"], ["old port"], ["slow port", "new port"]),
    (["--file", "src/net.ts"], ["slow port"], ["old port"]),
    (["--branch", "side"], ["new port"], ["old port", "slow port"]),
    (["--session", "s2"], ["new port"], ["old port"]),
    (["--after", "since the checkpoint moved"], ["new port"], ["old port", "slow port"]),
    (["--before", "checkpoint moved"], ["old port", "slow port"], ["new port"]),
    (["--after", "last week", "--before", "yesterday"], [], ["old port", "slow port", "new port"]),
    (["--scope", "all"], ["old port", "far port"], []),
]


@pytest.mark.parametrize(
    ("given", "found", "left"), FILTERS, ids=lambda each: " ".join(each) if isinstance(each, list) else ""
)
def test_every_filter_holds_in_search_and_in_query(
    home: str, tmp_path: Path, given: list[str], found: list[str], left: list[str]
) -> None:
    git = tmp_path / "shop" / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    with Memory(home, cwd=str(tmp_path / "shop")) as memory:
        memory.sessions.start(session_id="s1")
        memory.events.record("decision", "api", {"text": "old port"}, tags=["net"])
        memory.events.record("finding", "bug", {"text": "slow port", "file": "/x/src/net.ts"})
        memory.checkpoints.create("moved", "")
    time.sleep(0.01)
    (git / "HEAD").write_text("ref: refs/heads/side\n")
    with Memory(home, cwd=str(tmp_path / "shop")) as memory:
        memory.sessions.start(session_id="s2")
        memory.events.record("assumption", "net", {"text": "new port"})
    (tmp_path / "far").mkdir()
    with Memory(home, cwd=str(tmp_path / "far")) as memory:
        memory.events.record("finding", "bug", {"text": "far port"})
    for words in (("search", "port"), ("query", "--keyword", "port"), ("search", "port", "--explain")):
        told = run(home, *words, *given, cwd=tmp_path / "shop", ok=0 if found else 1)
        assert [each for each in found if each not in told] == [] == [each for each in left if each in told], told


def test_commands_of_work_memory_answer_machines_and_refuse_nonsense(home: str, filled: Path) -> None:
    for words, members in (
        (("how", "pytest"), {"command", "runs", "groups", "flags"}), (("fix", "Error: x y"), {"error", "met", "cases", "near"}),
        (("blame", "a.py"), {"file", "paths", "turns"}), (("timeline", "1999-01-01", "--after", "0"), {"events", "earlier", "later", "size"}),
        (("eval", "run"), {"figures", "results", "lower"}),
    ):  # fmt: skip
        told = json.loads(run(home, *words, "--json", cwd=filled, ok=1))
        assert set(told) >= members, words
    for words in (("how", "&&"), ("how", "x", "--limit", "0"), ("fix", "???"), ("blame", "///"), ("timeline", "whenever"),
                  ("timeline", "abcdef12"), ("how", "x", "--project", "nosuch"), ("eval", "add", "x", "--expect", "ffffff"),
                  ("eval", "remove", "ffffff")):  # fmt: skip
        run(home, *words, cwd=filled, ok=1)
    run(home, "how", "x", "--all", "--project", "y", cwd=filled, ok=2)
    assert "Nothing stands there" in run(home, "timeline", "1999-01-01", "--after", "0", cwd=filled, ok=1)


def test_what_was_recorded_cannot_speak_to_the_terminal_of_work_memory(home: str, filled: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    with Memory(home, cwd=str(filled)) as memory:
        memory.events.record("tool_call", "Bash", {"command": f"frob --x {evil} a.py"})
        memory.events.record("tool_response", "Bash", {"ok": False, "output": f"frobError: no {evil} way"})
        memory.events.record("finding", "bug", {"text": f"{evil} a.py is odd"})
        kept = memory.events.record("message", "user_prompt", {"text": f"{evil}needle"})[0].records[0].id
        memory.golden.add(f"{evil} needle?", [kept])
    for words in (
        ("how", "frob"),
        ("fix", "frobError: no"),
        ("blame", "a.py"),
        ("timeline",),
        ("eval", "run"),
        ("eval", "list"),
    ):
        told = run(home, *words, cwd=filled)
        assert "\x1b" not in told and "\x07" not in told and "\u202e" not in told, words


def test_a_search_without_a_match_teaches_and_calls_nothing_near_a_match(home: str, filled: Path) -> None:
    with Memory(home, cwd=str(filled)) as memory:
        memory.events.record("finding", "bug", {"text": "the automobile would not start"})
    told = run(home, "search", "car", cwd=filled, ok=1)
    assert told.startswith("Nothing found for 'car' in this project.") and "Nothing holds 'car'" in told
    assert "automobile" in told.partition("Nearest in meaning, but no match:")[2]
    machine = json.loads(run(home, "search", "car", "--json", cwd=filled, ok=1))
    assert machine["events"] == [] and machine["words"] == {"car": 0} and machine["near"][0]["near"]
    partly = run(home, "search", "automobile", "wheles", cwd=filled)
    assert partly.startswith("Nothing holds all of these words") and "Nothing holds 'wheles'" in partly
    told = run(home, "search", "automobile", "--category", "decision", cwd=filled, ok=1)
    assert "with these filters" in told and "Without the filters: 1 match" in told
    (filled.parent / "other").mkdir()
    assert "1 match in other projects: --all" in run(home, "search", "automobile", cwd=filled.parent / "other", ok=1)
    told = run(home, "search", "car", "--explain", cwd=filled)
    assert "near, no match: it holds none of the words" in told


def test_an_id_that_names_nothing_or_too_much_is_told_apart(home: str, filled: Path) -> None:
    ids = [each["id"] for each in json.loads(run(home, "query", "--json", cwd=filled))["events"]]
    shared = "".join(takewhile(bool, (a if a == b else "" for a, b in zip(*ids[:2]))))
    assert len(ids) > 1 and len(shared) >= 6
    assert "There is no id" in run(home, "show", "", "--json", cwd=filled, ok=1)
    assert "Several events have ids" in run(home, "show", shared, "--json", cwd=filled, ok=1)
    assert "No event has the id" in run(home, "show", "0123456789ab", "--json", cwd=filled, ok=1)


def test_ctrl_d_at_a_question_ends_it_and_nothing_is_done(home: str, filled: Path) -> None:
    import pty

    parent, child = pty.openpty()
    words = [sys.executable, "-m", "session_memory", "forget", "--text", "support asked", "--home", home]
    process = subprocess.Popen(words, cwd=filled, stdin=child, stdout=child, stderr=child)
    os.close(child)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(parent, 4_096)
    os.write(parent, b"\x04")
    assert process.wait(60) == 130
    os.close(parent)
    assert b"Traceback" not in shown


def told(home: str, *words: str, cwd: Path | None = None) -> tuple[int, str, str]:
    """How a command ended, and what it said on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "session_memory", *words, *(["--home", home] if home else [])], capture_output=True,
        text=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_a_slip_of_the_fingers_is_answered_with_what_was_meant(home: str, filled: Path) -> None:
    status, _out, said = told(home, "serach", "words")
    assert status == 2 and "'serach' is no command. Did you mean: search?" in said and "choose from" not in said
    assert "Did you mean" not in told(home, "xyzzy")[2]
    assert "There are: list, search, create, apply, merge." in told(home, "learn", "improve")[2]
    assert "Did you mean: merge?" in told(home, "learn", "mrege")[2]
    assert '"it\'s" is no command' in told(home, "it's")[2]
    status, out, said = told(home, "--json", "search")
    assert status == 2 and not said and json.loads(out)["error"]["code"] == "bad-argument"
    assert "'frist'" in run(home, "search", "frist", cwd=filled, ok=1)


def test_a_home_that_is_made_is_told(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = str(tmp_path / "misspelled")
    status, _out, said = told(place, "sessions", cwd=tmp_path)
    assert status == 1 and f"A new, empty memory was made: {place}" in said
    assert not told(place, "sessions", cwd=tmp_path)[2]
    monkeypatch.setenv("HOME", str(tmp_path))  # processes that we start see it
    assert not told("~/misspelled", "sessions", cwd=tmp_path)[2]


def test_errors_name_commands_to_those_who_type_commands(home: str, filled: Path) -> None:
    _status, _out, said = told(home, "timeline", "checkpoint", "nowhere", cwd=filled)
    assert "session-memory checkpoints" in said and "session_list" not in said
    _status, out, _said = told(home, "--json", "learn", "apply", "nothing", cwd=filled)
    assert json.loads(out)["error"]["fix"] == "Find it with session-memory learn search."
    assert "'session_query'" in told(home, "show", "session_query", cwd=filled)[2]  # what was typed stays as it is
    assert told(home, "sessions", "--limit", "0", cwd=filled)[2].startswith("error: limit is 0. Use 1 to 200.")


def test_nothing_is_said_of_the_place_that_was_searched(home: str, filled: Path) -> None:
    assert "in this session." in run(home, "search", "--scope", "session", "zanzibar", cwd=filled, ok=1)
    assert "in any project." in run(home, "search", "--all", "zanzibar", cwd=filled, ok=1)
    assert "in this project." in run(home, "search", "zanzibar", cwd=filled, ok=1)


def test_a_timeline_of_nothing_ends_now_and_settings_are_spelled_as_in_the_file(home: str, filled: Path) -> None:
    assert "Answer 429" in run(home, "timeline", "--after", "0", cwd=filled)
    shown = run(home, "config", cwd=filled)
    assert re.search(r"features\.learning +true ", shown) and "True" not in shown


def test_a_golden_question_is_kept_once(home: str, filled: Path) -> None:
    events = json.loads(run(home, "query", "--category", "decision", "--json", cwd=filled))["events"]
    run(home, "eval", "add", "What is the limit answer?", "--expect", events[0]["id"], cwd=filled)
    status, _out, said = told(
        home, "eval", "add", "what is the  LIMIT answer?", "--expect", events[0]["id"], cwd=filled
    )
    assert status == 1 and "kept already" in said
    assert len(json.loads(run(home, "eval", "list", "--json", cwd=filled))) == 1


def test_a_piece_of_a_document_names_it_once_and_code_in_a_folder_is_told(home: str, filled: Path) -> None:
    (filled / "README.md").write_text("# Shop\n\nWe deploy with make release.\n", encoding="utf-8")
    (filled / "src").mkdir()
    (filled / "src" / "a.py").write_text("def total(cart): return 1\n", encoding="utf-8")
    run(home, "ingest", "README.md", cwd=filled)
    found = run(home, "search", "deploy", cwd=filled)
    assert "custom/document  README.md: Shop  " in found and "  # Shop We deploy with make release." in found
    assert "name its file" in run(home, "ingest", "src", cwd=filled, ok=1)
    assert "src/a.py: new" in run(home, "ingest", "src/a.py", cwd=filled)
    assert "Known" not in run(home, "how", "make", cwd=filled, ok=1)  # a word of a document is no command that ran
