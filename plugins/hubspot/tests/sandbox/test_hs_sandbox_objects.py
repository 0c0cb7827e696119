"""The objects API of the sandbox: single records and batches."""

from __future__ import annotations

from typing import Any

import pytest

CONTACTS = "/crm/v3/objects/contacts"
CALLS = "/crm/objects/2026-09/calls"


def _read(portal: Any, *emails: str, **rest: Any) -> Any:
    body = {"idProperty": "email", "inputs": [{"id": email} for email in emails], **rest}
    return portal.post(f"{CONTACTS}/batch/read", body)


def _call(trace: str | None = None, links: tuple[tuple[str, int], ...] = (), **properties: Any) -> dict[str, Any]:
    types = [
        {"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}
        for to, type_id in links
    ]
    row = {"properties": {"hs_timestamp": "2026-11-20T10:00:00Z", **properties}, "associations": types}
    return {"objectWriteTraceId": trace, **row} if trace else row


def test_batch_read_by_a_further_address_finds_the_contact(portal: Any) -> None:
    """A batch read by e-mail matches further addresses too, and answers the primary one in lower case."""
    answer = _read(portal, "carl.private@MAIL.example", properties=["email"])
    assert (answer.status, answer.body["results"][0]["properties"]["email"]) == (200, "carl@buyer.example")


def test_batch_read_tells_what_is_missing_in_a_207(portal: Any) -> None:
    """An address that nobody has is an error entry beside the results."""
    answer = _read(portal, "carl@buyer.example", "nobody@buyer.example")
    assert (answer.status, answer.body["errors"][0]["context"]) == (207, {"ids": ["nobody@buyer.example"]})


def test_batch_read_answers_in_another_order(portal: Any) -> None:
    """Results come in another order than the inputs, so nobody can zip them."""
    answer = _read(portal, "carl@buyer.example", "cora@other.example")
    assert [record["id"] for record in answer.body["results"]] == [portal.ids["C2"], portal.ids["C1"]]


def test_batch_read_leaves_out_properties_that_do_not_exist(portal: Any) -> None:
    """A property that is not defined is absent, an empty one is null."""
    record = _read(portal, "carl@buyer.example", properties=["fax", "no_such"]).body["results"][0]
    assert record["properties"] == {
        "fax": None,
        **{name: record["properties"][name] for name in ("createdate", "hs_object_id", "lastmodifieddate")},
    }


@pytest.mark.parametrize("operation", ["read", "update", "create", "archive"])
def test_a_batch_has_a_hundred_inputs_at_most(portal: Any, operation: str) -> None:
    """The hundred and first input refuses the whole batch."""
    answer = portal.post(
        f"{CONTACTS}/batch/{operation}", {"inputs": [{"id": str(n), "properties": {}} for n in range(101)]}
    )
    assert (answer.status, answer.body["category"]) == (400, "VALIDATION_ERROR")


def test_a_create_carries_its_associations(portal: Any) -> None:
    """One request creates a call and what it is associated with, visible from the other side."""
    created = portal.post(f"{CALLS}/batch/create", {"inputs": [_call(links=((portal.ids["C2"], 194),))]})
    seen = portal.get(f"/crm/v4/objects/contacts/{portal.ids['C2']}/associations/calls").body["results"]
    assert seen == [
        {
            "toObjectId": int(created.body["results"][0]["id"]),
            "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 193, "label": None}],
        }
    ]


def test_without_trace_ids_one_invalid_row_rejects_the_batch(portal: Any) -> None:
    """Nothing of a batch without trace ids is created when one row is refused."""
    answer = portal.post(f"{CALLS}/batch/create", {"inputs": [_call(), _call(hs_timestamp="never")]})
    assert (answer.status, len(portal.sandbox.records()["calls"])) == (400, 1)


def test_with_trace_ids_every_row_has_its_outcome(portal: Any) -> None:
    """With trace ids the valid row is created, and the error names the trace id of the other."""
    answer = portal.post(f"{CALLS}/batch/create", {"inputs": [_call("a"), _call("b", hs_timestamp="never")]})
    assert (answer.status, len(answer.body["results"]), answer.body["errors"][0]["context"]) == (
        207,
        1,
        {"objectWriteTraceId": ["b"]},
    )


def test_an_association_to_a_record_that_is_gone_is_refused(portal: Any) -> None:
    """A stale target is named among the invalid object ids."""
    answer = portal.post(f"{CALLS}/batch/create", {"inputs": [_call(links=(("999", 194),))]})
    assert (answer.status, answer.body["context"]) == (400, {"INVALID_OBJECT_IDS": ["CONTACT=999 is not valid"]})


def test_an_association_type_of_another_object_is_refused(portal: Any) -> None:
    """A type that does not start at a call is refused."""
    answer = portal.post(f"{CALLS}/batch/create", {"inputs": [_call(links=((portal.ids["C1"], 279),))]})
    assert (answer.status, answer.body["category"]) == (400, "VALIDATION_ERROR")


def test_an_update_names_ids_that_are_not_there(portal: Any) -> None:
    """The row of an unknown id is an error, and the other row is changed."""
    rows = [{"id": portal.ids["C2"], "properties": {"fax": "1"}}, {"id": "7", "properties": {"fax": "1"}}]
    answer = portal.post(f"{CONTACTS}/batch/update", {"inputs": rows})
    assert (answer.status, answer.body["results"][0]["properties"]["fax"], answer.body["errors"][0]["category"]) == (
        207,
        "1",
        "OBJECT_NOT_FOUND",
    )


def test_an_upsert_by_address_creates_and_changes(portal: Any) -> None:
    """An upsert says of each row whether it is new."""
    rows = [
        {"id": "cora@other.example", "idProperty": "email", "properties": {"fax": "1"}},
        {"id": "new@other.example", "idProperty": "email", "properties": {"firstname": "Nia"}},
    ]
    answer = portal.post(f"{CONTACTS}/batch/upsert", {"inputs": rows})
    assert {row["properties"].get("firstname"): row["new"] for row in answer.body["results"]} == {
        None: False,
        "Nia": True,
    }


def test_an_upsert_by_a_property_that_is_not_unique_is_refused(portal: Any) -> None:
    """Only unique properties find the record to change."""
    rows = [{"id": "CTO", "idProperty": "jobtitle", "properties": {}}]
    assert portal.post(f"{CONTACTS}/batch/upsert", {"inputs": rows}).status == 400


def test_a_row_error_fails_its_rows_and_no_others(portal: Any) -> None:
    """A failed row is not executed; its code is the category, its trace id in the context."""
    portal.faults({"match": {"path": "*/batch/create"}, "times": 1, "do": {"row_error": "UNABLE_TO_LOCK_ROW"}})
    answer = portal.post(f"{CALLS}/batch/create", {"inputs": [_call("a")]})
    assert (
        answer.status,
        answer.body["errors"][0]["category"],
        answer.body["errors"][0]["context"],
        answer.body["results"],
    ) == (
        207,
        "UNABLE_TO_LOCK_ROW",
        {"objectWriteTraceId": ["a"]},
        [],
    )


def test_a_further_address_cannot_become_somebody_elses(portal: Any) -> None:
    """Addresses are unique over contacts, further ones too."""
    answer = portal.post(CONTACTS, {"properties": {"email": "carl.private@mail.example"}})
    assert (answer.status, answer.body["message"]) == (
        409,
        f"Contact already exists. Existing ID: {portal.ids['C1']}",
    )


def test_a_contact_without_name_and_address_is_refused(portal: Any) -> None:
    """A contact needs one of e-mail, first name and last name."""
    answer = portal.post(CONTACTS, {"properties": {"phone": "+33639981011"}})
    assert (answer.status, answer.body["context"]) == (400, {"properties": ["email", "firstname", "lastname"]})


def test_an_engagement_without_time_is_refused(portal: Any) -> None:
    """Without hs_timestamp nothing is created, in the words that were seen for notes."""
    answer = portal.post("/crm/v3/objects/notes", {"properties": {"hs_note_body": "x"}})
    assert (answer.status, answer.body["message"]) == (
        400,
        "Error creating NOTE. Some required properties were not set.",
    )


def test_null_empties_a_property(portal: Any) -> None:
    """A property that is written as null or empty text is read back as null."""
    path = f"{CONTACTS}/{portal.ids['C1']}"
    portal.send("PATCH", path, {"properties": {"jobtitle": ""}})
    assert portal.get(f"{path}?properties=jobtitle").body["properties"]["jobtitle"] is None


def test_objects_are_known_by_type_id_too(portal: Any) -> None:
    """A path may name an object by its type id, in any version."""
    found = portal.get(f"/crm/objects/2026-03/0-1/{portal.ids['C1']}")
    assert found.body["id"] == portal.ids["C1"]


def test_a_list_goes_on_after_an_id(portal: Any) -> None:
    """The cursor of a list leads to the rest, and the last page has no paging."""
    first = portal.get(f"{CONTACTS}?limit=1").body
    second = portal.get(f"{CONTACTS}?limit=1&after={first['paging']['next']['after']}").body
    assert ([record["id"] for record in second["results"]], "paging" in second) == ([portal.ids["C2"]], False)


def test_a_record_without_associations_has_no_such_key(portal: Any) -> None:
    """Associations that were asked for and are not there leave no trace in the answer."""
    alone = portal.contact(firstname="Alone")
    assert "associations" not in portal.get(f"{CONTACTS}/{alone}?associations=deals").body


def test_a_deleted_record_is_gone_everywhere(portal: Any) -> None:
    """After a delete a contact is neither read nor associated."""
    portal.send("DELETE", f"{CONTACTS}/{portal.ids['C1']}")
    deal = portal.get(f"/crm/v3/objects/deals/{portal.ids['O1']}?associations=contacts").body
    assert (portal.get(f"{CONTACTS}/{portal.ids['C1']}").status, "associations" in deal) == (404, False)


def _merge(portal: Any, loser: str, winner: str) -> None:
    change = {"object": "contacts", "id": portal.ids[loser], "merge_into": portal.ids[winner]}
    portal.faults({"times": 1, "do": {"patch": change}})
    portal.get("/crm/v3/owners")


def test_a_merged_id_is_answered_by_the_survivor(portal: Any) -> None:
    """A single read and a batch read by the losing id answer the survivor, which lists it."""
    _merge(portal, "C1", "C2")
    single = portal.get(f"{CONTACTS}/{portal.ids['C1']}?properties=hs_merged_object_ids").body
    batch = portal.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": portal.ids["C1"]}]}).body["results"][0]
    assert (single["id"], single["properties"]["hs_merged_object_ids"], batch["id"]) == (
        portal.ids["C2"],
        portal.ids["C1"],
        portal.ids["C2"],
    )


def test_a_merge_moves_addresses_and_associations(portal: Any) -> None:
    """The survivor has the loser's addresses as further ones, its deals too, and keeps its own primary company."""
    _merge(portal, "C1", "C2")
    path = f"{CONTACTS}/{portal.ids['C2']}?properties=hs_additional_emails,associatedcompanyid&associations=deals"
    record = portal.get(path).body
    assert (
        record["properties"]["hs_additional_emails"],
        record["properties"]["associatedcompanyid"],
        record["associations"]["deals"]["results"][0]["id"],
    ) == ("carl@buyer.example;carl.private@mail.example", portal.ids["A2"], portal.ids["O1"])


def test_a_batch_update_by_a_merged_id_fails(portal: Any) -> None:
    """Batch updates do not follow merges, single ones do."""
    _merge(portal, "C1", "C2")
    rows = [{"id": portal.ids["C1"], "properties": {"fax": "1"}}]
    batch = portal.post(f"{CONTACTS}/batch/update", {"inputs": rows})
    single = portal.send("PATCH", f"{CONTACTS}/{portal.ids['C1']}", {"properties": {"fax": "2"}})
    assert (batch.body["errors"][0]["category"], single.body["id"]) == ("OBJECT_NOT_FOUND", portal.ids["C2"])


def test_a_property_that_only_the_service_may_have_is_not_guessed(portal: Any) -> None:
    """Read, sought or written, a name that HubSpot keeps for itself is refused where the sandbox does not know it."""
    path, name = f"{CONTACTS}/{portal.ids['C1']}", "hs_time_in_lead"
    answers = [
        portal.get(f"{path}?properties=email,{name}"),
        portal.search("contacts", {"propertyName": name, "operator": "HAS_PROPERTY"}),
        portal.send("PATCH", path, {"properties": {name: "1"}}),
    ]
    assert [answer.status for answer in answers] == [501, 501, 501]
