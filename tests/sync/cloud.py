"""A real D1 and R2 on loopback for the tests of a session: started once, emptied before each test that takes `cloud`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.sync.proxy import Proxy

from session_memory.sync.calls import Calls, Pace, Patience
from session_memory.sync.d1 import D1
from session_memory.sync.remote import Segment

RIG = Path(__file__).parent / "rig"
# where scripts/rig put what npm brings; read now, because a test has a home of its own
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PACKAGES = Path(os.environ.get("SESSION_MEMORY_RIG") or CACHE / "session-memory-tests" / "rig")
ACCOUNT, DATABASE, OTHER = (
    "00000000000000000000000000000acc",
    "11111111-2222-3333-4444-555555555555",
    "99999999-2222-3333-4444-555555555555",
)
TOKEN, TOKEN_ID, BUCKET = "v1-token_of-the-rig", "0123456789abcdef0123456789abcdef", "session-memory"
# generous where a slow machine may be slow, short where nothing is waited for
QUICK = Patience(connect=10, silence=20, whole=20, waits=20, first=0.01)


@dataclass(frozen=True)
class Cloud:
    """Addresses of the rig, and remotes on it."""

    base_url: str
    s3_endpoint: str

    def remote(
        self,
        proxy: Proxy | None = None,
        *,
        token: str = TOKEN,
        database: str = DATABASE,
        bucket: str = BUCKET,
        patience: Patience = QUICK,
        s3: Proxy | None = None,
    ) -> D1:
        """A D1 on the rig, its REST calls through `proxy` and those to R2 through `s3` where there is one."""
        return D1(
            ACCOUNT, token, database, bucket, base_url=proxy.url if proxy else self.base_url,
            s3_endpoint=s3.url if s3 else self.s3_endpoint, calls=Calls(patience, Pace(rate=1e9)),
        )  # fmt: skip

    def sql(self, statement: str, database: str = DATABASE) -> list[list[Any]]:
        """What the database says, asked without our own code."""
        import httpx

        url = f"{self.base_url}/accounts/{ACCOUNT}/d1/database/{database}/raw"
        told = httpx.post(url, json={"sql": statement}, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30).json()
        assert told["success"], told
        return list(told["result"][0]["results"]["rows"])

    def s3(self) -> Any:
        """The usual S3 client of others."""
        boto3 = pytest.importorskip("boto3", reason="boto3 reads what we wrote")
        from botocore.config import Config

        secret = hashlib.sha256(TOKEN.encode()).hexdigest()
        config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
        return boto3.client(
            "s3", endpoint_url=self.s3_endpoint, aws_access_key_id=TOKEN_ID, aws_secret_access_key=secret, region_name="auto", config=config,
        )  # fmt: skip

    def objects(self) -> dict[str, bytes]:
        """Everything in the bucket."""
        client = self.s3()
        listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"]: client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}

    def empty(self) -> None:
        """Nothing was ever opened here; what other tests put into the bucket stays."""
        for database in (DATABASE, OTHER):
            for table in ("seg", "words"):
                self.sql(f"drop table if exists {table}", database)


def installed() -> bool:
    """Whether scripts/rig finished, for the versions that are pinned now."""
    noted = PACKAGES / "installed.json"
    return noted.exists() and noted.read_bytes() == (RIG / "package-lock.json").read_bytes()


@contextmanager
def started(*, of_account: bool = False) -> Iterator[Cloud]:
    """A rig of its own; skips loudly where it cannot run. The process ends when its stdin is closed, however we end."""
    node = shutil.which("node")
    if node is None or not installed():
        missing = "node" if node is None else "miniflare (scripts/rig installs it)"
        warnings.warn(f"SKIPPED: every test with a real D1 and R2: there is no {missing}", stacklevel=1)
        pytest.skip(f"the rig of D1 and R2 cannot run: no {missing}")
    options = {
        "account": ACCOUNT, "token": TOKEN, "token_id": TOKEN_ID, "databases": [DATABASE, OTHER], "bucket": BUCKET,
        "of_account": of_account,
    }  # fmt: skip
    with tempfile.TemporaryFile("w+") as trouble:
        process = subprocess.Popen(
            [node, str(RIG / "rig.mjs"), str(PACKAGES), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=trouble, text=True,
        )  # fmt: skip
        patience = threading.Timer(120, process.kill)
        patience.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            patience.cancel()
            if not line:
                trouble.seek(0)
                pytest.fail(f"the rig did not start: {trouble.read()[-2000:]}")
            yield Cloud(**json.loads(line))
        finally:
            patience.cancel()
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


@pytest.fixture(scope="session")
def rig() -> Iterator[Cloud]:
    """One rig for all tests of a process."""
    with started() as made:
        yield made


@pytest.fixture
def cloud(rig: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The rig with empty databases, reached directly whatever proxy this machine has."""
    direct(monkeypatch)
    rig.empty()
    return rig


@pytest.fixture
def cloud_remote(cloud: Cloud) -> D1:
    """An empty remote at Cloudflare, for the contract that every remote keeps."""
    return cloud.remote()


def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    """Between a remote and the rig."""
    between = Proxy(cloud.base_url)
    yield between
    between.close()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A server that only says what a test makes it say."""
    direct(monkeypatch)
    made = Proxy()
    yield made
    made.close()


def chain(origin: str, number: int) -> str:
    """A made-up chain: 64 hex digits that tell the origin and the line."""
    return ("0" * 64) if number == 0 else f"{origin}{number:048x}"


def segment(origin: str, lo: int, hi: int, *, body: str = "", nulls: int = 0, sha: str = "") -> Segment:
    """Lines `lo` to `hi` of an origin as a remote sees them: it knows nothing of what they say."""
    body = body or f"body+of/{origin}:{lo}-{hi}="
    return Segment(
        origin,
        lo,
        hi,
        1,
        chain(origin, lo - 1),
        chain(origin, hi),
        nulls,
        sha or hashlib.sha256(body.encode()).hexdigest(),
        body,
    )
