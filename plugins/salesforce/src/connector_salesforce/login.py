"""The first sign-in of a person: the web server flow with PKCE (help.salesforce.com, "OAuth 2.0 Web Server Flow")."""

from __future__ import annotations

from urllib.parse import urlencode

from connector_core.policy import RequestPolicy
from connector_core.tokens import Grant
from connector_salesforce.auth import ask_token
from connector_salesforce.settings import SalesforceSettings
from connector_salesforce.transport import Transport


class SalesforceLogin:
    """On the org's own My Domain, so that nobody consents for another org by mistake."""

    def authorize_url(self, settings: SalesforceSettings, redirect: str, state: str, challenge: str) -> str:
        """Give the address of the page on which a person consents."""
        query = {
            "response_type": "code",
            "client_id": settings.client_id or "",
            "redirect_uri": redirect,
            "scope": "api refresh_token",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{settings.instance_url}/services/oauth2/authorize?{urlencode(query)}"

    def exchange(self, settings: SalesforceSettings, code: str, redirect: str, verifier: str) -> Grant:
        """Take the tokens for a code.

        :raises ConnectorError: As :func:`connector_salesforce.auth.ask_token`.
        """
        loopback = settings.address.netloc if settings.address.scheme == "http" else None
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        with Transport(RequestPolicy(), settings.timeout_seconds, loopback) as transport:
            return ask_token(settings, transport, form)


LOGIN = SalesforceLogin()
