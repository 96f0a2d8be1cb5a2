"""D1 and R2 as a remote, against the real ones on loopback: the contract, then everything that can go wrong in between."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace

import pytest
from tests.sync.cloud import ACCOUNT, BUCKET, DATABASE, OTHER, QUICK, TOKEN, Cloud, chain, segment
from tests.sync.proxy import FAULTS, Proxy, Reply

from session_memory.errors import RemoteError
from session_memory.sync import d1
from session_memory.sync.remote import MOST_BODY, MOST_CALL, Head, Segment

A, B, C = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"


def bare(each: Segment) -> Segment:
    return Segment(each.origin, each.lo, each.hi, each.ver, each.prev, each.chain, each.nulls, each.sha, "")


def test_opening_makes_the_tables_and_the_first_word_stays(cloud: Cloud) -> None:
    assert cloud.remote().open({"space": "one", "reader": "1"}) == {"space": "one", "reader": "1"}
    assert cloud.remote().open({"space": "two", "héllo": 'a "quoted" ✓'}) == {
        "space": "one",
        "reader": "1",
        "héllo": 'a "quoted" ✓',
    }
    assert cloud.remote().open({}) == {"space": "one", "reader": "1", "héllo": 'a "quoted" ✓'}
    assert cloud.remote(database=OTHER).open({}) == {}  # another database is another remote


def test_an_empty_remote_has_nothing(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    assert (remote.heads(), remote.index(A), remote.page({}), remote.append([])) == ([], [], [], [])
    assert remote.replace(segment(A, 1, 2), "0" * 64) is False


def test_heads_tell_how_far_each_origin_goes(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    assert (
        remote.append([segment(B, 1, 5, nulls=2), segment(A, 1, 3), segment(B, 6, 6), segment(B, 7, 9, nulls=3)])
        == [True] * 4
    )
    assert remote.heads() == [Head(A, 3, chain(A, 3), 0), Head(B, 9, chain(B, 9), 5)]


def test_the_index_lists_segments_in_order_without_bodies(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = cloud.remote()
    remote.open({})
    wanted = [segment(A, n, n) for n in range(1, 12)]
    assert all(remote.append(wanted)) and remote.append([segment(B, 1, 1)]) == [True]
    assert remote.index(A) == [bare(each) for each in wanted]
    monkeypatch.setattr(d1, "INDEX", d1.INDEX.replace(str(d1.INDEX_ROWS), "4"))
    monkeypatch.setattr(d1, "INDEX_ROWS", 4)
    assert remote.index(A) == [bare(each) for each in wanted]


def test_a_page_holds_what_is_not_had_in_order(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    of_a, of_b = [segment(A, 1, 10), segment(A, 11, 20), segment(A, 21, 30)], [segment(B, 1, 4), segment(B, 5, 9)]
    assert all(remote.append([*of_b, *of_a]))
    assert remote.page({}) == [*of_a, *of_b]
    assert remote.page({A: 30, B: 9}) == []
    assert remote.page({A: 10, B: 4}) == [*of_a[1:], of_b[1]]
    assert remote.page({A: 15}) == [*of_a[1:], *of_b]  # a line in the middle: its segment comes whole
    assert remote.page({A: 2**62, C: 7}) == of_b  # one that is left out, one that the remote never saw


def test_a_page_ends_at_its_bytes_but_never_empty(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    wanted = [segment(A, n, n, body="x" * 100_000) for n in range(1, 6)] + [segment(B, 1, 1, body="y" * 100_000)]
    assert all(remote.append(wanted))
    assert remote.page({}, most=1) == wanted[:1]
    assert remote.page({}, most=250_000) == wanted[:2]
    assert remote.page({A: 4}, most=250_000) == wanted[4:]
    had: dict[str, int] = {}
    found: list[Segment] = []
    while page := remote.page(had, most=300_000):
        found += page
        had.update({each.origin: each.hi for each in page})
    assert found == wanted


def test_many_small_segments_come_in_several_pages(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(d1, "PAGE", d1.PAGE.replace(f"limit {d1.MOST_ROWS}", "limit 3"))
    remote = cloud.remote()
    remote.open({})
    wanted = [segment(A, n, n) for n in range(1, 6)] + [segment(B, n, n) for n in range(1, 6)]
    assert all(remote.append(wanted))
    had: dict[str, int] = {}
    found: list[Segment] = []
    while page := remote.page(had):
        assert len(page) <= 3
        found += page
        had.update({each.origin: each.hi for each in page})
    assert found == wanted


def test_only_what_continues_the_log_is_appended(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    first = segment(A, 1, 3)
    assert remote.append([segment(A, 2, 3), replace(first, prev="f" * 64)]) == [False, False]  # a gap, another past
    assert remote.append([segment(A, 1, 3), segment(A, 1, 3), segment(A, 5, 6), segment(A, 4, 6)]) == [
        True,
        False,
        False,
        True,
    ]
    assert remote.append([segment(A, 6, 8), segment(A, 1, 9)]) == [False, False]  # overlaps
    assert remote.append([replace(segment(A, 8, 9), prev=chain(A, 6))]) == [False]  # the right past, the wrong number
    forked = segment(A, 7, 9)
    assert remote.append([Segment(A, 7, 9, 1, "f" * 64, "e" * 64, 0, forked.sha, forked.body)]) == [
        False
    ]  # another past
    assert remote.append([forked, segment(B, 1, 1)]) == [True, True]
    assert [each.hi for each in remote.index(A)] == [3, 6, 9]


def test_of_writers_that_race_one_wins_each_line(cloud: Cloud) -> None:
    cloud.remote().open({})
    won: list[int] = []

    def write(writer: int) -> None:
        remote = cloud.remote()
        for line in range(1, 13):
            while not any(head.hi >= line for head in remote.heads()):
                won.extend([writer] * remote.append([segment(A, line, line, body=f"of writer {writer}")]).count(True))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert len(won) == 12
    assert [(each.lo, each.hi) for each in cloud.remote().page({})] == [(n, n) for n in range(1, 13)]


def test_a_segment_is_replaced_only_where_it_is_the_one_that_was_seen(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    first, second = segment(A, 1, 3), segment(A, 4, 6)
    remote.append([first, second])
    less = segment(A, 1, 3, body="less", nulls=2)
    assert remote.replace(less, "0" * 64) is False and remote.page({}) == [first, second]
    assert remote.replace(less, first.sha) is True
    assert remote.replace(segment(A, 1, 3, body="lesser", nulls=3), first.sha) is False  # somebody was faster
    assert (
        remote.replace(replace(less, hi=9), less.sha) is False
        and remote.replace(replace(less, prev="f" * 64), less.sha) is False
    )
    assert remote.page({}) == [less, second] and remote.heads() == [Head(A, 6, chain(A, 6), 2)]
    assert remote.append([segment(A, 7, 7)]) == [True]


def test_numbers_of_more_than_53_bits_come_back_as_they_were(cloud: Cloud) -> None:
    remote = cloud.remote()
    remote.open({})
    high = 2**60 + 1
    assert remote.append([segment(A, 1, high)]) == [True]
    assert remote.heads()[0].hi == high and remote.page({A: high - 1})[0].hi == high and remote.page({A: high}) == []


def test_the_largest_bodies_fit_and_no_call_is_longer_than_it_may_be(cloud: Cloud, proxy: Proxy) -> None:
    remote = cloud.remote(proxy)
    remote.open({})
    sizes = [MOST_BODY, MOST_BODY, 660_000, 660_000, 660_000, 10, 10, 10, 10, 10]
    wanted = [segment(A, n + 1, n + 1, body="z" * size) for n, size in enumerate(sizes)]
    assert all(remote.append(wanted))
    found: list[Segment] = []
    while page := remote.page({A: len(found)}):
        found += page
    assert found == wanted
    assert remote.index(A) == [bare(each) for each in wanted]
    for each in proxy.seen:
        assert len(each.body) <= MOST_CALL
        for statement in each.statements:
            assert len(statement.get("params", [])) < 100 and len(statement["sql"].encode()) < 100_000
    inserts = [sum("insert into seg" in s["sql"] for s in each.statements) for each in proxy.seen]
    assert max(inserts) == 3 and sum(inserts) == len(sizes)


# rows that D1 counts as read are what a plan's daily limit is made of
def test_heads_and_pages_do_not_read_the_whole_table(cloud: Cloud, proxy: Proxy) -> None:
    remote = cloud.remote(proxy)
    remote.open({})
    cloud.sql(
        "insert into seg select o.value, n.value, n.value, 1, '', 'c' || n.value, n.value % 500 = 0, 's', 4, 'body' from"
        ' json_each(\'["a","b","c"]\') o, (with recursive up(value) as (select 1 union all select value + 1 from up'
        " where value < 3000) select value from up) n"
    )

    def read() -> float:
        return sum(each["meta"]["rows_read"] for each in json.loads(proxy.answers[-1])["result"])

    assert remote.heads() == [Head(each, 3000, "c3000", 6) for each in "abc"]
    assert read() < 60
    page = remote.page({"a": 3000, "b": 2990, "c": 3000})
    assert [each.lo for each in page] == list(range(2991, 3001)) and read() < 200
    assert len(remote.page({"a": 2**62})) == d1.MOST_ROWS and read() < 15 * d1.MOST_ROWS


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault(73)
def test_a_call_that_goes_wrong_is_made_again_and_applied_once(cloud: Cloud, proxy: Proxy, fault: str) -> None:
    remote = cloud.remote(proxy)
    first, second, less = segment(A, 1, 3, body="x" * 50_000), segment(A, 4, 6), segment(A, 1, 3, body="less", nulls=1)
    proxy.plan.append(fault)
    assert remote.open({"space": "one"}) == {"space": "one"}
    proxy.plan.append(fault)
    assert remote.append([first, second]) == [True, True]
    proxy.plan.append(fault)
    assert remote.page({}) == [first, second]
    proxy.plan.append(fault)
    assert remote.replace(less, first.sha) is True
    proxy.plan.append(fault)
    assert remote.heads() == [Head(A, 6, chain(A, 6), 1)]
    assert proxy.faults == [fault] * 5
    assert cloud.remote().page({}) == [less, second]


@pytest.mark.fault(73)
def test_what_another_wrote_meanwhile_is_not_taken_for_ones_own(cloud: Cloud, proxy: Proxy) -> None:
    cloud.remote().open({})
    proxy.plan.append("lose request")
    theirs = segment(A, 1, 1, body="theirs")
    assert cloud.remote().append([theirs]) == [True]
    assert cloud.remote(proxy).append([segment(A, 1, 1, body="mine")]) == [False]
    proxy.plan.append("lose request")
    assert cloud.remote(proxy).replace(segment(A, 1, 1, body="mine"), "0" * 64) is False
    assert cloud.remote().page({}) == [theirs]


def test_a_late_call_does_not_bring_back_what_was_replaced(cloud: Cloud, proxy: Proxy) -> None:
    remote = cloud.remote(proxy)
    remote.open({})
    first, less, least = (segment(A, 1, 3, body=body, nulls=n) for n, body in enumerate(("whole", "less", "least")))
    proxy.plan += ["late", "late", "late", None]
    assert remote.append([first]) == [True] and remote.replace(less, first.sha) and remote.replace(least, less.sha)
    assert remote.page({}) == [least]


@pytest.mark.fault(73)
def test_under_any_weather_every_segment_lies_there_once(cloud: Cloud) -> None:
    between = Proxy(cloud.base_url, seed=8, chance=0.3)
    try:
        remote = cloud.remote(between, patience=replace(QUICK, waits=60, tries=9))
        remote.open({"space": "one"})
        wanted = {origin: [segment(origin, n, n, body=f"{origin}{n}" * 300) for n in range(1, 16)] for origin in (A, B)}
        for origin, segments in wanted.items():
            while rest := segments[next((head.hi for head in remote.heads() if head.origin == origin), 0) :]:
                remote.append(rest[:4])
        found: list[Segment] = []
        while page := remote.page({each.origin: each.hi for each in found}, most=9_000):
            found += page
        assert found == [*wanted[A], *wanted[B]] == cloud.remote().page({})
        assert len(between.faults) >= 10
    finally:
        between.close()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"token": "wrong"}, "remote-refused"),
        ({"database": "11111111-2222-3333-4444-000000000000"}, "remote-not-there"),
    ],
)
def test_a_wrong_token_and_a_missing_database_are_told_apart_at_once(
    cloud: Cloud, options: dict[str, str], code: str
) -> None:
    remote = cloud.remote(**options)  # type: ignore[arg-type]
    with pytest.raises(RemoteError) as told:
        remote.open({})
    assert told.value.code == code and remote.calls.made == 1


def test_without_tables_the_error_is_d1s_own_and_is_not_repeated(cloud: Cloud) -> None:
    remote = cloud.remote()
    with pytest.raises(RemoteError, match="no such table") as told:
        remote.heads()
    assert told.value.code == "remote-failed" and remote.calls.made == 1


@pytest.mark.parametrize("rows", ["[1]", "[1,2,3,4]", '["a","x","c","0"]', '["a","1",null,"0"]', '["a","-1","c","0"]'])
def test_what_we_never_wrote_is_called_damaged(cloud: Cloud, stage: Proxy, rows: str) -> None:
    result = [{"success": True, "results": {"columns": [], "rows": [json.loads(rows)]}}]
    stage.plan += [Reply(200, json.dumps({"success": True, "errors": [], "result": result}).encode())] * 2
    remote = cloud.remote(stage)
    with pytest.raises(RemoteError) as told:
        remote.heads()
    assert told.value.code == "remote-damaged"
    with pytest.raises(RemoteError) as told:
        remote.index("a")
    assert told.value.code == "remote-damaged"


def test_cloudflares_own_client_reads_what_we_wrote(cloud: Cloud) -> None:
    sdk = pytest.importorskip("cloudflare", reason="Cloudflare's own client reads what we wrote")
    remote = cloud.remote()
    remote.open({"space": "one"})
    wanted = [segment(A, 1, 3, nulls=1), segment(A, 4, 6)]
    remote.append(wanted)
    client = sdk.Cloudflare(api_token=TOKEN, base_url=cloud.base_url)
    asked = client.d1.database.query(DATABASE, account_id=ACCOUNT, sql="select * from seg order by origin, lo")
    found = next(iter(asked)).results or []
    assert [Segment(**{each: row[each] for each in Segment.__dataclass_fields__}) for row in found] == wanted
    assert [row["size"] for row in found] == [len(each.body) for each in wanted]
    (words,) = client.d1.database.raw(DATABASE, account_id=ACCOUNT, sql="select word, value from words")
    assert words.results.rows == [["space", "one"]]


def test_the_s3_client_of_others_reads_our_blobs_and_we_read_theirs(cloud: Cloud) -> None:
    client = cloud.s3()
    ours, theirs = hashlib.sha256(b"ours").hexdigest(), hashlib.sha256(b"theirs").hexdigest()
    remote = cloud.remote()
    remote.put(ours, b"sealed by us")
    above = f"session-memory/{DATABASE}/"
    assert client.get_object(Bucket=BUCKET, Key=above + ours)["Body"].read() == b"sealed by us"
    client.put_object(Bucket=BUCKET, Key=above + theirs, Body=b"sealed by them")
    assert remote.get(theirs) == b"sealed by them"
