"""HubSpot's client: one for a connection, shared by its threads, and the only place that knows paths and versions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from hubspot import HubSpot  # type: ignore[import-untyped] # the SDK ships no types
from hubspot.crm.objects.exceptions import OpenApiException  # type: ignore[import-untyped] # likewise

from connector_core.errors import CredentialsError, RefusedError, TryAgainError
from connector_core.policy import RequestPolicy
from connector_hubspot.failures import ExpiredError, failure
from connector_hubspot.hidden import Hidden
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.transport import LANES, PolicedPool

API_VERSION = "2026-09"
"""The version of every path: of 9 September 2026, kept at least 18 months. ``/crm/v4`` ends on 30 March 2027, ``/oauth/v1``
on 16 February 2027, and the SDK knows no others (developers.hubspot.com, changelog and API versioning)."""

_FRESH_SHARE = 0.8
_FORM = "application/x-www-form-urlencoded"


class HubSpotClient:
    """Requests to HubSpot, answered as JSON objects.

    It is ``hubspot-api-client``, through the one method of it that takes any path and sends no more than what it is told:
    its own methods build a pool of connections each time, know no time-out, and end with their versions.
    """

    def __init__(self, settings: HubSpotSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Build the SDK's client; send nothing.

        :param clock: Seconds, ever growing; tells when a token is due.
        """
        sdk: Any = HubSpot(host=settings.base_url, base_url=settings.base_url, retry=False)
        self._api: Any = sdk.crm.objects.basic_api.api_client
        self._api.set_default_header("Accept-Encoding", "gzip")
        self._pool = self._api.rest_client.pool_manager
        # A sandbox on this machine has no quota to share with anybody.
        policy = RequestPolicy(lanes=LANES if settings.base_url.startswith("https:") else {})
        self._api.rest_client.pool_manager = PolicedPool(self._pool, policy)
        self._timeout = (min(10.0, settings.timeout_seconds), settings.timeout_seconds)
        self._tokens = _Tokens(settings, self._fetch_token, clock)
        self.hidden = Hidden()

    def get(self, path: str, query: Mapping[str, str] | None = None, **parts: str) -> dict[str, Any]:
        """Read; see :meth:`post`."""
        return self._signed("GET", path, query=query, parts=parts)

    def post(self, path: str, body: Mapping[str, Any], **parts: str) -> dict[str, Any]:
        """Send a body, and give the answer's.

        :param path: A template: ``{version}`` is the API's, other names are of ``parts``.
        :raises ConnectorError: Of the kinds that :mod:`connector_core.errors` names; one that HubSpot refused whole is a
            :class:`~connector_hubspot.failures.BatchRefusedError`.
        """
        return self._signed("POST", path, body=dict(body), parts=parts)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _signed(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        token = self._tokens.current()
        try:
            return self._send(method, path, token=token, **options)
        except ExpiredError:
            return self._send(method, path, token=self._tokens.instead_of(token), **options)

    def _send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": _FORM if form else "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = self._api.call_api(
                path,
                method,
                path_params={"version": API_VERSION, **(parts or {})},
                query_params=dict(query or {}),
                header_params=headers,
                body=body,
                post_params=dict(form or {}),
                _preload_content=False,
                _request_timeout=self._timeout,
            )
        except OpenApiException as error:
            raise failure(error) from error
        value: dict[str, Any] = answer.value
        return value

    def _fetch_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Refresh the access token: documented at developers.hubspot.com, manage OAuth tokens."""
        return self._send("POST", "/oauth/{version}/token", form=form)


class _Tokens:
    """The access token: the one of the settings, or the latest that was refreshed."""

    def __init__(
        self,
        settings: HubSpotSettings,
        fetch: Callable[[Mapping[str, str]], dict[str, Any]],
        clock: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = settings.access_token.get_secret_value() if settings.access_token else None
        self._due = float("inf")
        self._form = _form(settings) if settings.refresh_token else None

    def current(self) -> str:
        """Give the token; make one where there is none, or where four fifths of its life are over."""
        with self._lock:
            if self._token is None or self._clock() >= self._due:
                self._token = self._refreshed()
            return self._token

    def instead_of(self, stale: str) -> str:
        """Give another token than one that was refused as expired; threads that come later take the first one's."""
        with self._lock:
            if self._token is None or self._token == stale:
                self._token = self._refreshed()
            return self._token

    def _refreshed(self) -> str:
        if self._form is None:
            raise CredentialsError(
                "HubSpot says that the access token has expired: make a new one in HubSpot, and set it"
            )
        try:
            answer = self._fetch(self._form)
        except (RefusedError, CredentialsError) as error:
            raise CredentialsError(
                "HubSpot refuses to refresh the access token: connect the account anew, and check the app's client"
            ) from error
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise TryAgainError("HubSpot answered a refresh without an access_token")
        lives = answer.get("expires_in")
        self._due = self._clock() + _FRESH_SHARE * float(lives if isinstance(lives, (int, float)) else 1800)
        if isinstance(answer.get("refresh_token"), str):
            self._form = {**self._form, "refresh_token": answer["refresh_token"]}
        return token


def _form(settings: HubSpotSettings) -> dict[str, str]:
    secrets = {"client_secret": settings.client_secret, "refresh_token": settings.refresh_token}
    return {
        "grant_type": "refresh_token",
        "client_id": settings.client_id or "",
        **{name: secret.get_secret_value() for name, secret in secrets.items() if secret},
    }
