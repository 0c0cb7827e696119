"""The sandbox itself: what the server around it calls."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from connector_core.crms.world import World
from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_hubspot.sandbox import sign_in
from connector_hubspot.sandbox.behind import change_behind
from connector_hubspot.sandbox.organization import change_organization
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NOT_FOUND_PAGE, NoSuchRecordError, NotSpokenError, RefusalError
from connector_hubspot.sandbox.rest import Rest
from connector_hubspot.sandbox.scopes import SCOPES
from connector_hubspot.sandbox.seed import plant

_TOKEN_PATHS = frozenset(f"/oauth/{version}/token" for version in ("v1", "v3", "2026-03", "2026-09"))
_INTROSPECT_PATHS = frozenset(f"/oauth/{version}/token/introspect" for version in ("v3", "2026-03", "2026-09"))
_PRIVATE_APP_PATH = "/oauth/v2/private-apps/get/access-token-info"
_SETTLE_SECONDS = 6


class HubSpotSandbox(Sandbox):
    """A HubSpot portal on this machine."""

    def __init__(self, world: World) -> None:
        """Hold the seed.

        :raises SeedError: A record that HubSpot could not hold.
        """
        self._portal = Portal()
        self._sign_in = sign_in.SignIn(lambda: sorted(SCOPES - self._portal.missing_scopes))
        self._rest = Rest(self._portal)
        self._correlations = itertools.count(1)
        self._ids = plant(self._portal, world)

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the settings of an OAuth app: its tokens can expire, and be refreshed."""
        return {
            "base_url": url,
            "client_id": sign_in.CLIENT_ID,
            "client_secret": sign_in.CLIENT_SECRET,
            "refresh_token": sign_in.REFRESH_TOKEN,
            "access_token": sign_in.ACCESS_TOKEN,
            "settle_seconds": _SETTLE_SECONDS,
        }

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request."""
        correlation_id = f"00000000-0000-4000-8000-{next(self._correlations):012x}"
        self._portal.store.lag_seconds = self.index_lag_seconds
        search = request.path.endswith("/search")
        private = sign_in.is_private(request.headers)
        try:
            if request.path in _TOKEN_PATHS and request.method == "POST":
                return self._sign_in.token(request)
            if request.path in _INTROSPECT_PATHS and request.method == "POST":
                return self._sign_in.introspect(request)
            if request.path == _PRIVATE_APP_PATH and request.method == "POST":
                return self._sign_in.private_app(request)
            if request.path == "/oauth/authorize" and request.method == "GET":
                return self._sign_in.authorize(request)
            self._sign_in.check(request.headers)
            if policy := self._portal.limits.exceeded(search=search):
                return _limited(policy, correlation_id)
            answer = self._rest.answer(request, row_error)
        except RefusalError as error:
            return self._refused(error, correlation_id, private=private)
        except NoSuchRecordError:
            headers = {
                **self._portal.limits.count(search=False, private=private),
                "Content-Type": "text/html;charset=iso-8859-1",
                "x-hubspot-correlation-id": correlation_id,
                "x-hubspot-notfound": "true",
            }
            return Response(404, NOT_FOUND_PAGE.encode(), headers)
        except NotSpokenError as error:
            body = {"status": "error", "message": f"The sandbox does not know {error}.", "category": "NOT_IMPLEMENTED"}
            return Response.of(body, 501)
        limits = self._portal.limits.count(search=answer.searched, private=private)
        headers = {**limits, "x-hubspot-correlation-id": correlation_id}
        if answer.value is None:
            return Response(answer.status, b"", headers)
        return Response.of(answer.value, answer.status, headers=headers)

    def ids(self) -> dict[str, str]:
        """Map the ids of the seed; leads are not among them."""
        return dict(self._ids)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Give every record, its associations in the form of the objects API."""
        return self._portal.dump()

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a record, or archive an owner, behind the client's back.

        :raises KeyError: There is no such record.
        """
        self._portal.store.lag_seconds = self.index_lag_seconds
        change_behind(self._portal, obj, record_id, fields, delete=delete, merge_into=merge_into)

    def org(self, changes: Mapping[str, Any]) -> None:
        """Change the portal.

        :raises ValueError: An unknown change; the message names what is possible.
        """
        change_organization(self._portal, changes)

    def expire_session(self) -> None:
        """Make the tokens that were handed out expire."""
        self._sign_in.expire()

    # -- answers -------------------------------------------------------------------------------------------------------

    def _refused(self, error: RefusalError, correlation_id: str, *, private: bool) -> Response:
        headers = {"x-hubspot-correlation-id": correlation_id}
        if error.status == 401:
            headers["x-hubspot-auth-failure"] = "401 Unauthorized"
        elif error.category != "MISSING_SCOPES":
            headers |= self._portal.limits.count(search=False, private=private)
        return Response.of(error.body(correlation_id), error.status, headers=headers)


def _limited(policy: str, correlation_id: str) -> Response:
    """Refuse for a limit, as quoted in public reports: without Retry-After, and it costs nothing."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id,
        "policyName": policy,
    }
    return Response.of(body, 429, api_calls=0, headers={"x-hubspot-correlation-id": correlation_id})
