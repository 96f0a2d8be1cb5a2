"""Blobs in R2, through its S3 endpoint: one object each, signed by hand.

The keys of the endpoint follow from the API token: its id, and the hash of its text. An object is made only where none is, so
that a call which is repeated or late changes nothing; only an empty one, which says that its content was forgotten, replaces.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from session_memory import ids
from session_memory.errors import RemoteError
from session_memory.sync.calls import TRY_LATER, Answer, plain, refuse_busy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_memory.sync.calls import Calls

NAME = re.compile(r"[0-9a-f]{64}")
CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")
REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized", "InvalidArgument"})


class R2:
    """Objects `session-memory/<database>/<name>` of one bucket; two remotes that share a bucket do not meet."""

    def __init__(
        self, calls: Calls, endpoint: str, bucket: str, database: str, token_id: Callable[[], str], token: str
    ) -> None:
        """token_id: asked for once, by the first call."""
        self._calls = calls
        scheme, _, place = endpoint.rstrip("/").partition("://")
        self._host, _, above = place.partition("/")
        self._server = f"{scheme}://{self._host}"
        self._path = f"{'/' + above if above else ''}/{bucket}/session-memory/{database}/"
        self._bucket, self._token_id, self._secret = bucket, token_id, hashlib.sha256(token.encode()).hexdigest()
        self._key = ""

    def put(self, name: str, content: bytes) -> None:
        """Keep a blob where there is none of this name; empty content always replaces. Raises RemoteError."""
        self._call("PUT", name, content, {"if-none-match": "*"} if content else {})

    def get(self, name: str) -> bytes | None:
        """A blob's content, empty for a forgotten one; None: there is none. Raises RemoteError."""
        found = self._call("GET", name, b"", {})
        return found.body if found.status != 404 else None

    def _call(self, method: str, name: str, content: bytes, wish: Mapping[str, str]) -> Answer:
        if not NAME.fullmatch(name):
            raise ValueError("a blob's name is 64 hex digits")
        if not self._key:
            self._key = self._token_id()
        path = self._path + name
        stamp = ids.at_text(ids.now_ms())[:19].replace("-", "").replace(":", "") + "Z"
        headers = signed(
            method, path, {"host": self._host, "x-amz-date": stamp}, content, key=self._key, secret=self._secret
        )
        answer, _tried = self._calls.ask(
            method,
            self._server + path,
            {**headers, **wish},
            content,
            self._judged,
            paced=False,
        )
        return answer

    def _judged(self, answer: Answer) -> Answer:
        """The answer, where it is a success, says that the object is there already (412) or that there is none (404). Any other
        404 is not R2's word. Raises RemoteError, Again."""
        code = CODE.search(answer.body)
        said = code[1].decode() if code else ""
        if said == "NoSuchBucket":
            raise RemoteError(
                "remote-not-there", f"There is no R2 bucket {self._bucket} in this account.",
                "Check CF_R2_BUCKET, or create the bucket.",
            )  # fmt: skip
        if said == "RequestTimeTooSkewed":
            raise RemoteError("remote-refused", "R2 does not take the time of this machine's clock.", "Set the clock.")
        refuse_busy(answer, "R2", said)
        if answer.status in (401, 403) or said in REFUSED:
            raise RemoteError(
                "remote-refused", f"R2 does not accept the API token ({said or f'status {answer.status}'}).",
                "It needs the permission Workers R2 Storage Edit for this bucket; check CF_API_TOKEN.",
            )  # fmt: skip
        if answer.status == 412 or (answer.status == 404 and said == "NoSuchKey"):
            return answer
        if not 200 <= answer.status < 300:
            said = plain(said) or f"with status {answer.status}"
            raise RemoteError("remote-failed", f"R2 answered {said}.", TRY_LATER)
        return answer


def signed(
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    key: str,
    secret: str,
    region: str = "auto",
) -> dict[str, str]:
    """The headers of a request to an S3 endpoint, signed (AWS Signature Version 4). path: as it is sent, percent-encoded,
    without a query. headers: all that are to be signed, in small letters, with `host` and `x-amz-date` (20261122T142057Z)."""
    digest = hashlib.sha256(content).hexdigest()
    whole = {**headers, "x-amz-content-sha256": digest}
    names = ";".join(sorted(whole))
    lines = "".join(f"{name}:{' '.join(whole[name].split())}\n" for name in sorted(whole))
    request = "\n".join((method, path, "", lines, names, digest))
    stamp = whole["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    wanted = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    mac = f"AWS4{secret}".encode()
    for part in (stamp[:8], region, "s3", "aws4_request", wanted):
        mac = hmac.new(mac, part.encode(), hashlib.sha256).digest()
    whole["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={mac.hex()}"
    return whole
