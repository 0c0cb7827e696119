"""Signing in: an access token that was handed in, the client credentials flow, the JWT bearer flow, or a refresh token.

The token endpoint is the org's own My Domain; client credentials are taken nowhere else (help.salesforce.com, "OAuth 2.0
Client Credentials Flow for Server-to-Server Integration"). Its answer has no lifetime: a token serves until a 401. A
refresh token is replaced by each refresh where the app says so ("Enable Refresh Token Rotation"), and presenting the
former one again revokes the connection ("Force one-time-use Refresh Tokens").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_core.errors import ConfigurationError, CredentialsError, TryAgainError
from connector_core.tokens import Grant, SignIn, TokenStore
from connector_salesforce import jwt_bearer
from connector_salesforce.failures import error_of, read_failure
from connector_salesforce.settings import SalesforceSettings, check_instance
from connector_salesforce.transport import SessionOverError, Transport

_PASSING = frozenset({"server_error", "temporarily_unavailable", "unknown_error"})
_PASSES = ("already being processed", "rate exceeded", "rate limit exceeded", "retry your request")
"""Salesforce refuses the second of two refreshes at once (release notes Summer '24, "Refresh Token Requests"), who signs in
too often (github.com/restforce/restforce, 412 and 744), and now and then anybody (github.com/salto-io/salto, 2834), with
codes that it uses for much else."""


def sign_in(settings: SalesforceSettings, transport: Transport, store: TokenStore | None) -> SignIn:
    """Make what hands out the grant of a connection."""
    access, refresh = settings.access_token, settings.refresh_token
    first = Grant(
        access_token=access.get_secret_value() if access else None,
        refresh_token=refresh.get_secret_value() if refresh else None,
    )

    def fetch(former: Grant) -> Grant:
        if settings.private_key is not None:
            form = {"grant_type": jwt_bearer.GRANT_TYPE, "assertion": jwt_bearer.assertion(settings)}
        elif former.refresh_token is not None:
            form = {"grant_type": "refresh_token", "refresh_token": former.refresh_token}
        elif settings.client_secret is not None:
            form = {"grant_type": "client_credentials"}
        else:
            raise CredentialsError(
                "Salesforce does not accept the access token: it ended, was revoked, or belongs to another "
                "org than instance_url; hand in a new one"
            )
        return ask_token(settings, transport, form)

    return SignIn("Salesforce", fetch, first=first, store=store)


def origin_of(grant: Grant, settings: SalesforceSettings) -> str:
    """Give the address that takes the grant's token, checked: it came from an answer, or from a store.

    :raises ConfigurationError: It is none of Salesforce's.
    """
    try:
        return check_instance(grant.origin) if grant.origin is not None else settings.instance_url
    except ValueError as error:
        raise ConfigurationError("Salesforce signed in to an address that is none of its own") from error


def ask_token(settings: SalesforceSettings, transport: Transport, form: Mapping[str, str]) -> Grant:
    """Ask the token endpoint.

    It is asked again where no answer came: what was lost with the answer could not be used anyway.

    :raises CredentialsError: It refuses.
    :raises TryAgainError: It does not answer, or answers something else.
    """
    by_jwt = form["grant_type"] == jwt_bearer.GRANT_TYPE
    app = {} if by_jwt else {"client_id": settings.client_id or ""}  # an assertion names its app
    if settings.client_secret is not None:
        app["client_secret"] = settings.client_secret.get_secret_value()
    try:
        answer = transport.request(
            "POST",
            settings.instance_url.replace("http://", "https://", 1) + "/services/oauth2/token",
            data={"grant_type": form["grant_type"], **app, **form},
            repeatable=True,
        )
    except SessionOverError as error:
        raise CredentialsError("Salesforce refuses the app of client_id (401)") from error
    if answer.status_code != 200:
        failure = read_failure(answer.status_code, answer.content)
        said = f"{failure.code} {failure.sentence}".casefold().replace("_", " ")
        if failure.code in _PASSING or any(it in said for it in _PASSES):
            raise TryAgainError(f"Salesforce cannot sign in now ({failure.code})")
        if answer.status_code in (400, 403):
            why = _ADVICE.get((form["grant_type"], failure.code), _CHECK_APP)
            if by_jwt:
                why = jwt_bearer.advice(failure, settings)
            why = next((what for words, what in _OF_THE_USER.items() if words in said), why)
            raise CredentialsError(f"Salesforce refuses to sign in ({answer.status_code} {failure.code}): {why}")
        raise error_of(failure, "signing in")
    grant = _read(answer.json())
    origin_of(grant, settings)
    return grant


_CHECK_APP = "check client_id, client_secret, and what the app allows: client credentials need a run-as user"
_OF_THE_USER = {
    "inactive user": "the user who signs in is inactive or frozen",
    "ip restricted": "the app or the user's profile lets nobody sign in from this address: check their IP ranges",
    "login hours": "the profile of the user who signs in allows other hours alone",
}
"""By words of descriptions that say nothing of app, key or token (help.salesforce.com, "OAuth 2.0 Authorization Errors")."""
_ADVICE = {
    ("refresh_token", "invalid_grant"): "the refresh token ended, was used twice, or was revoked; sign in anew",
    ("authorization_code", "invalid_grant"): "the code ended, or belongs to another login; begin anew",
}


def _read(body: Any) -> Grant:
    found = body if isinstance(body, dict) else {}
    token, refresh_token, origin = (found.get(key) for key in ("access_token", "refresh_token", "instance_url"))
    if not isinstance(token, str) or not token:
        raise TryAgainError("Salesforce answered a sign-in without a token")
    return Grant(
        access_token=token,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        origin=str(origin) if origin else None,
    )
