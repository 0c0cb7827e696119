"""HubSpot's client: one for a connection, shared by its threads, and the only place that knows paths and versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from hubspot import HubSpot  # type: ignore[import-untyped] # the SDK ships no types
from hubspot.crm.objects.exceptions import OpenApiException  # type: ignore[import-untyped] # likewise

from connector_core.meter import Meter
from connector_core.policy import RequestPolicy
from connector_core.tokens import TokenStore
from connector_hubspot import auth
from connector_hubspot.failures import ExpiredError, failure
from connector_hubspot.hidden import Hidden
from connector_hubspot.limits import LANES
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.transport import PolicedPool

API_VERSION = "2026-09"
"""The version of every path: of 9 September 2026, kept at least 18 months. ``/crm/v4`` ends on 30 March 2027, ``/oauth/v1``
on 16 February 2027, and the SDK knows no others (developers.hubspot.com, changelog and API versioning)."""

_FORM = "application/x-www-form-urlencoded"


class HubSpotClient:
    """Requests to HubSpot, answered as JSON objects.

    It is ``hubspot-api-client``, through the one method of it that takes any path and sends no more than what it is told:
    its own methods build a pool of connections each time, know no time-out, and end with their versions.
    """

    def __init__(
        self,
        settings: HubSpotSettings,
        meter: Meter | None = None,
        *,
        tokens: TokenStore | None = None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Build the SDK's client; send nothing.

        :param meter: Counts the requests.
        :param tokens: Where tokens are kept; None for memory.
        :param clock: Tells when a token is due.
        """
        sdk: Any = HubSpot(host=settings.base_url, base_url=settings.base_url, retry=False)
        self._api: Any = sdk.crm.objects.basic_api.api_client
        self._api.set_default_header("Accept-Encoding", "gzip")
        self._pool = self._api.rest_client.pool_manager
        # A sandbox on this machine has no quota to share with anybody.
        lanes = LANES if settings.base_url.startswith("https:") else {}
        self.policy = RequestPolicy(lanes=lanes, meter=meter or Meter())
        self._api.rest_client.pool_manager = PolicedPool(self._pool, self.policy)
        self._settings = settings
        self._timeout = (min(10.0, settings.timeout_seconds), settings.timeout_seconds)
        self._sign_in = auth.sign_in(settings, self.ask_token, tokens, clock)
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

    def scopes(self) -> frozenset[str] | None:
        """Ask which scopes the access token has; see :func:`connector_hubspot.auth.scopes_of`."""
        token = self._sign_in.current().access_token or ""
        return auth.scopes_of(self._settings, token, self._introspect, self._look_up)

    def check_account(self, told: object) -> None:
        """Refuse another account than the settings name; see :func:`connector_hubspot.auth.check_account`."""
        auth.check_account(self._settings, told)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _signed(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        grant = self._sign_in.current()
        try:
            return self._send(method, path, token=grant.access_token, **options)
        except ExpiredError:
            return self._send(method, path, token=self._sign_in.instead_of(grant).access_token, **options)

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

    def ask_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask the token endpoint."""
        return self._send("POST", "/oauth/{version}/token", form=form)

    def _introspect(self, form: Mapping[str, str]) -> dict[str, Any]:
        return self._send("POST", "/oauth/{version}/token/introspect", form=form)

    def _look_up(self, token: str) -> dict[str, Any]:
        # In Europe the header is needed beside the body (seen by users of it).
        return self._send("POST", "/oauth/v2/private-apps/get/access-token-info", token=token, body={"tokenKey": token})
