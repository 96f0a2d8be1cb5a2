"""The note of which transcripts were read: spoilt or absent, they are read again."""

from __future__ import annotations

from pathlib import Path

from session_memory import paths
from session_memory.capture import transcripts


def test_what_was_read_is_known_again_and_a_spoilt_note_is_none(home: str) -> None:
    place = paths.Home(home)
    paths.make_dir(place.storage)
    assert transcripts.looked(place) == {}
    transcripts.note(place, {"/a": [1, 2]})
    assert transcripts.looked(place) == {"/a": [1, 2]}
    for text in ("{", "[]", '{"/a": 1}'):
        Path(place.storage, transcripts.NAME).write_text(text)
        assert transcripts.looked(place) == {}
