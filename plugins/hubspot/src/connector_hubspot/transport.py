"""The pool under the SDK: every request of it runs through the request policy, which sees status, headers and body.

The SDK's own retries are off (they would re-send creates, and never a search), so what an answer means is decided here.
Statuses and the shape of a 429 are documented at developers.hubspot.com, error handling and usage guidelines.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import urllib3
from urllib3 import exceptions

from connector_core.errors import OutcomeUnknownError, TryAgainError
from connector_core.policy import (
    ACCEPT,
    Doubt,
    NoReplyError,
    NotSentError,
    Reply,
    RequestPolicy,
    Verdict,
    Wait,
    instead_of_json,
    retry_after,
)
from connector_hubspot.limits import hear

_READS = ("/search", "/batch/read", "/token", "/introspect", "/access-token-info")
_CREATE = "/batch/create"
_ARCHIVE = "/batch/archive"
_LOCK_SECONDS = 2.0
_PARKED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Sort:
    """What kind of request it is, which its path says. ``mute``: that it was done may be answered without content."""

    lane: str
    reads: bool
    repeatable: bool
    mute: bool


def sort_of(method: str, url: str) -> Sort:
    """Tell a request by its path: most of HubSpot's reads are POSTs."""
    path = urlsplit(url).path
    lane = "search" if path.endswith("/search") else "associations" if "/associations/" in path else "general"
    reads = method == "GET" or path.endswith(_READS)
    return Sort(lane, reads, repeatable=not path.endswith(_CREATE), mute=path.endswith(_ARCHIVE))


class Answer:
    """An answer as the SDK wants it, with the header access that urllib3 has given up."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        """Keep what is read of it: everything, at once."""
        self.status = response.status
        self.reason = response.reason
        # The SDK decodes the body of a failure strictly.
        self.data = response.data if _fine(self.status) else response.data.decode(errors="replace").encode()
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.value = parsed(self.data)

    def getheaders(self) -> dict[str, str]:
        """Give the headers; their names are lower-case."""
        return self.headers


def parsed(body: bytes | str | None) -> dict[str, Any] | None:
    """Read a JSON object; None where it is none: a page, garbage, nothing."""
    try:
        value = json.loads(body or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def judge(reply: Reply, lane: str) -> Verdict:
    """Say what an answer means for the request."""
    asked = retry_after(reply.headers)
    if reply.status == 429:
        return Wait("HubSpot's limit of requests is reached (status 429)", _limit_seconds(reply, lane, asked))
    if reply.status == 423:
        return Wait("HubSpot has locked these records (status 423)", max(_LOCK_SECONDS, asked or 0.0))
    if reply.status == 477:
        return Wait("HubSpot is moving this account (status 477)", _PARKED_SECONDS if asked is None else asked)
    if (reply.status >= 500 and reply.status != 501) or reply.status == 408:
        return Doubt(f"HubSpot answered status {reply.status}", asked)
    if _fine(reply.status) and reply.raw.value is None:
        return Doubt(f"HubSpot answered status {reply.status} with {instead_of_json(reply)}")
    return ACCEPT


def _limit_seconds(reply: Reply, lane: str, asked: float | None) -> float:
    """Give the wait: ``Retry-After`` is mostly missing, the name of the limit then says how long its window is."""
    policy = str((reply.raw.value or {}).get("policyName") or "").upper()
    if policy == "DAILY":
        return max(_PARKED_SECONDS, asked or 0.0)
    if asked is not None:
        return asked
    return 1.0 if policy == "SECONDLY" or (lane == "search" and not policy) else 10.0


class Pool(Protocol):
    """What the SDK and this module want of a pool of connections."""

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request."""
        ...


class PolicedPool:
    """Stands where the SDK has its ``urllib3`` pool."""

    def __init__(self, pool: Pool, policy: RequestPolicy) -> None:
        """Wrap the pool."""
        self._pool = pool
        self._policy = policy

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request under the policy.

        :raises TryAgainError: It was surely not executed, or it only reads.
        :raises OutcomeUnknownError: It writes, and may have been executed.
        """
        sort = sort_of(method, url)
        doubts: list[str] = []

        def send() -> Reply:
            try:
                # The body is read here, so that a connection that breaks in its middle is seen here too.
                answer = Answer(self._pool.request(method, url, redirect=False, **{**options, "preload_content": True}))
            except exceptions.HTTPError as error:
                failure = unanswered(error)
                if isinstance(failure, NoReplyError):
                    doubts.append(str(failure))
                raise failure from error
            if sort.mute and answer.status == 204:
                answer.value = {"results": []}  # what later versions say
            hear(self._policy, sort.lane, answer.headers)
            return Reply(answer.status, answer.headers, answer.data, answer)

        def verdict(reply: Reply) -> Verdict:
            result = judge(reply, sort.lane)
            if isinstance(result, Doubt):
                doubts.append(result.why)
            if reply.status == 429 and isinstance(result, Wait):
                self._policy.pace.hold(sort.lane, result.after_seconds or 0.0)  # for the other threads too
            return result

        try:
            reply = self._policy.run(send, verdict, repeatable=sort.repeatable, changes=not sort.reads, lane=sort.lane)
        except TryAgainError as error:
            if doubts and not sort.reads:
                raise OutcomeUnknownError(doubts[-1]) from error
            raise
        answer: Answer = reply.raw
        return answer


_NOT_SENT = (
    exceptions.ConnectTimeoutError,
    exceptions.NewConnectionError,
    exceptions.ProxyError,
    exceptions.ClosedPoolError,
    exceptions.EmptyPoolError,
    exceptions.LocationValueError,
)


def unanswered(error: exceptions.HTTPError) -> NotSentError | NoReplyError:
    """Tell whether a request that failed in urllib3 reached the service. What is not surely unsent may have."""
    reason = getattr(error, "reason", None)
    if isinstance(error, exceptions.MaxRetryError) and isinstance(reason, exceptions.HTTPError):
        return unanswered(reason)
    chain = (error.__cause__, error.__context__, *error.args)
    if isinstance(error, _NOT_SENT) or any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return NotSentError(f"HubSpot cannot be reached ({type(error).__name__})")
    return NoReplyError(f"HubSpot did not answer ({type(error).__name__})")


def _fine(status: int) -> bool:
    return 200 <= status < 300
