"""Blobs in a real R2, and the signature of every call, compared with botocore's."""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Iterator

import pytest
from tests.sync.cloud import ACCOUNT, BUCKET, DATABASE, OTHER, TOKEN, TOKEN_ID, Cloud
from tests.sync.proxy import FAULTS, Proxy, Reply

from session_memory.errors import RemoteError
from session_memory.sync.calls import Calls, Pace, Patience
from session_memory.sync.r2 import R2, signed

QUICK = Patience(connect=10, silence=20, whole=20, waits=20, first=0.01)


def name() -> str:
    return random.randbytes(32).hex()


def test_the_signature_is_botocores_for_random_requests() -> None:
    auth = pytest.importorskip("botocore.auth", reason="botocore signs what our signature is compared with")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    draw = random.Random(8)

    def word(letters: str, most: int) -> str:
        return "".join(draw.choices(letters, k=draw.randint(1, most)))

    unreserved = string.ascii_letters + string.digits + "-._~"
    for _ in range(50):
        key, secret, region = (
            word(string.hexdigits, 40),
            word(unreserved + "/+", 64),
            draw.choice(["auto", "us-east-1", word(string.ascii_lowercase, 9)]),
        )
        path = "/" + "/".join(word(unreserved, 30) for _ in range(draw.randint(1, 5)))
        path += draw.choice(["", "/", "/%20%C3%A9%25"])
        method, host, content = (
            draw.choice(["GET", "PUT", "HEAD", "DELETE"]),
            word(string.ascii_lowercase, 12) + draw.choice([".example", ":8787"]),
            draw.randbytes(draw.choice([0, 1, 5000])),
        )
        stamp = f"20{draw.randint(20, 60)}0{draw.randint(1, 9)}{draw.randint(10, 28)}T{draw.randint(10, 23)}{draw.randint(10, 59)}{draw.randint(10, 59)}Z"
        headers = {"host": host, "x-amz-date": stamp}
        for _more in range(draw.randint(0, 3)):
            headers[f"x-amz-meta-{word(string.ascii_lowercase, 8)}"] = (
                f"  {word(unreserved, 9)}   {word(unreserved, 9)} "
            )

        theirs = AWSRequest(method=method, url=f"https://{host}{path}", headers=dict(headers), data=content)
        theirs.context["timestamp"] = stamp
        theirs.context["payload_signing_enabled"] = True
        theirs.headers["X-Amz-Content-SHA256"] = hashlib.sha256(content).hexdigest()
        signer = auth.S3SigV4Auth(Credentials(key, secret), "s3", region)
        wanted = signer.string_to_sign(theirs, signer.canonical_request(theirs))
        signature = signer.signature(wanted, theirs)

        ours = signed(method, path, headers, content, key=key, secret=secret, region=region)
        assert ours["authorization"].endswith(f"Signature={signature}"), (method, path, headers)
        assert f"Credential={signer.scope(theirs)}, " in ours["authorization"]


@pytest.fixture
def between(cloud: Cloud) -> Iterator[Proxy]:
    made = Proxy(cloud.s3_endpoint)
    yield made
    made.close()


def bucket(at: str, *, bucket: str = BUCKET, database: str = DATABASE, token: str = TOKEN) -> R2:
    return R2(Calls(QUICK, Pace(rate=1e9)), at, bucket, database, lambda: TOKEN_ID, token)


@pytest.mark.parametrize("size", [1, 255, 70_000, 3_000_000])
def test_a_blob_comes_back_as_it_was(cloud: Cloud, size: int) -> None:
    remote, one, content = cloud.remote(), name(), random.randbytes(size)
    assert remote.get(one) is None
    remote.put(one, content)
    assert remote.get(one) == content and cloud.remote().get(one) == content


def test_what_is_there_already_stays(between: Proxy) -> None:
    one, blobs = name(), bucket(between.url)
    for content in (b"first", b"first", b"second"):
        blobs.put(one, content)
    assert blobs.get(one) == b"first" and len(between.seen) == 4


def test_a_forgotten_blob_stays_forgotten(between: Proxy) -> None:
    one, blobs = name(), bucket(between.url)
    between.plan += ["late", None, None]
    blobs.put(one, b"to be forgotten")
    blobs.put(one, b"")  # before it the first call arrives once more
    assert blobs.get(one) == b""
    blobs.put(one, b"to be forgotten")
    assert blobs.get(one) == b""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault(73)
def test_a_call_that_goes_wrong_is_made_again(between: Proxy, fault: str) -> None:
    one, blobs, content = name(), bucket(between.url), random.randbytes(20_000)
    between.plan.append(fault)
    blobs.put(one, content)
    between.plan.append(fault)
    assert blobs.get(one) == content
    between.plan.append(fault)
    blobs.put(one, b"")
    assert blobs.get(one) == b"" and between.faults == [fault] * 3


def test_two_remotes_that_share_a_bucket_do_not_meet(cloud: Cloud) -> None:
    one = name()
    cloud.remote().put(one, b"mine")
    assert cloud.remote(database=OTHER).get(one) is None


@pytest.mark.parametrize(
    ("options", "code"),
    [({"token": "wrong"}, "remote-refused"), ({"bucket": "no-such-bucket"}, "remote-not-there")],
)
def test_a_wrong_token_and_a_missing_bucket_are_told_apart(cloud: Cloud, options: dict[str, str], code: str) -> None:
    blobs = bucket(cloud.s3_endpoint, **options)
    for call in (lambda: blobs.get(name()), lambda: blobs.put(name(), b"x")):
        with pytest.raises(RemoteError) as told:
            call()
        assert told.value.code == code and told.value.fix and TOKEN not in str(told.value)


def error(code: str) -> bytes:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'.encode()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(403, error("AccessDenied")), "remote-refused"),
        (Reply(403, error("RequestTimeTooSkewed")), "remote-refused"),
        (Reply(400, error("InvalidArgument")), "remote-refused"),
        (Reply(401, b""), "remote-refused"),
        (Reply(404, error("NoSuchBucket")), "remote-not-there"),
        (Reply(404, b"<html>no such page</html>"), "remote-failed"),  # a proxy's word is not R2's: not "there is none"
        (Reply(404, b""), "remote-failed"),
        (Reply(429, error("TooManyRequests")), "remote-busy"),
        (Reply(503, error("SlowDown")), "remote-failed"),
        (Reply(302, b"", (("location", "http://127.0.0.1:1/"),)), "remote-failed"),
    ],
)
@pytest.mark.fault(73)
def test_each_refusal_has_its_code(stage: Proxy, reply: Reply, code: str) -> None:
    stage.plan += [reply] * QUICK.tries
    with pytest.raises(RemoteError) as told:
        R2(Calls(QUICK, Pace(rate=1e9)), stage.origin, BUCKET, DATABASE, lambda: TOKEN_ID, TOKEN).get(name())
    assert told.value.code == code and told.value.fix


def test_a_name_that_is_none_is_our_own_mistake(cloud: Cloud) -> None:
    for wrong in ("", "../" * 21 + "x", "A" * 64, "0" * 63, "0" * 64 + "\n"):
        with pytest.raises(ValueError, match="64 hex"):
            cloud.remote().put(wrong, b"x")


def test_the_address_is_cloudflares_own_unless_another_is_given() -> None:
    blobs = R2(Calls(), f"https://{ACCOUNT}.r2.cloudflarestorage.com", BUCKET, DATABASE, lambda: TOKEN_ID, TOKEN)
    assert (
        blobs._server + blobs._path == f"https://{ACCOUNT}.r2.cloudflarestorage.com/{BUCKET}/session-memory/{DATABASE}/"
    )
