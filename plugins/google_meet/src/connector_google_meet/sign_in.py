"""Signing in: a service account asks, in the name of a user who delegated that to it, for a token.

The signing is google-auth's; what is sent goes the way of all requests. Documented at
developers.google.com/identity/protocols/oauth2/service-account.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.auth import exceptions

from connector_core.errors import CredentialsError
from connector_core.policy import Reply
from connector_core.tokens import Grant
from connector_google_meet.settings import MeetSettings, credentials_of

TOKENS = "https://oauth2.googleapis.com/token"
_EARLY = dt.timedelta(minutes=5)

Post: TypeAlias = Callable[[str, Mapping[str, str], bytes], Reply]
"""Sends headers and a body to an address, until it is answered."""


@dataclass(frozen=True, slots=True)
class _Response:
    """An answer, as google-auth reads it."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def grant_of(settings: MeetSettings, user: str, post: Post) -> Grant:
    """Ask for a token of one user, with all scopes; it lives an hour.

    :raises CredentialsError: Google gives none; the message names its code.
    :raises TryAgainError: Google does not answer now.
    """

    def request(url: str, method: str, headers: Mapping[str, str], body: bytes, **_: Any) -> _Response:
        del method  # POST, always
        reply = post(url, headers, body)
        return _Response(reply.status, reply.headers, reply.body)

    made: Any = credentials_of(settings.service_account_key)  # google-auth leaves its methods untyped
    credentials = made.with_subject(user).with_token_uri(settings.at(TOKENS))
    code = None
    try:
        credentials.refresh(request)
    except (exceptions.GoogleAuthError, ValueError, TypeError, KeyError) as error:
        code = _code(error)
    # Raised out here: the cause quotes what Google answered, which names the user.
    if code is not None or not isinstance(credentials.token, str):
        raise CredentialsError(
            f"Google refuses to sign in ({code or 'no token'}): check service_account_key, that each of users exists, and "
            "that the service account is delegated all scopes that the README names"
        )
    expires_at = credentials.expiry.replace(tzinfo=dt.UTC) if credentials.expiry else None
    return Grant(access_token=credentials.token, renew_at=expires_at - _EARLY if expires_at else None)


def _code(error: Exception) -> str:
    """Give Google's code of an error: ``invalid_grant`` where there is no such user, ``unauthorized_client`` of scopes."""
    told = next((arg.get("error") for arg in error.args if isinstance(arg, dict)), None)
    return told if isinstance(told, str) and re.fullmatch("[a-z_]{1,40}", told) else type(error).__name__
