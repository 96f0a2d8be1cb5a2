"""The doctor names what is wrong, says what to do, repairs what can be repaired, and leaves the rest alone."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.log.holder import held, told_or_skip

from session_memory import ids
from session_memory.actions import doctor as rooms
from session_memory.actions.doctor import Finding
from session_memory.actions.events import Query
from session_memory.index import database as databases
from session_memory.log.lock import Lock
from session_memory.memory import Memory


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Iterator[Memory]:
    (tmp_path / "work").mkdir()
    with Memory(home, cwd=str(tmp_path / "work")) as memory:
        memory.events.record("finding", "bug", {"text": "one"})
        memory.events.record("finding", "bug", {"text": "two"})
        yield memory


def bad(memory: Memory, *, fix: bool = False) -> list[Finding]:
    return [each for each in memory.doctor.examine(fix=fix) if each.level in (rooms.WARNING, rooms.FAULT)]


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, [each.what for each in found]
    assert found[0].fix
    return found[0]


@pytest.fixture(autouse=True)
def _every_finding_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = rooms.Doctor.examine

    def checked(self: rooms.Doctor, *, fix: bool = False) -> list[Finding]:
        found = real(self, fix=fix)
        assert not [each for each in found if each.level != rooms.OK and not each.repaired and not each.fix]
        return found

    monkeypatch.setattr(rooms.Doctor, "examine", checked)


def test_a_healthy_home_has_nothing_to_look_at(memory: Memory) -> None:
    assert bad(memory) == []
    areas = [each.area for each in memory.doctor.examine()]
    for area in (
        "SQLite",
        "disk",
        "file modes",
        "locks",
        "spool",
        "log",
        "index",
        "settings",
        "plugins",
        "clients",
        "features",
    ):
        assert area in areas


@pytest.mark.fault(76)
def test_an_old_sqlite_is_named(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "about", lambda: ("3.50.0", True))
    assert "3.50.0 can damage" in only(bad(memory)).what
    monkeypatch.setattr(databases, "about", lambda: ("3.54.0", False))
    assert "no full-text search" in only(bad(memory)).what


def test_little_disk_and_network_drives_are_named(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "LITTLE_DISK", 1 << 62)
    assert "free" in only(bad(memory)).what
    monkeypatch.setattr(rooms, "LITTLE_DISK", 0)
    monkeypatch.setattr(rooms, "_file_system", lambda path: "nfs4")
    assert "network drive (nfs4)" in only(bad(memory)).what


def test_files_open_to_others_are_closed(memory: Memory) -> None:
    os.chmod(memory.opened.home.events, 0o644)
    os.chmod(memory.opened.home.storage, 0o755)
    found = only(bad(memory))
    assert "events.jsonl" in found.what and found.area == "file modes"
    assert bad(memory, fix=True) == []
    assert stat.S_IMODE(os.stat(memory.opened.home.events).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(memory.opened.home.storage).st_mode) == 0o700


@pytest.mark.fault(22)
def test_a_stopped_holder_of_a_lock_is_named_with_what_to_do(memory: Memory) -> None:
    with held(memory.opened.home.store_lock) as holder:
        told_or_skip(memory.opened.home.store_lock)
        assert bad(memory) == [] and any(
            each.area == "locks" and each.level == rooms.NOTE for each in memory.doctor.examine()
        )
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        found = only([each for each in bad(memory) if each.area == "locks"])
        assert (
            f"process {holder.pid}" in found.what
            and "stopped" in found.what
            and f"kill -CONT {holder.pid}" in found.fix
        )


def test_what_waits_in_the_spool_is_merged(memory: Memory) -> None:
    memory.opened.journal._deadline = memory.opened.journal._patience = 0.05
    with Lock(memory.opened.home.store_lock, 1.0):
        memory.events.record("finding", "bug", {"text": "waits"})
        assert "1 file waiting" in only([each for each in bad(memory) if each.area == "spool"]).what
    assert bad(memory, fix=True) == []
    with open(os.path.join(memory.opened.home.spool, "strange"), "w"):
        pass
    os.chmod(os.path.join(memory.opened.home.spool, "strange"), 0o600)
    assert any("not ours: strange" in each.what for each in memory.doctor.examine())


@pytest.mark.fault(9, 10)
def test_a_torn_end_is_set_aside(memory: Memory) -> None:
    with open(memory.opened.home.events, "ab") as file:
        file.write(b'{"v":1,"half')
    assert "12 bytes of an unfinished write" in only(bad(memory)).what
    fixed = memory.doctor.examine(fix=True)
    assert any(each.repaired and "unfinished write" in each.what for each in fixed)
    assert bad(memory) == [] and any("events.torn holds" in each.what for each in memory.doctor.examine())


@pytest.mark.fault(12)
def test_a_changed_line_is_named_and_cannot_be_repaired(memory: Memory) -> None:
    path = memory.opened.home.events
    content = open(path, "rb").read().replace(b'"one"', b'"0ne"')
    with open(path, "r+b") as file:
        file.write(content)
    for fix in (False, True):
        found = [each for each in bad(memory, fix=fix) if each.area == "log"]
        assert "events.jsonl, line 3: the body is not the one that was written" in only(found).what


@pytest.mark.fault(17)
def test_a_damaged_index_is_made_again(memory: Memory) -> None:
    memory.close()
    with open(memory.opened.home.index, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    bad(memory, fix=True)
    assert bad(memory) == [] and memory.events.query(Query(limit=10)).total == 2


def test_leftovers_of_killed_processes_are_removed_when_they_are_old(memory: Memory) -> None:
    storage = memory.opened.home.storage
    blobs = memory.opened.home.blobs
    os.makedirs(blobs, mode=0o700)
    old, new = os.path.join(storage, ".a.1.x.tmp"), os.path.join(storage, ".b.1.x.tmp")
    orphan, named_now = os.path.join(blobs, "a" * 64), os.path.join(blobs, "b" * 64)
    for path in (old, new, orphan, named_now):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    long_ago = ids.now_ms() / 1000 - 30 * 86_400
    for path in (old, orphan):
        os.utime(path, (long_ago, long_ago))
    memory.events.record("finding", "bug", {"text": "long " * 50_000})
    memory.doctor.examine(fix=True)
    assert not os.path.exists(old) and not os.path.exists(orphan)
    assert os.path.exists(new) and os.path.exists(named_now) and len(os.listdir(blobs)) == 2


def test_a_missing_long_body_is_a_fault(memory: Memory) -> None:
    memory.events.record("finding", "bug", {"text": "long " * 50_000})
    (name,) = os.listdir(memory.opened.home.blobs)
    os.unlink(os.path.join(memory.opened.home.blobs, name))
    assert "is missing" in next(each for each in bad(memory) if each.area == "log").what


@pytest.mark.fault(45)
def test_settings_plugins_and_switched_off_features_are_named(home: str, tmp_path: Path) -> None:
    os.makedirs(os.path.join(home, "plugins"), mode=0o700)
    Path(home, "config.json").write_text('{"durability": "sometimes", "features": {"learning": false}}')
    Path(home, "plugins", "broken.py").write_text("1/0\n")
    for path in (Path(home), Path(home, "config.json"), Path(home, "plugins", "broken.py")):
        os.chmod(path, 0o700 if path.is_dir() else 0o600)
    with Memory(home, cwd=str(tmp_path)) as memory:
        found = memory.doctor.examine()
    told = {each.area: each.what for each in found if each.level == rooms.WARNING}
    assert "durability must be one of" in told["settings"] and "ZeroDivisionError" in told["plugins"]
    assert any(each.area == "features" and "learning is switched off (config.json)" in each.what for each in found)


def test_a_client_that_is_wired_twice_is_named_with_the_places(memory: Memory) -> None:
    user = Path(os.path.expanduser("~"))
    (user / ".claude").mkdir(parents=True)
    (user / ".claude.json").write_text(json.dumps({"mcpServers": {"session-memory": {"command": "x"}}}))
    assert any(each.what == "Claude Code: ~/.claude.json (user)" for each in memory.doctor.examine())
    (user / ".claude" / "settings.json").write_text(
        json.dumps({"enabledPlugins": {"session-memory@session-memory": True}})
    )
    Path(memory.opened.cwd, ".mcp.json").write_text(
        json.dumps({"mcpServers": {"mem": {"command": "python3", "args": ["~/.claude/session-memory/server.py"]}}})
    )
    found = only([each for each in bad(memory) if each.area == "clients"])
    assert "Claude Code starts this server 3 times" in found.what and ".mcp.json of this project" in found.what


@pytest.mark.parametrize("content", ["", "[]", '{"mcpServers": []}', '{"mcpServers": {"a": 1}}', "{" * 100_000, "\0"])
def test_odd_client_configurations_are_passed_over(memory: Memory, content: str) -> None:
    Path(os.path.expanduser("~"), ".claude.json").write_text(content)
    assert bad(memory) == []


def test_a_repair_that_fails_says_why(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chmod(memory.opened.home.events, 0o644)

    def refuse(path: str) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(rooms.paths, "make_private", refuse)
    assert any("could not be repaired" in each.what for each in bad(memory, fix=True))
