"""Aircall's API: one client for a connection, shared by its threads, and the only place that knows paths and headers.

Documented at developer.aircall.io/api-references: Basic authentication, and a limit of requests a minute for the whole
company (60 at first, 120 later).
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping

import urllib3
from urllib3 import exceptions

from connector_aircall.settings import AircallSettings
from connector_core.errors import CredentialsError, InputError
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

REQUESTS_A_SECOND = 1.0
"""At most half of what the company has: the rest is for whatever else reads Aircall."""
LARGEST_ANSWER = 16 * 2**20
_LANE = "api"
_CONNECTIONS = 4
_LONGEST_WINDOW_SECONDS = 3_600.0
_NOT_SENT = (
    exceptions.ConnectTimeoutError,
    exceptions.NewConnectionError,
    exceptions.ProxyError,
    exceptions.ClosedPoolError,
    exceptions.EmptyPoolError,
    exceptions.LocationValueError,
)


class AircallClient:
    """Reads what belongs to a call."""

    def __init__(self, settings: AircallSettings, api_id: str, api_token: str) -> None:
        """Build the pool of connections; send nothing."""
        self._url = settings.api_url
        self._headers = {
            **urllib3.make_headers(basic_auth=f"{api_id}:{api_token}"),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "connector-aircall",
        }
        seconds = settings.timeout_seconds
        timeout = urllib3.Timeout(connect=min(10.0, seconds), read=seconds)
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=timeout, retries=False)
        self._policy = RequestPolicy(lanes={_LANE: REQUESTS_A_SECOND})

    def read(self, number: int, what: str) -> object | None:
        """Read ``summary``, ``topics`` or ``transcription`` of a call: its JSON; None where there is none (yet).

        :raises CredentialsError: The pair is refused.
        :raises TryAgainError: Aircall cannot answer now.
        :raises InputError: The account may not read that, or the answer is none that Aircall documents.
        """
        address = f"{self._url}/calls/{number}/{what}"
        reply = self._policy.run(lambda: self._send(address), _judge, repeatable=True, lane=_LANE)
        if reply.status == 404:
            return None
        if reply.status == 401:
            raise CredentialsError("Aircall refused api_id and api_token (status 401)")
        if reply.status == 403:
            raise InputError(f"Aircall lets this account read no {what} (status 403): is it part of its plan?")
        if reply.status != 200:
            raise InputError(f"Aircall answered status {reply.status} to reading {what}")
        if len(reply.body) > LARGEST_ANSWER:
            raise InputError(f"Aircall's answer to reading {what} is larger than {LARGEST_ANSWER} bytes")
        try:
            found: object = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            raise InputError(f"Aircall answered {instead_of_json(reply)} to reading {what}") from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _send(self, address: str) -> Reply:
        try:
            answer = self._pool.request("GET", address, headers=self._headers, redirect=False, preload_content=False)
            body = answer.read(LARGEST_ANSWER + 1)
            if len(body) > LARGEST_ANSWER:
                answer.close()
            answer.release_conn()
        except exceptions.HTTPError as error:
            raise _unanswered(error) from error
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)


def _judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    if reply.status == 429:
        return Wait("Aircall's limit of requests is reached (status 429)", _reset(reply.headers))
    if reply.status >= 500 or reply.status == 408:
        return Doubt(f"Aircall answered status {reply.status}", retry_after(reply.headers))
    return ACCEPT


def _reset(headers: Mapping[str, str]) -> float | None:
    """Say how long a limit lasts: Aircall names the moment that it ends at, in seconds since 1970."""
    asked = retry_after(headers)
    text = headers.get("x-aircallapi-reset", "").strip()
    if asked is not None or not (text.isascii() and text.isdecimal()):
        return asked
    seconds = float(text[:20]) - time.time()
    return seconds if 0 <= seconds <= _LONGEST_WINDOW_SECONDS else None


def _unanswered(error: exceptions.HTTPError) -> NotSentError | NoReplyError:
    chain = (error.__cause__, error.__context__, *error.args)
    if isinstance(error, _NOT_SENT) or any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return NotSentError(f"Aircall cannot be reached ({type(error).__name__})")
    return NoReplyError(f"Aircall did not answer ({type(error).__name__})")
