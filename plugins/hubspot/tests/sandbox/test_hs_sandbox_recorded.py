"""The sandbox against recorded traffic of the service: statuses, bodies and headers have the same form.

The recordings lie outside the repository, in ``../shared/recorded``; without them these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parents[4].parent / "shared" / "recorded"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded traffic, ../shared/recorded, is not here")

CONTACTS = "/crm/v3/objects/contacts"
V4 = "/crm/v4/associations"


def _exchanges() -> list[dict[str, Any]]:
    with (RECORDED / "hubspot.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _exchange(method: str, path: str, status: int, **has: str) -> dict[str, Any]:
    """Give the first exchange whose method, end of the path and status are these, and whose request has a text."""
    return next(
        item
        for item in _exchanges()
        if (item["method"], item["status"]) == (method, status)
        and path in item["path"]
        and all(text in json.dumps(item[part]) for part, text in has.items())
    )


def _body(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((RECORDED / "bodies" / "hubspot" / f"{name}.json").read_text(encoding="utf-8"))
    return value


def _quoted(status: int, text: str) -> dict[str, Any]:
    quotes = json.loads((RECORDED / "bodies" / "quoted-in-issues.json").read_text(encoding="utf-8"))
    return next(
        item["body"]
        for item in quotes
        if item["crm"] == "hubspot" and item["status"] == status and text in json.dumps(item["body"])
    )


def _form(value: Any, *, inside: str = "") -> Any:
    """Reduce a body to its form: names and types; of a record's properties, that they are text or null."""
    if isinstance(value, dict):
        if inside == "properties":
            return {"text" if isinstance(item, str) else "null" if item is None else "?" for item in value.values()} - {
                "null"
            }
        return {key: _form(item, inside=key) for key, item in value.items() if key not in {"correlationId", "url"}}
    if isinstance(value, list):
        return _form(value[0], inside=inside) if value else []
    return type(value).__name__


def _create(portal: Any, *pairs: tuple[str, str, int], between: str = "Deal/Contact") -> Any:
    inputs = [
        {
            "from": {"id": a},
            "to": {"id": b},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": t}],
        }
        for a, b, t in pairs
    ]
    return portal.post(f"{V4}/{between}/batch/create", {"inputs": inputs})


# -- records -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_a_created_record_looks_as_recorded(portal: Any, kind: str) -> None:
    """The answer to a create has the recorded form, and the properties that the sandbox knows of."""
    recorded = _exchange("POST", f"/crm/v3/objects/{kind}", 201)
    portal.send("DELETE", f"{CONTACTS}/{portal.ids['C1']}")
    answer = portal.post(f"/crm/v3/objects/{kind}", recorded["req"])
    known = {prop["name"] for prop in portal.get(f"/crm/v3/properties/{kind}").body["results"]}
    assert (_form(answer.body), set(answer.body["properties"]) >= set(recorded["resp"]["properties"]) & known) == (
        _form(recorded["resp"]),
        True,
    )


@pytest.mark.parametrize(("kind", "seed_id"), [("contacts", "C1"), ("companies", "A1")])
def test_a_record_that_is_read_has_the_recorded_properties(portal: Any, kind: str, seed_id: str) -> None:
    """Without properties in the request, the same ones come along."""
    recorded = _exchange("GET", f"/crm/v3/objects/{kind}/", 200)
    answer = portal.get(f"/crm/v3/objects/{kind}/{portal.ids[seed_id]}")
    assert set(answer.body["properties"]) == set(recorded["resp"]["properties"])


@pytest.mark.parametrize(("kind", "seed_id"), [("contacts", "C1"), ("companies", "A1")])
def test_a_change_is_answered_with_what_changed(portal: Any, kind: str, seed_id: str) -> None:
    """The answer to a change has the same properties as the recorded one."""
    recorded = _exchange("PATCH", f"/crm/v3/objects/{kind}/", 200)
    answer = portal.send("PATCH", f"/crm/v3/objects/{kind}/{portal.ids[seed_id]}", recorded["req"])
    assert set(answer.body["properties"]) == set(recorded["resp"]["properties"])


@pytest.mark.parametrize("path", [f"{CONTACTS}/1@1.non-tld?idProperty=email", "/crm/v3/objects/companies/12"])
def test_a_missing_contact_or_company_is_a_page(portal: Any, path: str) -> None:
    """A missing contact, also by address, or company is answered with the recorded page."""
    recorded = _exchange("GET", path.split("?")[0].rpartition("/")[0], 404)
    answer = portal.get(path)
    assert (answer.status, answer.body, answer.headers["content-type"], answer.headers["x-hubspot-notfound"]) == (
        404,
        recorded["resp"],
        recorded["headers"]["content-type"],
        "true",
    )


