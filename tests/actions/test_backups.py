"""A backup is proved before it appears, may be made while others write, and a restored home is whole."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from session_memory.actions.archive import read
from session_memory.actions.backups import restore
from session_memory.actions.events import Query
from session_memory.errors import InvalidInput
from session_memory.log import reader
from session_memory.log.lock import Lock
from session_memory.log.verify import verify
from session_memory.memory import Memory

pytestmark = pytest.mark.fault(78)


@pytest.fixture
def memory(home: str, tmp_path: Path) -> Memory:
    (tmp_path / "work").mkdir()
    return Memory(home, cwd=str(tmp_path / "work"))


def texts(memory: Memory) -> set[str]:
    return {each["data"]["text"][:20] for each in memory.events.query(Query(limit=200, scope="all")).events}


def test_a_restored_home_holds_everything_and_says_it_is_a_copy(memory: Memory, tmp_path: Path) -> None:
    memory.events.record("finding", "bug", {"text": "short"})
    memory.events.record("finding", "bug", {"text": "long " * 50_000})
    checkpoint = memory.checkpoints.create("before")
    (Path(memory.opened.home.plugins)).mkdir(mode=0o700)
    (Path(memory.opened.home.plugins) / "mine.py").write_text("# mine\n")
    made = memory.backups.make(str(tmp_path))
    assert stat.S_IMODE(os.stat(made.path).st_mode) == 0o600 and made.lines == verify(memory.opened.home).lines
    root = str(tmp_path / "restored")
    restore(made.path, root)
    with Memory(root, cwd=str(tmp_path / "work")) as again:
        assert texts(again) == texts(memory) == {"short", ("long " * 5)[:20]}
        assert again.checkpoints.meant(checkpoint["checkpoint_id"], None)[0]["name"] == "before"  # type: ignore[index]
        again.events.record("finding", "bug", {"text": "in the copy"})
        assert again.health.verify().green
        assert reader.origins(again.opened.home)  # the original may go on: two homes must not write one origin
    for folder, _folders, names in os.walk(root):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert all(stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) & 0o077 == 0 for name in names)
    assert (Path(root) / "plugins" / "mine.py").read_text() == "# mine\n"


def test_a_backup_made_while_others_write_is_a_prefix_and_verifies(memory: Memory, tmp_path: Path) -> None:
    stop = threading.Event()
    program = (
        "import sys\nfrom session_memory import paths\nfrom session_memory.log.journal import Journal\n"
        "from session_memory.model.record import Draft\nj = Journal(paths.Home(sys.argv[1]), roll_bytes=20_000)\n"
        "print(1, flush=True)\n"
        "for n in range(100_000):\n"
        "    j.append([Draft('event', {'session': 's', 'project': 'p', 'category': 'finding', 'type': 't',"
        " 'data': {'text': str(n), 'more': 'x' * (70_000 if n % 20 == 0 else 50)}})], stated=False)\n"
    )
    memory.events.record("finding", "bug", {"text": "first"})
    writers = [
        subprocess.Popen([sys.executable, "-c", program, memory.opened.home.root], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        made = [memory.backups.make(str(tmp_path / f"b{n}.tar.gz")) for n in range(6)]
    finally:
        stop.set()
        for writer in writers:
            writer.kill()
            writer.communicate()
    lines = [each.lines for each in made]
    assert lines == sorted(lines) and lines[-1] > lines[0]
    for number, each in enumerate(made):
        restore(each.path, str(tmp_path / f"r{number}"))
        with Memory(str(tmp_path / f"r{number}")) as again:
            assert again.health.verify().green


def test_what_waits_in_the_spool_is_in_the_backup(memory: Memory, tmp_path: Path) -> None:
    memory.events.record("finding", "bug", {"text": "logged"})
    memory.opened.journal._deadline = memory.opened.journal._patience = 0.05
    with Lock(memory.opened.home.store_lock, 1.0):
        kept, _session = memory.events.record("finding", "bug", {"text": "spooled"})
        assert kept.stored == "spool"
        made = memory.backups.make(str(tmp_path / "b.tar.gz"))
    restore(made.path, str(tmp_path / "r"))
    with Memory(str(tmp_path / "r"), cwd=memory.opened.cwd) as again:
        assert texts(again) == {"logged", "spooled"} and again.health.verify().green


def test_nothing_is_overwritten(memory: Memory, tmp_path: Path) -> None:
    memory.events.record("finding", "bug", {"text": "one"})
    made = memory.backups.make(str(tmp_path / "b.tar.gz"))
    with pytest.raises(InvalidInput, match="exists already"):
        memory.backups.make(made.path)
    with pytest.raises(InvalidInput, match="not empty"):
        restore(made.path, memory.opened.home.root)
    with pytest.raises(InvalidInput, match="does not exist"):
        memory.backups.make(str(tmp_path / "nowhere" / "b.tar.gz"))
    (tmp_path / "empty").mkdir()
    restore(made.path, str(tmp_path / "empty"))


def test_a_damaged_backup_leaves_no_home_behind(memory: Memory, tmp_path: Path) -> None:
    for number in range(50):
        memory.events.record("finding", "bug", {"text": os.urandom(300).hex() + str(number)})
    made = memory.backups.make(str(tmp_path / "b.tar.gz"))
    content = Path(made.path).read_bytes()
    for number, spoilt in enumerate([content[: len(content) // 2], b"", b"junk" * 100, content[:-200] + b"\0" * 200]):
        (tmp_path / f"bad{number}").write_bytes(spoilt)
        with pytest.raises(InvalidInput, match="bad-backup"):
            restore(str(tmp_path / f"bad{number}"), str(tmp_path / "never"))
    assert not (tmp_path / "never").exists() and not list(tmp_path.glob(".never*"))


@pytest.mark.fault(64)
@pytest.mark.parametrize("name", ["../out", "/tmp/out-of-the-home", "storage/../../out", "link"])
def test_names_in_a_backup_cannot_lead_out_of_the_home(tmp_path: Path, name: str) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        if name == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(member, io.BytesIO(b""))
    held.seek(0)
    (tmp_path / "home").mkdir(mode=0o700)
    with pytest.raises(InvalidInput):
        read(held, str(tmp_path / "home"))
    assert os.listdir(tmp_path) == ["home"]


def test_a_damaged_log_is_backed_up_as_it_is(memory: Memory, tmp_path: Path) -> None:
    for number in range(3):
        memory.events.record("finding", "bug", {"text": f"text{number}"})
    path = memory.opened.home.events
    content = open(path, "rb").read().replace(b"text1", b"texT1")
    with open(path, "r+b") as file:
        file.write(content)
    made = memory.backups.make(str(tmp_path / "b.tar.gz"))
    assert made.lines == 5
