"""Ringover's API: one client for a connection, shared by its threads, and the only place that knows paths and headers.

Documented at developer.ringover.com: the key stands in ``Authorization`` by itself, and a key has two requests a second.
"""

from __future__ import annotations

import json
import ssl
from urllib.parse import quote

import urllib3
from urllib3 import exceptions

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
from connector_ringover.settings import RingoverSettings

REQUESTS_A_SECOND = 2.0
LARGEST_ANSWER = 16 * 2**20
_LANE = "api"
_CONNECTIONS = 4
_NOT_SENT = (
    exceptions.ConnectTimeoutError,
    exceptions.NewConnectionError,
    exceptions.ProxyError,
    exceptions.ClosedPoolError,
    exceptions.EmptyPoolError,
    exceptions.LocationValueError,
)


class RingoverClient:
    """Reads what belongs to a call."""

    def __init__(self, settings: RingoverSettings, api_key: str) -> None:
        """Build the pool of connections; send nothing."""
        self._url = settings.api_url
        self._headers = {
            "Authorization": api_key,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "connector-ringover",
        }
        seconds = settings.timeout_seconds
        timeout = urllib3.Timeout(connect=min(10.0, seconds), read=seconds)
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=timeout, retries=False)
        self._policy = RequestPolicy(lanes={_LANE: REQUESTS_A_SECOND})

    def read(self, what: str, number: str) -> object | None:
        """Read ``calls`` or ``transcriptions`` of a call: its JSON; None where there is nothing (yet).

        :raises CredentialsError: The key is refused.
        :raises TryAgainError: Ringover cannot answer now.
        :raises InputError: The key may not read that, or the answer is none that Ringover documents.
        """
        address = f"{self._url}/{what}/{quote(number, safe='')}"
        reply = self._policy.run(lambda: self._send(address), _judge, repeatable=True, lane=_LANE)
        if reply.status in (204, 404):
            return None
        if reply.status == 401:
            raise CredentialsError(f"Ringover refused api_key for reading {what} (status 401), or the account has none")
        if reply.status == 403:
            raise InputError(f"Ringover lets api_key read no {what} (status 403): give it the right to")
        if reply.status != 200:
            raise InputError(f"Ringover answered status {reply.status} to reading {what}")
        if len(reply.body) > LARGEST_ANSWER:
            raise InputError(f"Ringover's answer to reading {what} is larger than {LARGEST_ANSWER} bytes")
        try:
            found: object = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            raise InputError(f"Ringover answered {instead_of_json(reply)} to reading {what}") from error
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
    asked = retry_after(reply.headers)
    if reply.status == 429:
        return Wait("Ringover's limit of requests is reached (status 429)", asked)
    if reply.status >= 500 or reply.status == 408:
        return Doubt(f"Ringover answered status {reply.status}", asked)
    return ACCEPT


def _unanswered(error: exceptions.HTTPError) -> NotSentError | NoReplyError:
    chain = (error.__cause__, error.__context__, *error.args)
    if isinstance(error, _NOT_SENT) or any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return NotSentError(f"Ringover cannot be reached ({type(error).__name__})")
    return NoReplyError(f"Ringover did not answer ({type(error).__name__})")
