"""From a request to what answers it: paths of v3 and v4, and of the dated versions."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_core.testing.sandbox import Request, RowError
from connector_hubspot.sandbox import search
from connector_hubspot.sandbox.associations import Associations
from connector_hubspot.sandbox.batches import Batches
from connector_hubspot.sandbox.forms import refuse_ill_formed
from connector_hubspot.sandbox.kinds import Kind, kind_of
from connector_hubspot.sandbox.objects import WITH_WRITE_VALIDATION, Objects, whole_number
from connector_hubspot.sandbox.pipelines import PIPELINES, describe
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError, invalid
from connector_hubspot.sandbox.scopes import refuse_objects, refuse_owners, refuse_properties
from connector_hubspot.sandbox.values import PORTAL_ID

_AREA = r"(?P<area>objects|associations|properties|pipelines|owners)"
_PATHS = (
    re.compile(rf"/crm/(?P<version>v3|v4)/{_AREA}(?P<rest>(?:/.*)?)"),
    re.compile(rf"/crm/{_AREA}/(?P<version>v4|2026-03|2026-09)(?P<rest>(?:/.*)?)"),
)
_DETAILS = re.compile(r"/account-info/(v3|2026-03|2026-09)/details")
_OWNERS_PAGE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a value; None: no body. ``searched``: answered without the limits that other answers tell."""

    value: Any
    status: int = 200
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request, taken apart. ``rest`` is what follows the version and the area."""

    request: Request
    version: str
    rest: tuple[str, ...]
    fault: RowError | None

    @property
    def method(self) -> str:
        """The method."""
        return self.request.method

    @property
    def query(self) -> Mapping[str, str]:
        """The query."""
        return self.request.query

    def body(self, *lists: str) -> Any:
        """Read the body.

        :param lists: As in :func:`.forms.refuse_ill_formed`.
        :raises RefusalError: It is no JSON, or has another form than HubSpot reads.
        """
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise invalid("Invalid input JSON") from error
        refuse_ill_formed(body, lists=lists)
        return body


class Rest:
    """Everything but tokens."""

    def __init__(self, portal: Portal) -> None:
        """Serve a portal."""
        self._portal = portal
        self._objects = Objects(portal)
        self._batches = Batches(portal, self._objects)
        self._associations = Associations(portal)

    def answer(self, request: Request, fault: RowError | None) -> Answer:
        """Answer a request.

        :raises RefusalError: HubSpot would refuse it.
        :raises NoSuchRecordError: It names a contact or company that is not there.
        :raises NotSpokenError: The sandbox does not know it.
        """
        if _DETAILS.fullmatch(request.path) and request.method == "GET":
            return Answer(_details(self._portal))
        found = next((match for path in _PATHS if (match := path.fullmatch(request.path)) is not None), None)
        if found is None:
            raise NotSpokenError(f"{request.method} {request.path}")
        rest = tuple(part for part in found["rest"].split("/") if part)
        call = Call(request, found["version"], rest, fault)
        match found["area"]:
            case "objects":
                answer = self._object(call)
            case "associations":
                answer = self._association(call)
            case "properties":
                answer = self._property(call)
            case "pipelines":
                answer = _pipeline(call)
            case _:
                answer = self._owner(call)
        if answer is None:
            raise NotSpokenError(f"{request.method} {request.path}")
        return answer

    # -- objects -------------------------------------------------------------------------------------------------------

    def _object(self, call: Call) -> Answer | None:
        if not call.rest:
            return None
        kind = kind_of(call.rest[0])
        if len(call.rest) > 2 and call.rest[2] == "associations":
            return self._bonds_of_one(kind, call)
        match call.method, *call.rest[1:]:
            case "POST", "search":
                refuse_objects(self._portal, kind, "read", granular=True)
                return Answer(search.search(self._portal, kind, call.body("properties")), searched=True)
            case "POST", "batch", str(operation):
                return self._batch(kind, operation, call)
            case method, *rest if len(rest) < 2:
                refuse_objects(self._portal, kind, "read" if method == "GET" else "write")
                return self._single(kind, method, rest, call)
        return None

    def _single(self, kind: Kind, method: str, rest: list[str], call: Call) -> Answer | None:
        match method, *rest:
            case ("GET",):
                return Answer(self._objects.page(kind, call.query, call.request.path))
            case ("POST",):
                return Answer(self._objects.create(kind, call.body(), call.version), 201)
            case "GET", record_id:
                return Answer(self._objects.read(kind, record_id, call.query))
            case "PATCH", record_id:
                return Answer(self._objects.change(kind, record_id, call.body(), call.query))
            case "DELETE", record_id:
                self._objects.archive(kind, record_id)
                return Answer(None, 204)
        return None

    def _batch(self, kind: Kind, operation: str, call: Call) -> Answer | None:
        refuse_objects(self._portal, kind, "read" if operation == "read" else "write", granular=True)
        match operation:
            case "read":
                return _batch_answer(self._batches.read(kind, call.body("properties")))
            case "create":
                return _batch_answer(self._batches.create(kind, call.body(), call.version, call.fault), 201)
            case "update":
                return _batch_answer(self._batches.update(kind, call.body(), call.fault))
            case "upsert":
                return _batch_answer(self._batches.upsert(kind, call.body(), call.version, call.fault))
            case "archive":
                failed = self._batches.archive(kind, call.body(), call.fault)
                return Answer(None, 204) if failed is None else _batch_answer(failed)
        return None

    # -- associations --------------------------------------------------------------------------------------------------

    def _bonds_of_one(self, kind: Kind, call: Call) -> Answer | None:
        match call.method, *call.rest[1:]:
            case "GET", record_id, "associations", end if call.version != "v3":
                return Answer(self._associations.of_one(kind, record_id, kind_of(end), call.query))
            case "PUT", record_id, "associations", "default", end, other_id if call.version != "v3":
                body = {"inputs": [{"from": {"id": record_id}, "to": {"id": other_id}}]}
                return _batch_answer(self._associations.batch_default(kind, kind_of(end), body, call.fault))
        return None

    def _association(self, call: Call) -> Answer | None:
        if len(call.rest) < 3 or call.version == "v3":
            return None
        start, end = kind_of(call.rest[0]), kind_of(call.rest[1])
        latest = call.version == WITH_WRITE_VALIDATION
        match call.method, *call.rest[2:]:
            case "GET", "labels":
                return Answer(self._associations.labels(start, end))
            case "POST", "batch", "read":
                return _batch_answer(self._associations.batch_read(start, end, call.body()))
            case "POST", "batch", "create":
                created = self._associations.batch_create(start, end, call.body(), call.fault)
                return Answer(created) if latest else _batch_answer(created, 201)
            case "POST", "batch", "associate", "default":
                return _batch_answer(self._associations.batch_default(start, end, call.body(), call.fault))
            case "POST", "batch", "archive":
                archived = self._associations.batch_archive(start, end, call.body("to"))
                return Answer(archived) if latest else Answer(None, 204)
        return None

    # -- what describes the portal -------------------------------------------------------------------------------------

    def _property(self, call: Call) -> Answer | None:
        match call.method, *call.rest:
            case "GET", name:
                kind = kind_of(name)
                refuse_properties(self._portal, kind)
                return Answer({"results": [prop.describe() for prop in self._portal.schema.all(kind)]})
            case "GET", name, wanted:
                kind = kind_of(name)
                refuse_properties(self._portal, kind)
                prop = self._portal.schema.find(kind, wanted)
                if prop is None:
                    raise RefusalError(404, f"Property {wanted} does not exist", "OBJECT_NOT_FOUND")
                return Answer(prop.describe())
            case "POST", name, "batch", "read":
                kind = kind_of(name)
                refuse_properties(self._portal, kind)
                names = [str(row.get("name")) for row in call.body().get("inputs") or ()]
                props = [prop for wanted in names if (prop := self._portal.schema.find(kind, wanted)) is not None]
                return Answer({"status": "COMPLETE", "results": [prop.describe() for prop in props]})
        return None

    def _owner(self, call: Call) -> Answer | None:
        if call.method != "GET" or len(call.rest) > 1:
            return None
        refuse_owners(self._portal)
        owners = self._portal.owners
        archived = call.query.get("archived") == "true"
        if call.rest:
            owner = owners.get(call.rest[0])
            if owner is None or owner.archived != archived or call.query.get("idProperty", "id") != "id":
                raise RefusalError(404, "No owner with that id", "OBJECT_NOT_FOUND")
            return Answer(owners.describe(owner))
        limit = whole_number(call.query.get("limit", str(_OWNERS_PAGE)), "limit", 500)
        after = whole_number(call.query.get("after", "0"), "after")
        rest = [
            owner for owner in owners.select(archived=archived, email=call.query.get("email")) if int(owner.id) > after
        ]
        paging = {"paging": {"next": {"after": rest[limit - 1].id}}} if len(rest) > limit else {}
        return Answer({"results": [owners.describe(owner) for owner in rest[:limit]], **paging})


def _pipeline(call: Call) -> Answer | None:
    match call.method, *call.rest:
        case "GET", name if kind_of(name).name == "deals":
            return Answer({"results": [describe(pipeline) for pipeline in PIPELINES.values()]})
        case "GET", name, wanted if kind_of(name).name == "deals":
            if wanted not in PIPELINES:
                raise RefusalError(404, f"Pipeline {wanted} does not exist", "OBJECT_NOT_FOUND")
            return Answer(describe(PIPELINES[wanted]))
    return None


def _batch_answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    """Some rows failed: 207, also in 2026-09, as one user of it reports (its specification has no 207)."""
    return Answer(body, 207 if body.get("errors") else status)


def _details(portal: Portal) -> dict[str, Any]:
    offset = dt.datetime.now(portal.time_zone).utcoffset() or dt.timedelta()
    minutes = int(offset.total_seconds() // 60)
    return {
        "portalId": PORTAL_ID,
        "accountType": "DEVELOPER_TEST",
        "timeZone": portal.time_zone.key,
        "companyCurrency": portal.currencies[0],
        "additionalCurrencies": list(portal.currencies[1:]),
        "utcOffset": f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}",
        "utcOffsetMilliseconds": minutes * 60_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }
