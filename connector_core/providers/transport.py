"""Requests to the API of a call provider, for a :class:`~connector_core.policy.RequestPolicy` to send; extra ``providers``.

A token goes to the host that was named and to no other; nothing is kept of what a host says, and no answer is read for ever.
"""

from __future__ import annotations

import http.cookiejar
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions

from connector_core.addresses import LOOPBACK
from connector_core.errors import InputError
from connector_core.policy import (
    ACCEPT,
    Doubt,
    NoReplyError,
    NotSentError,
    Reply,
    Verdict,
    Wait,
    causes,
    instead_of_json,
)
from connector_core.tokens import SignIn

CONNECT_SECONDS = 10.0
LARGEST_ANSWER = 16 * 2**20
"""The bytes of an answer that are taken, unpacked. The largest that are wanted are texts of some megabytes."""
TOO_LARGE = 413
"""The status that stands for an answer that is larger."""
_NOT_SENT = (exceptions.ConnectTimeoutError, exceptions.NewConnectionError, exceptions.ProxyError)


class _Session(requests.Session):
    """Leaves redirects alone: also where it is not to follow one, requests reads its whole body, and its address."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find none."""


class Transport:
    """Sends; one serves all threads of a connection."""

    def __init__(self, title: str, timeout_seconds: float, *, base_url: str) -> None:
        """Send nothing yet.

        :param title: What people call the service, for messages.
        :param base_url: Where it is: no proxy stands before loopback.
        """
        self._title = title
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        self._session = _Session()
        self._session.auth = _as_it_is
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.trust_env = urlsplit(base_url).hostname not in LOOPBACK

    def send(self, method: str, url: str, **options: Any) -> Reply:
        """Send once, and read the answer whole.

        :param options: As ``requests`` has them.
        :returns: With the status :data:`TOO_LARGE` and no body for an answer beyond :data:`LARGEST_ANSWER`.
        :raises NotSentError: It never reached the service.
        :raises NoReplyError: No whole answer came.
        """
        sent = {"timeout": self._timeout, **options, "allow_redirects": False, "stream": True}
        try:
            with self._session.request(method, url, **sent) as answer:
                body = _capped(answer)
        except requests.RequestException as error:
            name = type(error).__name__
            if any(isinstance(it, _NOT_SENT) for it in causes(error)):
                raise NotSentError(f"{self._title} cannot be reached ({name})") from error
            raise NoReplyError(f"{self._title} did not answer ({name})") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(TOO_LARGE if body is None else answer.status_code, headers, body or b"")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def signed_in(sign_in: SignIn, send: Callable[[str], Reply]) -> Reply:
    """Send with the token that there is; with another one, once, where it is not accepted (status 401).

    :raises ConnectorError: As :meth:`SignIn.current`, and as ``send``.
    """
    grant = sign_in.current()
    reply = send(grant.access_token or "")
    if reply.status == 401:
        reply = send(sign_in.instead_of(grant).access_token or "")
    return reply


def verdict(title: str, reply: Reply, asked_seconds: float | None, *, limited: bool = False) -> Verdict:
    """Say what an answer means for the request, by what HTTP says of its status; ``limited``: the service says so itself."""
    if reply.status == 429 or limited:
        return Wait(f"{title}'s limit of requests is reached (status {reply.status})", asked_seconds)
    if (reply.status >= 500 and reply.status != 501) or reply.status == 408:
        return Doubt(f"{title} answered status {reply.status}", asked_seconds)
    return ACCEPT


def parse_json(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None where it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty one where it is none."""
    return parse_json(body) or {}


def whatever_json(title: str, reply: Reply, what: str) -> object:
    """Read the JSON of an answer, of whatever shape.

    :param what: What was read, for messages.
    :raises InputError: The status is another than 200, or the answer is too large, or no JSON.
    """
    if reply.status == TOO_LARGE:
        raise InputError(f"{title}'s answer to reading {what} is larger than {LARGEST_ANSWER} bytes")
    if reply.status != 200:
        raise InputError(f"{title} answered status {reply.status} to reading {what}")
    try:
        found: object = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{title} answered {instead_of_json(reply)} to reading {what}") from error
    return found


def _capped(answer: requests.Response) -> bytes | None:
    body = bytearray()
    for chunk in answer.iter_content(65_536):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return None
    return bytes(body)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the Authorization header: without an ``auth`` of its own, requests would take one from a .netrc file."""
    return request
