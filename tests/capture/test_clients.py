"""Which session a running client works in, as its hooks note it and its server looks it up."""

from __future__ import annotations

import os
from pathlib import Path

from session_memory import paths
from session_memory.capture import clients


def test_a_server_follows_its_client_from_session_to_session(home: str) -> None:
    place = paths.Home(home)
    assert clients.current(place, "12", "a") == "a"
    clients.begin(place, "12", "a")
    assert clients.note(place, "12", "b") == "a" and clients.note(place, "12", "b") == "a"
    assert clients.current(place, "12", "a") == "b" and clients.current(place, "12", "b") == "b"


def test_a_process_id_that_is_used_again_misleads_nobody(home: str) -> None:
    place = paths.Home(home)
    clients.begin(place, "12", "old")
    assert clients.current(place, "12", "mine") == "mine"
    clients.begin(place, "12", "mine")
    assert clients.sessions(place, "12") == ["mine"]


def test_a_note_that_cannot_be_read_or_is_none_counts_as_absent(home: str) -> None:
    place = paths.Home(home)
    assert clients.note(place, "../x", "a") == "" and clients.note(place, "", "a") == ""
    clients.begin(place, "", "a")
    assert not Path(place.clients).exists()
    clients.begin(place, "12", "a")
    for text in ("{", '{"a": 1}', "[1, 2]"):
        Path(place.clients, "12.json").write_text(text)
        assert clients.sessions(place, "12") == [] and clients.current(place, "12", "a") == "a"


def test_only_the_newest_clients_are_remembered(home: str) -> None:
    place = paths.Home(home)
    for number in range(clients.OLD + 5):
        clients.begin(place, str(1000 + number), "s")
        os.utime(Path(place.clients, f"{1000 + number}.json"), (number, number))
    clients.begin(place, "9", "s")
    left = os.listdir(place.clients)
    assert len(left) == clients.OLD and "9.json" in left and "1000.json" not in left
