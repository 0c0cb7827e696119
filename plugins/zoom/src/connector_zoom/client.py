"""Zoom's API, read: one client for a connection, shared by its threads, and the only place that knows how to send.

Nothing is written at Zoom, so every request may be sent again. Errors are documented at developers.zoom.us/docs/api/errors,
the limits at /docs/api/rate-limits.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.policy import (
    MOST_WAIT_SECONDS,
    Doubt,
    Judge,
    Reply,
    RequestPolicy,
    Verdict,
    instead_of_json,
    retry_after,
)
from connector_core.providers.transport import Transport, read_json, signed_in, verdict
from connector_core.tokens import Grant, SignIn
from connector_zoom.settings import ZoomSettings

_REDIRECTS = 3
_FRESH_SHARE = 0.9
_SCOPES_MISSING = frozenset({104, 4700, 4711})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Zoom will not give: an HTTP status (0 for an address that is none of Zoom's), and Zoom's own code if any."""

    status: int
    code: int | None = None


def path_of(uuid: str) -> str:
    """Write a meeting's UUID as a step of a path, encoded twice where it begins with ``/`` or holds ``//``, as Zoom wants.

    Documented at developers.zoom.us, API reference, "Get past meeting details".
    """
    once = quote(uuid, safe="")
    return quote(once, safe="") if uuid.startswith("/") or "//" in uuid else once


class ZoomClient:
    """Reads, signed in as the account's own app."""

    def __init__(self, settings: ZoomSettings) -> None:
        """Send nothing yet."""
        self._settings = settings
        self._transport = Transport("Zoom", settings.timeout_seconds, base_url=settings.base_url)
        self._policy = RequestPolicy()
        self._sign_in = SignIn("Zoom", self._fetch_token, first=Grant())

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any] | Refusal:
        """Read a resource, its path as it follows ``/v2``, encoded.

        :raises CredentialsError: Zoom refuses the app, or the app lacks a scope.
        :raises TryAgainError: Zoom does not answer now.
        """
        url = f"{self._settings.base_url}/v2{path}"
        reply = self._signed_in(lambda token: self._send("GET", url, token, params=params), _judge_json)
        return read_json(reply.body) if reply.status == 200 else self._refusal(reply)

    def download(self, url: str) -> bytes | Refusal:
        """Read a file of a recording; it is shown elsewhere at Zoom, and the token goes to the first host alone.

        :raises ConnectorError: As :meth:`get`.
        """
        if not self._settings.is_own(url):
            return Refusal(status=0)
        reply = self._signed_in(lambda token: self._send("GET", url, token), judge)
        for _ in range(_REDIRECTS):
            if reply.status not in (301, 302, 303, 307, 308):
                break
            there = _redirected(url, reply)
            if there is None or not self._settings.is_own(there):
                return Refusal(reply.status)
            url = there
            reply = self._policy.run(functools.partial(self._send, "GET", url, None), judge, repeatable=True)
        return reply.body if reply.status == 200 else self._refusal(reply)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # -- signing in ----------------------------------------------------------------------------------------------------

    def _signed_in(self, send: Callable[[str], Reply], judge: Judge) -> Reply:
        reply = signed_in(self._sign_in, lambda token: self._policy.run(lambda: send(token), judge, repeatable=True))
        if reply.status == 401:
            raise CredentialsError("Zoom does not accept the token that it gave: is the app activated for the account?")
        return reply

    def _fetch_token(self, _former: Grant) -> Grant:
        """Ask for a token; it lives an hour, and there is none to refresh it with.

        Documented at developers.zoom.us/docs/internal-apps/s2s-oauth.
        """
        app = self._settings
        secret = app.client_secret.get_secret_value() if app.client_secret else ""
        form = {"grant_type": "account_credentials", "account_id": app.account_id or ""}
        basic = (app.client_id or "", secret)
        url = f"{app.login_url}/oauth/token"
        reply = self._policy.run(
            lambda: self._send("POST", url, None, data=form, auth=basic), _judge_json, repeatable=True
        )
        if reply.status != 200:
            error = str(read_json(reply.body).get("error"))
            named = error if re.fullmatch("[a-z_]{1,40}", error) else str(reply.status)
            raise CredentialsError(
                f"Zoom refuses to sign in ({named}): check account_id, client_id and client_secret, and that the app "
                "is a server-to-server OAuth app that is activated"
            )
        return _grant(read_json(reply.body))

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send(self, method: str, url: str, token: str | None, **options: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self._transport.send(method, url, headers=headers, **options)

    def _refusal(self, reply: Reply) -> Refusal:
        code = read_json(reply.body).get("code")
        code = code if isinstance(code, int) else None
        if code in _SCOPES_MISSING:
            raise CredentialsError(
                f"the app lacks a scope at Zoom (code {code}): add the scopes that the README of connector-zoom names"
            )
        return Refusal(reply.status, code)


def judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    return verdict("Zoom", reply, _asked_seconds(reply.headers))


def _judge_json(reply: Reply) -> Verdict:
    if reply.status == 200 and not read_json(reply.body):
        return Doubt(f"Zoom answered status 200 with {instead_of_json(reply)}")
    return judge(reply)


def _asked_seconds(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``, which at a daily limit is a time in ISO 8601 (developers.zoom.us, "Rate limits")."""
    try:
        moment = dt.datetime.fromisoformat(headers.get("retry-after", ""))
    except ValueError:
        return retry_after(headers)
    if moment.tzinfo is None:
        return retry_after(headers)
    return min(max(0.0, (moment - dt.datetime.now(dt.UTC)).total_seconds()), MOST_WAIT_SECONDS)


def _grant(answer: Mapping[str, Any]) -> Grant:
    token, lives = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise TryAgainError("Zoom answered a sign-in without a token")
    known = isinstance(lives, int) and 0 < lives < 10**6
    seconds = _FRESH_SHARE * lives if known and lives else None
    renew_at = None if seconds is None else dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return Grant(access_token=token, renew_at=renew_at)


def _redirected(url: str, reply: Reply) -> str | None:
    try:
        return urljoin(url, reply.headers.get("location", ""))
    except ValueError:
        return None
