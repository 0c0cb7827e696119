"""The recorded traffic of HubSpot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from connector_hubspot.sandbox import HubSpotSandbox

from connector_core.crms.world import parse_world
from connector_core.testing.sandbox import Sandbox
from tests.fidelity.replay import CannotPlantError, Exchange, Stage, parsed

_OBJECTS = "/crm/v3/objects"
_LEGACY = {
    "/contacts/v1/contact": ("contacts", "vid"),
    "/companies/v2/companies/": ("companies", "companyId"),
    "/deals/v1/deal": ("deals", "dealId"),
}
"""Where records are created by paths that the sandbox does not speak: what they are, and how their id is called."""
_LIMITS = (
    "max",
    "remaining",
    "interval",
    "daily",
)  # those of a second were sent, are deprecated, and nothing reads them
_OWNERS = ("156644386", "68156342")
_PLAIN = {("deals", "contacts"): 3, ("deals", "companies"): 341, ("meetings", "contacts"): 200}
_NEEDED = {
    "contacts": {"firstname": "Planted"},
    "companies": {"name": "Planted"},
    "deals": {"dealname": "Planted"},
    "meetings": {"hs_timestamp": "2022-01-01T00:00:00Z"},
}


class HubSpot:
    """Recorded with a private app, and with an OAuth app of 2022."""

    name, title = "hubspot", "HubSpot"
    headers = (
        "content-type",
        "x-hubspot-correlation",
        "x-hubspot-notfound",
        *(f"x-hubspot-ratelimit-{it}" for it in _LIMITS),
    )

    def sandbox(self) -> Sandbox:
        """Give a portal with one owner."""
        return HubSpotSandbox(parse_world({"users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}]}))

    def begin(self, stage: Stage) -> None:
        """Let the recorded portal and its owners be ours."""
        portal = str(stage.send("GET", "/account-info/v3/details").body["portalId"])
        owner = stage.send("GET", "/crm/v3/owners").body["results"][0]["id"]
        stage.ids.update({"<PORTAL_ID>": portal, "<HUBSPOT_PORTAL_ID>": portal, **dict.fromkeys(_OWNERS, owner)})

    def operation(self, exchange: Exchange) -> str:
        """Name the operation; numbers and addresses are ids."""
        parts = exchange["path"].split("/")
        return f"{exchange['method']} " + "/".join("{id}" if re.search(r"^\d+$|@", part) else part for part in parts)

    def query(self, exchange: Exchange) -> Mapping[str, str]:
        """Read the query; the cursor of a list is the id that its page begins at."""
        query = dict(parse_qsl(exchange["query"] or ""))
        if "after" in query:
            query["after"] = exchange["resp"]["results"][0]["id"]
        return query

    def plant(self, stage: Stage, exchange: Exchange) -> None:
        """Make the records that are read, changed or archived, and those that older paths create."""
        path = exchange["path"]
        if exchange["status"] == 403:
            kind = path.split("/")[4]
            scopes = {"contacts": "crm.objects.contacts.read", "companies": "crm.objects.companies.read"}
            stage.send("POST", "/_sandbox/org", {"missing_scopes": [scopes.get(kind, scopes["contacts"])]})
        elif path in _LEGACY and exchange["method"] == "POST":
            kind, key = _LEGACY[path]
            record_id = str(_readable(exchange["resp"])[key])
            sent = _readable(exchange["req"])
            self._create(stage, kind, record_id, _old_properties(sent))
            for name, other in (("associatedVids", "contacts"), ("associatedCompanyIds", "companies")):
                for other_id in (sent.get("associations") or {}).get(name, ()):
                    self._link(stage, (kind, record_id), (other, str(other_id)))
        elif path.startswith(_OBJECTS) and exchange["status"] < 300 and not path.endswith("/batch/create"):
            if exchange["method"] == "POST" and path.count("/") == 4:
                return  # creates what it answers
            kind = path.split("/")[4]
            if kind not in _NEEDED:
                raise CannotPlantError(kind)
            for record_id, properties in _shown(exchange):
                if record_id not in stage.ids:
                    self._create(stage, kind, record_id, properties)
                    for other_id in _linked_contacts(exchange):
                        if other_id not in stage.ids:
                            self._create(stage, "contacts", other_id, {})
                        self._link(stage, (kind, record_id), ("contacts", other_id))
            if "paging" in exchange["resp"] and "total" in exchange["resp"]:
                raise CannotPlantError("the order of what was found")

    def _create(self, stage: Stage, kind: str, record_id: str, properties: Mapping[str, Any]) -> None:
        described = stage.send("GET", f"/crm/v3/properties/{kind}").body["results"]
        writable = {item["name"] for item in described if not item["modificationMetadata"]["readOnlyValue"]}
        given = {name: text for name, text in properties.items() if name in writable and text is not None}
        body = {"properties": stage.comparison.translate(_NEEDED[kind] | given)}
        answer = stage.send("POST", f"{_OBJECTS}/{kind}", body)
        if answer.status != 201:
            raise CannotPlantError(f"{kind}: {answer.body}")
        stage.ids[record_id] = answer.body["id"]

    def _link(self, stage: Stage, one: tuple[str, str], other: tuple[str, str]) -> None:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _PLAIN[one[0], other[0]]}
        pair = {"from": {"id": stage.ids[one[1]]}, "to": {"id": stage.ids[other[1]]}, "types": [kind]}
        path = f"/crm/v4/associations/{one[0]}/{other[0]}/batch/create"
        if stage.send("POST", path, {"inputs": [pair]}).status != 201:
            raise CannotPlantError(f"{one[0]} to {other[0]}")


def _readable(body: Any) -> Any:
    """Read what was recorded as text, because the number of the portal was taken out of it."""
    return parsed(body.replace("<PORTAL_ID>", "1")) if isinstance(body, str) else body


def _old_properties(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {item.get("property") or item["name"]: item["value"] for item in sent["properties"]}


def _shown(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the records that were there: of the answer and of the pages around it, else those that the request names."""
    answer, path = exchange["resp"], exchange["path"].split("/")
    if path[-2:] == ["batch", "archive"]:
        yield from ((str(row["id"]), {}) for row in exchange["req"]["inputs"])
    elif isinstance(answer, dict):
        records = answer.get("results", [answer])
        yield from ((record["id"], record["properties"]) for record in records)
        further = answer.get("total", len(records) + ("paging" in answer)) - len(records)
        for number in range(further):
            like = records[-1]["properties"]
            email = {"email": f"{number}{like['email']}"} if like.get("email") else {}
            yield f"further {number}", like | email
    else:
        yield path[5], {}


def _linked_contacts(exchange: Exchange) -> Iterator[str]:
    """Give the contacts that a search wants its records to be linked with."""
    for item in exchange["req"].get("filters", ()) if isinstance(exchange["req"], dict) else ():
        if item["propertyName"] == "associations.contact":
            yield str(item["value"])
