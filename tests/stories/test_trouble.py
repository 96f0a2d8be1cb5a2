"""The whole product in trouble: full disks, no memory, no descriptors, odd homes, any input; told clearly, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.log.holder import held

from session_memory import ids
from session_memory.actions.events import Query
from session_memory.index import agree
from session_memory.log import reader
from session_memory.mcp_server.server import OpenLater, Server
from session_memory.memory import Memory


def record(memory: Memory, text: str = "x", **more: Any) -> Any:
    return memory.events.record("finding", "bug", {"text": text}, **more)[0]


def texts(memory: Memory) -> list[str]:
    found = memory.events.query(Query(limit=200, scope="all", order="oldest")).events
    return [each["data"]["text"] for each in found]


@pytest.mark.fault(13)
def test_a_log_that_lost_its_end_is_told_with_the_number_of_records(home: str) -> None:
    with Memory(home) as memory:
        for number in range(10):
            record(memory, str(number))
        path, content = memory.opened.home.events, open(memory.opened.home.events, "rb").read()
        lines = content.split(b"\n")
        os.truncate(path, len(b"\n".join(lines[:-4])) + 1)
        assert texts(memory) == [str(number) for number in range(7)]
        assert any("lost its last 3 records" in each for each in memory.opened.warnings)
        record(memory, "after")
        assert texts(memory)[-1] == "after" and memory.health.verify().green


@pytest.mark.fault(14, 15)
def test_a_log_that_vanished_is_told_and_never_mixed_with_another(home: str) -> None:
    with Memory(home) as memory:
        for number in range(3):
            record(memory, f"old{number}")
        os.rename(memory.opened.home.events, memory.opened.home.events + ".away")
        record(memory, "new")
        assert texts(memory) == ["new"]
        assert any("is gone" in each for each in memory.opened.warnings)
        os.rename(memory.opened.home.events + ".away", memory.opened.home.events)
        record(memory, "newest")
        assert texts(memory) == ["old0", "old1", "old2", "newest"] and memory.health.verify().green


PROGRAM = """
import json, os, sys
from session_memory.errors import SessionMemoryError
from session_memory.memory import Memory
home, told = sys.argv[1], []
memory = Memory(home, cwd=home)
for number in range(int(sys.argv[2])):
    try:
        kept, session = memory.events.record("finding", "bug", {"text": f"{number}", "more": os.urandom(700).hex()})
        told.append([number, kept.stored, kept.indexed, kept.reason])
    except SessionMemoryError as error:
        told.append([number, error.code, None, str(error)])
try:
    point = memory.checkpoints.create("here")
    told.append(["checkpoint", point["checkpoint_id"], os.path.exists(point["file_path"]), ""])
except SessionMemoryError as error:
    told.append(["checkpoint", error.code, None, str(error)])
for each in sys.argv[3:]:
    os.unlink(each)
try:
    told.append(["after", memory.events.record("finding", "bug", {"text": "after"})[0].stored, None, ""])
except SessionMemoryError as error:
    told.append(["after", error.code, None, str(error)])
