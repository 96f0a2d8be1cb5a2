"""Cloudflare's REST API: who we are, and what each of its refusals means.

Its errors are numbers and sentences in one envelope, and the same number stands for a wrong statement and a used-up quota; so
both are looked at. Whatever is told to people never holds the token.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from session_memory.errors import RemoteError
from session_memory.sync.calls import TRY_LATER, Again, Answer, plain, refuse_busy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_memory.sync.calls import Calls

T = TypeVar("T")
API = "https://api.cloudflare.com/client/v4"
ACCOUNT = re.compile(r"[0-9a-f]{32}")
DATABASE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
TOKEN = re.compile(r"[!-~]{1,400}")
# what each of the four is called, where it is read by default, and what it must look like
PARTS = (
    ("account", "CF_ACCOUNT_ID", ACCOUNT, "32 hex digits"),
    ("API token", "CF_API_TOKEN", TOKEN, "a text without spaces"),
    ("D1 database", "CF_D1_DATABASE_ID", DATABASE, "an id like 8-4-4-4-12 hex digits, not the database's name"),
    ("R2 bucket", "CF_R2_BUCKET", BUCKET, "3 to 63 small letters, digits and hyphens"),
)

REFUSED = frozenset({1000, 6003, 6111, 9106, 9109, 10000, 10001})
NOT_THERE = frozenset({7003, 7400, 7404})
QUOTA = re.compile(
    r"free tier|daily .*limit|maximum DB size|exceeded.* (?:storage|size) limit|SQLITE_FULL|disk is full", re.I
)
BUSY = re.compile(r"overloaded|too many requests|queued for too long", re.I)
# sentences with which D1 takes back a call that may be made again
PASSING = re.compile(
    r"D1 DB reset|Network connection lost|object to be reset|was reset|Cannot resolve D1 DB|Can't read from request stream"
    r"|storage caused|transient|internal error",
    re.I,
)


def checked(values: tuple[str, str, str, str], names: tuple[str, str, str, str]) -> None:
    """Account, token, database and bucket are there and look like ones. Raises RemoteError (no-remote) naming the variable:
    the account becomes part of a host's name, and nothing that is set may lead the token somewhere else."""
    for value, name, (what, _usual, shape, looks) in zip(values, names, PARTS):
        fix = f"Set {name} in the environment or in ~/.claude/.env (docs/how-to/sync-through-cloudflare.md)."
        if not value:
            raise RemoteError("no-remote", f"{name} is not set: the {what} for syncing through Cloudflare.", fix)
        if not shape.fullmatch(value):
            raise RemoteError("no-remote", f"{name} cannot be the {what}: that is {looks}.", fix)


def check_address(name: str, url: str) -> None:
    """An address that is given instead of Cloudflare's own keeps the token from being read on the way; empty for none. Raises
    RemoteError (no-remote)."""
    if url and not re.fullmatch(r"https://[!-~]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[!-~]*)?", url):
        raise RemoteError(
            "no-remote", f"{name} must begin with https://, or lead to this machine.", f"Correct {name}, or do not set it."
        )  # fmt: skip


class Cloudflare:
    """Calls to Cloudflare's REST API with one token, made through `calls`."""

    def __init__(self, calls: Calls, token: str, base_url: str = API) -> None:
        self._calls, self._token, self._base = calls, token, base_url.rstrip("/")

    def ask(self, method: str, path: str, content: bytes, shape: Callable[[Any], T]) -> tuple[T, int]:
        """`shape` of the envelope's result, and how many tries went before. `shape` raises ValueError where the result is none
        that the API gives. Raises RemoteError."""
        headers = {"authorization": f"Bearer {self._token}"}
        if content:
            headers["content-type"] = "application/json"

        def judge(answer: Answer) -> T:
            tree = self._envelope(answer)
            try:
                return shape(tree["result"])
            except (KeyError, ValueError, TypeError, IndexError) as error:
                raise Again(_strange(f"a result that is none of its own ({plain(str(error), 80)})")) from error

        return self._calls.ask(method, f"{self._base}{path}", headers, content, judge)

    def token_id(self, account: str) -> str:
        """The id of the token, which is its access key for R2. A token is a user's or an account's; only the address of its
        own kind knows it. Raises RemoteError."""
        for path in ("/user/tokens/verify", f"/accounts/{account}/tokens/verify"):
            try:
                told, _tried = self.ask("GET", path, b"", _token_told)
            except RemoteError as error:
                if error.code != "remote-refused" or path.startswith("/accounts"):
                    raise
                continue
            id_, status = told
            if status != "active":
                raise RemoteError(
                    "remote-refused", f"The API token is {plain(status, 20)}.", "Make a new one and set it."
                )
            return id_
        raise AssertionError("the second address returns or raises")

    def _envelope(self, answer: Answer) -> Mapping[str, Any]:
        """The envelope of a call that went well. Raises RemoteError, Again."""
        try:
            tree = json.loads(answer.body)
        except (ValueError, RecursionError):
            tree = None
        errors = _errors(tree)
        codes = {code for code, _text in errors}
        said = plain("; ".join(text for _code, text in errors).replace(self._token, "..."))
        if QUOTA.search(said):
            raise RemoteError(
                "remote-quota", f"A limit of the Cloudflare plan is used up ({said}).",
                "Daily limits begin anew at 00:00 UTC; for storage, choose a larger plan. What is not sent yet is kept.",
            )  # fmt: skip
        refuse_busy(answer, "Cloudflare", said)
        if answer.status in (401, 403) or codes & REFUSED:
            raise RemoteError(
                "remote-refused", f"Cloudflare does not accept the API token ({said or f'status {answer.status}'}).",
                "It needs the permissions D1 Edit and Workers R2 Storage Edit for this account; check CF_API_TOKEN and"
                " CF_ACCOUNT_ID.",
            )  # fmt: skip
        if isinstance(tree, dict) and not tree.get("success") and (answer.status == 404 or codes & NOT_THERE):
            raise RemoteError(
                "remote-not-there", f"Cloudflare knows no such D1 database in this account ({said or 'status 404'}).",
                "Check CF_D1_DATABASE_ID and CF_ACCOUNT_ID, or create the database.",
            )  # fmt: skip
        if BUSY.search(said):
            raise Again(
                RemoteError("remote-busy", f"Cloudflare asks for fewer calls ({said}).", "Try again in a minute.")
            )
        if PASSING.search(said):
            raise Again(RemoteError("remote-failed", f"Cloudflare took the call back ({said}).", TRY_LATER))
        if errors or answer.status >= 300:
            raise RemoteError(
                "remote-failed", f"Cloudflare answered {said or f'with status {answer.status}'}.", TRY_LATER
            )
        if not isinstance(tree, dict) or tree.get("success") is not True:
            raise Again(_strange("something else than its API does; is a proxy or a login page in between?"))
        return tree


def _strange(what: str) -> RemoteError:
    return RemoteError("remote-failed", f"Cloudflare's address answered {what}", TRY_LATER)


def _errors(tree: Any) -> list[tuple[int, str]]:
    found = tree.get("errors") if isinstance(tree, dict) else None
    rows = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return [(each["code"] if isinstance(each.get("code"), int) else 0, str(each.get("message", ""))) for each in rows]


def _token_told(result: Any) -> tuple[str, str]:
    id_, status = result["id"], result["status"]
    if not isinstance(id_, str) or not TOKEN.fullmatch(id_) or not isinstance(status, str):
        raise ValueError("a token without an id")
    return id_, status
