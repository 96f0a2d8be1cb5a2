"""Sync as people and models use it: set up, join, exchange, how it stands, and every trouble with its own sentence."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.mcp_server.raw_client import RawClient, server

from session_memory.actions import sync as sync_action
from session_memory.actions.events import Query
from session_memory.errors import InvalidInput, RemoteError, SessionMemoryError
from session_memory.mcp_server.server import OpenLater, Server
from session_memory.mcp_server.switched import tools_off
from session_memory.memory import Memory

PASS = "correct horse"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/hub"


def opened(tmp_path: Path, name: str) -> Memory:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    return Memory(str(tmp_path / name), cwd=str(project), client="test", environ={})


def say(memory: Memory, text: str) -> str:
    return memory.events.record("decision", "made", {"title": text})[0].records[0].id


def titles(memory: Memory, keyword: str) -> list[str]:
    return [each["data"]["title"] for each in memory.events.query(Query(keyword=keyword, scope="all")).events]


def code(act: Any) -> str:
    with pytest.raises(SessionMemoryError) as told:
        act()
    return told.value.code


def joined(tmp_path: Path, url: str, *names: str) -> list[Memory]:
    """Memories that share a key; the first made it."""
    first = opened(tmp_path, names[0])
    first.sync.init(url)
    first.sync.export_key(str(tmp_path / "key"), PASS)
    others = [opened(tmp_path, name) for name in names[1:]]
    for each in others:
        each.sync.import_key(str(tmp_path / "key"), PASS)
    return [first, *others]


def test_a_second_device_finds_what_the_first_one_said(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    say(a, "Use heliotrope")
    pushed = a.sync.push()
    assert pushed["pushed"] >= 2 and pushed["pending"] == 0 and "note" not in pushed
    pulled = b.sync.pull()
    assert pulled["pulled"] == pushed["pushed"]
    assert titles(b, "heliotrope") == ["Use heliotrope"]
    assert b.sync.status()["origins"][0].get("last_error") is None
    assert {each["own"] for each in b.sync.devices()} == {True, False} and b.health.verify().green
    a.close(), b.close()


def test_the_first_push_makes_the_key_and_says_how_to_carry_it_over(tmp_path: Path, url: str) -> None:
    memory = opened(tmp_path, "a")
    assert code(memory.sync.pull) == "no-remote" and not memory.sync.status()["enabled"]
    assert code(memory.sync.push) == "no-remote"  # a first push is a wish, but nothing says where to
    config = Path(tmp_path, "a", "config.json")
    tree = json.loads(config.read_text())
    tree["features"]["cloud_sync"].update(enabled=True, url=url)
    config.write_text(json.dumps(tree))
    memory = opened(tmp_path, "a")
    say(memory, "x")
    assert code(memory.sync.pull) == "no-sync-key"  # nothing to open it with, and nothing is made by looking
    told = memory.sync.push(dry_run=False)
    assert "export-key" in told["note"] and os.path.exists(memory.opened.home.sync_key)
    assert "note" not in memory.sync.push()


def test_init_switches_it_on_and_changes_nothing_else(tmp_path: Path, url: str) -> None:
    memory = opened(tmp_path, "a")
    config = Path(memory.opened.home.config)
    before = {**json.loads(config.read_text()), "mine": {"kept": True}, "features.cloud_sync.url": "d1://old"}
    config.write_text(json.dumps(before))
    told = memory.sync.init(url)
    after = json.loads(config.read_text())
    assert after["features"]["cloud_sync"]["enabled"] is True and after["features"]["cloud_sync"]["url"] == url
    assert after["mine"] == {"kept": True} and "features.cloud_sync.url" not in after
    assert told["key"] == "made" and memory.sync.init()["key"] == "kept"
    assert not tools_off(memory.opened.home.root) & {"sync_push", "sync_pull", "sync_status"}
    config.write_text("{half")
    assert code(lambda: memory.sync.init(url + "2")) == "bad-settings"
    config.write_text("[]")
    assert code(lambda: memory.sync.init(url + "2")) == "bad-settings"
    config.unlink()
    memory.sync.init(url + "2")


def test_each_trouble_has_its_own_code(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a = opened(tmp_path, "a")
    a.sync.init(url)
    a.sync.push()
    b = opened(tmp_path, "b")
    assert code(lambda: b.sync.init(url)) == "no-sync-key" and not os.path.exists(b.opened.home.sync_key)
    assert code(lambda: b.sync.init("ftp://x")) == "no-remote"
    assert code(lambda: b.sync.init("postgresql://x/y")) == "no-remote"
    assert code(lambda: b.sync.export_key(str(tmp_path / "k"), PASS)) == "no-sync-key"
    b.sync.init(url + "-b")
    b.opened.settings.take("features.cloud_sync.url", url, "config.json")
    assert code(b.sync.push) == "wrong-sync-key"
    assert b.sync.status()["last_error"]["code"] == "wrong-sync-key"
    assert code(lambda: a.sync.push(types=["event", "no such"])) == "bad-argument"
    a.sync.export_key(str(tmp_path / "key"), PASS)
    assert code(lambda: a.sync.export_key(str(tmp_path / "key"), PASS)) == "bad-argument"
    assert code(lambda: b.sync.import_key(str(tmp_path / "key"), "wrong horse")) == "bad-key-file"
    assert code(lambda: b.sync.import_key(str(tmp_path / "key"), PASS)) == "bad-key-file"  # it has another one
    a.opened.settings.take("features.cloud_sync.encrypt", False, "config.json")
    assert code(a.sync.push) == "not-built"
    a.opened.settings.take("features.cloud_sync.encrypt", True, "config.json")
    shutil.rmtree(tmp_path / "hub")
    (tmp_path / "hub").write_text("a file now")
    assert code(a.sync.push) == "remote-offline"
    assert a.sync.status()["last_error"]["code"] == "remote-offline"
    monkeypatch.setattr(sync_action, "find_spec", lambda name: None if name in ("cryptography", "httpx") else name)
    with pytest.raises(RemoteError, match=r"Run: .*cryptography") as told:
        a.sync.push()
    assert told.value.code == "sync-missing"


def test_through_cloudflare_only_known_variables_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = opened(tmp_path, "a")
    monkeypatch.setattr(sync_action, "find_spec", lambda name: None if name == "session_memory.sync.d1" else name)
    assert code(lambda: memory.sync.init("d1://")) == "not-built"
    monkeypatch.setattr(sync_action, "find_spec", lambda name: name)
    memory.opened.settings.take("features.cloud_sync.r2_bucket_env", "MY_BUCKET", "config.json")
    with pytest.raises(RemoteError, match="MY_BUCKET"):
        memory.sync.init("d1://")


def test_a_home_with_records_joins_and_keeps_them(tmp_path: Path, url: str) -> None:
    a = opened(tmp_path, "a")
    a.sync.init(url)
    a.sync.export_key(str(tmp_path / "key"), PASS)
    a.entities.create("file", "src/auth.py")
    say(a, "from a about src/auth.py")
    b = opened(tmp_path, "b")
    say(b, "from b about src/auth.py")
    was = b.opened.index.database().one("SELECT origin FROM position")
    assert b.sync.import_key(str(tmp_path / "key"), PASS)["joined"]
    assert not b.sync.import_key(str(tmp_path / "key"), PASS)["joined"]
    assert b.sync.status()["url"] == url
    for each in (b, a, b, a):
        each.sync.push()
    for each in (a, b):
        assert each.health.verify().green
        assert {each[:6] for each in titles(each, "auth.py")} == {"from a", "from b"}
    assert was is not None and was[0] in {each["origin"] for each in a.sync.devices()}
    b.close()
    assert next(each for each in opened(tmp_path, "b").sync.devices() if each["own"])["origin"] == was[0]


def test_what_is_forgotten_here_leaves_the_views_there(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    say(a, "Project Bluebird begins")
    a.checkpoints.create("first", "about Project Bluebird")
    for each in (a, b):
        each.sync.push()
    assert len(titles(b, "Bluebird")) == 1
    from session_memory.actions.forgetting import Wanted

    a.forgetting.carry_out(a.forgetting.plan(Wanted(text="Project Bluebird")))
    assert a.sync.push()["forgotten_there"] == 1
    assert b.sync.push()["forgotten_here"] >= 1
    assert titles(b, "Bluebird") == [] and b.health.verify().green
    content = b"".join(path.read_bytes() for path in Path(b.opened.home.root).rglob("*") if path.is_file())
    assert b"Bluebird" not in content


def test_conflicts_name_what_counts_and_what_lost(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    event = say(a, "Use SQLite")
    a.entities.create("file", "src/auth.py", metadata={"owner": "ann"})
    for each in (a, b, a):
        each.sync.push()
    assert a.conflicts.listed() == []
    a.entities.create("file", "src/auth.py", metadata={"owner": "ben"})
    a.events.record("decision", "accepted", {}, parent_id=event)
    b.entities.create("file", "src/auth.py", metadata={"owner": "cleo"})
    b.events.record("decision", "wrong", {"note": "it locks"}, parent_id=event)
    for each in (a, b, a):
        each.sync.push()
    found = a.conflicts.listed()
    assert found == b.conflicts.listed()
    by_field = {each["field"]: each for each in found}
    assert (
        by_field["metadata"]["value"]["owner"] == "cleo" and by_field["metadata"]["lost"][0]["value"]["owner"] == "ben"
    )
    assert by_field["metadata"]["name"] == "src/auth.py"
    assert (by_field["status"]["value"], by_field["status"]["lost"][0]["value"]) == ("wrong", "accepted")


def test_state_can_be_lost_or_spoilt(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    say(a, "x")
    a.sync.push()
    for spoilt in (b"{half", b"[]", None):
        if spoilt is None:
            os.unlink(a.opened.home.sync_state)
        else:
            Path(a.opened.home.sync_state).write_bytes(spoilt)
        assert a.sync.status()["origins"][0]["pushed"] == 0  # not known until it is asked again
        assert a.sync.push()["pushed"] == 0 and a.sync.status()["pending"] == 0
    assert b.sync.pull(force=True)["pulled"] > 0


def test_the_tools_are_there_once_it_is_on_and_answer_lean(tmp_path: Path, url: str) -> None:
    for each in joined(tmp_path, url, "a"):
        each.close()
    later = OpenLater(str(tmp_path / "a"))
    server = Server(later)

    def call(name: str, **arguments: Any) -> Any:
        return asyncio.run(server.call_tool(name, arguments))

    assert not call("session_record", category="decision", type="made", data={"title": "x"}).is_error
    would = call("sync_push", dry_run=True).structured_content
    assert would["dry_run"] and would["pushed"] >= 2
    done = call("sync_push", resource_types=["event", "learning"]).structured_content
    assert done["types"] == {"event": 1} and done["pending"] == 0
    assert call("sync_pull", force=True).structured_content["calls"] == 2
    status = call("sync_status").structured_content
    assert status["pending"] == 0 and status["origins"][0]["pushed"] == done["pushed"]
    assert call("sync_push", resource_types=["nonsense"]).is_error
    memory = later.opened()
    assert memory is not None
    memory.close()


def test_a_server_exchanges_after_a_checkpoint_and_a_failure_waits_for_the_next_one(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    say(a, "x")
    assert a.sync.due() is None
    a.checkpoints.create("first")
    job = a.sync.due()
    assert job is not None and a.sync.due() is None
    job.run()
    assert a.sync.finish(job)["pushed"] > 0
    again = opened(tmp_path, "a")
    assert again.sync.due() is None  # a server that starts later knows what was exchanged
    shutil.move(tmp_path / "hub", tmp_path / "away")
    (tmp_path / "hub").write_text("no folder")
    a.checkpoints.create("second")
    job = a.sync.due()
    assert job is not None
    job.run()
    assert code(lambda: a.sync.finish(job)) == "remote-offline" and a.sync.due() is None
    assert a.sync.status()["last_error"]["code"] == "remote-offline" and a.sync.status()["pending"] > 0
    (tmp_path / "hub").unlink()
    shutil.move(tmp_path / "away", tmp_path / "hub")
    assert opened(tmp_path, "a").sync.due() is not None
    b.opened.settings.take("features.cloud_sync.enabled", False, "config.json")
    b.checkpoints.create("third")
    assert b.sync.due() is None


def test_a_running_server_exchanges_by_itself(tmp_path: Path, url: str) -> None:
    a, b = joined(tmp_path, url, "a", "b")
    a.close()
    with RawClient(server(str(tmp_path / "a"))) as client:
        client.call("session_record", category="decision", type="made", data={"title": "said to the server"})
        client.call("session_checkpoint", name="first")
        for _try in range(300):
            if b.sync.pull()["pulled"]:
                break
            time.sleep(0.1)
        assert client.call("sync_status")["structuredContent"]["pending"] == 0
    assert titles(b, "server") == ["said to the server"]


def test_a_raised_oserror_becomes_a_sentence(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,) = joined(tmp_path, url, "a")
    job = a.sync.begin(push=True)
    monkeypatch.setattr(job.exchange, "run", lambda **_how: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    job.run()
    assert code(lambda: a.sync.finish(job)) == "log-unwritable"
    with pytest.raises(InvalidInput):
        a.sync.begin(push=True, types=["x"])


def test_a_folder_that_is_gone_is_not_made_again_but_by_init(tmp_path: Path) -> None:
    """A stick that was pulled out: what is sent must not land on the disk below its place."""
    stick = tmp_path / "stick"
    stick.mkdir()
    memory = opened(tmp_path, "a")
    memory.sync.init(f"file://{stick}/memory")
    say(memory, "heliotrope")
    memory.sync.push()
    stick.rename(tmp_path / "unplugged")
    for act in (memory.sync.push, memory.sync.pull):
        assert code(act) == "remote-offline"
    assert not stick.exists() and memory.sync.status()["last_error"]["code"] == "remote-offline"
    (tmp_path / "unplugged").rename(stick)
    assert memory.sync.push()["pending"] == 0
    assert code(lambda: memory.sync.init(f"file://{tmp_path}/no1/no2")) == "remote-offline"  # a slip of the pen
    assert not (tmp_path / "no1").exists()
    memory.close()


def test_who_has_said_nothing_of_a_remote_is_told_how(tmp_path: Path) -> None:
    memory = opened(tmp_path, "a")
    for act in (memory.sync.push, memory.sync.pull, memory.sync.init):
        with pytest.raises(SessionMemoryError, match=r"Sync is not set up.*sync init file:///"):
            act()
    memory.close()
