"""Signing in as the customer's app, by Microsoft's own library (MSAL), whose requests go the way of all others."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msal  # type: ignore[import-untyped]  # it ships no types

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.policy import Reply
from connector_core.tokens import Grant
from connector_microsoft_teams.settings import TeamsSettings

_FRESH_SHARE = 0.9

Send = Callable[..., Reply]
"""Sends ``(method, url, **options of requests)``, with retries, and gives the answer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, as MSAL wants it of an HTTP client."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise TryAgainError(f"Microsoft answered a sign-in with status {self.status_code}")


class Wire:
    """The HTTP client that MSAL is given: it sends to the cloud's login alone.

    MSAL takes addresses with https only; those of a sandbox on this machine are sent with http.
    """

    def __init__(self, login_url: str, send: Send) -> None:
        """Send nothing yet."""
        self._login_url = login_url
        self._shown = secured(login_url)
        self._send = send

    def get(self, url: str, params: Any = None, headers: Any = None, **_: object) -> _Answer:
        """Read, as MSAL asks for it."""
        return self._sent("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: object) -> _Answer:
        """Send a form, as MSAL asks for it."""
        return self._sent("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Leave the session to whom it belongs."""

    def _sent(self, method: str, url: str, **options: Any) -> _Answer:
        if not url.startswith(f"{self._shown}/"):
            raise CredentialsError("the tenant signs in at another cloud of Microsoft's than the one of base_url")
        reply = self._send(method, self._login_url + url.removeprefix(self._shown), **options)
        return _Answer(reply.status, reply.body.decode(errors="replace"), reply.headers)


def secured(url: str) -> str:
    """Write an address with https."""
    return re.sub("^http:", "https:", url)


class AppTokens:
    """Fetches the tokens of the app (the flow of client credentials); asks for nothing before."""

    def __init__(self, settings: TeamsSettings, send: Send) -> None:
        """Keep the settings."""
        self._settings = settings
        self._wire = Wire(settings.login_url, send)
        self._app: Any = None

    def fetch(self, _former: Grant) -> Grant:
        """Ask for a token; there is none to refresh it with.

        :raises CredentialsError: Microsoft refuses the app.
        :raises TryAgainError: Microsoft cannot answer now.
        """
        if self._app is None:
            self._app = self._made()
        self._app.remove_tokens_for_client()  # else MSAL would give the former one again
        answer = self._app.acquire_token_for_client([f"{self._settings.base_url}/.default"])
        token, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise CredentialsError(
                f"Microsoft refuses to sign in ({_named(answer)}): check tenant_id, client_id and client_secret"
            )
        known = isinstance(lives, int) and 0 < lives < 10**6
        seconds = _FRESH_SHARE * lives if known else None
        renew_at = None if seconds is None else dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        return Grant(access_token=token, renew_at=renew_at)

    def _made(self) -> Any:
        """Make MSAL's application, which reads the tenant's configuration."""
        settings = self._settings
        try:
            return msal.ConfidentialClientApplication(
                settings.client_id,
                client_credential=settings.client_secret.get_secret_value(),
                authority=f"{secured(settings.login_url)}/{settings.tenant_id}",
                http_client=self._wire,
                instance_discovery=False,  # the settings hold it to Microsoft's own hosts
            )
        except ValueError:
            pass
        # Raised out here: MSAL's error quotes the whole answer.
        raise CredentialsError("Microsoft knows no tenant by tenant_id")


def _named(answer: Mapping[str, object]) -> str:
    """Name an error by Microsoft's own words for it, and without what it tells of whom."""
    error, codes = answer.get("error"), answer.get("error_codes")
    word = error if isinstance(error, str) and re.fullmatch("[a-z_]{1,40}", error) else "without a reason"
    number = codes[0] if isinstance(codes, list) and codes and isinstance(codes[0], int) else None
    return word if number is None else f"{word}, AADSTS{number}"
