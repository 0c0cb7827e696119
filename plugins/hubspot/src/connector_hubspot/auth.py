"""Access tokens of OAuth: developers.hubspot.com, manage OAuth access tokens.

One lives for ``expires_in`` seconds. HubSpot repeats the refresh token in each answer, the same one until now; what it
says there is kept.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connector_core.errors import CredentialsError, MissingRightError, RefusedError, TryAgainError
from connector_core.tokens import Grant, SignIn, TokenStore
from connector_hubspot.settings import HubSpotSettings

Clock: TypeAlias = Callable[[], dt.datetime]
Ask: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""Sends a form to the token endpoint, or to the one that introspects tokens."""

_FRESH_SHARE = 0.8
_USUAL_SECONDS = 1800


def sign_in(settings: HubSpotSettings, ask: Ask, store: TokenStore | None, clock: Clock) -> SignIn:
    """Make what hands out the tokens of a connection."""
    first = Grant(_secret(settings.access_token), _secret(settings.refresh_token))

    def fetch(former: Grant) -> Grant:
        if settings.client_secret is None or former.refresh_token is None:
            raise CredentialsError(
                "HubSpot says that the access token has expired: make a new one in HubSpot, and set it"
            )
        form = {"grant_type": "refresh_token", "refresh_token": former.refresh_token}
        return ask_token(settings, ask, form, clock())

    return SignIn("HubSpot", fetch, first=first, store=store, clock=clock)


def ask_token(settings: HubSpotSettings, ask: Ask, form: Mapping[str, str], now: dt.datetime) -> Grant:
    """Ask the token endpoint, as the app.

    :raises CredentialsError: It refuses, or the tokens are of another account than the settings name.
    :raises TryAgainError: It does not answer, or answers something else.
    """
    secret = _secret(settings.client_secret) or ""
    try:
        answer = ask({**form, "client_id": settings.client_id or "", "client_secret": secret})
    except (RefusedError, CredentialsError, MissingRightError) as error:
        code = str(getattr(error, "code", None))
    else:
        check_account(settings, answer.get("hub_id"))
        return _read(answer, now)
    # Raised out here: the SDK's error carries the whole answer, which may repeat what was sent.
    why = f" ({code})" if re.fullmatch("[a-z_]{1,40}", code) else ""
    raise CredentialsError(
        f"HubSpot refuses to give an access token{why}: connect the account anew, and check the app's client"
    )


def check_account(settings: HubSpotSettings, told: object) -> None:
    """Hold the account that HubSpot says a token is of against that of the settings; None: it does not say.

    :raises CredentialsError: It is another one.
    """
    if settings.portal_id is not None and told is not None and str(told) != settings.portal_id:
        raise CredentialsError(
            f"HubSpot's tokens are of the account {told}, and settings.portal_id names {settings.portal_id}: connect"
            " that account anew, as what was written in one is not in the other"
        )


def scopes_of(
    settings: HubSpotSettings, token: str, introspect: Ask, look_up: Callable[[str], Mapping[str, Any]]
) -> frozenset[str] | None:
    """Ask which scopes an access token has; None where HubSpot does not tell.

    A token of an OAuth app is told to that app (developers.hubspot.com, API reference, "Token introspection endpoint"; the
    one of v1, which has the token in its path, ends on 16 February 2027); a token that it does not know is not ``active``
    (RFC 7662, 2.2). One of a private app is told to whoever has it (guide to private apps). Both take it in the body.

    :param look_up: Asks for a token as one of a private app.
    :raises TryAgainError: HubSpot does not answer.
    """
    app = settings.client_id, _secret(settings.client_secret)
    if all(app):
        form = {"client_id": str(app[0]), "client_secret": str(app[1]), "token": token}
        answer = _unless_refused(lambda: introspect({**form, "token_type_hint": "access_token"}))
        if answer is not None and answer.get("active") is not False:
            return _scopes(answer)
    return _scopes(_unless_refused(lambda: look_up(token)))


def _unless_refused(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give None where it is refused: no error goes on, for its cause would carry an answer that may repeat the token."""
    try:
        return ask()
    except (RefusedError, CredentialsError, MissingRightError):
        return None


def _scopes(answer: Mapping[str, Any] | None) -> frozenset[str] | None:
    scopes = answer.get("scopes") if answer is not None else None
    return frozenset(map(str, scopes)) if isinstance(scopes, list) else None


def _read(answer: Mapping[str, Any], now: dt.datetime) -> Grant:
    token, refresh_token, lives = (answer.get(key) for key in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(token, str) or not token:
        raise TryAgainError("HubSpot answered a request for a token without an access_token")
    seconds = _FRESH_SHARE * float(lives if isinstance(lives, (int, float)) else _USUAL_SECONDS)
    return Grant(
        access_token=token,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        renew_at=now + dt.timedelta(seconds=seconds),
    )


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value else None
