"""Calls over HTTPS: the only room that connects, with one pace, one patience and one set of retries.

Every call that is made here may safely be made again: it reads, or it compares before it writes. So a call that was lost, on
its way there or back, is simply repeated, and whoever asked is told how often (an answer to a repetition may mean something
else). Nothing follows a redirect: what is sent goes to the address that was given, or nowhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from session_memory import ids
from session_memory.errors import RemoteError
from session_memory.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

T = TypeVar("T")
MOST_ANSWER = 64_000_000  # bytes of one answer; the longest honest one is a blob of 10 MB


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (names in any case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Patience:
    """How long one waits. connect, silence: seconds for a connection and between two bytes. whole: seconds for one answer.
    waits: seconds spent between the tries of one call, all together; the first pause is about `first`, the next ones twice as
    long each. tries: how often a call is made at most."""

    connect: float = 10.0
    silence: float = 40.0  # D1 stops a query itself after 30
    whole: float = 120.0
    waits: float = 30.0
    first: float = 0.5
    tries: int = 5


class Again(Exception):
    """Worth another try, after `wait` seconds where the other side named them; `error` once there have been enough."""

    def __init__(self, error: RemoteError, wait: float | None = None) -> None:
        super().__init__(error.what)
        self.error, self.wait = error, wait


class Pace:
    """A bucket of permissions: `burst` at once, then `rate` a second. Cloudflare blocks for minutes after 1,200 in five."""

    def __init__(self, rate: float = 3.0, burst: int = 30) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), 0.0

    def wait(self, now: float) -> float:
        """Take a permission; seconds to wait before it may be used. `now` only goes forward."""
        self._left = min(float(self._burst), self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)


PACE = Pace()  # of all remotes of this process: the limit is the user's


class Calls:
    """Calls of one remote, one after the other (not for several threads at once); `made` counts them, repeated ones too."""

    def __init__(self, patience: Patience | None = None, pace: Pace | None = None) -> None:
        self._patience = patience or Patience()
        self._pace = pace or PACE
        self._client: httpx.Client | None = None
        self.made = 0

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        judge: Callable[[Answer], T],
        *,
        paced: bool = True,
    ) -> tuple[T, int]:
        """What `judge` makes of the answer, and how many tries went before it. `judge` raises RemoteError for what no
        repetition changes and Again for the rest. Raises RemoteError."""
        waited = 0.0
        for tried in range(self._patience.tries):
            if paced:
                ids.pause(self._pace.wait(ids.monotonic()))
            try:
                return judge(self._send(method, url, headers, content)), tried
            except Again as trouble:
                wait = (
                    self._patience.first * 2**tried * random.uniform(0.5, 1) if trouble.wait is None else trouble.wait
                )
                waited += wait
                if tried + 1 == self._patience.tries or waited > self._patience.waits:
                    raise trouble.error from trouble
            ids.pause(wait)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Let go of open connections; the next call makes new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> httpx.Client:
        if self._client is None:
            try:
                import httpx  # an extra, and 0.1 s: only those who meet others pay for it
            except ImportError as error:
                raise RemoteError(
                    "sync-missing", "Talking to Cloudflare needs the package httpx, which is not installed here.",
                    "Install session-memory with its extra `sync`.",
                ) from error  # fmt: skip
            limits = httpx.Timeout(self._patience.silence, connect=self._patience.connect)
            self._client = httpx.Client(timeout=limits, headers={"user-agent": f"session-memory/{VERSION}"})
        return self._client

    def _send(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        client = self._opened()
        import httpx

        self.made += 1
        host = url.partition("://")[2].partition("/")[0]
        try:
            with client.stream(method, url, headers=dict(headers), content=content) as answer:
                late = ids.monotonic() + self._patience.whole
                parts, size = [], 0
                for part in answer.iter_bytes():
                    parts.append(part)
                    size += len(part)
                    if size > MOST_ANSWER:
                        raise RemoteError("remote-failed", f"{host} sent more than any answer holds.", TRY_LATER)
                    if ids.monotonic() > late:
                        raise Again(_offline(host, "the answer came too slowly"))
                return Answer(answer.status_code, answer.headers, b"".join(parts))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RemoteError(
                "no-remote", f"{url} is no address of a remote ({error}).", "Correct the setting."
            ) from error
        except httpx.DecodingError as error:
            raise Again(RemoteError("remote-failed", f"{host} sent what cannot be read.", TRY_LATER)) from error
        except httpx.TransportError as error:
            raise Again(_offline(host, str(error) or type(error).__name__)) from error


TRY_LATER = "Nothing is lost: try again later."


def _offline(host: str, why: str) -> RemoteError:
    return RemoteError(
        "remote-offline", f"{host} could not be reached, or did not answer in time ({plain(why)}).",
        "Check the connection; nothing is lost, the next exchange continues where this one stopped.",
    )  # fmt: skip


def refuse_busy(answer: Answer, who: str, said: str) -> None:
    """What every HTTP server may say: too many calls, or a trouble of its own. Raises Again for both."""
    said = f" ({said})" if said else ""
    if answer.status == 429:
        wait = _retry_after(answer)
        when = f"Try again in {wait:.0f} seconds." if wait else "Try again in five minutes."
        raise Again(RemoteError("remote-busy", f"{who} asks for fewer calls{said}.", when), wait)
    if answer.status >= 500:
        failed = RemoteError(
            "remote-failed", f"{who} has a trouble of its own: status {answer.status}{said}.", TRY_LATER
        )
        raise Again(failed, _retry_after(answer))


def plain(text: str, most: int = 200) -> str:
    """What the other side said, as part of a sentence of ours: one line, no control characters, not long."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:most].rstrip(" .")


def _retry_after(answer: Answer) -> float | None:
    """Seconds of the header Retry-After, which is a number or a date; None where it is neither."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    import email.utils

    when = email.utils.parsedate_tz(said)
    return max(0.0, email.utils.mktime_tz(when) - ids.now_ms() / 1000) if when else None
