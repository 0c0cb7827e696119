"""What one writes first: the same SDKs, one call after the other, one request a question."""

from __future__ import annotations

from typing import Any

import requests
from hubspot import HubSpot
from hubspot.crm.contacts import Filter, FilterGroup, PublicObjectSearchRequest
from hubspot.crm.objects import SimplePublicObjectInputForCreate
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, format_soql


def salesforce(url: str, settings: dict[str, Any], calls: list[dict[str, Any]]) -> None:
    """Look up and write with simple-salesforce, call by call."""
    session = requests.Session()
    session.mount("https://127.0.0.1", _Plain())
    crm = Salesforce(
        session_id=settings["access_token"],
        instance_url=url.replace("http:", "https:"),
        session=session,
        version="66.0",
    )
    for call in calls:
        who: list[str] = []
        for guest in _guests(call):
            for field, values in (("Email", guest["emails"]), ("Phone", guest["phones"])):
                found = [crm.query(format_soql(f"SELECT Id FROM Contact WHERE {field} = {{}}", v)) for v in values]  # noqa: S608 - the field is ours
                who += [row["Id"] for answer in found for row in answer["records"]]
                if who:
                    break
        deals: list[str] = []
        for contact in who:
            roles = crm.query(
                format_soql("SELECT OpportunityId FROM OpportunityContactRole WHERE ContactId = {}", contact)
            )
            deals += [row["OpportunityId"] for row in roles["records"]]
        if crm.query(format_soql("SELECT Id FROM Task WHERE CallObject = {}", call["id"]))["records"]:
            continue
        crm.Task.create(  # type: ignore[operator]  # simple-salesforce makes its types at run time
            {
                "Subject": "Call",
                "Status": "Completed",
                "CallObject": call["id"],
                "ActivityDate": call["started_at"][:10],
                **({"WhoId": who[0]} if who else {}),
                **({"WhatId": deals[0]} if deals else {}),
            }
        )


class _Plain(HTTPAdapter):
    """Speaks http to a sandbox, since simple-salesforce knows only https."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        request.url = (request.url or "").replace("https:", "http:", 1)
        return super().send(request, *args, **options)


def hubspot(url: str, settings: dict[str, Any], calls: list[dict[str, Any]]) -> None:
    """Look up and write with hubspot-api-client, call by call."""
    crm = HubSpot(access_token=settings["access_token"], host=url).crm
    contacts, calls_api = crm.contacts.search_api, crm.objects.search_api
    associations, objects = crm.associations.v4.basic_api, crm.objects.basic_api
    for call in calls:
        who: list[str] = []
        for guest in _guests(call):
            for name, values in (("email", guest["emails"]), ("phone", guest["phones"])):
                who += [row.id for v in values for row in contacts.do_search(_equal(name, v)).results]
                if who:
                    break
        deals = [
            str(row.to_object_id)
            for contact in who
            for row in associations.get_page("contacts", contact, "deals").results
        ]
        if calls_api.do_search("calls", _equal("hs_call_external_id", call["id"])).results:
            continue
        to = [(contact, 194) for contact in who] + [(deal, 206) for deal in deals[:1]]
        objects.create(
            "calls",
            SimplePublicObjectInputForCreate(
                properties={"hs_timestamp": call["started_at"], "hs_call_external_id": call["id"]},
                associations=[
                    {"to": {"id": i}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": t}]}
                    for i, t in to
                ],
            ),
        )


def _equal(name: str, value: str) -> PublicObjectSearchRequest:
    return PublicObjectSearchRequest(
        filter_groups=[FilterGroup(filters=[Filter(property_name=name, operator="EQ", value=value)])]
    )


def _guests(call: dict[str, Any]) -> list[dict[str, Any]]:
    return [who for who in call["participants"] if not who["is_user"]]


SCRIPTS = {"salesforce": salesforce, "hubspot": hubspot}
