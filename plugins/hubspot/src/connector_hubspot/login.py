"""The first sign-in of a person: developers.hubspot.com, "Working with OAuth"."""

from __future__ import annotations

import contextlib
import datetime as dt
from urllib.parse import urlencode

from connector_core.tokens import Grant
from connector_hubspot.auth import ask_token
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import SCOPES
from connector_hubspot.settings import HubSpotSettings

_PAGES = "https://app.hubspot.com"


class HubSpotLogin:
    """HubSpot asks which account; PKCE it does not ask for, as its apps have a secret."""

    def authorize_url(self, settings: HubSpotSettings, redirect: str, state: str, challenge: str) -> str:
        """Give the address of the page on which a person consents."""
        pages = _PAGES if settings.base_url.startswith("https:") else settings.base_url
        scope = " ".join(("oauth", *SCOPES))
        query = {"client_id": settings.client_id or "", "redirect_uri": redirect, "scope": scope, "state": state}
        return f"{pages}/oauth/authorize?{urlencode(query)}"

    def exchange(self, settings: HubSpotSettings, code: str, redirect: str, verifier: str) -> Grant:
        """Take the tokens for a code.

        :raises ConnectorError: As :func:`connector_hubspot.auth.ask_token`.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        with contextlib.closing(HubSpotClient(settings)) as client:
            return ask_token(settings, client.ask_token, form, dt.datetime.now(dt.UTC))


LOGIN = HubSpotLogin()
