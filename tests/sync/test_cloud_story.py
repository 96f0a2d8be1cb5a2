"""Two devices and Cloudflare, as a user does it: the steps of the how-to page, with real processes, a real D1 and a real R2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.sync.cloud import ACCOUNT, BUCKET, DATABASE, TOKEN, Cloud

from session_memory.errors import RemoteError

pytest.importorskip("session_memory.actions.sync", reason="exchanging is not part of this version")
pytest.importorskip("cryptography", reason="sealing needs the package cryptography")

PASSPHRASE = "correct horse battery staple"
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "sync-through-cloudflare.md"
VALUES = {"CF_ACCOUNT_ID": ACCOUNT, "CF_API_TOKEN": TOKEN, "CF_D1_DATABASE_ID": DATABASE, "CF_R2_BUCKET": BUCKET}


def variables() -> list[str]:
    """Those that the page's fourth step sets."""
    step = PAGE.read_text(encoding="utf-8").partition("\n4. ")[2].partition("\n5. ")[0]
    return re.findall(r"^ +([A-Z0-9_]+)=", step, re.MULTILINE)


class Laptop:
    """A device: a home, a project folder, and the variables of the page in its user's `~/.claude/.env`."""

    def __init__(self, cloud: Cloud, root: Path) -> None:
        self.home, self.work, self.user = str(root / "home"), root / "work", root / "user"
        self.work.mkdir(parents=True)
        (self.user / ".claude").mkdir(parents=True)
        self.set(**VALUES)
        # the rig, instead of Cloudflare
        self.environ = {
            "HOME": str(self.user), "CF_API_BASE_URL": cloud.base_url, "CF_R2_ENDPOINT_URL": cloud.s3_endpoint,
        }  # fmt: skip

    def set(self, **values: str) -> None:
        """The fourth step."""
        lines = [f"{name}={values[name]}\n" for name in variables() if name in values]
        (self.user / ".claude" / ".env").write_text("".join(lines))

    def run(self, *words: str) -> str:
        """As a user types it."""
        done = subprocess.run(
            [sys.executable, "-m", "session_memory", *words, "--home", self.home], cwd=self.work,
            env={**os.environ, **self.environ, "SESSION_MEMORY_SYNC_PASSPHRASE": PASSPHRASE},
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    @contextmanager
    def memory(self) -> Iterator[Any]:
        """As the server opens it."""
        from session_memory.memory import Memory

        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environ.items():
                patch.setenv(name, value)
            with Memory(self.home, cwd=str(self.work)) as memory:
                yield memory

    def say(self, text: str) -> None:
        with self.memory() as memory:
            memory.starts.begin(session_id=f"of-{self.work.parent.name}")
            memory.events.record("decision", "made", {"text": text})

    def finds(self, words: str) -> int:
        from session_memory.actions.events import Query

        with self.memory() as memory:
            return len(memory.events.query(Query(keyword=words, scope="all")).events)

    def push(self) -> dict[str, Any]:
        with self.memory() as memory:
            return dict(memory.sync.push())

    def pull(self) -> dict[str, Any]:
        with self.memory() as memory:
            return dict(memory.sync.pull())

    def pending(self) -> int:
        with self.memory() as memory:
            return int(memory.sync.status()["pending"])


@pytest.fixture
def laptops(cloud: Cloud, tmp_path: Path) -> tuple[Laptop, Laptop]:
    """Neither has exchanged anything yet."""
    return Laptop(cloud, tmp_path / "old"), Laptop(cloud, tmp_path / "new")


@pytest.fixture
def pair(laptops: tuple[Laptop, Laptop], tmp_path: Path) -> tuple[Laptop, Laptop]:
    """Two that share a key already."""
    old, new = laptops
    with old.memory() as memory:
        memory.sync.init()
        memory.sync.export_key(str(tmp_path / "key"), PASSPHRASE)
    with new.memory() as memory:
        memory.sync.import_key(str(tmp_path / "key"), PASSPHRASE)
    return old, new


def test_the_page_names_the_four_variables() -> None:
    assert sorted(variables()) == sorted(VALUES)


def test_the_five_steps_of_the_page_alone_suffice(cloud: Cloud, laptops: tuple[Laptop, Laptop], tmp_path: Path) -> None:
    old, new = laptops
    old.say("zebracrossing is the name of the new queue")
    told = old.run("sync", "push")
    assert "sync export-key" in told and "sync import-key" in told
    assert {row[0] for row in cloud.sql("select name from sqlite_master where type = 'table'")} >= {"seg", "words"}
    old.run("sync", "export-key", str(tmp_path / "key"))
    new.run("sync", "import-key", str(tmp_path / "key"))
    new.run("sync", "pull")
    assert new.finds("zebracrossing") == 1


def test_what_one_says_the_other_finds_and_the_cloud_cannot_read(cloud: Cloud, pair: tuple[Laptop, Laptop]) -> None:
    old, new = pair
    others = cloud.objects()
    old.say("zebracrossing is the name of the new queue")
    old.say(" ".join(f"walrus{n:05}" for n in range(12_000)))  # a body of its own, which goes to R2
    old.push()
    new.pull()
    assert (new.finds("zebracrossing"), new.finds("walrus11999")) == (1, 1)
    new.say("the flamingo has landed")
    new.push()
    old.pull()
    assert old.finds("flamingo") == 1

    rows = json.dumps(cloud.sql("select * from seg") + cloud.sql("select * from words"))
    (blob,) = (content for name, content in cloud.objects().items() if name not in others)
    assert not re.search("zebracrossing|walrus|flamingo|decision", rows)
    assert not re.search(b"zebracrossing|walrus|flamingo", blob)


def test_what_is_forgotten_on_one_is_forgotten_in_the_cloud_and_on_the_other(
    cloud: Cloud, pair: tuple[Laptop, Laptop]
) -> None:
    old, new = pair
    others = cloud.objects()
    old.say("zebracrossing " + " ".join(f"walrus{n:05}" for n in range(12_000)))
    old.push()
    new.pull()
    before = cloud.sql("select sum(nulls) from seg")
    new.run("forget", "--text", "zebracrossing", "--yes")
    new.push()
    assert cloud.sql("select sum(nulls) from seg") != before
    assert [content for name, content in cloud.objects().items() if name not in others] == [b""]
    old.pull()
    assert old.finds("walrus11999") == 0


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("CF_API_TOKEN", "wrong", "remote-refused"),
        ("CF_R2_BUCKET", "no-such-bucket", "remote-not-there"),
        ("CF_D1_DATABASE_ID", "11111111-2222-3333-4444-000000000000", "remote-not-there"),
        *((name, "", "no-remote") for name in VALUES),
    ],
)
def test_what_is_wrong_is_named_and_nothing_counts_as_sent(
    pair: tuple[Laptop, Laptop], name: str, value: str, code: str
) -> None:
    old, _new = pair
    old.say("zebracrossing " + " ".join(f"walrus{n:05}" for n in range(12_000)))
    before = old.pending()
    old.set(**{**VALUES, name: value})
    with pytest.raises(RemoteError) as told:
        old.push()
    assert told.value.code == code and TOKEN not in str(told.value) and (value or name in str(told.value))
    assert old.pending() == before > 0
    old.set(**VALUES)
    old.push()
    assert old.pending() == 0
