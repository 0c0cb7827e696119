"""Signing in: tokens that were handed out, and when they are good."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connector_core.testing.sandbox import Request
from connector_salesforce.sandbox import assertions
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, SignInError

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - the invented secret of an invented client
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105 - likewise: what a consent of yore gave to it


class Sessions:
    """The tokens of one organization, and of one app in it.

    With ``rotates`` each refresh replaces the refresh token, and whoever presents a former one ends them all. ``key`` is
    that of the app's certificate, and ``approved`` are the user names that an admin approved for it.
    """

    def __init__(self, org_id: str, user_id: str, username: str) -> None:
        self._org_id, self._user_id, self._username = org_id, user_id, username
        self.rotates = False
        self.key: RSAPublicKey | None = None
        self.approved: frozenset[str] = frozenset()
        self.access_token = self._new_token()
        self._good = {self.access_token}
        self._refresh_token: str | None = REFRESH_TOKEN
        self._former: set[str] = set()
        self._codes: dict[str, tuple[str, str]] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse a request without a good token, as recorded.

        :raises ServiceError: INVALID_SESSION_ID, 401.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth") or token.strip() not in self._good:
            raise ServiceError("INVALID_SESSION_ID", "Session expired or invalid", status=401)

    def expire(self) -> None:
        """Make every token that was handed out expire, the static one too."""
        self._good.clear()

    def sign_in(self, request: Request) -> dict[str, Any]:
        """Answer a request for a token.

        :raises SignInError: The client is not known, or asks for something that there is not.
        :raises NotSpokenError: A flow that the sandbox does not speak.
        """
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        grant = form.get("grant_type") or request.query.get("grant_type")
        if grant == "password":
            raise NotSpokenError(f"the grant type {grant}")
        answer = {
            "client_credentials": self._of_client,
            "refresh_token": self._of_refresh_token,
            "authorization_code": self._of_code,
        }.get(str(grant))
        if grant == assertions.GRANT_TYPE:
            assertions.check(form.get("assertion", ""), CLIENT_ID, self.key, self._username, self.approved)
            return self._granted(request, {"scope": "api"})
        if answer is None:
            raise SignInError(400, "unsupported_grant_type", "grant type not supported")
        client, secret = _basic(request.headers) or (form.get("client_id", ""), form.get("client_secret"))
        if client != CLIENT_ID:
            raise SignInError(400, "invalid_client_id", "client identifier invalid")
        # An app may be set up not to require its secret where a person consented, but never for its own credentials.
        if secret != CLIENT_SECRET and (secret is not None or grant == "client_credentials"):
            raise SignInError(400, "invalid_client", "invalid client credentials")
        return self._granted(request, answer(form))

    def _granted(self, request: Request, more: Mapping[str, str]) -> dict[str, Any]:
        token = self._new_token()
        self._good.add(token)
        url = f"http://{request.headers.get('host', '127.0.0.1')}"
        return {
            "access_token": token,
            **more,
            "instance_url": url,
            "id": f"{url}/id/{self._org_id}/{self._user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
        }

    def authorize(self, query: Mapping[str, str]) -> str:
        """Consent at once, as a person would on the page of the real service; give the address to go on to.

        :raises SignInError: What the real page shows as an error.
        :raises NotSpokenError: Another flow than that of a web server with PKCE.
        """
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            raise NotSpokenError("authorizing without response_type=code and code_challenge_method=S256")
        if query.get("client_id") != CLIENT_ID:
            raise SignInError(400, "invalid_client_id", "client identifier invalid")
        redirect = query.get("redirect_uri", "")
        if urlsplit(redirect).hostname != "localhost":
            raise SignInError(400, "redirect_uri_mismatch", "redirect_uri must match configuration")
        code = secrets.token_urlsafe(24)
        self._codes[code] = (redirect, query.get("code_challenge", ""))
        return f"{redirect}?{urlencode({'code': code, 'state': query.get('state', '')})}"

    def _of_client(self, form: Mapping[str, str]) -> dict[str, str]:
        return {"scope": "api"}

    def _of_refresh_token(self, form: Mapping[str, str]) -> dict[str, str]:
        presented = form.get("refresh_token")
        if presented in self._former:
            self._refresh_token = None
            self._good.clear()
        if self._refresh_token is None or presented != self._refresh_token:
            raise SignInError(400, "invalid_grant", "expired access/refresh token")
        return self._consented() if self.rotates else {"scope": "refresh_token api"}

    def _of_code(self, form: Mapping[str, str]) -> dict[str, str]:
        redirect, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        if not redirect:
            raise SignInError(400, "invalid_grant", "invalid authorization code")
        if redirect != form.get("redirect_uri"):
            raise SignInError(400, "redirect_uri_mismatch", "redirect_uri must match configuration")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge:
            raise SignInError(400, "invalid_grant", "invalid code verifier")
        return self._consented()

    def _consented(self) -> dict[str, str]:
        if self._refresh_token is not None:
            self._former.add(self._refresh_token)
        self._refresh_token = secrets.token_urlsafe(32)
        return {"scope": "refresh_token api", "refresh_token": self._refresh_token}

    def _new_token(self) -> str:
        return f"{self._org_id[:15]}!{secrets.token_urlsafe(32)}"


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ("", "")
    return client, secret
