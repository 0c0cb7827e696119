"""What proves that a request comes from Pub/Sub, and is meant for this connection.

Pub/Sub signs a token for each request, in ``Authorization``: a JWT with RS256, made for the audience and in the name of the
service account that the push subscription was given (cloud.google.com/pubsub/docs/authenticate-push-subscriptions). The
token says nothing of the body: that what it carries came unchanged is left to TLS.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from google.auth import exceptions, jwt

from connector_core.errors import CredentialsError, TryAgainError
from connector_google_meet.settings import MeetSettings

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
CLOCK_SKEW_SECONDS = 60
LONGEST_TOKEN = 16_384
_ASK_AGAIN_SECONDS = 60.0
_REST_SECONDS = 5.0
_BEARER = "bearer "

_decode = cast(Callable[..., Mapping[str, Any]], jwt.decode)  # google-auth leaves its functions untyped
_decode_header = cast(Callable[[str], Mapping[str, Any]], jwt.decode_header)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Google's public keys, each a certificate in PEM by its id, and how long they may be kept."""

    by_id: Mapping[str, str]
    fresh_seconds: float


class Prover:
    """Proves tokens of one connection; safe for threads."""

    def __init__(
        self,
        settings: MeetSettings,
        fetch: Callable[[], Certificates],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet.

        :param fetch: Asks Google for its certificates.
        """
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._fresh_until = self._ask_from = clock()
        self._failure: TryAgainError | None = None

    def prove(self, authorization: str) -> None:
        """Check who signed, when, for whom, and as whom.

        :raises CredentialsError: It is not proven.
        :raises TryAgainError: Google's certificates are not known, and cannot be had now.
        """
        token = authorization[len(_BEARER) :].strip()
        if not authorization.lower().startswith(_BEARER) or not token.isascii() or len(token) > LONGEST_TOKEN:
            raise CredentialsError("the request has no token of Pub/Sub's: does the subscription authenticate itself?")
        certificate = self._certificate(_key_id(token))
        claims = self._claims(token, certificate)
        if claims is None:
            raise CredentialsError("the token is not signed by Google, has expired, or is for another audience")
        if claims.get("iss") not in ISSUERS:
            raise CredentialsError("the token is of another issuer than Google's accounts")
        if claims.get("email_verified") is not True or claims.get("email") != self._settings.push_account:
            raise CredentialsError("the token is of another service account than push_account")

    def _claims(self, token: str, certificate: str) -> Mapping[str, Any] | None:
        try:
            return _decode(
                token,
                certs=[certificate],
                audience=self._settings.audience,
                clock_skew_in_seconds=CLOCK_SKEW_SECONDS,
            )
        except (exceptions.GoogleAuthError, ValueError, TypeError, AttributeError, RecursionError):
            return None  # so that nothing is raised with a cause that quotes the token

    def _certificate(self, key_id: str) -> str:
        """Give a certificate; an id that is not known is looked for again, now and then, as Google changes its keys."""
        with self._lock:
            now = self._clock()
            if now >= self._fresh_until or (key_id not in self._known and now >= self._ask_from):
                self._renew(now)
            known = self._known.get(key_id)
        if known is None:
            raise CredentialsError("the token is signed with a key that is none of Google's")
        return known

    def _renew(self, now: float) -> None:
        """Read the certificates; where Google has just failed, requests that wait for it are not kept waiting in turn."""
        if self._failure is not None and now < self._ask_from:
            raise TryAgainError(str(self._failure)) from self._failure
        try:
            found = self._fetch()
        except TryAgainError as error:
            self._failure, self._ask_from = error, self._clock() + _REST_SECONDS
            raise
        self._failure, self._ask_from = None, now + _ASK_AGAIN_SECONDS
        self._known, self._fresh_until = found.by_id, now + found.fresh_seconds


def _key_id(token: str) -> str:
    header: object = None
    with contextlib.suppress(exceptions.GoogleAuthError, ValueError, TypeError, AttributeError, RecursionError):
        header = _decode_header(token)
    if not isinstance(header, Mapping) or header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
        raise CredentialsError("the token is none that Google signs")
    return str(header["kid"])
