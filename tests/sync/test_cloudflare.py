"""What Cloudflare's refusals mean, told without the token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.sync.cloud import ACCOUNT, BUCKET, DATABASE, TOKEN, TOKEN_ID, Cloud, direct, started
from tests.sync.proxy import Proxy, Reply

from session_memory.errors import RemoteError
from session_memory.sync.calls import Calls, Pace, Patience
from session_memory.sync.cloudflare import Cloudflare, checked
from session_memory.sync.d1 import D1

QUICK = Patience(connect=5, silence=5, whole=5, waits=5, first=0.01, tries=3)


def asked(stage: Proxy) -> Any:
    return Cloudflare(Calls(QUICK, Pace(rate=1e9)), TOKEN, stage.origin).ask("GET", "/x", b"", lambda result: result)


def envelope(status: int, code: int, message: str) -> Reply:
    body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return Reply(status, json.dumps(body).encode())


# reply, code, whether another try makes sense
SAID: list[tuple[Reply, str, bool]] = [
    (envelope(403, 10000, "Authentication error"), "remote-refused", False),
    (envelope(401, 1000, "Invalid API Token"), "remote-refused", False),
    (envelope(400, 6003, "Invalid request headers"), "remote-refused", False),
    (envelope(400, 9109, f"Invalid access token {TOKEN}"), "remote-refused", False),
    (Reply(403, b"<html>blocked</html>"), "remote-refused", False),
    (envelope(404, 7404, "The database x could not be found"), "remote-not-there", False),
    (envelope(400, 7400, "Invalid property: databaseId => Invalid uuid"), "remote-not-there", False),
    (envelope(404, 7003, "Could not route to /accounts/x, perhaps your object identifier is invalid?"), "remote-not-there", False),
    (envelope(400, 7500, "exceeded D1's free tier daily row read limit; upgrade"), "remote-quota", False),
    (envelope(429, 7500, "You have exceeded the daily rows written limit"), "remote-quota", False),
    (envelope(400, 7500, "Exceeded maximum DB size"), "remote-quota", False),
    (envelope(429, 971, "Please wait and consider throttling your request speed"), "remote-busy", True),
    (envelope(400, 7500, "D1 DB is overloaded. Too many requests queued."), "remote-busy", True),
    (envelope(500, 7500, "D1 DB reset because its code was updated."), "remote-failed", True),
    (envelope(400, 7500, "Network connection lost."), "remote-failed", True),
    (envelope(400, 7500, "D1 DB storage operation exceeded timeout which caused object to be reset."), "remote-failed", True),
    (envelope(502, 0, ""), "remote-failed", True),
    (Reply(521, b"error code: 521"), "remote-failed", True),
    (Reply(200, b"<html>Please log in</html>"), "remote-failed", True),
    (Reply(200, b""), "remote-failed", True),
    (Reply(200, b'{"success": true}'), "remote-failed", True),
    (Reply(200, b"[" * 100_000), "remote-failed", True),
    (envelope(400, 7500, "near \"selekt\": syntax error"), "remote-failed", False),
    (Reply(404, b"<html>no such page</html>"), "remote-failed", False),
    (Reply(302, b"", (("location", "http://127.0.0.1:1/"),)), "remote-failed", False),
    (Reply(400, b'{"success": false, "errors": [7, {"code": "x"}, {"message": null}]}'), "remote-failed", False),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "code", "again"), SAID, ids=lambda each: str(each)[:70])
@pytest.mark.fault(73)
def test_each_refusal_has_its_code_and_says_what_to_do(stage: Proxy, reply: Reply, code: str, again: bool) -> None:
    stage.plan += [reply] * QUICK.tries
    with pytest.raises(RemoteError) as told:
        asked(stage)
    assert told.value.code == code and told.value.fix
    assert len(stage.seen) == (QUICK.tries if again else 1)
    assert TOKEN not in str(told.value)


def test_the_token_travels_in_its_header_only(stage: Proxy) -> None:
    stage.plan.append(Reply(200, b'{"success": true, "errors": [], "result": 5}'))
    assert asked(stage) == (5, 0)
    (seen,) = stage.seen
    assert seen.headers["authorization"] == f"Bearer {TOKEN}" and TOKEN not in seen.path


@pytest.mark.parametrize("n", range(4))
def test_what_is_missing_or_impossible_is_named_by_its_variable(n: int) -> None:
    names = ("MY_ACCOUNT", "MY_TOKEN", "MY_DATABASE", "MY_BUCKET")
    right = [ACCOUNT, TOKEN, DATABASE, BUCKET]
    checked((right[0], right[1], right[2], right[3]), names)
    for wrong in ("", "a b", "héllo", "a\tb", "x" * 500, f"{right[n]}\n"):
        given = [*right[:n], wrong, *right[n + 1 :]]
        with pytest.raises(RemoteError, match=names[n]) as told:
            D1(given[0], given[1], given[2], given[3], names=names)
        assert told.value.code == "no-remote" and not (wrong and wrong in told.value.what)


def test_no_account_becomes_another_host() -> None:
    for wrong in ("attacker.example/", "attacker.example#", "a" * 31 + ".", "@attacker.example", "A" * 32):
        with pytest.raises(RemoteError, match="CF_ACCOUNT_ID"):
            D1(wrong, TOKEN, DATABASE, BUCKET)


@pytest.mark.parametrize("name", ["CF_API_BASE_URL", "CF_R2_ENDPOINT_URL"])
def test_another_address_keeps_the_token_from_being_read_on_the_way(name: str) -> None:
    def made(url: str) -> D1:
        api = name == "CF_API_BASE_URL"
        return D1(ACCOUNT, TOKEN, DATABASE, BUCKET, base_url=url if api else "", s3_endpoint="" if api else url)

    for right in (
        "",
        f"https://{ACCOUNT}.eu.r2.cloudflarestorage.com",
        "http://127.0.0.1:8787/client/v4",
        "http://localhost",
    ):
        made(right)
    for wrong in (
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "ftp://x",
        "https://",
        "https://a b",
    ):
        with pytest.raises(RemoteError, match=name) as told:
            made(wrong)
        assert told.value.code == "no-remote"


def test_making_a_remote_connects_to_nothing() -> None:
    assert D1(ACCOUNT, TOKEN, DATABASE, BUCKET).calls.made == 0


def test_a_users_token_tells_its_id(cloud: Cloud) -> None:
    assert Cloudflare(Calls(QUICK), TOKEN, cloud.base_url).token_id(ACCOUNT) == TOKEN_ID


def test_an_accounts_token_tells_its_id_at_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    direct(monkeypatch)
    with started(of_account=True) as cloud:
        assert Cloudflare(Calls(QUICK), TOKEN, cloud.base_url).token_id(ACCOUNT) == TOKEN_ID
        remote = cloud.remote()
        remote.put("0" * 64, b"sealed")
        assert remote.get("0" * 64) == b"sealed"


def test_a_wrong_token_has_no_id(cloud: Cloud) -> None:
    with pytest.raises(RemoteError) as told:
        Cloudflare(Calls(QUICK), "wrong", cloud.base_url).token_id(ACCOUNT)
    assert told.value.code == "remote-refused"


@pytest.mark.parametrize(
    ("result", "code"),
    [({"id": "a", "status": "expired"}, "remote-refused"), ({"id": "a b", "status": "active"}, "remote-failed"), ({"status": "active"}, "remote-failed")],
)  # fmt: skip
def test_a_token_that_is_not_active_is_refused(stage: Proxy, result: dict[str, str], code: str) -> None:
    stage.plan += [Reply(200, json.dumps({"success": True, "errors": [], "result": result}).encode())] * QUICK.tries
    with pytest.raises(RemoteError) as told:
        Cloudflare(Calls(QUICK, Pace(rate=1e9)), TOKEN, stage.origin).token_id(ACCOUNT)
    assert told.value.code == code
