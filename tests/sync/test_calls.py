"""Calls over HTTPS: paced, repeated with patience, never led somewhere else, and each failure by its own name."""

from __future__ import annotations

import email.utils
import socket
import subprocess
import sys
import time

import pytest
from tests.sync.proxy import Proxy, Reply

from session_memory.errors import RemoteError
from session_memory.sync.calls import Again, Answer, Calls, Pace, Patience, plain, refuse_busy

QUICK = Patience(connect=5, silence=5, whole=5, waits=5, first=0.01, tries=3)


def judge(answer: Answer) -> bytes:
    refuse_busy(answer, "The place", "")
    return answer.body


def ask(stage: Proxy, patience: Patience = QUICK) -> tuple[bytes, int]:
    return Calls(patience, Pace(rate=1e9)).ask("GET", f"{stage.origin}/x", {"a": "b"}, b"", judge)


def test_the_pace_lets_a_burst_through_and_then_so_many_a_second() -> None:
    pace = Pace(rate=3, burst=2)
    assert [round(pace.wait(100.0), 3) for _ in range(4)] == [0, 0, 0.333, 0.667]
    assert pace.wait(101.0) == 0  # three came back meanwhile, two of them were taken in advance
    assert [pace.wait(500.0) for _ in range(2)] == [0, 0] and pace.wait(
        500.0
    ) > 0  # idling saves up no more than a burst


def test_in_five_minutes_the_pace_stays_below_what_cloudflare_blocks_at() -> None:
    pace, now, made = Pace(), 1000.0, 0
    while now < 1300.0:
        now += pace.wait(now)
        made += now < 1300.0
    assert 800 < made < 1200


def test_all_remotes_of_a_process_share_one_pace() -> None:
    assert Calls()._pace is Calls()._pace


def test_an_answer_tells_how_many_tries_went_before(stage: Proxy) -> None:
    stage.plan += [Reply(200, b"one"), Reply(503), Reply(500), Reply(200, b"two")]
    assert ask(stage) == (b"one", 0) and ask(stage) == (b"two", 2)
    assert [each.headers["a"] for each in stage.seen] == ["b"] * 4


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(500), "remote-failed"),
        (Reply(429), "remote-busy"),
        (Reply(429, b"", (("retry-after", "0"),)), "remote-busy"),
        (Reply(200, b"no gzip", (("content-encoding", "gzip"),)), "remote-failed"),
        ("lose request", "remote-offline"),
    ],
)
@pytest.mark.fault(73)
def test_after_its_tries_it_gives_up_with_the_reason(stage: Proxy, reply: Reply | str, code: str) -> None:
    stage.plan += [reply] * 9
    with pytest.raises(RemoteError) as told:
        ask(stage)
    assert told.value.code == code and told.value.fix and len(stage.seen) == QUICK.tries


@pytest.mark.fault(73)
def test_a_wait_longer_than_our_patience_is_told_and_not_waited_for(stage: Proxy) -> None:
    stage.plan.append(Reply(429, b"", (("retry-after", "300"),)))
    with pytest.raises(RemoteError, match=r"fewer calls.*Try again in 300 seconds") as told:
        ask(stage)
    assert told.value.code == "remote-busy" and len(stage.seen) == 1


@pytest.mark.parametrize(
    ("said", "low", "high"), [("7", 7, 7), ("in 90 s", 60, 91), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0)]
)
def test_retry_after_is_a_number_or_a_date(said: str, low: float, high: float) -> None:
    said = email.utils.formatdate(time.time() + 90, usegmt=True) if said == "in 90 s" else said
    with pytest.raises(Again) as told:
        refuse_busy(Answer(429, {"retry-after": said}, b""), "X", "")
    assert told.value.wait is not None and low <= told.value.wait <= high


@pytest.mark.parametrize("said", ["", "soon", "-5", "١٢"])
def test_any_other_retry_after_is_as_good_as_none(said: str) -> None:
    with pytest.raises(Again) as told:
        refuse_busy(Answer(503, {"retry-after": said}, b""), "X", "")
    assert told.value.wait is None


def test_nobody_there_is_offline() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RemoteError, match=f"127.0.0.1:{port}") as told:
        Calls(QUICK).ask("GET", f"http://127.0.0.1:{port}/", {}, b"", judge)
    assert told.value.code == "remote-offline"


@pytest.mark.fault(73)
def test_a_silent_server_is_offline_after_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        calls = Calls(Patience(connect=5, silence=0.05, waits=1, first=0.01, tries=2))
        with pytest.raises(RemoteError) as told:
            calls.ask("GET", f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, b"", judge)
    assert told.value.code == "remote-offline" and calls.made == 2


@pytest.mark.fault(73)
def test_an_answer_that_trickles_for_too_long_is_offline(stage: Proxy) -> None:
    other = Proxy(stage.origin)
    try:
        stage.plan += [Reply(200, b"x" * 1000)] * 2
        other.plan += ["slow"] * 2
        with pytest.raises(RemoteError, match="too slowly") as told:
            ask(other, Patience(connect=5, silence=5, whole=0.0, first=0.01, tries=2))
        assert told.value.code == "remote-offline"
    finally:
        other.close()


@pytest.mark.fault(73)
def test_an_answer_without_end_is_not_taken(stage: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_memory.sync.calls.MOST_ANSWER", 1000)
    stage.plan.append(Reply(200, b"x" * 1001))
    with pytest.raises(RemoteError) as told:
        ask(stage)
    assert told.value.code == "remote-failed" and len(stage.seen) == 1


@pytest.mark.fault(73)
def test_a_redirect_is_not_followed(stage: Proxy) -> None:
    stage.plan.append(Reply(307, b"", (("location", f"{stage.origin}/elsewhere"),)))
    assert Calls(QUICK).ask("POST", f"{stage.origin}/x", {}, b"secret", lambda answer: answer.status) == (307, 0)
    assert [each.path for each in stage.seen] == ["/x"]


@pytest.mark.parametrize("url", ["ftp://example.com/", "example.com", "http://[::1/", ""])
def test_what_is_no_address_is_said_so(url: str) -> None:
    with pytest.raises(RemoteError) as told:
        Calls(QUICK).ask("GET", url, {}, b"", judge)
    assert told.value.code == "no-remote"


def test_after_closing_it_connects_anew(stage: Proxy) -> None:
    stage.plan += [Reply(200, b"1"), Reply(200, b"2")]
    calls = Calls(QUICK)
    assert calls.ask("GET", stage.origin, {}, b"", judge)[0] == b"1"
    calls.close()
    calls.close()
    assert calls.ask("GET", stage.origin, {}, b"", judge)[0] == b"2" and calls.made == 2
    calls.close()


def test_what_the_other_side_says_becomes_one_short_plain_line() -> None:
    assert plain("a\n\n b\x1b[31m\u202ec\x00 .") == "a b [31m c" and len(plain("x" * 999)) == 200


def test_without_httpx_the_message_names_it_and_nothing_else_breaks() -> None:
    program = (
        "import sys; sys.modules['httpx'] = None\n"
        "from session_memory.sync.d1 import D1\n"
        "remote = D1('0' * 32, 't', '0' * 8 + '-0000-0000-0000-' + '0' * 12, 'bucket')\n"
        "try:\n    remote.heads()\nexcept Exception as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "httpx" in done.stdout and "[sync-missing]" in done.stdout


def test_httpx_is_not_loaded_before_the_first_call() -> None:
    program = "import sys, session_memory.sync.d1; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
