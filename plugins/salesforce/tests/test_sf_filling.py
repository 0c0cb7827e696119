"""Fields of records, filled in a sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from connector_salesforce import SALESFORCE

from connector_core.model import FieldReceipt, RecordUpdate

WORLD: dict[str, Any] = {
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl"},
        {"kind": "contact", "id": "C2", "name": "Carla"},
        {"kind": "lead", "id": "L1", "name": "Lea", "converted_contact_id": "C1"},
    ],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
    "opportunities": [{"id": it, "created_at": "2026-02-01T00:00:00Z"} for it in ("O1", "O2")],
}


RULE = {"object": "Contact", "name": "r", "message": "No.", "when": {"field": "Title", "equals": "CTO"}}
STAGE = {"object": "Contact", "name": "Stage__c", "type": "picklist", "restricted": True, "values": ["New"]}


@pytest.fixture
def desk(connect: Any) -> Any:
    return connect(WORLD)


def fill(desk: Any, obj: str, seed: str, **fields: Any) -> dict[str, str]:
    record = desk.ids.get(seed, seed)
    receipts = desk.adapter.fill_fields([RecordUpdate(obj, record, fields)])
    return {name: it.outcome for name, it in receipts[obj, record].items()}


def test_fields_are_set_together(desk: Any) -> None:
    """Several fields of a record cost one request, and arrive."""
    assert fill(desk, "Contact", "C1", Title="CTO", Department="IT") == {"Title": "sent", "Department": "sent"}
    assert desk.record("Contact", desk.ids["C1"])["Title"] == "CTO"
    assert desk.api_calls == 1


def test_the_amount_of_an_opportunity_with_products_is_not_told_as_set(desk: Any) -> None:
    """Salesforce would take it and leave the sum of the products: what else there is to fill is filled."""
    fields = {"HasOpportunityLineItem": True, "Amount": 7.0}
    patch = {"object": "Opportunity", "id": desk.ids["O1"], "fields": fields, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    told = [fill(desk, "Opportunity", it, amount=5, NextStep="Call") for it in ("O1", "O2")]

    assert told == [{"NextStep": "sent", "amount": "refused"}, {"NextStep": "sent", "amount": "sent"}]


def test_products_are_asked_for_where_an_amount_is_filled(desk: Any) -> None:
    """One query for all of a batch."""
    fill(desk, "Opportunity", "O1", NextStep="Call")
    before = desk.api_calls
    fill(desk, "Opportunity", "O1", Amount=5)

    assert (before, desk.api_calls - before) == (1, 2)


def test_none_clears_a_field(desk: Any) -> None:
    """None empties what was there."""
    fill(desk, "Contact", "C1", Title="CTO")
    fill(desk, "Contact", "C1", Title=None)

    assert desk.record("Contact", desk.ids["C1"])["Title"] is None


@pytest.mark.parametrize(
    "bad", [{"Nope__c": "x"}, {"IsDeleted": True}, {"Birthdate": "not a day"}, {"Title": "x" * 129}, {"Name": "x"}]
)
def test_a_field_that_is_refused_keeps_no_other_from_being_sent(desk: Any, bad: dict[str, Any]) -> None:
    """The one that is wrong is refused, the other two are sent."""
    outcomes = fill(desk, "Contact", "C1", Department="IT", Description="text", **bad)

    assert outcomes == {"Department": "sent", "Description": "sent", next(iter(bad)): "refused"}


def test_a_rule_that_names_no_field_is_found_by_trying_each(desk: Any) -> None:
    """A validation rule may name no field: each is then sent alone."""
    rule = {"object": "Contact", "name": "r", "message": "No.", "when": {"field": "Title", "equals": "CTO"}}
    desk.post("org", {"validation_rules": [rule]})

    assert fill(desk, "Contact", "C1", Title="CTO", Department="IT") == {"Title": "refused", "Department": "sent"}


def test_a_rule_that_refuses_a_record_whatever_is_set_is_told_of_each_field(desk: Any) -> None:
    """No field is to blame: each has the rule's sentence and its code."""
    rule = {"object": "Contact", "name": "r", "message": "Closed.", "when": {"field": "LastName", "equals": "Carl"}}
    desk.post("org", {"validation_rules": [rule]})
    record = desk.ids["C1"]
    receipts = desk.adapter.fill_fields([RecordUpdate("Contact", record, {"Title": "CTO", "Department": "IT"})])

    refused = FieldReceipt("refused", "Closed.", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert receipts["Contact", record] == {"Title": refused, "Department": refused}


@pytest.mark.parametrize(
    ("org", "fields", "meaning"),
    [
        ({}, {"Title": "x" * 129}, "too_long"),
        ({}, {"Nope__c": "x"}, "field_missing"),
        ({"hidden_fields": ["Contact.Title"]}, {"Title": "x"}, "field_missing"),
        ({"read_only_fields": ["Contact.Title"]}, {"Title": "x"}, "no_permission"),
        ({"missing_rights": {"Contact": ["edit"]}}, {"Title": "x"}, "no_permission"),
        ({"custom_fields": [STAGE]}, {"Stage__c": "Nowhere"}, "refused_value"),
        ({"validation_rules": [RULE]}, {"Title": "CTO"}, "validation_rule"),
        ({"validation_rules": [{**RULE, "field": "Title"}]}, {"Title": "CTO"}, "validation_rule"),
    ],
)
def test_the_manifest_says_what_a_refusal_means(
    desk: Any, org: dict[str, Any], fields: dict[str, Any], meaning: str
) -> None:
    """By the code that stands in the receipt."""
    desk.post("org", org)
    record = desk.ids["C1"]
    receipts = desk.adapter.fill_fields([RecordUpdate("Contact", record, fields)])["Contact", record]

    assert [SALESFORCE.refusals.get(it.code) for it in receipts.values()] == [meaning]


def test_one_record_that_is_wrong_keeps_no_other_from_being_filled(desk: Any) -> None:
    """A value that Salesforce cannot read takes the whole request with it: the others are sent again."""
    updates = [
        RecordUpdate("Contact", desk.ids["C1"], {"Birthdate": "not a day"}),
        RecordUpdate("Contact", desk.ids["C2"], {"Title": "CTO"}),
    ]
    receipts = desk.adapter.fill_fields(updates)

    assert [next(iter(receipts["Contact", desk.ids[it]].values())).outcome for it in ("C1", "C2")] == [
        "refused",
        "sent",
    ]


@pytest.mark.parametrize(("obj", "seed"), [("Lead", "L1"), ("Contact", "003000000000000AAA"), ("Contact", "nonsense")])
def test_a_record_that_cannot_be_changed_refuses_all_its_fields_at_once(desk: Any, obj: str, seed: str) -> None:
    """A converted lead, a record that is gone and an id that is none are refused without trying field by field."""
    assert set(fill(desk, obj, seed, Title="x", Phone="1").values()) == {"refused"}
    assert desk.api_calls == 1


def test_a_refusal_carries_salesforces_words(desk: Any) -> None:
    """Code and sentence stand in the receipt."""
    receipts = desk.adapter.fill_fields([RecordUpdate("Contact", desk.ids["C1"], {"Title": "x" * 129})])
    receipt = receipts["Contact", desk.ids["C1"]]["Title"]

    assert (receipt.code, "Title" in (receipt.reason or "")) == ("STRING_TOO_LONG", True)


def test_a_locked_record_is_deferred(desk: Any) -> None:
    """A record that is held again and again was not changed, and may be later."""
    desk.post("faults", [{"do": {"row_error": "UNABLE_TO_LOCK_ROW"}}])

    assert fill(desk, "Contact", "C1", Title="x") == {"Title": "deferred"}


def test_no_fields_are_no_request(desk: Any) -> None:
    """An update of nothing is answered, and sends nothing."""
    assert fill(desk, "Contact", "C1") == {}
    assert desk.api_calls == 0


def test_four_hundred_records_are_two_calls(connect: Any) -> None:
    """Two hundred records go in one request."""
    desk = connect({"people": [{"kind": "contact", "id": f"C{n}", "name": "x"} for n in range(400)]})
    receipts = desk.adapter.fill_fields(
        [RecordUpdate("Contact", desk.ids[f"C{n}"], {"Title": "x"}) for n in range(400)]
    )

    assert ({it["Title"].outcome for it in receipts.values()}, desk.api_calls) == ({"sent"}, 2)


def test_a_duplicate_rule_is_named_with_the_records_that_it_found(desk: Any) -> None:
    """Whoever reads the receipt can look at them; what the rule does not look at is sent all the same."""
    rule = {"object": "Contact", "name": "One_per_address", "fields": ["Email"]}
    desk.post("org", {"duplicate_rules": [rule]})
    fill(desk, "Contact", "C2", Email="carl@buyer.example")
    record = desk.ids["C1"]
    update = RecordUpdate("Contact", record, {"Email": "Carl@buyer.example", "Title": "CTO"})
    receipts = desk.adapter.fill_fields([update])["Contact", record]

    assert receipts["Title"].outcome == "sent"
    assert (receipts["Email"].outcome, receipts["Email"].code) == ("refused", "DUPLICATES_DETECTED")
    assert receipts["Email"].reason == (f"Use one of these records? (duplicate rule One_per_address: {desk.ids['C2']})")
    assert desk.record("Contact", record)["Email"] is None


def test_an_owner_who_left_is_refused_in_words_of_salesforce(desk: Any) -> None:
    """Whose records they become, a person decides; other fields are set."""
    patch = {"object": "User", "id": desk.ids["U1"], "fields": {"IsActive": False}}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    record = desk.ids["C1"]
    update = RecordUpdate("Contact", record, {"OwnerId": desk.ids["U1"], "Title": "CTO"})
    receipts = desk.adapter.fill_fields([update])["Contact", record]

    assert receipts["Title"].outcome == "sent"
    assert (receipts["OwnerId"].outcome, receipts["OwnerId"].code) == ("refused", "INACTIVE_OWNER_OR_USER")
    assert "inactive user" in receipts["OwnerId"].reason