def test_a_list_has_the_recorded_form(portal: Any) -> None:
    """A page of a list names the id that the next one begins at, one after its last."""
    recorded = _exchange("GET", "/crm/v3/objects/contacts", 200, resp="paging")["resp"]
    answer = portal.get(f"{CONTACTS}?limit=1").body
    steps = [int(page["paging"]["next"]["after"]) - int(page["results"][-1]["id"]) for page in (recorded, answer)]
    assert (_form(answer), steps[1]) == (_form(recorded), steps[0])


def test_a_search_has_the_recorded_form(portal: Any) -> None:
    """A recorded search is answered in its form, with the recorded headers about limits."""
    recorded = _exchange("POST", "/crm/v3/objects/contacts/search", 200, req="CONTAINS_TOKEN")
    for number in range(6):
        portal.contact(email=f"test{number}@example.org", firstname="Test", lastname="User")
    answer = portal.post(recorded["path"], recorded["req"])
    told = {name for name in recorded["headers"] if "ratelimit" in name}
    assert (_form(answer.body), {name.lower() for name in answer.headers if "ratelimit" in name.lower()}) == (
        _form(recorded["resp"]),
        told,
    )


def test_a_recorded_search_by_contact_is_taken_as_it_stands(portal: Any) -> None:
    """Filters at the top, a number as value and as cursor: all were recorded, and answered."""
    recorded = _exchange("POST", "/crm/v3/objects/meetings/search", 200, req='"after": 1')
    answer = portal.post(recorded["path"], recorded["req"])
    assert (answer.status, answer.body["total"]) == (200, 0)


def test_a_recorded_meeting_is_taken_as_it_stands(portal: Any) -> None:
    """A meeting with its times in milliseconds comes back with them in ISO 8601."""
    recorded = _exchange("POST", "/crm/v3/objects/meetings", 201)
    sent = {**recorded["req"]["properties"], "hubspot_owner_id": int(portal.ids["U1"])}
    answer = portal.post("/crm/v3/objects/meetings", {"properties": sent})
    names = ("hs_meeting_start_time", "hs_meeting_end_time", "hs_timestamp", "hs_meeting_title")
    assert [answer.body["properties"][name] for name in names] == [
        recorded["resp"]["properties"][name] for name in names
    ]


def test_a_time_that_is_none_is_refused_in_the_recorded_words(portal: Any) -> None:
    """The message holds the problem as JSON, but for the number of the portal."""
    recorded = _exchange("POST", "/crm/v3/objects/meetings", 400)
    sent = {key: text for key, text in recorded["req"]["properties"].items() if key != "hubspot_owner_id"}
    answer = portal.post("/crm/v3/objects/meetings", {"properties": sent})
    wanted = recorded["resp"]["message"].replace(
        "<PORTAL_ID>", str(portal.get("/account-info/v3/details").body["portalId"])
    )
    assert (answer.status, answer.body["message"], answer.body["category"]) == (400, wanted, "VALIDATION_ERROR")


# -- batches -----------------------------------------------------------------------------------------------------------


def test_a_batch_create_has_the_recorded_form(portal: Any) -> None:
    """A batch of contacts, without trace ids, is answered 201 in the recorded form."""
    recorded = _exchange("POST", f"{CONTACTS}/batch/create", 201)
    answer = portal.post(f"{CONTACTS}/batch/create", recorded["req"])
    assert (answer.status, _form(answer.body)) == (201, _form(recorded["resp"]))


def test_unknown_properties_of_a_batch_are_told_at_once(portal: Any) -> None:
    """The message of a refused batch is the recorded one, problem for problem."""
    recorded = _body("batch-create-err-many-invalid-properties")
    row = {"properties": {"first000name": "x", "last000name": "x"}}
    answer = portal.post(f"{CONTACTS}/batch/create", {"inputs": [row, row]})
    assert (answer.status, answer.body["message"], _form(answer.body)) == (400, recorded["message"], _form(recorded))


def test_a_conflict_rejects_a_batch_without_trace_ids(portal: Any) -> None:
    """The body names no id then."""
    recorded = _body("batch-create-err-conflict")
    answer = portal.post(f"{CONTACTS}/batch/create", {"inputs": [{"properties": {"email": "carl@buyer.example"}}]})
    assert (answer.status, {**answer.body, "correlationId": ""}) == (409, {**recorded, "correlationId": ""})


