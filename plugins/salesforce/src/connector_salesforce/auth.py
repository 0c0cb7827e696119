"""Signing in: an access token that was handed in, or the OAuth client credentials flow.

The token endpoint of client credentials is the org's own My Domain, never login.salesforce.com (help.salesforce.com,
"OAuth 2.0 Client Credentials Flow for Server-to-Server Integration"). Its answer has no lifetime: a token serves until a
401. A refused sign-in is not tried again for five minutes, because Salesforce locks users out after repeated failures.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector_core.errors import ConfigurationError, CredentialsError, TryAgainError
from connector_salesforce.failures import error_of, read_failure
from connector_salesforce.settings import SalesforceSettings, check_instance
from connector_salesforce.transport import SessionOverError, Transport

REFUSED_FOR_SECONDS = 300.0
_PASSING = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What was signed in to: a token, and the origin that takes it."""

    token: str
    instance_url: str

    def __repr__(self) -> str:
        """Leave out the token."""
        return f"Grant(instance_url={self.instance_url!r})"


class SignIn:
    """Hands out the one grant of a connection, shared by its threads."""

    def __init__(
        self, settings: SalesforceSettings, transport: Transport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask for nothing yet."""
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: tuple[float, CredentialsError] | None = None
        static = settings.access_token
        self._grant = Grant(static.get_secret_value(), settings.instance_url) if static else None

    def current(self) -> Grant:
        """Give the grant, signing in if there is none yet.

        :raises CredentialsError: The credentials are refused.
        :raises TryAgainError: The token endpoint does not answer.
        """
        with self._lock:
            if self._grant is None:
                self._grant = self._sign_in()
            return self._grant

    def renew(self, stale: Grant) -> Grant:
        """Give a grant newer than one that was not accepted; threads that come with the same one sign in once.

        :raises CredentialsError: As :meth:`current`; or the token was handed in, and cannot be renewed.
        """
        with self._lock:
            if self._grant is None or self._grant is stale:
                if self._settings.client_secret is None:
                    raise CredentialsError(
                        "Salesforce does not accept the access token: it ended, was revoked, or belongs to another "
                        "org than instance_url; hand in a new one"
                    )
                self._grant = None
                self._grant = self._sign_in()
            return self._grant

    def _sign_in(self) -> Grant:
        if self._refused is not None and self._clock() < self._refused[0]:
            raise CredentialsError(str(self._refused[1])) from self._refused[1]
        try:
            grant = self._ask()
        except CredentialsError as error:
            self._refused = (self._clock() + REFUSED_FOR_SECONDS, error)
            raise
        self._refused = None
        return grant

    def _ask(self) -> Grant:
        settings = self._settings
        assert settings.client_secret is not None  # noqa: S101 - the settings hold one way to sign in
        try:
            answer = self._transport.request(
                "POST",
                settings.instance_url.replace("http://", "https://", 1) + "/services/oauth2/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": settings.client_id,
                    "client_secret": settings.client_secret.get_secret_value(),
                },
                repeatable=True,
            )
        except SessionOverError as error:
            raise CredentialsError("Salesforce refuses client_id and client_secret (401)") from error
        if answer.status_code != 200:
            failure = read_failure(answer.status_code, answer.content)
            if failure.code in _PASSING:
                raise TryAgainError(f"Salesforce cannot sign in now ({failure.code})")
            if answer.status_code in (400, 403):
                raise CredentialsError(
                    f"Salesforce refuses to sign in ({answer.status_code} {failure.code}): check client_id, "
                    "client_secret, and that the app allows client credentials with a run-as user"
                )
            raise error_of(failure, "signing in")
        return self._read(answer.json())

    def _read(self, body: Any) -> Grant:
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise TryAgainError("Salesforce answered a sign-in without a token")
        try:
            return Grant(token, check_instance(body.get("instance_url") or self._settings.instance_url))
        except (ValueError, AttributeError) as error:
            raise ConfigurationError("Salesforce signed in to an address that is none of its own") from error
