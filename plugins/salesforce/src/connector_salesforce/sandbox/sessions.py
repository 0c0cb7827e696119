"""Signing in: tokens that were handed out, and when they are good."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from connector_core.testing.sandbox import Request
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - the invented secret of an invented client


@dataclass(frozen=True, slots=True)
class SignInError(Exception):
    """A sign-in that was refused, in the words of OAuth."""

    status: int
    error: str
    description: str

    def body(self) -> dict[str, str]:
        """Give the body: ``{"error", "error_description"}``."""
        return {"error": self.error, "error_description": self.description}


class Sessions:
    """The tokens of one organization."""

    def __init__(self, org_id: str, user_id: str) -> None:
        self._org_id, self._user_id = org_id, user_id
        self.access_token = self._new_token()
        self._good = {self.access_token}

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
        if grant not in ("client_credentials", "password", "refresh_token", "authorization_code") and "jwt" not in str(
            grant
        ):
            raise SignInError(400, "unsupported_grant_type", "grant type not supported")
        if grant != "client_credentials":
            raise NotSpokenError(f"the grant type {grant}")
        client, secret = _basic(request.headers) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client != CLIENT_ID:
            raise SignInError(400, "invalid_client_id", "client identifier invalid")
        if secret != CLIENT_SECRET:
            raise SignInError(400, "invalid_client", "invalid client credentials")
        token = self._new_token()
        self._good.add(token)
        url = f"http://{request.headers.get('host', '127.0.0.1')}"
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": url,
            "id": f"{url}/id/{self._org_id}/{self._user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
        }

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