def test_a_conflict_is_one_row_of_a_batch_with_trace_ids(portal: Any) -> None:
    """The error has the trace id and the id of the contact that is there."""
    recorded = _body("batch-create-err-partial-success")
    rows = [
        {"objectWriteTraceId": "0", "properties": {"email": "carl@buyer.example"}},
        {"objectWriteTraceId": "1", "properties": {"email": "siena@other.example", "firstname": "Siena"}},
    ]
    answer = portal.post(f"{CONTACTS}/batch/create", {"inputs": rows})
    wanted = json.loads(json.dumps(recorded["errors"]).replace("171591000198", portal.ids["C1"]))
    assert (answer.status, answer.body["errors"], _form(answer.body)) == (207, wanted, _form(recorded))


def test_a_conflict_of_a_single_contact_is_as_quoted(portal: Any) -> None:
    """The id of the contact that is there stands in the message, and nowhere else."""
    quoted = _quoted(409, "6001")
    answer = portal.post(CONTACTS, {"properties": {"email": "carl@buyer.example"}})
    wanted = {**quoted, "message": quoted["message"].replace("6001", portal.ids["C1"]), "correlationId": ""}
    assert (answer.status, {**answer.body, "correlationId": ""}) == (409, wanted)


def test_ids_that_stand_twice_are_refused_in_the_recorded_words(portal: Any) -> None:
    """The body of a batch with one id twice is the recorded one."""
    recorded = _body("batch-update-err-duplicate-ids")
    row = {"id": "123456", "properties": {}}
    answer = portal.post(f"{CONTACTS}/batch/update", {"inputs": [row, row]})
    assert (answer.status, {**answer.body, "correlationId": ""}) == (400, {**recorded, "correlationId": ""})


def test_an_update_of_an_unknown_id_is_as_recorded(portal: Any) -> None:
    """The error of the unknown id is the recorded one."""
    recorded = _body("batch-update-err-partial-success")
    rows = [{"id": name, "properties": {"lastname": "x"}} for name in (portal.ids["C1"], "unknownIdentifier888")]
    answer = portal.post(f"{CONTACTS}/batch/update", {"inputs": rows})
    assert (answer.status, answer.body["errors"], _form(answer.body)) == (207, recorded["errors"], _form(recorded))


# -- associations ------------------------------------------------------------------------------------------------------


def test_associations_are_read_as_recorded(portal: Any) -> None:
    """Primary and plain type of one company, and the error of a contact without any."""
    recorded = _body("search-contacts-to-companies")
    alone = portal.contact(firstname="Alone")
    inputs = {"inputs": [{"id": portal.ids["C1"]}, {"id": alone}]}
    answer = portal.post(f"{V4}/contacts/companies/batch/read", inputs)
    types = [body["results"][0]["to"][0]["associationTypes"] for body in (answer.body, recorded)]
    errors = json.loads(json.dumps(recorded["errors"]).replace("103107104018", alone))
    assert (answer.status, types[0], answer.body["errors"], _form(answer.body)) == (
        207,
        types[1],
        errors,
        _form(recorded),
    )


@pytest.mark.parametrize(
    ("between", "type_id", "ids"),
    [("Deal/Company", 5, ("O1", "A2")), ("Deal/Contact", 3, ("O1", "C2")), ("Company/Contact", 2, ("A2", "C1"))],
)
def test_associations_are_created_as_recorded(portal: Any, between: str, type_id: int, ids: tuple[str, str]) -> None:
    """Objects, types of ids and labels are the recorded ones."""
    recorded = _exchange("POST", f"{V4}/{between}/batch/create", 201)["resp"]
    answer = _create(portal, (portal.ids[ids[0]], portal.ids[ids[1]], type_id), between=between)
    labels = [body["results"][0]["labels"] for body in (answer.body, recorded)]
    assert (answer.status, _form(answer.body), labels[0]) == (201, _form(recorded), labels[1])


@pytest.mark.parametrize(("between", "type_id"), [("Deal/Contact", 3), ("Company/Contact", 2)])
def test_an_association_with_nothing_is_refused_as_recorded(portal: Any, between: str, type_id: int) -> None:
    """207, COMPLETE, no results, and an error that names what is not valid."""
    recorded = _exchange("POST", f"{V4}/{between}/batch/create", 207, resp="CONTACT=1234")["resp"]
    start = portal.ids["O1" if between.startswith("Deal") else "A1"]
    answer = _create(portal, (start, "1234", type_id), between=between)
    assert (answer.status, answer.body["errors"], _form(answer.body)) == (207, recorded["errors"], _form(recorded))


def test_an_id_that_is_none_and_one_with_itself_are_refused_as_recorded(portal: Any) -> None:
    """Both errors have the recorded words."""
    recorded = _body("err-contact-to-contact")
    own = portal.ids["C1"]
    answer = _create(portal, (own, "unknown_id_123456798", 449), (own, own, 449), between="contacts/contacts")
    wanted = json.loads(json.dumps(recorded["errors"]).replace("211762804612", own))
    assert (answer.status, answer.body["errors"]) == (207, wanted)


