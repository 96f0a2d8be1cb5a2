"""Real homes that exchange through a real D1 and R2 while every fourth call goes wrong: they converge, and nothing is lost."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sync.cloud import QUICK, Cloud
from tests.sync.proxy import Proxy

from session_memory.errors import RemoteError
from session_memory.sync.d1 import D1

pytest.importorskip("session_memory.sync.exchange", reason="exchanging is not part of this version")
from tests.sync.homes import Device  # needs the exchange


@pytest.mark.fault(73)
def test_in_any_weather_devices_converge_and_nothing_is_lost(cloud: Cloud, tmp_path: Path) -> None:
    draw = random.Random(8)
    rest, s3 = Proxy(cloud.base_url, seed=8, chance=0.25), Proxy(cloud.s3_endpoint, seed=9, chance=0.25)
    hasty = replace(QUICK, tries=2)  # so that the exchange meets what a second try does not mend
    try:
        devices = [Device(tmp_path / name) for name in "abc"]
        remotes: list[D1] = [cloud.remote(rest, s3=s3, patience=hasty) for _ in devices]
        said: list[str] = []
        stopped = 0
        for step in range(60):
            n = draw.randrange(3)
            if draw.random() < 0.6:
                text = f"statement {step} " + "walrus " * draw.choice([1, 1, 1, 15_000])
                devices[n].say(text)
                said.append(text)
                continue
            try:
                report = devices[n].sync(remotes[n], push=True)
                assert not report.moved
            except RemoteError as error:
                stopped += 1
                assert error.code in ("remote-offline", "remote-busy", "remote-failed"), error
        rest.chance = s3.chance = 0
        for _round in range(2):
            for device, remote in zip(devices, remotes):
                device.sync(remote, push=True)
        made = [remote.calls.made for remote in remotes]
        for device, remote in zip(devices, remotes):
            device.sync(remote, push=True)
        assert all(remote.calls.made - before <= 2 for remote, before in zip(remotes, made))  # nothing left to say
        assert len(rest.faults) >= 10 and s3.faults and stopped
        assert sorted(devices[0].texts()) == sorted(said)
        for other in devices[1:]:
            assert other.texts() == devices[0].texts() and other.bytes_by_origin() == devices[0].bytes_by_origin()
        for head in remotes[0].heads():  # one line after the other, each once
            index = remotes[0].index(head.origin)
            assert [each.lo for each in index] == [1, *(each.hi + 1 for each in index[:-1])]
            assert [each.prev for each in index[1:]] == [each.chain for each in index[:-1]]
    finally:
        rest.close()
        s3.close()
