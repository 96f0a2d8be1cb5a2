"""The key opens what it should, a wrong one says so first, and it travels under a passphrase."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.sync.homes import SECRET, SPACE, Device

from session_memory import paths
from session_memory.errors import InvalidInput, RemoteError
from session_memory.log import secret
from session_memory.sync import keys
from session_memory.sync.keys import Keys

WORK = 1 << 10


def test_a_key_is_made_once_and_kept_for_its_owner_alone(home: str) -> None:
    place = paths.Home(home)
    assert keys.load(place) is None
    made = keys.make(place)
    again = keys.load(place)
    assert again is not None and again.space_key == made.space_key and len(made.space_key) == 32
    assert os.stat(place.sync_key).st_mode & 0o777 == 0o600
    keys.drop(place)
    assert keys.load(place) is None


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"zz" * 32, b"\xff" * 64])
def test_a_spoilt_key_is_named(home: str, content: bytes) -> None:
    place = paths.Home(home)
    paths.make_dir(place.storage)
    paths.write_whole(place.sync_key, content)
    with pytest.raises(InvalidInput, match="does not hold a key"):
        keys.load(place)


def test_what_is_made_of_the_key_tells_nothing_of_it_and_differs_by_use() -> None:
    one, other = Keys(SPACE), Keys(b"x" * 32)
    assert one.space != other.space and SPACE.hex()[:16] not in one.space
    name = "ab" * 32
    assert (
        one.remote_name(name) != other.remote_name(name)
        and one.remote_name(name) != name
        and len(one.remote_name(name)) == 64
    )
    assert one.open(one.seal(b"text", "a|1"), "a|1") == b"text" and one.seal(b"text", "a") != one.seal(b"text", "a")
    for wrong in (lambda: one.open(one.seal(b"t", "a|1"), "a|2"), lambda: other.open(one.seal(b"t", "a"), "a"), lambda: one.open(b"", "a"),
                  lambda: one.open_blob(name, one.seal(b"t", f"blob|{name}")), lambda: one.open_blob("cd" * 32, one.seal_blob(name, b"t"))):  # fmt: skip
        with pytest.raises(RemoteError) as told:
            wrong()
        assert told.value.code == "remote-damaged"
    assert one.open_blob(name, one.seal_blob(name, b"t")) == b"t"


def test_a_wrong_key_is_noticed_before_anything_is_read() -> None:
    words = Keys(SPACE).words()
    Keys(SPACE).check(words)
    for given, code in (
        (Keys(b"x" * 32).words(), "wrong-sync-key"), ({**words, "reader": "2"}, "remote-newer"), ({}, "remote-damaged"),
        ({"canary": "%"}, "remote-damaged"), ({"canary": ""}, "wrong-sync-key"),
    ):  # fmt: skip
        with pytest.raises(RemoteError) as told:
            Keys(SPACE).check(given)
        assert told.value.code == code


def test_a_key_file_carries_key_and_secrets_and_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    device = Device(tmp_path / "home", secrets=(SECRET, b"o" * 32))
    text = keys.exported(device.home, Keys(SPACE), "file:///x", "correct horse", WORK)
    assert SPACE.hex() not in text and SECRET.hex() not in text and "file:///x" not in text
    assert keys.imported(text, "correct horse") == (SPACE, [SECRET, b"o" * 32], "file:///x")
    with pytest.raises(InvalidInput, match="does not open"):
        keys.imported(text, "Correct horse")
    with pytest.raises(InvalidInput, match="at least 8"):
        keys.exported(device.home, Keys(SPACE), "", "short", WORK)


def test_whatever_is_no_key_file_is_refused(tmp_path: Path) -> None:
    good = json.loads(keys.exported(Device(tmp_path / "home").home, Keys(SPACE), "", "correct horse", WORK))
    wrong = [
        "", "{}", "[]", "null", "\0", json.dumps({**good, "v": 2}), json.dumps({**good, "n": 1 << 40}), json.dumps({**good, "r": 800}),
        json.dumps({**good, "salt": "x"}), json.dumps({**good, "sealed": "%"}), json.dumps({**good, "what": "x"}),
        json.dumps({**good, "n": "many"}), json.dumps({**good, "n": 2048}), "[" * 100_000,
    ]  # fmt: skip
    for text in wrong:
        with pytest.raises(InvalidInput) as told:
            keys.imported(text, "correct horse")
        assert told.value.code == "bad-key-file", text[:80]


def test_a_home_keeps_the_secrets_it_had(home: str) -> None:
    place = paths.Home(home)
    paths.make_dir(place.storage)
    own = secret.load(place)
    assert secret.older(place) == []
    secret.adopt(place, [SECRET, b"o" * 32])
    assert secret.load(place) == SECRET and secret.older(place) == [b"o" * 32, own]
    secret.adopt(place, [SECRET])
    assert secret.older(place) == [b"o" * 32, own] and os.stat(place.secret).st_mode & 0o777 == 0o600