def test_the_associations_of_one_record_have_the_recorded_form(portal: Any) -> None:
    """A single record's associations come without anything around them."""
    recorded = _exchange("GET", "/associations/Contact", 200)["resp"]
    answer = portal.get(f"/crm/v4/objects/Deal/{portal.ids['O1']}/associations/Contact")
    assert _form(answer.body) == _form(recorded)


def test_an_archived_association_is_answered_without_a_body(portal: Any) -> None:
    """204, also for what was not there."""
    recorded = _exchange("POST", f"{V4}/Deal/Company/batch/archive", 204)
    answer = portal.post(f"{V4}/Deal/Company/batch/archive", recorded["req"])
    assert (answer.status, answer.body) == (204, recorded["resp"])


# -- refusals and descriptions -----------------------------------------------------------------------------------------


def test_an_object_that_does_not_exist_is_refused_as_recorded(portal: Any) -> None:
    """The message names it, and there is no category."""
    recorded = _body("error-invalid-object")
    answer = portal.get("/crm/v3/objects/butterflies")
    assert {**answer.body, "correlationId": ""} == {**recorded, "correlationId": ""}


@pytest.mark.parametrize(
    ("path", "status_path"),
    [(f"{CONTACTS}/1", "/crm/v3/objects/contacts/1"), ("/crm/v3/properties/contacts", "/crm/v3/properties/contacts")],
)
def test_a_missing_scope_is_told_as_recorded(portal: Any, path: str, status_path: str) -> None:
    """Records and descriptions are refused in two forms, with the recorded words and headers about limits."""
    recorded = _exchange("GET", status_path, 403)
    portal.org(missing_scopes=["crm.objects.contacts.read"])
    answer = portal.get(path)
    wanted = recorded["resp"]["message"].replace("<HUBSPOT_PORTAL_ID>", "8000001")
    assert (answer.status, answer.body["message"], _form(answer.body)) == (403, wanted, _form(recorded["resp"]))


def test_a_batch_without_scope_has_the_other_recorded_form(portal: Any) -> None:
    """The context of the body itself names the scope."""
    portal.org(missing_scopes=["crm.objects.contacts.read"])
    answer = portal.post(f"{CONTACTS}/batch/read", {"inputs": []})
    assert _form(answer.body) == _form(_body("err-missing-scope"))


def test_an_expired_token_is_told_as_quoted(portal: Any) -> None:
    """The message says since when, in the quoted words."""
    quoted = _quoted(401, "EXPIRED_AUTHENTICATION")
    portal.faults({"times": 1, "do": {"expire_session": True}})
    answer = portal.get(CONTACTS)
    assert (answer.body["message"], answer.body["category"]) == (
        quoted["message"].replace("expired 7 second", "expired 0 second"),
        quoted["category"],
    )


def test_contact_properties_are_described_as_recorded(portal: Any) -> None:
    """Of each property that the recording has too: type, choices, who may write it, and what its values are ids of."""
    recorded = {prop["name"]: prop for prop in _exchange("GET", "/crm/v3/properties/contacts", 200)["resp"]["results"]}
    names = ("type", "fieldType", "calculated", "hasUniqueValue", "referencedObjectType")
    told = {
        prop["name"]: [prop.get(name) for name in names] + [prop["modificationMetadata"]["readOnlyValue"]]
        for prop in portal.get("/crm/v3/properties/contacts").body["results"]
        if prop["name"] in recorded
    }
    wanted = {
        name: [recorded[name].get(key) for key in names] + [recorded[name]["modificationMetadata"]["readOnlyValue"]]
        for name in told
    }
    assert told == wanted


def test_flags_offer_what_was_recorded(portal: Any) -> None:
    """The description of a property that is true or false offers both."""
    recorded = {prop["name"]: prop for prop in _exchange("GET", "/crm/v3/properties/contacts", 200)["resp"]["results"]}
    flags = [prop for prop in portal.get("/crm/v3/properties/contacts").body["results"] if prop["type"] == "bool"]
    told = {prop["name"]: [(it["value"], it["label"]) for it in prop["options"]] for prop in flags}
    assert told == {name: [(it["value"], it["label"]) for it in recorded[name]["options"]] for name in told}


def test_the_form_of_a_description_is_the_recorded_one(portal: Any) -> None:
    """Every name in a description of the sandbox is in a recorded one."""
    recorded = _exchange("GET", "/crm/v3/properties/contacts", 200)["resp"]["results"]
    known = {name for prop in recorded for name in prop}
    told = {name for prop in portal.get("/crm/v3/properties/contacts").body["results"] for name in prop}
    assert told <= known
