"""Tokens: what is handed out, what has expired, and what is said to the rest."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from connector_core.testing.sandbox import Request, Response
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError
from connector_hubspot.sandbox.values import PORTAL_ID

CLIENT_ID = "sandbox-app"
CLIENT_SECRET = "sandbox-app-secret"  # noqa: S105 - opens nothing but this sandbox
REFRESH_TOKEN = "na1-sandbox-refresh"  # noqa: S105 - likewise
ACCESS_TOKEN = "pat-na1-sandbox"  # noqa: S105 - likewise: the token of a private app, which needs no refresh
_LIFE_SECONDS = 1800
_APP_ID, _USER_ID = 2_011_410, 60_000_000


class SignIn:
    """The tokens of one OAuth app, and the one of a private app."""

    def __init__(self, scopes: Callable[[], Sequence[str]]) -> None:
        """Know the token of the private app.

        :param scopes: Tells those that both apps have now.
        """
        self._scopes = scopes
        self._valid = {ACCESS_TOKEN: float("inf")}
        self._expired: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._refresh_tokens = {REFRESH_TOKEN}
        self._codes: dict[str, str] = {}

    def expire(self) -> None:
        """Let every token that was handed out expire."""
        self._expired.update(dict.fromkeys(self._valid, time.monotonic()))
        self._valid.clear()

    def check(self, headers: Mapping[str, str]) -> None:
        """Look at the token of a request.

        :raises RefusalError: It has expired, or is none.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        ends_at = self._valid.get(token)
        if scheme.lower() == "bearer" and ends_at is not None and time.monotonic() < ends_at:
            return
        since = self._expired.get(token, ends_at)
        if since is not None:
            seconds = int(time.monotonic() - since)
            raise RefusalError(
                401,
                f"The OAuth token used to make this call expired {seconds} second(s) ago.",
                "EXPIRED_AUTHENTICATION",
            )
        raise RefusalError(
            401,
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            "INVALID_AUTHENTICATION",
        )

    def authorize(self, request: Request) -> Response:
        """Consent at once, as a person would on the page of the real service, and go on to the app."""
        query = request.query
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != CLIENT_ID or not query.get("scope"):
            return _refused("invalid_request", "BAD_CLIENT_ID", "missing or invalid client id or scope")
        if urlsplit(redirect).hostname != "localhost":
            return _refused("invalid_request", "BAD_REDIRECT_URI", "missing or invalid redirect uri")
        code = f"sandbox-code-{next(self._numbers)}"
        self._codes[code] = redirect
        back = f"{redirect}?{urlencode({'code': code, 'state': query.get('state', '')})}"
        return Response(302, b"", {"Location": back}, api_calls=0)

    def token(self, request: Request) -> Response:
        """Hand out a token; it costs nothing of the quota."""
        form = _form(request)
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            raise NotSpokenError(f"the grant type {form.get('grant_type')}")
        if not _by_app(form):
            return _NO_APP
        if form["grant_type"] == "refresh_token":
            refresh_token = form.get("refresh_token", "")
            if refresh_token not in self._refresh_tokens:
                return _refused("invalid_grant", "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
        else:
            redirect = self._codes.pop(form.get("code", ""), None)
            if redirect is None:
                return _refused("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
            if redirect != form.get("redirect_uri"):
                return _refused("invalid_grant", "MISMATCH_REDIRECT_URI_AUTH_CODE", "redirect uri of another auth code")
            refresh_token = f"na1-sandbox-{next(self._numbers)}"
            self._refresh_tokens.add(refresh_token)
        token = f"sandbox-access-{next(self._numbers)}"
        self._valid[token] = time.monotonic() + _LIFE_SECONDS
        answer = {
            "token_type": "bearer",
            "access_token": token,
            "refresh_token": refresh_token,
            "expires_in": _LIFE_SECONDS,
            "hub_id": PORTAL_ID,
            "scopes": ["oauth", *self._scopes()],
        }
        return Response.of(answer, api_calls=0)

    def introspect(self, request: Request) -> Response:
        """Tell the app of one of its access tokens; any other is none of its, and not active (RFC 7662, 2.2).

        Documented at developers.hubspot.com, "Token introspection endpoint"; ``signed_access_token`` is left out.
        """
        form = _form(request)
        if form.get("token_type_hint", "access_token") != "access_token":
            raise NotSpokenError(f"to introspect a {form['token_type_hint']}")
        if not _by_app(form):
            return _NO_APP
        token = form.get("token", "")
        seconds = self._valid.get(token, 0.0) - time.monotonic()
        if token == ACCESS_TOKEN or seconds <= 0:
            return Response.of({"active": False}, api_calls=0)
        answer = {
            "token_use": "access_token",
            "active": True,
            "token": token,
            "hub_id": PORTAL_ID,
            "user_id": _USER_ID,
            "client_id": CLIENT_ID,
            "app_id": _APP_ID,
            "scopes": ["oauth", *self._scopes()],
            "expires_in": int(seconds),
            "is_private_distribution": True,
            "token_type": "bearer",
        }
        return Response.of(answer, api_calls=0)

    def private_app(self, request: Request) -> Response:
        """Tell of the token of the private app: developers.hubspot.com, guide to private apps.

        :raises RefusalError: The token of the request has expired, or is none.
        """
        self.check(request.headers)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("tokenKey") != ACCESS_TOKEN:
            raise NotSpokenError("what is told of a token that is not the private app's")
        answer = {"userId": _USER_ID, "hubId": PORTAL_ID, "appId": _APP_ID, "scopes": list(self._scopes())}
        return Response.of(answer)


def is_private(headers: Mapping[str, str]) -> bool:
    """Tell whether a request carries the token of the private app."""
    return headers.get("authorization", "").endswith(f" {ACCESS_TOKEN}")


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(errors="replace")))


def _by_app(form: Mapping[str, str]) -> bool:
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def _refused(error: str, status: str, message: str) -> Response:
    """Refuse as RFC 6749 says, with the older fields beside."""
    body = {"error": error, "error_description": message, "status": status, "message": message}
    return Response.of(body, 400, api_calls=0)


_NO_APP = _refused("invalid_client", "BAD_CLIENT_ID", "missing or invalid client id or secret")
