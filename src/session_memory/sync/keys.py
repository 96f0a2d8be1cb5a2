"""The key that all devices of one memory share, what is made of it, and the file that carries it from one to the next.

The space key is 32 random bytes in `storage/sync.key` (0600). The key file holds it together with the home's secrets (the
hashes in keys and ids are made with them) and is sealed with a passphrase: scrypt, then AES-256-GCM.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import TYPE_CHECKING, Any

from session_memory import paths
from session_memory.errors import InvalidInput, RemoteError
from session_memory.log import secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from session_memory.paths import Home

BYTES = 32
NONCE = 12
FILE = "session-memory key"
WORK = 1 << 17  # scrypt's n: 128 MiB and about half a second
MOST_WORK = 1 << 20
MOST_FILE = 64 * 1024  # bytes of a key file
SHORTEST_PASSPHRASE = 8
CANARY = b"session-memory: this key opens this remote"
FORMAT = "1"  # of the words on the remote, and the oldest reader that understands what lies there


class Keys:
    """What is made of a space key. `space` names it without telling anything about it."""

    def __init__(self, space_key: bytes) -> None:
        self.space_key = space_key
        self.space = self._derived(b"space")[:8].hex()
        self._segments = self._derived(b"segment")
        self._blobs = self._derived(b"blob")
        self._names = self._derived(b"name")

    def _derived(self, use: bytes) -> bytes:
        return hashlib.blake2b(b"session-memory sync", key=self.space_key, person=use, digest_size=BYTES).digest()

    def seal(self, content: bytes, about: str) -> bytes:
        """Nonce and ciphertext of a segment; `about` must be said again to open it."""
        return _seal(self._segments, content, self._about(about))

    def open(self, sealed: bytes, about: str) -> bytes:
        """The inverse. Raises RemoteError (remote-damaged)."""
        return _open(self._segments, sealed, self._about(about))

    def seal_blob(self, name: str, content: bytes) -> bytes:
        """A long body, sealed under its name here."""
        return _seal(self._blobs, content, self._about(f"blob|{name}"))

    def open_blob(self, name: str, sealed: bytes) -> bytes:
        """The inverse. Raises RemoteError (remote-damaged)."""
        return _open(self._blobs, sealed, self._about(f"blob|{name}"))

    def remote_name(self, name: str) -> str:
        """What a long body is called on the remote: 64 hex digits that say nothing to whoever lacks the key."""
        return hashlib.blake2b(name.encode("ascii"), key=self._names, digest_size=32).hexdigest()

    def words(self) -> dict[str, str]:
        """What a remote is told about itself when it is first used."""
        return {"format": FORMAT, "reader": FORMAT, "canary": base64.b64encode(self.seal(CANARY, "canary")).decode()}

    def check(self, words: Mapping[str, str]) -> None:
        """Raises RemoteError: wrong-sync-key, remote-newer, remote-damaged."""
        if words.get("reader", FORMAT) != FORMAT:
            raise RemoteError(
                "remote-newer", "What lies on the remote needs a newer version of Session Memory.", "Update this one."
            )
        try:
            right = hmac.compare_digest(self.open(base64.b64decode(words["canary"], validate=True), "canary"), CANARY)
        except (KeyError, ValueError) as error:
            raise RemoteError("remote-damaged", "The remote does not say which key opens it.") from error
        except RemoteError:
            right = False
        if not right:
            raise RemoteError(
                "wrong-sync-key",
                "The key of this home does not open what lies on the remote.",
                "On a device that has the right one run: session-memory sync export-key FILE;"
                " here: session-memory sync import-key FILE",
            )

    def _about(self, about: str) -> bytes:
        return f"{self.space}|{about}".encode("ascii")


def load(home: Home) -> Keys | None:
    """The keys of a home; None when it has none yet. Raises InvalidInput (bad-key-file), OSError."""
    try:
        fd = paths.open_file(home.sync_key, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        content = file.read(MOST_FILE)
    try:
        space_key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        space_key = b""
    if len(space_key) != BYTES:
        raise InvalidInput(
            "bad-key-file", "storage/sync.key does not hold a key.", "Import it: session-memory sync import-key"
        )
    return Keys(space_key)


def make(home: Home) -> Keys:
    """A new key, kept. Raises OSError."""
    return _keep(home, os.urandom(BYTES))


def drop(home: Home) -> None:
    """Take back a key that nothing was sealed with. Raises OSError."""
    os.unlink(home.sync_key)


def exported(home: Home, keys: Keys, url: str, passphrase: str, work: int = WORK) -> str:
    """The key file's text. Raises InvalidInput (bad-argument) for a short passphrase, OSError."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidInput(
            "bad-argument", f"The passphrase has {len(passphrase)} characters.", f"Use at least {SHORTEST_PASSPHRASE}."
        )
    secrets = [secret.load(home), *secret.older(home)]
    told = {"space_key": keys.space_key.hex(), "secrets": [each.hex() for each in secrets], "url": url}
    content = json.dumps(told).encode()
    head = {"what": FILE, "v": 1, "kdf": "scrypt", "n": work, "r": 8, "p": 1, "salt": os.urandom(16).hex()}
    sealed = _seal(_stretched(passphrase, head), content, json.dumps(head).encode())
    return json.dumps({**head, "sealed": base64.b64encode(sealed).decode()}) + "\n"


def imported(content: str, passphrase: str) -> tuple[bytes, list[bytes], str]:
    """Space key, secrets and the remote's address of a key file's text. Raises InvalidInput (bad-key-file)."""
    try:
        head: dict[str, Any] = json.loads(content)
        sealed = base64.b64decode(head.pop("sealed"), validate=True)
        usable = head["what"] == FILE and head["v"] == 1 and head["kdf"] == "scrypt" and 2 <= head["n"] <= MOST_WORK
        if not usable or (head["r"], head["p"]) != (8, 1):
            raise ValueError("not of this version")
        stretched = _stretched(passphrase, head)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            "bad-key-file", f"This is no key file ({error}).", "Make one: session-memory sync export-key FILE"
        ) from error
    try:
        found = json.loads(_open(stretched, sealed, json.dumps(head).encode()))
    except RemoteError:
        raise InvalidInput("bad-key-file", "The passphrase does not open this key file.", "Try it again.") from None
    return bytes.fromhex(found["space_key"]), [bytes.fromhex(each) for each in found["secrets"]], str(found["url"])


def adopt(home: Home, space_key: bytes) -> Keys:
    """Make a key that came from another device this home's. Raises OSError."""
    return _keep(home, space_key)


def _keep(home: Home, space_key: bytes) -> Keys:
    paths.make_dir(home.storage)
    paths.write_whole(home.sync_key, space_key.hex().encode("ascii"))
    return Keys(space_key)


def _stretched(passphrase: str, head: Mapping[str, Any]) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # of the extra `sync`: only who syncs needs it

    kdf = Scrypt(salt=bytes.fromhex(head["salt"]), length=BYTES, n=head["n"], r=head["r"], p=head["p"])
    return kdf.derive(passphrase.encode("utf-8", "surrogatepass"))


def _seal(key: bytes, content: bytes, about: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # likewise

    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, about)


def _open(key: bytes, sealed: bytes, about: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # likewise
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about)
    except (InvalidTag, ValueError) as error:
        raise RemoteError(
            "remote-damaged", "What lies on the remote was not sealed with this key, or was changed."
        ) from error
