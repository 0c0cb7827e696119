"""A Salesforce organization on this machine."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from connector_core.crms.world import World
from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_salesforce.sandbox.composite import call_composite
from connector_salesforce.sandbox.dml import Writer
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, SignInError, not_found
from connector_salesforce.sandbox.graph import call_graph
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.org import CURRENCY, Org
from connector_salesforce.sandbox.persons import check_choice, hold_choice
from connector_salesforce.sandbox.rest import Answer, Api, Ask, Cursors, read_json
from connector_salesforce.sandbox.seed import Seed
from connector_salesforce.sandbox.sessions import CLIENT_ID, CLIENT_SECRET, Sessions
from connector_salesforce.sandbox.store import Store

SETTLE_SECONDS = 6
MAX_URI = 16_384
VERSIONS: Mapping[int, str] = {
    58: "Summer '23",
    59: "Winter '24",
    60: "Spring '24",
    61: "Summer '24",
    62: "Winter '25",
    63: "Spring '25",
    64: "Summer '25",
    65: "Winter '26",
    66: "Spring '26",
    67: "Summer '26",
    68: "Winter '27",
}
_RETIRED_BELOW = 31
_DATA = re.compile(r"/services/data/v(\d+)\.0(/.*)?")


class SalesforceSandbox(Sandbox):
    """One organization, seeded from a world, with one user for the connection."""

    def __init__(self, world: World) -> None:
        self._store, self._org, self._cursors = Store(), Org(), Cursors()
        self._used = 0
        self._user_id = self._store.new_id("User")
        self._org_id = self._system().insert("Organization", _ORGANIZATION, system=True)
        user = {"Id": self._user_id, "IsDeleted": False, **_USER}
        self._store.put("User", dict.fromkeys(_names(self._org, "User")) | user)
        self._system().insert("UserPermissionAccess", dict.fromkeys(_PERMISSIONS, True), system=True)
        self._hold_choices()
        seed = Seed(self._store, self._system())
        seed.hold(world)
        self._ids = seed.ids
        self._store.settle()
        self._sessions = Sessions(self._org_id, self._user_id, str(_USER["Username"]))

    # -- the sandbox --------------------------------------------------------------------------------------------------

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the settings of a connection with the static access token."""
        return {
            "instance_url": url,
            "access_token": self._sessions.access_token,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "settle_seconds": SETTLE_SECONDS,
        }

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request."""
        try:
            answer = self._answer(request, row_error)
        except ServiceError as fault:
            headers = {"WWW-Authenticate": "Token"} if fault.status == 401 else {}
            answer = Answer(fault.status, fault.body(), headers, api_calls=fault.code != "REQUEST_LIMIT_EXCEEDED")
        except NotSpokenError as error:
            answer = Answer(501, error.body())
        except SignInError as refusal:
            answer = Answer(refusal.status, refusal.body(), api_calls=0)
        self._used += answer.api_calls
        headers = {**answer.headers, "Sforce-Limit-Info": f"api-usage={self._used}/{self._org.daily_requests}"}
        if answer.body is None or isinstance(answer.body, bytes):
            return Response(answer.status, answer.body or b"", headers, answer.api_calls)
        return Response.of(answer.body, answer.status, api_calls=answer.api_calls, headers=headers)

    def ids(self) -> dict[str, str]:
        """Map the ids of the seed to those of Salesforce, 18 characters each."""
        return dict(self._ids)

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Give every record that is not deleted, by object."""
        return {name: [dict(row) for row in self._store.live_rows(name)] for name in self._store.names()}

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a record as the system does, which rights and rules do not bind.

        :raises KeyError: There is no such record.
        :raises ValueError: Salesforce could not hold the change.
        """
        known, survivor = self._known(obj, record_id), self._known(obj, merge_into) if merge_into else None
        if survivor == known:
            raise ValueError("a record cannot be merged into itself")
        try:
            if fields:
                self._system().update(known, fields, system=True)
            if survivor:
                self._system().merge(known, survivor)
            elif delete:
                self._system().delete(known, system=True)
        except (ServiceError, NotSpokenError) as fault:
            raise ValueError(f"patch: {obj} {record_id}: {fault}") from fault

    def org(self, changes: Mapping[str, Any]) -> None:
        """Change the set-up of the organization; the keys are those of :meth:`.org.Org.change`."""
        if isinstance(chosen := changes.get("person_accounts"), list):
            check_choice(self._store, [full_id(it) or str(it) for it in chosen])
        before = self._org.person_accounts
        self._org.change(changes)
        if self._org.person_accounts != before:
            hold_choice(self._store, self._org.person_accounts)
        self._sessions.rotates = self._org.rotates
        self._sessions.key, self._sessions.approved = self._org.app_key, self._org.app_users
        self._hold_choices()
        organization = self._store.get(self._org_id) or {}
        self._store.put("Organization", {**organization, "TimeZoneSidKey": str(self._org.time_zone)})
        self._give_currencies()

    def _give_currencies(self) -> None:
        """Give each record that has none the organization's own: so does Salesforce when it gets several."""
        for obj in self._store.names():
            for row in self._store.live_rows(obj) if CURRENCY.lower() in self._org.full(obj).fields else ():
                if not row.get(CURRENCY):
                    self._store.put(obj, {**row, CURRENCY: self._org.currencies[0]})

    def unique_key(self) -> dict[str, str]:
        """Give the organization a unique field for the call's id, and the setting that names it."""
        field = {"object": "Activity", "name": "Call_Id__c", "type": "string", "length": 255}
        self.org({"custom_fields": [{**field, "external_id": True, "unique": True}]})
        return {"key_field": "Call_Id__c"}

    def expire_session(self) -> None:
        """Make every token expire, the static one too; a new sign-in gives a good one."""
        self._sessions.expire()

    # -- requests -----------------------------------------------------------------------------------------------------

    def _answer(self, request: Request, row_error: RowError | None) -> Answer:
        uri = f"{quote(request.path)}?{urlencode(dict(request.query))}"
        if len(uri) > MAX_URI:
            return Answer(
                414, b"<html><body><h1>414 Request-URI Too Large</h1></body></html>", {"Content-Type": "text/html"}
            )
        if request.path == "/services/oauth2/token" and request.method == "POST":
            return Answer(200, self._sessions.sign_in(request), api_calls=0)
        if request.path == "/services/oauth2/authorize" and request.method == "GET":
            return Answer(302, None, {"Location": self._sessions.authorize(request.query)}, api_calls=0)
        if request.path.rstrip("/") == "/services/data" and request.method == "GET":
            return Answer(200, [_version(number, label) for number, label in VERSIONS.items()], api_calls=0)
        data = _DATA.fullmatch(request.path)
        if data is None:
            raise NotSpokenError(f"{request.method} {request.path}")
        self._sessions.check(request.headers)
        if self._org.keeps_limit and self._used >= self._org.daily_requests:
            raise ServiceError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        api = self._api(int(data[1]), row_error)
        ask = Ask(
            request.method, tuple((data[2] or "/")[1:].split("/")), request.query, request.headers, _body(request)
        )
        if ask.parts == ("composite", "graph") and ask.method == "POST":
            return call_graph(api, ask.json)
        return call_composite(api, ask) if ask.parts[0] == "composite" else api.call(ask)

    def _api(self, number: int, row_error: RowError | None) -> Api:
        if number < _RETIRED_BELOW:
            raise ServiceError("UNSUPPORTED_API_VERSION", "The requested API version has been retired", status=410)
        if number > max(VERSIONS):
            raise not_found()
        if number not in VERSIONS:
            raise NotSpokenError(f"version {number}.0; it speaks {min(VERSIONS)}.0 to {max(VERSIONS)}.0")
        return Api(
            self._store,
            self._org,
            self._cursors,
            f"v{number}.0",
            self._user_id,
            row_error=row_error,
            index_lag_seconds=self.index_lag_seconds,
            used=self._used,
        )

    def _system(self) -> Writer:
        return Writer(self._store, self._org, self._user_id)

    def _known(self, obj: str, record_id: str) -> str:
        known = full_id(record_id)
        if known is None or self._store.object_of(known) != obj or self._store.live(known) is None:
            raise KeyError(f"no {obj} {record_id} in the sandbox")
        return known

    def _hold_choices(self) -> None:
        """Let TaskStatus and OpportunityStage hold the values of their picklists."""
        lists = {"TaskStatus": self._org.statuses, "OpportunityStage": self._org.stages}
        for obj, choices in lists.items():
            for row in self._store.live_rows(obj):
                self._system().delete(row["Id"], system=True)
            for order, choice in enumerate(choices, 1):
                values = {
                    "MasterLabel": choice.label or choice.value,
                    "ApiName": choice.value,
                    "SortOrder": order,
                    "IsClosed": choice.closed,
                }
                if obj == "TaskStatus":
                    values["IsDefault"] = choice.value == self._org.full("Task").fields["status"].default
                else:
                    values |= {"IsActive": True, "IsWon": choice.won, "DefaultProbability": choice.probability}
                self._system().insert(obj, values, system=True)


_ORGANIZATION = {
    "Name": "Sandbox",
    "IsSandbox": True,
    "OrganizationType": "Developer Edition",
    "InstanceName": "SBX1",
    "TimeZoneSidKey": "UTC",
    "DefaultLocaleSidKey": "en_US",
}
_USER = {
    "Username": "integration@sandbox.invalid",
    "LastName": "Integration",
    "Name": "Integration",
    "Email": "integration@sandbox.invalid",
    "Alias": "integr",
    "IsActive": True,
    "UserType": "Standard",
    "TimeZoneSidKey": "UTC",
}
_PERMISSIONS = (
    "PermissionsApiEnabled",
    "PermissionsEditTask",
    "PermissionsEditEvent",
    "PermissionsViewSetup",
    "PermissionsViewAllData",
)


def _names(org: Org, obj: str) -> list[str]:
    return [field.name for field in org.full(obj).fields.values()]


def _version(number: int, label: str) -> dict[str, str]:
    return {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}


def _body(request: Request) -> Any:
    packed = request.headers.get("content-encoding", "").lower() == "gzip"
    return read_json(gzip.decompress(request.body) if packed else request.body)