memory.close()
print(json.dumps({"told": told, "warnings": memory.opened.warnings}))
"""


def on_small_disk(home: str, small: str, size: str, count: int, *, keep: str, free: list[str]) -> dict[str, Any]:
    """Run PROGRAM with a disk of its own of `size` at the folder `small`; its files are copied to `keep` at the end."""
    os.makedirs(small, mode=0o700, exist_ok=True)
    ballast = " ".join(f"'{each}'" for each in free)
    script = (
        f"mount -t tmpfs -o size={size},mode=700 none '{small}' || exit 99; mkdir -p '{home}'; chmod 700 '{home}';"
        + "".join(f" head -c 60000 /dev/zero > '{each}';" for each in free)
        + f" '{sys.executable}' -c \"$PROGRAM\" '{home}' {count} {ballast}; status=$?; cp -a '{small}/.' '{keep}'; exit $status"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PROGRAM": PROGRAM},
    )  # fmt: skip
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("this machine may not mount a small disk of its own")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def need_unshare() -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (Linux)")


@pytest.mark.fault(29)
def test_a_full_disk_is_told_keeps_what_was_acknowledged_and_works_again(tmp_path: Path) -> None:
    need_unshare()
    small, keep = tmp_path / "small", tmp_path / "keep"
    keep.mkdir(mode=0o700)
    home = str(small / "home")
    told = on_small_disk(home, str(small), "2600k", 900, keep=str(keep), free=[f"{small}/ballast"])["told"]
    rows = {row[0]: row for row in told}
    stored = [number for number, how, *_rest in told if how == "log" and number != "after"]
    failed = [row for row in told if row[1] == "log-full"]
    assert 20 < len(stored) < 900 and failed and all("Free some space" in row[3] for row in failed)
    assert rows["after"][1] == "log"  # the ballast went: it goes on by itself
    with Memory(str(keep / "home")) as memory:
        assert {str(number) for number in stored} | {"after"} == {
            each["data"]["text"]
            for page in range(12)
            for each in memory.events.query(Query(limit=100, offset=page * 100, scope="all")).events
        }
        assert memory.health.verify().green


@pytest.mark.fault(30)
def test_a_full_disk_of_the_index_alone_fails_no_record(tmp_path: Path) -> None:
    need_unshare()
    home, keep = tmp_path / "home", tmp_path / "keep"
    keep.mkdir(mode=0o700)
    home.mkdir(mode=0o700)
    (home / "config.json").write_text('{"index_file": "small/index.sqlite"}')
    told = on_small_disk(str(home), str(home / "small"), "350k", 150, keep=str(keep), free=[])["told"]
    stored = [row for row in told if row[1] == "log" and row[0] != "after"]
    assert len(stored) == 150 and any(row[2] is False and row[3] for row in stored)
    with Memory(str(home)) as memory:  # the small disk is gone: the index is made again on the big one
        assert memory.events.query(Query(limit=1, scope="all")).total == 151
        assert not agree.differences(memory.opened.read(), memory.opened.home)


@pytest.mark.fault(31)
def test_a_full_disk_of_the_checkpoint_files_loses_no_checkpoint(tmp_path: Path) -> None:
    need_unshare()
    home, keep = tmp_path / "home", tmp_path / "keep"
    keep.mkdir(mode=0o700)
    home.mkdir(mode=0o700)
    (home / "config.json").write_text('{"checkpoints_dir": "small/points"}')
    said = on_small_disk(str(home), str(home / "small"), "8k", 5, keep=str(keep), free=[f"{home}/small/ballast"])
    point = next(row for row in said["told"] if row[0] == "checkpoint")
    assert point[2] is False and any("the checkpoint is kept" in each for each in said["warnings"])
    assert not [name for _folder, _folders, names in os.walk(keep) for name in names]
    with Memory(str(home)) as memory:
        assert memory.checkpoints.meant(point[1], None)[0]["name"] == "here"  # type: ignore[index]


@pytest.mark.fault(32)
def test_a_limit_on_file_size_is_told_and_kills_nobody(home: str) -> None:
    with Memory(home):
        pass

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, home, "60"], capture_output=True, text=True, preexec_fn=limited, check=True
    )
    told = json.loads(done.stdout)["told"]
    stored = {str(row[0]) for row in told if row[1] == "log"}
    assert any(row[1] == "log-full" for row in told) and len(stored) > 5
    with Memory(home) as memory:
        assert stored <= set(texts(memory)) and memory.health.verify().green


@pytest.mark.fault(37)
def test_too_little_memory_ends_in_words_and_leaves_the_home_intact(home: str) -> None:
    with Memory(home) as memory:
        record(memory, "before")
    program = (
        "import resource, sys\nfrom session_memory.memory import Memory\nmemory = Memory(sys.argv[1])\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 12_000_000, used + 12_000_000))\n"
        "try:\n    memory.events.record('finding', 'bug', {'text': 'y' * 9_000_000})\n    print('kept')\n"
        "except MemoryError:\n    print('MemoryError')\n"
    )
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("needs /proc")
    done = subprocess.run([sys.executable, "-c", program, home], capture_output=True, text=True, check=False)
    assert done.stdout.strip() in ("MemoryError", "kept"), done.stderr
    with Memory(home) as memory:
        record(memory, "after")
        assert {"before", "after"} <= {each[:6] for each in texts(memory)} and memory.health.verify().green


@pytest.mark.fault(38)
def test_without_descriptors_it_says_so_and_goes_on_when_there_are_some(home: str) -> None:
    program = (
        "import os, resource, sys\nfrom session_memory.errors import SessionMemoryError\nfrom session_memory.memory import Memory\n"
        "memory = Memory(sys.argv[1])\nmemory.events.record('finding', 'bug', {'text': 'before'})\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\nresource.setrlimit(resource.RLIMIT_NOFILE, (16, hard))\n"
        "held = []\n"
        "while True:\n    try:\n        held.append(os.open(os.devnull, os.O_RDONLY))\n    except OSError:\n        break\n"
        "for n in range(5):\n    try:\n        print(memory.events.record('finding', 'bug', {'text': 'none'})[0].stored)\n"
        "    except SessionMemoryError as error:\n        print(error.code)\n"
        "for each in held:\n    os.close(each)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))\n"
        "print(memory.events.record('finding', 'bug', {'text': 'after'})[0].stored)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, home], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["log-unwritable"] * 5 + ["log"], done.stdout + done.stderr
    with Memory(home) as memory:
        assert texts(memory) == ["before", "after"]


@pytest.mark.fault(28)
def test_checkpoints_records_and_handoffs_of_several_processes_meet_without_a_deadlock(home: str) -> None:
    program = (
        "import sys\nfrom session_memory.memory import Memory\nmemory = Memory(sys.argv[1], cwd=sys.argv[1])\n"
        "memory.sessions.start(session_id='shared')\n"
        "for n in range(12):\n    memory.events.record('decision', 'design', {'text': f'{sys.argv[2]}-{n}'})\n"
        "    memory.checkpoints.automatic() if n % 3 else memory.handoffs.write()\n"
        "memory.close()\n"
    )
    Memory(home).close()
    running = [
        subprocess.Popen([sys.executable, "-c", program, home, str(n)], stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    for each in running:
        _out, err = each.communicate(timeout=120)
        assert each.returncode == 0, err
    with Memory(home, cwd=home) as memory:
        found = memory.events.query(Query(limit=200, scope="all", category="decision")).events
        assert len({each["data"]["text"] for each in found}) == len(found) == 48
        assert memory.health.verify().green
        assert len(os.listdir(os.path.join(memory.opened.home.checkpoints, "auto"))) <= 10


@pytest.mark.fault(27)
def test_two_servers_of_one_session_keep_both_their_events(home: str) -> None:
    with Memory(home, cwd=home) as first, Memory(home, cwd=home) as second:
        first.sessions.start(session_id="one")
        second.sessions.start(session_id="one")
        for number in range(6):
            record(first if number % 2 else second, str(number))
        for each in (first, second):
            assert each.sessions.status(None)["event_count"] == 6 and texts(each) == [str(n) for n in range(6)]


@pytest.mark.fault(67)
def test_one_name_twice_in_a_millisecond_is_two_checkpoints(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory(home) as memory:
        now = ids.now_ms()
        monkeypatch.setattr(ids, "now_ms", lambda: now)
        made = [memory.checkpoints.create("same") for _ in range(3)]
        assert len({each["checkpoint_id"] for each in made}) == len({each["file_path"] for each in made}) == 3
        assert memory.checkpoints.listed(limit=10)["total_count"] == 3
        assert all(os.path.getsize(each["file_path"]) for each in made)


@pytest.mark.fault(41)
@pytest.mark.parametrize("name", ["a home", "höme 日本", "h" * 250, "a/b/c/d", "q'uo\"te", "-dash", "per%20cent?#"])
def test_odd_places_for_a_home_work(tmp_path: Path, name: str) -> None:
    with Memory(str(tmp_path / name)) as memory:
        record(memory, "kept")
        memory.checkpoints.create("c")
    with Memory(str(tmp_path / name)) as memory:
        assert texts(memory) == ["kept"] and memory.health.verify().green


@pytest.mark.fault(41)
def test_no_home_variable_and_a_place_that_cannot_be_are_words(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("HOME", "USERPROFILE")}
    words = [sys.executable, "-m", "session_memory"]
    done = subprocess.run(
        [*words, "status", "--home", str(tmp_path / "h")], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr
    (tmp_path / "file").write_text("")
    for home in (str(tmp_path / "file" / "home"), str(tmp_path / ("x" * 300))):
        done = subprocess.run(
            [*words, "status", "--home", home], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1 and "error:" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.fault(40)
@pytest.mark.parametrize(
    "file", ["storage/events.jsonl", "storage/index.sqlite", "storage/secret", "storage/store.lock", "config.json"]
)
def test_a_link_in_place_of_any_of_our_files_is_not_followed(home: str, tmp_path: Path, file: str) -> None:
    with Memory(home) as memory:
        record(memory, "kept")
    path, target = Path(home) / file, tmp_path / "target"
    shutil.copy(path, target)
    before = target.read_bytes()
    path.unlink()
    path.symlink_to(target)
    done = subprocess.run(
        [sys.executable, "-m", "session_memory", "checkpoint", "x", "--home", home],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr and target.read_bytes() == before


def strategy(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that fit one of our schemas."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([strategy(each) for each in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object":
        known = {name: strategy(each) for name, each in schema.get("properties", {}).items()}
        return (
            st.fixed_dictionaries({}, optional=known)
            if known
            else st.dictionaries(st.text(max_size=8), anything, max_size=4)
        )
    if kind == "array":
        return st.lists(strategy(schema.get("items", {})), max_size=4)
    whole = st.integers(schema.get("minimum", -(2**70)), schema.get("maximum", 2**70))
    kinds = {"string": st.text(max_size=40), "integer": whole, "boolean": st.booleans(),
             "number": st.floats(allow_nan=True, allow_infinity=True) | whole}  # fmt: skip
    return kinds.get(str(kind), anything)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return Server(OpenLater(str(tmp_path_factory.mktemp("served") / "home")))


def answer(served: Server, name: str, arguments: dict[str, Any]) -> str:
    async def call() -> Any:
        return await served.call_tool(name, arguments)

    result = anyio.run(call)
    text = "".join(getattr(block, "text", "") for block in result.content)
    shown = text + json.dumps(result.structured_content or {})
    assert "Traceback" not in shown and "[internal]" not in shown and "site-packages" not in shown, shown[:500]
    return text if result.is_error else ""


TOOLS = ("session_init", "session_record", "session_query", "session_checkpoint", "session_list_checkpoints",
         "session_resume", "session_handoff", "session_status")  # fmt: skip


@pytest.mark.fault(53, 54, 55, 57)
@pytest.mark.parametrize("name", TOOLS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_arguments_get_an_answer_and_never_a_fault_of_ours(served: Server, name: str, data: st.DataObject) -> None:
    tool = served._tool_manager.get_tool(name)
    assert tool is not None
    properties = tool.parameters["properties"]
    fitting = st.fixed_dictionaries(
        {each: strategy(properties[each]) for each in tool.parameters.get("required", [])},
        optional={
            each: strategy(schema)
            for each, schema in properties.items()
            if each not in tool.parameters.get("required", [])
        },
    )
    wrong = st.dictionaries(st.sampled_from([*properties, "nonsense"]), anything, max_size=4)
    answer(served, name, data.draw(fitting | wrong))


@pytest.mark.fault(17)
def test_an_index_damaged_under_a_live_server_is_made_again_at_the_next_call(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    with Memory(home, cwd=home) as memory:
        for number in range(200):
            record(memory, f"text number {number} " + "w" * 200)
        memory.opened.read().run("PRAGMA wal_checkpoint(TRUNCATE)")
        path = memory.opened.home.index
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        for offset in range(8_192, size - 4_096, 8_192):
            file.seek(offset)
            file.write(os.urandom(4_096))
    serving = Server(OpenLater(home))
    said = [answer(serving, "session_query", {"keyword": "number", "scope": "all", "limit": 5}) for _ in range(2)]
    assert said[1] == "" and (said[0] == "" or "made again" in said[0])
    with Memory(home, cwd=home) as memory:
        assert memory.events.query(Query(keyword="number", scope="all", limit=5)).total == 200
        assert memory.health.verify().green


@pytest.mark.fault(57)
def test_after_all_that_the_log_is_strict_json_and_verifies(served: Server) -> None:
    memory = served._memory()
    assert memory.health.verify().green
    with reader.Logs(memory.opened.home) as logs:
        for place in [place for log in logs for part in log.parts for place in reader.places(part)]:
            assert place.line is not None
            json.loads(place.line.raw, parse_constant=lambda name: pytest.fail(name))


@pytest.mark.fault(28)
def test_a_thread_that_looks_on_sees_whole_files_only(home: str) -> None:
    with Memory(home) as memory:
        record(memory)
        point = memory.checkpoints.create("same")
        folder, stop, half = os.path.dirname(point["file_path"]), threading.Event(), []

        def look() -> None:
            while not stop.is_set():
                for name in os.listdir(folder):
                    if name.endswith(".json"):
                        content = Path(folder, name).read_text()
                        if not content.endswith("}\n"):
                            half.append(name)

        looking = threading.Thread(target=look)
        looking.start()
        for _ in range(60):
            memory.checkpoints.create("same")
        stop.set()
        looking.join()
        assert not half


@pytest.mark.fault(22)
@pytest.mark.parametrize("known", [True, False], ids=["a known session", "a first call"])
def test_every_tool_answers_while_a_stopped_process_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr("session_memory.memory.SERVER_DEADLINE", 0.05)
    home = str(tmp_path / "home")
    serving = Server(OpenLater(home))
    if known:
        assert answer(serving, "session_init", {"session_id": "one"}) == ""
        assert (
            answer(serving, "session_record", {"category": "decision", "type": "design", "data": {"text": "before"}})
            == ""
        )
    else:
        Memory(home).close()
    calls: list[tuple[str, dict[str, Any]]] = [
        ("session_init", {"session_id": "one", "skill_name": "x"}),
        ("session_record", {"category": "decision", "type": "design", "data": {"text": "while it is held"}}),
        ("session_query", {"keyword": "held", "scope": "all"}),
        ("session_checkpoint", {"name": "point"}),
        ("session_list_checkpoints", {}),
        ("session_handoff", {}),
        ("session_status", {}),
    ]
    with held(os.path.join(home, "storage", "store.lock")) as holder:
        holder.send_signal(signal.SIGSTOP)
        for name, arguments in calls:
            told = answer(serving, name, arguments)
            assert told == "" or (not known and "waits in the spool" in told), name
    for name, arguments in [*calls[2:3], ("session_resume", {"checkpoint_name": "point"})]:
        assert answer(serving, name, arguments) == "", name
    memory = serving._memory()
    assert memory.events.query(Query(keyword="held", scope="all")).total == 1
    assert [
        each["name"] for each in memory.checkpoints.listed(everywhere=True)["checkpoints"] if each["name"] == "point"
    ] == ["point"]
    assert memory.health.verify().green


@pytest.mark.fault(33)
def test_a_spool_and_a_stderr_that_fail_stop_no_reading_and_no_recording(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory(home, cwd=home) as memory:
        record(memory, "before")
        os.mkdir(memory.opened.home.spool, 0o700)
        listdir = os.listdir

        def failing(path: Any = ".") -> list[str]:
            if path == memory.opened.home.spool:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return listdir(path)

        with open(os.devnull) as deaf:  # open for reading: writing to it fails
            monkeypatch.setattr(os, "listdir", failing)
            monkeypatch.setattr(sys, "stderr", deaf)
            record(memory, "after")
            assert texts(memory) == ["before", "after"]
            monkeypatch.undo()
        assert [each for each in memory.opened.warnings if "spool could not be read (Input/output error)" in each]
